//! A link does to packets what its condition says, no more and no less.

use mianshi_netsim::{Burst, Condition, Link, QueueLimit, UDP_IP_OVERHEAD_BYTES};

/// With headers a round 1000 bytes: 8 ms at 1 Mbit/s.
const PAYLOAD_BYTES: usize = 1_000 - UDP_IP_OVERHEAD_BYTES;
const MBPS: u64 = 1_000_000;

/// Everything that arrives, with its time.
fn drain(link: &mut Link<u32>) -> Vec<(u64, u32)> {
    let mut arrived = Vec::new();
    while let Some(at_us) = link.deadline() {
        while let Some(packet) = link.poll(at_us) {
            arrived.push((at_us, packet));
        }
    }
    arrived
}

/// A packet a millisecond, all drained.
fn send(condition: Condition, seed: u64, count: u32) -> (Vec<(u64, u32)>, Link<u32>) {
    let mut link = Link::new(condition, seed);
    let mut arrived = Vec::new();
    for number in 0..count {
        let now_us = u64::from(number) * 1_000;
        link.push(PAYLOAD_BYTES, number, now_us);
        while let Some(packet) = link.poll(now_us) {
            arrived.push((now_us, packet));
        }
    }
    arrived.extend(drain(&mut link));
    (arrived, link)
}

#[test]
fn a_perfect_link_hands_out_at_once_and_in_order() {
    let (arrived, link) = send(Condition::PERFECT, 1, 100);
    assert!((0..100).all(|n| arrived[n as usize] == (u64::from(n) * 1_000, n)));
    assert_eq!(link.counters().arrived, 100);
}

#[test]
fn rate_spaces_packets_and_delay_comes_on_top() {
    let condition = Condition {
        rate_bps: Some(MBPS),
        delay_us: 25_000,
        ..Condition::PERFECT
    };
    let mut link = Link::new(condition, 1);
    for number in 0..4 {
        link.push(PAYLOAD_BYTES, number, 0);
    }
    assert_eq!(link.queue_delay_us(0), Some(32_000));
    assert_eq!(link.queue_delay_us(10_000), Some(22_000));
    let arrived = drain(&mut link);
    assert_eq!(
        arrived,
        [(33_000, 0), (41_000, 1), (49_000, 2), (57_000, 3)]
    );
    assert_eq!(link.take_peak_wait_us(), 32_000);
    assert_eq!(link.take_peak_wait_us(), 0);
}

#[test]
fn a_full_queue_drops_what_comes_last() {
    let by_time = QueueLimit::Microseconds(24_000);
    for queue in [by_time, QueueLimit::Bytes(3_000)] {
        let condition = Condition {
            rate_bps: Some(MBPS),
            queue,
            ..Condition::PERFECT
        };
        let mut link = Link::new(condition, 1);
        for number in 0..10 {
            link.push(PAYLOAD_BYTES, number, 0);
        }
        let arrived: Vec<u32> = drain(&mut link).into_iter().map(|(_, n)| n).collect();
        assert_eq!(arrived, [0, 1, 2]);
        assert_eq!(link.counters().queue_drops, 7);
    }
}

#[test]
fn an_overloaded_link_carries_its_rate_exactly() {
    for kbps in [300, 1_200, 4_000, 97_003] {
        let condition = Condition {
            rate_bps: Some(kbps * 1_000),
            queue: QueueLimit::Microseconds(200_000),
            ..Condition::PERFECT
        };
        let mut link = Link::new(condition, 1);
        // Twice as much as it carries, for ten seconds.
        let packets = kbps * 2 * 10 / 8;
        for number in 0..packets {
            let now_us = number * 10_000_000 / packets;
            link.push(PAYLOAD_BYTES, 0, now_us);
            while link.poll(now_us).is_some() {}
        }
        let sent_bits = link.counters().sent_bytes * 8;
        let share = sent_bits as f64 / (kbps * 1_000 * 10) as f64;
        assert!((0.995..=1.0).contains(&share), "{share} of {kbps} kbit/s");
    }
}

#[test]
fn a_new_rate_holds_for_what_waits_and_for_the_rest_of_the_packet_under_way() {
    let slow = Condition {
        rate_bps: Some(MBPS),
        queue: QueueLimit::Bytes(100_000),
        ..Condition::PERFECT
    };
    let fast = Condition {
        rate_bps: Some(2 * MBPS),
        ..slow
    };
    let mut link = Link::new(slow, 1);
    for number in 0..3 {
        link.push(PAYLOAD_BYTES, number, 0);
    }
    // Half of the first is sent in 4 ms; the other half takes 2 ms, and each further one 4 ms.
    link.set(fast, 4_000);
    assert_eq!(drain(&mut link), [(6_000, 0), (10_000, 1), (14_000, 2)]);
    link.push(PAYLOAD_BYTES, 3, 20_000);
    link.set(Condition::PERFECT, 21_000);
    assert_eq!(drain(&mut link), [(21_000, 3)]);
}

