use mianshi_engine_core::srtp::{Inbound, MAX_TRAILER_BYTES, Outbound, Profile, SrtpError};
use mianshi_engine_core::wire::rtp::{HeaderFields, RtpHeader, write_header};
use proptest::prelude::*;
use proptest::test_runner::TestRng;

const PROFILES: [Profile; 3] = [
    Profile::Aes128CmSha1_80,
    Profile::AeadAes128Gcm,
    Profile::AeadAes256Gcm,
];

fn key_and_salt(profile: Profile, seed: u8) -> Vec<u8> {
    (0..profile.key_and_salt_bytes() as u8)
        .map(|index| index.wrapping_mul(31) ^ seed)
        .collect()
}

fn pair(profile: Profile) -> (Outbound, Inbound) {
    let keys = key_and_salt(profile, 7);
    (
        Outbound::new(profile, &keys).expect("keys of the right length"),
        Inbound::new(profile, &keys).expect("keys of the right length"),
    )
}

fn plain(ssrc: u32, sequence: u16, payload: &[u8]) -> Vec<u8> {
    let fields = HeaderFields {
        marker: false,
        payload_type: 96,
        sequence,
        timestamp: u32::from(sequence) * 3_000,
        ssrc,
        padded: false,
    };
    let mut packet = vec![0; 64];
    let length = write_header(&mut packet, &fields, &[(3, b"x"), (4, &[1, 2])]).expect("room");
    packet.truncate(length);
    packet.extend(payload);
    packet
}

fn seal(outbound: &mut Outbound, plain: &[u8]) -> Vec<u8> {
    let header = RtpHeader::parse(plain).expect("a valid header");
    let mut buffer = [plain, &[0; MAX_TRAILER_BYTES]].concat();
    let sealed = outbound
        .seal_rtp(&mut buffer, plain.len(), header.header_bytes)
        .expect("sealed");
    buffer.truncate(sealed);
    buffer
}

fn open(inbound: &mut Inbound, sealed: &[u8]) -> Result<Vec<u8>, SrtpError> {
    let header = RtpHeader::parse(sealed).expect("a valid header");
    let mut packet = sealed.to_vec();
    let length = inbound.open_rtp(&mut packet, &header)?;
    packet.truncate(length);
    Ok(packet)
}

fn rtcp(ssrc: u32, words: u16) -> Vec<u8> {
    let mut packet = vec![0x80, 201];
    packet.extend((1 + words).to_be_bytes());
    packet.extend(ssrc.to_be_bytes());
    packet.extend((0..4 * words).map(|index| index as u8));
    packet
}

fn seal_rtcp(outbound: &mut Outbound, plain: &[u8]) -> Vec<u8> {
    let mut buffer = [plain, &[0; MAX_TRAILER_BYTES]].concat();
    let sealed = outbound
        .seal_rtcp(&mut buffer, plain.len())
        .expect("sealed");
    buffer.truncate(sealed);
    buffer
}

fn open_rtcp(inbound: &mut Inbound, sealed: &[u8]) -> Result<Vec<u8>, SrtpError> {
    let mut packet = sealed.to_vec();
    let length = inbound.open_rtcp(&mut packet)?;
    packet.truncate(length);
    Ok(packet)
}

#[test]
fn profiles_are_known_by_their_dtls_numbers() {
    for profile in PROFILES {
        assert_eq!(Profile::from_id(profile.id()), Some(profile));
    }
    assert_eq!(Profile::from_id(0x0002), None);
}

#[test]
fn keys_of_another_length_are_refused() {
    for profile in PROFILES {
        let length = profile.key_and_salt_bytes();
        for wrong in [0, 1, length - 1, length + 1] {
            let keys = vec![0; wrong];
            assert_eq!(
                Inbound::new(profile, &keys).err(),
                Some(SrtpError::KeyLength)
            );
            assert_eq!(
                Outbound::new(profile, &keys).err(),
                Some(SrtpError::KeyLength)
            );
        }
    }
}

#[test]
fn nothing_shows_keys() {
    let (outbound, inbound) = pair(Profile::AeadAes128Gcm);
    assert_eq!(format!("{outbound:?}"), "Outbound(keys hidden)");
    assert_eq!(format!("{inbound:?}"), "Inbound(keys hidden)");
}

#[test]
fn a_packet_is_opened_once() {
    for profile in PROFILES {
        let (mut outbound, mut inbound) = pair(profile);
        let packet = plain(1, 100, b"media");
        let sealed = seal(&mut outbound, &packet);
        assert_eq!(sealed.len(), packet.len() + profile.tag_bytes());
        assert_eq!(open(&mut inbound, &sealed), Ok(packet));
        assert_eq!(open(&mut inbound, &sealed), Err(SrtpError::Replay));
    }
}

#[test]
fn an_exact_repeat_is_sealed_to_the_same_bytes() {
    for profile in PROFILES {
        let (mut outbound, _) = pair(profile);
        let packet = plain(1, 100, b"media");
        let first = seal(&mut outbound, &packet);
        seal(&mut outbound, &plain(1, 101, b"later"));
        assert_eq!(seal(&mut outbound, &packet), first);
    }
}

