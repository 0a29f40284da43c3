//! Numbers that go on without a break, and lead back to their packets.

use super::*;
use crate::packet::{Format, Marks};
use crate::wire::rtp::RtpHeader;
use proptest::prelude::*;

const FIRST: Origin = Origin {
    peer: 0,
    source: 0,
    layer: 0,
    stream: 1,
};
const SECOND: Origin = Origin { stream: 2, ..FIRST };

/// A VP8 packet with a picture id of 7 or 15 bits.
fn vp8(timestamp: u32, picture_id: u16, wide: bool) -> Vec<u8> {
    let mut bytes = vec![0x80, 96, 0, 0];
    bytes.extend_from_slice(&timestamp.to_be_bytes());
    bytes.extend_from_slice(&[0, 0, 0, 9, 0x90, 0xc0]);
    match wide {
        true => bytes.extend_from_slice(&(picture_id | 0x8000).to_be_bytes()),
        false => bytes.push(picture_id as u8 & 0x7f),
    }
    bytes.extend_from_slice(&[7, 0, 1, 2, 3]);
    bytes
}

fn packet(bytes: &[u8], sequence: u64) -> Packet<'_> {
    Packet::describe(
        bytes,
        RtpHeader::parse(bytes).expect("RTP"),
        Marks::default(),
        sequence,
        Format::Vp8,
    )
    .expect("a VP8 packet")
}

#[test]
fn a_narrow_picture_id_becomes_an_endless_wide_one() {
    let mut rewriter = Rewriter::new(42);
    let mut last: Option<Numbers> = None;
    for frame in 0..400u16 {
        let bytes = vp8(u32::from(frame) * 3_000, 100 + frame, false);
        let packet = packet(&bytes, 1_000 + u64::from(frame));
        if frame == 0 {
            rewriter.begin(FIRST, &packet, Advance::default());
        }
        let numbers = rewriter.number(&packet, Time(0)).expect("a number");
        if let Some(last) = last {
            assert_eq!(numbers.picture_id, (last.picture_id + 1) & 0x7fff);
            assert_eq!(numbers.sequence, last.sequence + 1);
        }
        last = Some(numbers);
    }
}

#[test]
fn a_second_stream_goes_on_where_the_first_ended() {
    let mut rewriter = Rewriter::new(7);
    let bytes = vp8(5_000, 9, true);
    rewriter.begin(FIRST, &packet(&bytes, 100), Advance::default());
    let before = rewriter
        .number(&packet(&bytes, 100), Time(0))
        .expect("a number");
    let bytes = vp8(77, 30_000, true);
    let advance = Advance {
        elapsed: 3_000,
        ..Advance::default()
    };
    rewriter.begin(SECOND, &packet(&bytes, 9_000), advance);
    let after = rewriter
        .number(&packet(&bytes, 9_000), Time(0))
        .expect("a number");
    assert_eq!(after.sequence, before.sequence + 1);
    assert_eq!(after.timestamp, before.timestamp.wrapping_add(3_000));
    assert_eq!(after.picture_id, (before.picture_id + 1) & 0x7fff);
    assert_eq!(
        after.tl0_picture_index,
        before.tl0_picture_index.wrapping_add(1)
    );
    assert!(rewriter.begins_at(after.sequence));
    // A straggler of before the beginning has no number.
    assert_eq!(rewriter.number(&packet(&bytes, 8_999), Time(0)), None);
}

#[test]
fn numbers_that_never_left_go_to_the_next_stream() {
    let mut rewriter = Rewriter::new(7);
    let bytes = vp8(5_000, 9, true);
    rewriter.begin(FIRST, &packet(&bytes, 100), Advance::default());
    let all: Vec<Numbers> = (100..110)
        .map(|sequence| rewriter.number(&packet(&bytes, sequence), Time(0)))
        .map(|numbers| numbers.expect("a number"))
        .collect();
    let numbers: Vec<u64> = all.iter().map(|each| each.sequence).collect();
    // The third overtook the second on the way here; neither can be given again.
    rewriter.left(all[0]);
    rewriter.left(all[2]);
    rewriter.take_back_unsent();
    assert_eq!(rewriter.newest_left(), Some(numbers[2]));
    rewriter.begin(SECOND, &packet(&bytes, 900), Advance::default());
    let next = rewriter.number(&packet(&bytes, 900), Time(0));
    assert_eq!(next.map(|next| next.sequence), Some(numbers[3]));
    assert_eq!(
        rewriter.locate(numbers[3] as u16),
        Some((SECOND, 900, numbers[3]))
    );
    assert_eq!(
        rewriter.locate(numbers[1] as u16),
        Some((FIRST, 101, numbers[1]))
    );
    // A straggler of the first stream has no number any more.
    assert_eq!(rewriter.number(&packet(&bytes, 104), Time(0)), None);
}