#[test]
fn losses_come_as_often_as_they_should_and_use_the_rate() {
    for percent in [1, 5, 10, 20] {
        let condition = Condition {
            loss: f64::from(percent) / 100.0,
            ..Condition::PERFECT
        };
        let (arrived, link) = send(condition, 7, 50_000);
        let lost = 50_000 - arrived.len() as u32;
        assert!(lost.abs_diff(500 * percent) < 300, "{lost} at {percent} %");
        assert_eq!(link.counters().lost, u64::from(lost));
        assert_eq!(link.counters().sent, 50_000);
    }
}

#[test]
fn bursts_have_their_share_and_their_length() {
    let condition = Condition {
        burst: Burst {
            share: 0.05,
            mean_packets: 8.0,
        },
        ..Condition::PERFECT
    };
    let (arrived, link) = send(condition, 3, 200_000);
    let lost = link.counters().lost as f64;
    assert!((0.04..0.06).contains(&(lost / 200_000.0)), "{lost}");
    let bursts = arrived.windows(2).filter(|w| w[1].1 > w[0].1 + 1).count() as f64;
    assert!((7.0..9.0).contains(&(lost / bursts)), "{}", lost / bursts);
}

#[test]
fn jitter_keeps_the_order_and_reordering_does_not() {
    let jittery = Condition {
        delay_us: 5_000,
        jitter_us: 15_000,
        ..Condition::PERFECT
    };
    let (arrived, _) = send(jittery, 5, 5_000);
    assert!(arrived.is_sorted_by_key(|(_, number)| number));
    let late = |at: &(u64, u32)| at.0 - u64::from(at.1) * 1_000;
    assert!(
        arrived
            .iter()
            .all(|at| (5_000..=20_000).contains(&late(at)))
    );
    let reordering = Condition {
        reorder: 0.02,
        reorder_us: 3_000,
        ..Condition::PERFECT
    };
    let (arrived, link) = send(reordering, 5, 5_000);
    let overtaken = arrived.windows(2).filter(|w| w[1].1 < w[0].1).count() as u64;
    assert_eq!(arrived.len(), 5_000);
    assert!((60..=140).contains(&link.counters().reordered));
    assert!((50..=140).contains(&overtaken), "{overtaken}");
}

#[test]
fn duplicates_are_handed_out_twice() {
    let condition = Condition {
        duplicate: 1.0,
        ..Condition::PERFECT
    };
    let (arrived, link) = send(condition, 5, 100);
    assert_eq!(arrived.len(), 200);
    let counters = link.counters();
    assert_eq!((counters.arrived, counters.duplicated), (100, 100));
}

#[test]
fn in_the_dark_nothing_passes_and_what_waits_is_lost() {
    let condition = Condition {
        rate_bps: Some(MBPS),
        ..Condition::PERFECT
    };
    let dark = Condition {
        dark: true,
        ..condition
    };
    let mut link = Link::new(condition, 1);
    link.push(PAYLOAD_BYTES, 0, 0);
    link.set(dark, 1_000);
    link.push(PAYLOAD_BYTES, 1, 2_000);
    link.set(condition, 3_000);
    link.push(PAYLOAD_BYTES, 2, 3_000);
    assert_eq!(drain(&mut link), [(11_000, 2)]);
    assert_eq!(link.counters().dark, 2);
}

#[test]
fn nothing_moves_at_rate_zero_and_it_goes_on_later() {
    let stuck = Condition {
        rate_bps: Some(0),
        queue: QueueLimit::Bytes(10_000),
        ..Condition::PERFECT
    };
    let mut link = Link::new(stuck, 1);
    link.push(PAYLOAD_BYTES, 0, 0);
    assert_eq!((link.deadline(), link.queue_delay_us(9)), (None, None));
    link.set(Condition::PERFECT, 50_000);
    assert_eq!(drain(&mut link), [(50_000, 0)]);
}

#[test]
fn the_same_seed_gives_the_same_fate_and_another_seed_another() {
    let condition = Condition {
        loss: 0.1,
        jitter_us: 7_000,
        reorder: 0.05,
        duplicate: 0.05,
        ..Condition::PERFECT
    };
    assert_eq!(send(condition, 9, 500).0, send(condition, 9, 500).0);
    assert_ne!(send(condition, 9, 500).0, send(condition, 10, 500).0);
}
