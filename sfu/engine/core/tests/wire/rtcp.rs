use mianshi_engine_core::time::NtpTime;
use mianshi_engine_core::wire::WireError;
use mianshi_engine_core::wire::rtcp::{MAX_COUNT, Packet, ReportBlock, SenderInfo, packets};
use mianshi_engine_core::wire::rtcp_writer::RtcpWriter;
use proptest::prelude::*;

use crate::hex::bytes;

fn written(write: impl FnOnce(&mut RtcpWriter<'_>)) -> Vec<u8> {
    let mut buffer = vec![0xee; 1_500];
    let mut writer = RtcpWriter::new(&mut buffer);
    write(&mut writer);
    let length = writer.finish();
    buffer.truncate(length);
    buffer
}

fn only(compound: &[u8]) -> Packet<'_> {
    let mut all = packets(compound);
    let first = all.next().expect("one packet").expect("a valid packet");
    assert!(all.next().is_none());
    first
}

const INFO: SenderInfo = SenderInfo {
    ntp: NtpTime(0x1122_3344_5566_7788),
    rtp_timestamp: 0x99aa_bbcc,
    packets: 17,
    bytes: 18_000,
};

#[test]
fn reads_a_compound_as_browsers_send_it() {
    // RR with one block, then SDES with CNAME "a@b", then a NACK.
    let compound = bytes(
        "81c90007 00000001 0000000a 40ffffff 00010002 00000003 00000004 00000005
         81ca0003 00000001 0103614062 000000
         81cd0003 00000001 0000000a fffe8001",
    );
    let all: Vec<_> = packets(&compound)
        .map(|packet| packet.expect("valid"))
        .collect();
    let [
        Packet::ReceiverReport { ssrc: 1, reports },
        Packet::SourceDescription(names),
        Packet::Nack {
            sender_ssrc: 1,
            media_ssrc: 10,
            lost,
        },
    ] = &all[..]
    else {
        panic!("unexpected packets: {all:?}");
    };
    let report = reports.clone().next().expect("one block");
    assert_eq!(report.fraction_lost, 0x40);
    assert_eq!(report.cumulative_lost, -1);
    assert_eq!(report.highest_sequence, 0x1_0002);
    assert_eq!(names.cnames().collect::<Vec<_>>(), [(1, &b"a@b"[..])]);
    assert_eq!(lost.clone().collect::<Vec<_>>(), [0xfffe, 0xffff, 0x000e]);
}

#[test]
fn a_lying_length_ends_the_compound_with_an_error() {
    let mut compound = bytes("81ce0002 00000001 00000002 81ce00ff 00000001 00000002");
    let all: Vec<_> = packets(&compound).collect();
    assert!(matches!(
        all[..],
        [Ok(Packet::Pli { .. }), Err(WireError::Truncated)]
    ));
    compound[0] = 0x41;
    let all: Vec<_> = packets(&compound).collect();
    assert!(matches!(all[..], [Err(WireError::Version)]));
}

#[test]
fn a_count_that_passes_the_packet_is_refused() {
    for lie in [
        "9fc90001 00000001",
        "9fc80006 00000001 0000000000000000 00000000 00000000 00000000",
        "82cb0001 00000001",
    ] {
        let compound = bytes(lie);
        let all: Vec<_> = packets(&compound).collect();
        assert!(matches!(all[..], [Err(WireError::Truncated)]), "{lie}");
    }
}

#[test]
fn padding_is_taken_off_and_checked() {
    let padded = bytes("a1ce0003 00000001 00000002 00000004");
    assert!(matches!(only(&padded), Packet::Pli { .. }));
    for lie in ["00", "10", "ff"] {
        let padded = bytes(&format!("a1ce0003 00000001 00000002 000000{lie}"));
        assert!(
            packets(&padded).next().expect("one packet").is_err(),
            "{lie}"
        );
    }
}

#[test]
fn every_truncation_ends_with_an_error_or_fewer_packets() {
    let compound = written(|writer| {
        writer
            .sender_report(7, &INFO, &[ReportBlock::default()])
            .expect("room");
        writer.cname(7, "mianshi").expect("room");
        writer.pli(7, 8).expect("room");
    });
    let whole = packets(&compound).filter(Result::is_ok).count();
    assert_eq!(whole, 3);
    for length in 1..compound.len() {
        let all: Vec<_> = packets(&compound[..length]).collect();
        assert!(all.iter().filter(|packet| packet.is_ok()).count() < whole);
    }
}

#[test]
fn tells_remb_from_other_application_feedback() {
    let remb = bytes("8fce0005 00000001 00000000 52454d42 02 0bffff 0000000a 0000000b");
    // The count says two streams.
    let remb = [&remb[..2], &bytes("0006"), &remb[4..]].concat();
    let longer = [remb.clone(), bytes("00000000")].concat();
    assert!(matches!(only(&longer[..28]), Packet::Remb(_)));
    let Packet::Remb(estimate) = only(&longer[..28]) else {
        unreachable!("asserted above");
    };
    assert_eq!(estimate.bitrate_bps, 0x3_ffff << 2);
    assert_eq!(estimate.ssrcs().collect::<Vec<_>>(), [10, 11]);
    let other = bytes("8fce0003 00000001 00000000 44454144");
    assert!(matches!(only(&other), Packet::Other { .. }));
    let lying = bytes("8fce0004 00000001 00000000 52454d42 ff0bffff");
    assert!(packets(&lying).next().expect("one packet").is_err());
}

#[test]
fn a_remb_beyond_64_bits_saturates() {
    let compound = bytes("8fce0004 00000001 00000000 52454d42 00ffffff");
    let Packet::Remb(estimate) = only(&compound) else {
        panic!("a REMB");
    };
    assert_eq!(estimate.bitrate_bps, u64::MAX);
}