#[test]
fn a_stream_of_which_nothing_left_leaves_no_trace() {
    let mut rewriter = Rewriter::new(7);
    let bytes = vp8(5_000, 9, true);
    rewriter.begin(FIRST, &packet(&bytes, 100), Advance::default());
    let first = rewriter
        .number(&packet(&bytes, 100), Time(0))
        .expect("a number");
    rewriter.take_back_unsent();
    assert_eq!((rewriter.newest_left(), rewriter.last_sent()), (None, None));
    rewriter.begin(SECOND, &packet(&bytes, 5), Advance::default());
    let again = rewriter
        .number(&packet(&bytes, 5), Time(0))
        .expect("a number");
    assert_eq!(again.sequence, first.sequence);
}

#[test]
fn every_number_leads_back_to_its_packet() {
    let mut rewriter = Rewriter::new(7);
    let bytes = vp8(5_000, 9, true);
    rewriter.begin(FIRST, &packet(&bytes, 100), Advance::default());
    let first = rewriter
        .number(&packet(&bytes, 100), Time(0))
        .expect("a number");
    let ahead = rewriter
        .number(&packet(&bytes, 103), Time(0))
        .expect("a number");
    rewriter.begin(SECOND, &packet(&bytes, 50), Advance::default());
    let second = rewriter
        .number(&packet(&bytes, 50), Time(0))
        .expect("a number");
    assert_eq!(
        rewriter.locate(first.sequence as u16),
        Some((FIRST, 100, first.sequence))
    );
    // 102 was never seen, but the viewer may ask for it.
    assert_eq!(
        rewriter.locate(ahead.sequence as u16 - 1),
        Some((FIRST, 102, ahead.sequence - 1))
    );
    assert_eq!(
        rewriter.locate(second.sequence as u16),
        Some((SECOND, 50, second.sequence))
    );
    assert_eq!(rewriter.locate(second.sequence as u16 + 1), None);
    assert_eq!(rewriter.locate(first.sequence as u16 - 1), None);
    let again = rewriter.number_again(&packet(&bytes, 100), first.sequence as u16);
    assert_eq!(again, Some(first));
}

#[test]
fn a_stream_that_was_left_out_for_long_goes_on_within_reach_of_srtp() {
    let mut rewriter = Rewriter::new(7);
    let bytes = vp8(5_000, 9, true);
    rewriter.begin(FIRST, &packet(&bytes, 100), Advance::default());
    let before = rewriter
        .number(&packet(&bytes, 100), Time(0))
        .expect("a number");
    let after = rewriter
        .number(&packet(&bytes, 40_100), Time(0))
        .expect("a number");
    assert_eq!(after.sequence, before.sequence + 1);
    assert_eq!(
        rewriter.locate(after.sequence as u16),
        Some((FIRST, 40_100, after.sequence))
    );
    assert_eq!(
        rewriter.locate(before.sequence as u16),
        Some((FIRST, 100, before.sequence))
    );
    // A straggler of the pause has no number: its own would be another packet's.
    assert_eq!(rewriter.number(&packet(&bytes, 40_099), Time(0)), None);
}

#[test]
fn a_capture_time_is_believed_only_near_the_elapsed_time() {
    let bytes = vp8(5_000, 9, true);
    for (capture, expected) in [(5_900, 900), (5_000 + 900_000, 1_000), (4_000, 1)] {
        let mut rewriter = Rewriter::new(7);
        rewriter.begin(FIRST, &packet(&bytes, 100), Advance::default());
        let before = rewriter
            .number(&packet(&bytes, 100), Time(0))
            .expect("a number");
        let advance = Advance {
            elapsed: 1_000,
            capture: Some(capture),
            replayed: 0,
        };
        rewriter.begin(SECOND, &packet(&bytes, 200), advance);
        let after = rewriter
            .number(&packet(&bytes, 200), Time(0))
            .expect("a number");
        assert_eq!(
            after.timestamp.wrapping_sub(before.timestamp),
            expected,
            "capture {capture}"
        );
    }
}

