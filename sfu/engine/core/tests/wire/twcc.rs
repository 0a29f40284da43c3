use mianshi_engine_core::time::Time;
use mianshi_engine_core::wire::WireError;
use mianshi_engine_core::wire::rtcp::{Packet, packets};
use mianshi_engine_core::wire::twcc::{
    DELTA_UNIT_MICROS, FeedbackHead, Status, TransportFeedback, Written, write_feedback,
};
use proptest::prelude::*;

use crate::hex::bytes;

const HEAD: FeedbackHead = FeedbackHead {
    sender_ssrc: 1,
    media_ssrc: 2,
    base_sequence: 65_530,
    feedback_count: 9,
};

fn feedback(compound: &[u8]) -> TransportFeedback<'_> {
    match packets(compound).next() {
        Some(Ok(Packet::TransportFeedback(feedback))) => feedback,
        other => panic!("a transport feedback, not {other:?}"),
    }
}

fn written(arrivals: &[Option<Time>]) -> (Vec<u8>, Written) {
    let mut buffer = vec![0xee; 4_000];
    let written = write_feedback(&mut buffer, &HEAD, arrivals).expect("room");
    buffer.truncate(written.bytes);
    (buffer, written)
}

/// Checks that the feedback says what `arrivals` are, to the resolution of a delta.
fn assert_reports(compound: &[u8], arrivals: &[Option<Time>]) {
    let feedback = feedback(compound);
    let statuses: Vec<Status> = feedback.statuses().expect("whole statuses").collect();
    assert_eq!(statuses.len(), arrivals.len());
    let first = arrivals.iter().flatten().next().expect("one arrival").0 / DELTA_UNIT_MICROS;
    let offset = statuses
        .iter()
        .find_map(|status| status.arrival_units)
        .expect("one arrival");
    for (index, (status, arrival)) in statuses.iter().zip(arrivals).enumerate() {
        assert_eq!(
            status.sequence,
            HEAD.base_sequence.wrapping_add(index as u16)
        );
        let units = arrival.map(|time| (time.0 / DELTA_UNIT_MICROS) as i64 - first as i64);
        assert_eq!(
            status.arrival_units.map(|arrived| arrived - offset),
            units,
            "status {index}"
        );
    }
}

/// Recorded from Chromium 156, which pads by two bytes instead of a word.
#[test]
fn reads_what_chromium_writes() {
    let recorded = bytes("afcd0006 fea9c1b6 f0d2d94f 01e40004 00ebdf77 20045745 51510002");
    let statuses: Vec<Status> = feedback(&recorded)
        .statuses()
        .expect("whole statuses")
        .collect();
    let numbers: Vec<_> = statuses.iter().map(|status| status.sequence).collect();
    assert_eq!(numbers, [0x1e4, 0x1e5, 0x1e6, 0x1e7]);
    assert!(statuses.iter().all(|status| status.arrival_units.is_some()));
}

#[test]
fn reads_run_lengths_and_both_vectors() {
    // Reference 1 (64 ms): a run of 2 small, a one-bit vector of 14, a two-bit vector of 2.
    let body = bytes(
        "00000001 00000002 fff0 0012 000001 05
         2002 a001 f800 04 08 01 02 0005 00",
    );
    let feedback = TransportFeedback::parse(&body).expect("a valid feedback");
    assert_eq!(feedback.feedback_count, 5);
    let statuses: Vec<_> = feedback.statuses().expect("whole statuses").collect();
    let arrived: Vec<_> = statuses
        .iter()
        .filter_map(|status| Some((status.sequence, status.arrival_units?)))
        .collect();
    // 256 units of 250 µs are 64 ms; two-bit symbols 3 (reserved) and 2 (large delta).
    assert_eq!(
        arrived,
        [
            (0xfff0, 260),
            (0xfff1, 268),
            (0xfff2, 269),
            (0xffff, 271),
            (0x0000, 271),
            (0x0001, 276)
        ]
    );
}

#[test]
fn a_negative_reference_time_is_read_signed() {
    let body = bytes("00000001 00000002 0000 0001 ffffff 00 2001 0000");
    let feedback = TransportFeedback::parse(&body).expect("a valid feedback");
    assert_eq!(feedback.reference_time, -1);
    let status = feedback.statuses().expect("one status").next();
    assert_eq!(
        status,
        Some(Status {
            sequence: 0,
            arrival_units: Some(-256)
        })
    );
}