#[test]
fn hostile_names_end_the_description() {
    // An item that passes the chunk; a chunk without an end; a missing second chunk.
    for lie in [
        "81ca0002 00000001 01ff6162",
        "81ca0002 00000001 01026162",
        "82ca0002 00000001 01016100",
    ] {
        let compound = bytes(lie);
        let Packet::SourceDescription(names) = only(&compound) else {
            panic!("a source description");
        };
        assert!(names.cnames().count() <= 1, "{lie}");
    }
}

#[test]
fn refuses_what_cannot_be_written_and_keeps_what_was() {
    let mut buffer = [0; 20];
    let mut writer = RtcpWriter::new(&mut buffer);
    writer.pli(1, 2).expect("room");
    assert_eq!(writer.pli(1, 2), Err(WireError::NoRoom));
    assert_eq!(writer.nack(1, 2, &[3]), Err(WireError::NoRoom));
    assert_eq!(writer.cname(1, ""), Err(WireError::Malformed));
    assert_eq!(writer.ready(&[0; 6]), Err(WireError::Malformed));
    assert_eq!(writer.finish(), 12);
    let many = [ReportBlock::default(); MAX_COUNT + 1];
    let mut buffer = [0; 1_500];
    assert_eq!(
        RtcpWriter::new(&mut buffer).receiver_report(1, &many),
        Err(WireError::Malformed)
    );
}

#[test]
fn a_nack_that_does_not_fit_says_how_far_it_came() {
    let lost: Vec<u16> = (0..40).map(|index| index * 100).collect();
    let mut buffer = [0; 12 + 4 * 5];
    let mut writer = RtcpWriter::new(&mut buffer);
    assert_eq!(writer.nack(1, 2, &lost), Ok(5));
    let length = writer.finish();
    let Packet::Nack { lost: read, .. } = only(&buffer[..length]) else {
        panic!("a NACK");
    };
    assert_eq!(read.collect::<Vec<_>>(), lost[..5]);
}

fn any_report() -> impl Strategy<Value = ReportBlock> {
    (
        any::<(u32, u8, u32, u32, u32, u32)>(),
        -0x80_0000i32..0x80_0000,
    )
        .prop_map(|(words, cumulative_lost)| ReportBlock {
            ssrc: words.0,
            fraction_lost: words.1,
            cumulative_lost,
            highest_sequence: words.2,
            jitter: words.3,
            last_sender_report: words.4,
            delay_since_last: words.5,
        })
}

proptest! {
    #[test]
    fn reports_are_read_back(
        ssrc: u32,
        words in any::<(u64, u32, u32, u32)>(),
        reports in prop::collection::vec(any_report(), 0..=MAX_COUNT),
    ) {
        let info = SenderInfo {
            ntp: NtpTime(words.0),
            rtp_timestamp: words.1,
            packets: words.2,
            bytes: words.3,
        };
        let compound = written(|writer| writer.sender_report(ssrc, &info, &reports).expect("room"));
        let Packet::SenderReport { ssrc: read_ssrc, info: read_info, reports: read } = only(&compound)
        else { panic!("a sender report") };
        prop_assert_eq!((read_ssrc, read_info), (ssrc, info));
        prop_assert_eq!(read.collect::<Vec<_>>(), reports);
    }

    #[test]
    fn lost_packets_are_read_back(start: u16, mut gaps in prop::collection::vec(1u16..400, 1..100)) {
        gaps[0] = 0;
        let mut sequence = start;
        let lost: Vec<u16> = gaps.iter().map(|gap| {
            sequence = sequence.wrapping_add(*gap);
            sequence
        }).collect();
        let compound = written(|writer| {
            assert_eq!(writer.nack(1, 2, &lost), Ok(lost.len()));
        });
        let Packet::Nack { lost: read, .. } = only(&compound) else { panic!("a NACK") };
        prop_assert_eq!(read.collect::<Vec<_>>(), lost);
    }

    #[test]
    fn names_goodbyes_and_requests_are_read_back(
        ssrc: u32,
        cname in "[ -~]{1,255}",
        leaving in prop::collection::vec(any::<u32>(), 0..=MAX_COUNT),
        command: u8,
        bitrate_bps in 0u64..1 << 50,
    ) {
        let compound = written(|writer| {
            writer.cname(ssrc, &cname).expect("room");
            writer.goodbye(&leaving).expect("room");
            writer.fir(1, ssrc, command).expect("room");
            writer.remb(1, bitrate_bps, &leaving).expect("room");
        });
        let all: Vec<_> = packets(&compound).map(|packet| packet.expect("valid")).collect();
        let [
            Packet::SourceDescription(names),
            Packet::Goodbye(left),
            Packet::Fir { requests, .. },
            Packet::Remb(estimate),
        ] = &all[..] else { panic!("unexpected packets") };
        prop_assert_eq!(names.cnames().collect::<Vec<_>>(), [(ssrc, cname.as_bytes())]);
        prop_assert_eq!(left.clone().collect::<Vec<_>>(), leaving.clone());
        prop_assert_eq!(requests.clone().collect::<Vec<_>>(), [(ssrc, command)]);
        prop_assert_eq!(estimate.ssrcs().collect::<Vec<_>>(), leaving);
        prop_assert!(estimate.bitrate_bps <= bitrate_bps);
        prop_assert!(estimate.bitrate_bps >= bitrate_bps - (bitrate_bps >> 17));
    }

    #[test]
    fn no_bytes_make_it_panic(compound in prop::collection::vec(any::<u8>(), 0..200)) {
        mianshi_engine_fuzz_targets::rtcp(&compound);
    }
}