/// The timestamps of a replay of frames 3000 ticks apart, then of one frame that follows live,
/// as distances from the last one before.
fn replayed_after(elapsed: Option<u32>, frames: u32) -> Vec<u32> {
    let mut rewriter = Rewriter::new(7);
    let bytes = vp8(5_000, 9, true);
    let mut before = rewriter.last_timestamp();
    if elapsed.is_some() {
        rewriter.begin(FIRST, &packet(&bytes, 100), Advance::default());
        let numbers = rewriter.number(&packet(&bytes, 100), Time(0));
        before = numbers.expect("a number").timestamp;
    }
    let first = u32::MAX - 4_000;
    (0..=frames)
        .map(|frame| {
            let timestamp = first.wrapping_add(frame * 3_000);
            let bytes = vp8(timestamp, 20 + frame as u16, true);
            let packet = packet(&bytes, 500 + u64::from(frame));
            if frame == 0 {
                let advance = Advance {
                    elapsed: elapsed.unwrap_or_default(),
                    capture: None,
                    replayed: (frames - 1) * 3_000,
                };
                rewriter.begin(SECOND, &packet, advance);
            }
            let numbers = rewriter.number(&packet, Time(0)).expect("a number");
            numbers.timestamp.wrapping_sub(before)
        })
        .collect()
}

#[test]
fn what_is_replayed_lies_between_the_last_picture_and_now() {
    // Frames that fit between keep their distances, and the newest is now.
    assert_eq!(
        replayed_after(Some(9_000), 3),
        [3_000, 6_000, 9_000, 12_000]
    );
    // Those that do not move together; what follows is as far away as it was.
    assert_eq!(
        replayed_after(Some(6_000), 5),
        [1, 1_501, 3_001, 4_501, 6_001, 9_001]
    );
}

#[test]
fn replayed_frames_are_always_apart_and_never_far_ahead() {
    for (elapsed, frames) in [(Some(0), 15), (Some(1), 60), (Some(90), 190), (None, 40)] {
        let ticks = replayed_after(elapsed, frames);
        let (live, replayed) = ticks.split_last().expect("frames");
        assert!(
            replayed.windows(2).all(|pair| pair[0] < pair[1]),
            "{ticks:?}"
        );
        let newest = replayed.last().expect("frames");
        assert!(*newest <= 1_900, "{elapsed:?}, {frames}: {newest}");
        assert_eq!(live - newest, 3_000);
    }
}

#[test]
fn streams_that_change_to_and_fro_with_replays_never_drift_ahead() {
    const FRAME: u32 = 3_000;
    let mut rewriter = Rewriter::new(7);
    let mut sequence = 100;
    // All streams count the same clock: what the slot adds to the newest frame never changes by
    // more than the tick that keeps two frames apart.
    let mut live = Vec::new();
    for (change, replayed) in [0u32, 14, 12, 15, 1, 0, 13].into_iter().enumerate() {
        let origin = Origin {
            stream: change as u64 + 1,
            ..FIRST
        };
        let newest = 90_000 + change as u32 * 2 * FRAME;
        for frame in (0..=replayed).rev() {
            let timestamp = newest - frame * FRAME;
            let bytes = vp8(timestamp, 9, true);
            sequence += 1;
            let packet = packet(&bytes, sequence);
            if frame == replayed {
                let advance = Advance {
                    elapsed: 2 * FRAME,
                    capture: (change > 0).then_some(timestamp),
                    replayed: replayed * FRAME,
                };
                rewriter.begin(origin, &packet, advance);
            }
            let numbers = rewriter.number(&packet, Time(0)).expect("a number");
            if frame == 0 {
                live.push(numbers.timestamp.wrapping_sub(timestamp));
            }
        }
    }
    let drift = live.iter().map(|offset| offset.wrapping_sub(live[0]));
    assert!(drift.max() <= Some(1), "{live:?}");
}

#[test]
fn what_a_stream_is_ahead_of_its_capture_the_next_one_is_not() {
    let bytes = vp8(5_000, 9, true);
    let mut rewriter = Rewriter::new(7);
    rewriter.begin(FIRST, &packet(&bytes, 100), Advance::default());
    let first = rewriter.number(&packet(&bytes, 100), Time(0));
    let first = first.expect("a number").timestamp;
    // Captured 1000 ticks before the packet that was sent last.
    let early = Advance {
        elapsed: 500,
        capture: Some(4_000),
        replayed: 0,
    };
    rewriter.begin(SECOND, &packet(&bytes, 200), early);
    let second = rewriter.number(&packet(&bytes, 200), Time(0));
    assert_eq!(second.expect("a number").timestamp, first.wrapping_add(1));
    let later = Advance {
        elapsed: 9_000,
        capture: Some(14_000),
        replayed: 0,
    };
    rewriter.begin(Origin { stream: 3, ..FIRST }, &packet(&bytes, 300), later);
    let third = rewriter.number(&packet(&bytes, 300), Time(0));
    // The second's 14000 would be 9000 behind its 5000, less the 1001 that it was ahead.
    assert_eq!(
        third.expect("a number").timestamp,
        first.wrapping_add(1 + 9_000 - 1_001)
    );
}