#[test]
fn every_changed_byte_is_refused_and_leaves_no_trace() {
    for profile in PROFILES {
        let (mut outbound, mut inbound) = pair(profile);
        let sealed = seal(&mut outbound, &plain(1, 100, b"media"));
        for at in 0..sealed.len() {
            let mut forged = sealed.clone();
            forged[at] ^= 0x04;
            let Ok(header) = RtpHeader::parse(&forged) else {
                continue;
            };
            assert!(
                inbound.open_rtp(&mut forged, &header).is_err(),
                "{profile:?} byte {at}"
            );
        }
        assert!(open(&mut inbound, &sealed).is_ok());
    }
}

#[test]
fn every_truncation_is_refused() {
    for profile in PROFILES {
        let (mut outbound, mut inbound) = pair(profile);
        let sealed = seal(&mut outbound, &plain(1, 100, b"media"));
        let header = RtpHeader::parse(&sealed).expect("a valid header");
        for length in header.header_bytes..sealed.len() {
            let mut cut = sealed[..length].to_vec();
            assert!(inbound.open_rtp(&mut cut, &header).is_err());
        }
        let packet = rtcp(1, 3);
        let sealed = seal_rtcp(&mut outbound, &packet);
        for length in 0..sealed.len() {
            assert!(open_rtcp(&mut inbound, &sealed[..length]).is_err());
        }
    }
}

#[test]
fn keys_of_another_peer_do_not_open() {
    for profile in PROFILES {
        let (mut outbound, _) = pair(profile);
        let mut other = Inbound::new(profile, &key_and_salt(profile, 8)).expect("keys");
        let sealed = seal(&mut outbound, &plain(1, 100, b"media"));
        assert_eq!(open(&mut other, &sealed), Err(SrtpError::Auth));
    }
}

#[test]
fn the_rollover_counter_follows_several_wraps() {
    for profile in PROFILES {
        let (mut outbound, mut inbound) = pair(profile);
        for step in 0u32..200 {
            let sequence = (step * 1_999) as u16;
            let packet = plain(1, sequence, &step.to_be_bytes());
            let sealed = seal(&mut outbound, &packet);
            assert_eq!(open(&mut inbound, &sealed), Ok(packet), "step {step}");
        }
    }
}

#[test]
fn packets_are_reordered_over_a_wrap() {
    for profile in PROFILES {
        let (mut outbound, mut inbound) = pair(profile);
        let sequences = [65_533, 65_534, 65_535, 0, 1, 2u16];
        let sealed: Vec<_> = sequences
            .iter()
            .map(|sequence| seal(&mut outbound, &plain(1, *sequence, b"media")))
            .collect();
        // The newest first, so that the others belong to the cycle before.
        for at in [0, 4, 2, 3, 5, 1] {
            assert!(open(&mut inbound, &sealed[at]).is_ok(), "packet {at}");
        }
        for packet in &sealed {
            assert_eq!(open(&mut inbound, packet), Err(SrtpError::Replay));
        }
    }
}

#[test]
fn a_late_packet_of_the_cycle_before_is_sealed_with_its_counter() {
    for profile in PROFILES {
        let (mut outbound, mut inbound) = pair(profile);
        let first = seal(&mut outbound, &plain(1, 65_000, b"a"));
        assert!(open(&mut inbound, &first).is_ok());
        let newest = seal(&mut outbound, &plain(1, 10, b"b"));
        let late = seal(&mut outbound, &plain(1, 65_530, b"c"));
        assert!(open(&mut inbound, &newest).is_ok());
        assert!(open(&mut inbound, &late).is_ok());
    }
}

#[test]
fn replays_of_the_cycle_before_are_refused() {
    let (mut outbound, mut inbound) = pair(Profile::AeadAes128Gcm);
    let old = seal(&mut outbound, &plain(1, 40_000, b"old"));
    assert!(open(&mut inbound, &old).is_ok());
    for sequence in [60_000, 10_000, 40_001] {
        let sealed = seal(&mut outbound, &plain(1, sequence, b"new"));
        assert!(open(&mut inbound, &sealed).is_ok());
    }
    assert!(open(&mut inbound, &old).is_err());
}

#[test]
fn streams_have_counters_of_their_own() {
    let (mut outbound, mut inbound) = pair(Profile::Aes128CmSha1_80);
    for sequence in [65_535, 0] {
        let sealed = seal(&mut outbound, &plain(1, sequence, b"one"));
        assert!(open(&mut inbound, &sealed).is_ok());
    }
    let sealed = seal(&mut outbound, &plain(2, 0, b"two"));
    assert!(open(&mut inbound, &sealed).is_ok());
}