#[test]
fn missing_chunks_or_deltas_are_refused() {
    for lie in [
        "00000001 00000002 0000 0001 000000 00",
        "00000001 00000002 0000 ffff 000000 00 3fff",
        "00000001 00000002 0000 0004 000000 00 2004 010203",
        "00000001 00000002 0000 0002 000000 00 4002 0001 00",
        // Empty runs that never cover the count.
        "00000001 00000002 0000 0002 000000 00 2000 2000 2000 2000",
    ] {
        let body = bytes(lie);
        let feedback = TransportFeedback::parse(&body).expect("whole fixed fields");
        assert!(
            matches!(feedback.statuses(), Err(WireError::Truncated)),
            "{lie}"
        );
    }
    let body = bytes("00000001 00000002 0000 0001 000000");
    assert!(TransportFeedback::parse(&body).is_err());
}

#[test]
fn a_steady_stream_takes_one_run() {
    let arrivals: Vec<_> = (0..100)
        .map(|index| Some(Time::from_millis(1_000 + 5 * index)))
        .collect();
    let (compound, written) = written(&arrivals);
    assert_eq!(written.covered, 100);
    // Head 20, one chunk of 2, a hundred deltas of 1, padded to words.
    assert_eq!(written.bytes, 124);
    assert_reports(&compound, &arrivals);
}

#[test]
fn gaps_reordering_and_long_pauses_are_said() {
    let millis = [
        Some(1_000),
        None,
        Some(1_001),
        None,
        None,
        Some(1_200),
        Some(999),
        Some(9_000),
        None,
        Some(9_001),
    ];
    let arrivals: Vec<_> = millis.iter().map(|at| at.map(Time::from_millis)).collect();
    let (compound, written) = written(&arrivals);
    assert_eq!(written.covered, arrivals.len());
    assert_reports(&compound, &arrivals);
}

#[test]
fn a_jump_beyond_a_delta_ends_the_feedback_before_it() {
    let arrivals = [
        Some(Time::from_millis(1_000)),
        Some(Time::from_millis(1_010)),
        Some(Time::from_millis(20_000)),
        Some(Time::from_millis(20_010)),
    ];
    let (compound, written) = written(&arrivals);
    assert_eq!(written.covered, 2);
    assert_reports(&compound, &arrivals[..2]);
}

#[test]
fn leading_losses_are_reported() {
    let arrivals = [None, None, Some(Time::from_millis(100_000))];
    let (compound, written) = written(&arrivals);
    assert_eq!(written.covered, 3);
    assert_reports(&compound, &arrivals);
}

#[test]
fn a_small_buffer_covers_what_fits() {
    let arrivals: Vec<_> = (0..60)
        .map(|index| (index % 3 != 0).then(|| Time::from_millis(1_000 + 7 * index)))
        .collect();
    let mut buffer = [0; 48];
    let written = write_feedback(&mut buffer, &HEAD, &arrivals).expect("some fit");
    assert!((1..60).contains(&written.covered));
    assert_reports(&buffer[..written.bytes], &arrivals[..written.covered]);
    let mut tiny = [0; 20];
    assert_eq!(
        write_feedback(&mut tiny, &HEAD, &arrivals),
        Err(WireError::NoRoom)
    );
}

#[test]
fn nothing_arrived_is_no_feedback() {
    let mut buffer = [0; 100];
    for arrivals in [&[][..], &[None, None]] {
        assert_eq!(
            write_feedback(&mut buffer, &HEAD, arrivals),
            Err(WireError::Malformed)
        );
    }
}

#[test]
fn the_reference_time_wraps_with_the_clock() {
    // 2^24 units of 64 ms are 12.4 days.
    let beyond = Time::from_millis((1 << 24) * 64 + 130);
    let (compound, _) = written(&[Some(beyond)]);
    assert_eq!(feedback(&compound).reference_time, 2);
}

fn any_arrivals() -> impl Strategy<Value = Vec<Option<Time>>> {
    let step = prop_oneof![
        4 => 0i64..60_000,
        1 => -500_000i64..2_000_000,
    ];
    let lost = prop_oneof![3 => Just(false), 1 => Just(true)];
    prop::collection::vec((step, lost), 1..200).prop_map(|steps| {
        let mut clock = 1_000_000_000i64;
        steps
            .into_iter()
            .map(|(step, lost)| {
                clock += step;
                (!lost).then_some(Time(clock as u64))
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(arrivals in any_arrivals()) {
        let mut rest = &arrivals[..];
        while rest.iter().any(Option::is_some) {
            let (compound, written) = written(rest);
            assert_reports(&compound, &rest[..written.covered]);
            rest = &rest[written.covered..];
        }
    }

    #[test]
    fn no_bytes_make_it_panic(body in prop::collection::vec(any::<u8>(), 0..80)) {
        if let Ok(feedback) = TransportFeedback::parse(&body) {
            if let Ok(statuses) = feedback.statuses() {
                prop_assert_eq!(statuses.count(), usize::from(feedback.status_count));
            }
        }
    }
}