#[test]
fn a_slot_starts_with_a_low_sequence_number() {
    for seed in 0..200u64 {
        let mut rewriter = Rewriter::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let bytes = vp8(5_000, 9, true);
        rewriter.begin(FIRST, &packet(&bytes, 100), Advance::default());
        let first = rewriter
            .number(&packet(&bytes, 100), Time(0))
            .expect("a number");
        assert!(first.sequence as u16 <= 0x7fff);
    }
}

/// A VP8 packet of a temporal layer, one of `count` in its frame.
fn layered(frame: &Frame, index: u64) -> Vec<u8> {
    let picture_id = (frame.picture_id | 0x8000).to_be_bytes();
    let starts = if index == 0 { 0x90 } else { 0x80 };
    let mut bytes = vec![0x80, 96, 0, 0];
    bytes.extend_from_slice(&frame.timestamp.to_be_bytes());
    bytes.extend_from_slice(&[0, 0, 0, 9, starts, 0xe0, picture_id[0], picture_id[1]]);
    bytes.extend_from_slice(&[frame.tl0, frame.temporal << 6, 1, 2, 3]);
    bytes
}

#[derive(Clone, Debug)]
struct Frame {
    first: u64,
    packets: u64,
    timestamp: u32,
    picture_id: u16,
    tl0: u8,
    temporal: u8,
    kept: bool,
}

/// Frames in the pattern 0 2 1 2, as libvpx makes them with three temporal layers.
fn frames(packets: &[u64], most: impl Fn(usize) -> u8) -> Vec<Frame> {
    let (mut first, mut tl0) = (70_000, 250_u8);
    let mut frames = Vec::new();
    for (at, packets) in packets.iter().enumerate() {
        let temporal = [0, 2, 1, 2][at % 4];
        tl0 = tl0.wrapping_add(u8::from(temporal == 0));
        frames.push(Frame {
            first,
            packets: *packets,
            timestamp: (at as u32).wrapping_mul(3_000).wrapping_sub(20_000),
            picture_id: (at as u16).wrapping_add(0x7ff0) & 0x7fff,
            tl0,
            temporal,
            kept: temporal <= most(at),
        });
        first += packets;
    }
    frames
}

/// What a viewer gets for the packets in this order: source number, numbers, if it is empty.
fn shown(frames: &[Frame], order: &[(usize, u64)]) -> (Rewriter, Vec<(u64, Numbers, bool)>) {
    let mut rewriter = Rewriter::new(99);
    let mut sent = Vec::new();
    let bytes = layered(&frames[0], 0);
    rewriter.begin(FIRST, &packet(&bytes, frames[0].first), Advance::default());
    for (frame, index) in order {
        let frame = &frames[*frame];
        let bytes = layered(frame, *index);
        let packet = packet(&bytes, frame.first + index);
        let numbers = match frame.kept {
            true => rewriter.number(&packet, Time(0)),
            false => rewriter.skip(&packet, Time(0)),
        };
        if let Some(numbers) = numbers {
            sent.push((packet.sequence, numbers, !frame.kept));
        }
    }
    (rewriter, sent)
}

fn in_order(frames: &[Frame]) -> Vec<(usize, u64)> {
    let packets = frames.iter().enumerate();
    packets
        .flat_map(|(at, frame)| (0..frame.packets).map(move |index| (at, index)))
        .collect()
}

#[test]
fn frames_that_are_left_out_leave_no_gap() {
    for most in 0..2 {
        let frames = frames(&[3, 2, 1, 4].repeat(40), |_| most);
        let (rewriter, sent) = shown(&frames, &in_order(&frames));
        let kept: u64 = frames.iter().filter(|f| f.kept).map(|f| f.packets).sum();
        assert_eq!(sent.len() as u64, kept);
        for pair in sent.windows(2) {
            let ((before, one, _), (after, two, _)) = (pair[0], pair[1]);
            assert_eq!(two.sequence, one.sequence + 1, "{before} {after}");
            let step = two.picture_id.wrapping_sub(one.picture_id) & 0x7fff;
            assert_eq!(step, u16::from(two.timestamp != one.timestamp));
            assert!(two.tl0_picture_index.wrapping_sub(one.tl0_picture_index) <= 1);
        }
        for (source, numbers, _) in &sent[sent.len() - 60..] {
            let found = rewriter.locate(numbers.sequence as u16);
            assert_eq!(found, Some((FIRST, *source, numbers.sequence)));
        }
    }
}