#[test]
fn forged_streams_take_no_memory_and_real_ones_are_bounded() {
    let (mut outbound, mut inbound) = pair(Profile::AeadAes128Gcm);
    let sealed = seal(&mut outbound, &plain(1, 1, b"media"));
    for ssrc in 0..5_000u32 {
        let mut forged = sealed.clone();
        forged[8..12].copy_from_slice(&(ssrc << 8).to_be_bytes());
        assert_eq!(open(&mut inbound, &forged), Err(SrtpError::Auth));
    }
    let accepted = (10..2_000u32)
        .take_while(|ssrc| {
            // A context of its own, since the sending side has the same bound.
            let sealed = seal(&mut pair(Profile::AeadAes128Gcm).0, &plain(*ssrc, 1, b"m"));
            open(&mut inbound, &sealed) != Err(SrtpError::TooManyStreams)
        })
        .count();
    assert!((32..=1_000).contains(&accepted), "{accepted}");
    let again = seal(&mut outbound, &plain(10, 2, b"still heard"));
    assert!(open(&mut inbound, &again).is_ok());
}

#[test]
fn rtcp_is_opened_once_and_in_any_order() {
    for profile in PROFILES {
        let (mut outbound, mut inbound) = pair(profile);
        let packets: Vec<_> = (0..4).map(|words| rtcp(9, words)).collect();
        let sealed: Vec<_> = packets
            .iter()
            .map(|packet| seal_rtcp(&mut outbound, packet))
            .collect();
        for at in [2, 0, 3, 1] {
            assert_eq!(
                open_rtcp(&mut inbound, &sealed[at]).as_ref(),
                Ok(&packets[at])
            );
            assert_eq!(open_rtcp(&mut inbound, &sealed[at]), Err(SrtpError::Replay));
        }
    }
}

#[test]
fn changed_or_unencrypted_rtcp_is_refused() {
    for profile in PROFILES {
        let (mut outbound, mut inbound) = pair(profile);
        let sealed = seal_rtcp(&mut outbound, &rtcp(9, 5));
        for at in 0..sealed.len() {
            let mut forged = sealed.clone();
            forged[at] ^= 0x80;
            assert!(
                open_rtcp(&mut inbound, &forged).is_err(),
                "{profile:?} byte {at}"
            );
        }
        assert!(open_rtcp(&mut inbound, &sealed).is_ok());
    }
}

#[test]
fn sealing_needs_room_and_sane_lengths() {
    for profile in PROFILES {
        let (mut outbound, _) = pair(profile);
        let packet = plain(1, 1, b"media");
        let mut exact = packet.clone();
        let length = packet.len();
        assert_eq!(
            outbound.seal_rtp(&mut exact, length, 12),
            Err(SrtpError::NoRoom)
        );
        assert_eq!(
            outbound.seal_rtp(&mut exact, 12, 13),
            Err(SrtpError::Malformed)
        );
        assert_eq!(
            outbound.seal_rtp(&mut exact, length, 4),
            Err(SrtpError::Malformed)
        );
        let mut report = rtcp(1, 0);
        assert_eq!(outbound.seal_rtcp(&mut report, 8), Err(SrtpError::NoRoom));
        assert_eq!(
            outbound.seal_rtcp(&mut report, 7),
            Err(SrtpError::Malformed)
        );
        assert_eq!(outbound.seal_rtcp(&mut [], 8), Err(SrtpError::NoRoom));
    }
}

#[test]
fn a_seeded_lossy_reordering_link_loses_nothing_it_delivers() {
    let mut rng = TestRng::deterministic_rng(prop::test_runner::RngAlgorithm::ChaCha);
    for profile in PROFILES {
        let (mut outbound, mut inbound) = pair(profile);
        let mut on_the_way: Vec<(u32, Vec<u8>, Vec<u8>)> = Vec::new();
        for step in 0..3_000u32 {
            let packet = plain(1, (step * 37) as u16, &step.to_be_bytes());
            let sealed = seal(&mut outbound, &packet);
            if rng.random_ratio(1, 10) {
                continue;
            }
            let arrival = step + rng.random_range(0..20);
            on_the_way.push((arrival, packet, sealed));
        }
        on_the_way.sort_by_key(|(arrival, _, _)| *arrival);
        for (_, packet, sealed) in &on_the_way {
            assert_eq!(open(&mut inbound, sealed).as_ref(), Ok(packet));
        }
    }
}

proptest! {
    #[test]
    fn what_is_sealed_is_opened(
        which in 0usize..3,
        ssrc: u32,
        sequence in 0u16..0x8000,
        payload in prop::collection::vec(any::<u8>(), 0..1_200),
    ) {
        let (mut outbound, mut inbound) = pair(PROFILES[which]);
        let packet = plain(ssrc, sequence, &payload);
        let sealed = seal(&mut outbound, &packet);
        prop_assert_eq!(open(&mut inbound, &sealed), Ok(packet));
    }

    #[test]
    fn no_bytes_make_it_panic(which in 0usize..3, mut datagram in prop::collection::vec(any::<u8>(), 0..100)) {
        let (_, mut inbound) = pair(PROFILES[which]);
        if let Ok(header) = RtpHeader::parse(&datagram) {
            prop_assert!(inbound.open_rtp(&mut datagram, &header).is_err());
        }
        prop_assert!(inbound.open_rtcp(&mut datagram).is_err());
    }
}