#[test]
fn what_is_lost_within_a_frame_that_is_left_out_leaves_no_gap_either() {
    let frames = frames(&[2, 3, 2, 2, 2], |_| 0);
    let mut order = in_order(&frames);
    order.retain(|packet| *packet != (1, 1));
    let (mut rewriter, sent) = shown(&frames, &order);
    assert!(
        sent.windows(2)
            .all(|p| p[1].1.sequence == p[0].1.sequence + 1)
    );
    assert!(
        rewriter.has_skipped(frames[1].timestamp) && !rewriter.has_skipped(frames[0].timestamp)
    );
    // It comes after all.
    let bytes = layered(&frames[1], 1);
    assert_eq!(
        rewriter.skip(&packet(&bytes, frames[1].first + 1), Time(0)),
        None
    );
}

#[test]
fn what_comes_late_has_its_place_although_it_is_not_wanted() {
    let frames = frames(&[2, 1, 2], |_| 0);
    // The one packet of the second frame comes last: its place was kept.
    let order = [(0, 0), (0, 1), (2, 0), (2, 1), (1, 0)];
    let mut frames = frames;
    frames[2].kept = true;
    let (_, sent) = shown(&frames, &order);
    let first = sent[0].1.sequence;
    let own: Vec<(u64, bool)> = sent
        .iter()
        .map(|(_, n, empty)| (n.sequence - first, *empty))
        .collect();
    assert_eq!(
        own,
        [(0, false), (1, false), (3, false), (4, false), (2, true)]
    );
}

#[test]
fn a_stream_that_begins_behind_frames_left_out_goes_on_without_a_gap() {
    let frames = frames(&[2, 3], |_| 0);
    let (mut rewriter, sent) = shown(&frames, &in_order(&frames));
    let bytes = vp8(5_000, 9, true);
    rewriter.begin(SECOND, &packet(&bytes, 10), Advance::default());
    let next = rewriter
        .number(&packet(&bytes, 10), Time(0))
        .expect("a number");
    assert_eq!(next.sequence, sent[1].1.sequence + 1);
    assert_eq!(
        rewriter.locate(next.sequence as u16),
        Some((SECOND, 10, next.sequence))
    );
    // What the first stream left out is nothing to the second.
    let late = layered(&frames[1], 0);
    assert_eq!(rewriter.number(&packet(&late, 9), Time(0)), None);
}

proptest! {
    /// Whatever is left out, lost, or comes late: no number is used twice or for another packet,
    /// and what came in full is shown without a gap.
    #[test]
    fn numbers_stay_whole(
        packets in proptest::collection::vec(1..5_u64, 8..60),
        limits in proptest::collection::vec(0..3_u8, 60),
        delays in proptest::collection::vec(0..9_usize, 300),
        lost in proptest::collection::vec(proptest::bool::weighted(0.1), 300),
    ) {
        let frames = frames(&packets, |at| limits[at / 7]);
        let mut order: Vec<(usize, (usize, u64))> = in_order(&frames)
            .into_iter()
            .enumerate()
            .map(|(at, packet)| (if at == 0 { 0 } else { at + delays[at % 300] }, packet))
            .collect();
        order.sort_by_key(|(at, _)| *at);
        let order: Vec<(usize, u64)> = order
            .into_iter()
            .map(|(_, packet)| packet)
            .enumerate()
            .filter(|(at, _)| *at == 0 || !lost[*at % 300])
            .map(|(_, packet)| packet)
            .collect();
        let (rewriter, sent) = shown(&frames, &order);
        let mut by_own: Vec<(u64, u64)> = sent.iter().map(|(s, n, _)| (n.sequence, *s)).collect();
        by_own.sort_unstable();
        for pair in by_own.windows(2) {
            prop_assert!(pair[0].0 < pair[1].0, "a number was used twice: {:?}", pair);
            prop_assert!(pair[0].1 < pair[1].1, "packets changed places: {:?}", pair);
        }
        // What is kept is lost only on its way to us, or with a straggler of what is forgotten.
        let arrived = order.iter().filter(|(frame, _)| frames[*frame].kept).count();
        prop_assert_eq!(sent.iter().filter(|(_, _, empty)| !empty).count(), arrived);
        for (own, source) in by_own.iter().rev().take(20) {
            prop_assert_eq!(rewriter.locate(*own as u16), Some((FIRST, *source, *own)));
        }
        // A gap is somebody's place who did not arrive.
        let gaps: u64 = by_own.windows(2).map(|p| p[1].0 - p[0].0 - 1).sum();
        let missing = in_order(&frames).len() - order.len();
        prop_assert!(gaps <= missing as u64, "{gaps} gaps for {missing} missing");
    }
}
