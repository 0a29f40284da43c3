//! Two members talk straight to each other, in virtual time, over a path that loses what it is
//! told to.

use super::super::clip::tests::bytes_of;
use super::super::job::{Receives, Sends};
use super::*;
use crate::job::Secret;

const KEY: u8 = 7;
const GCM_128: u16 = 7;
const KEY_BYTES: usize = 28;
const DELAY: Duration = Duration::from_millis(20);
const SOUND: u32 = 100;
const PICTURE: u32 = 200;
const PICTURE_REPAIR: u32 = 201;
const VP8: u8 = 96;
const RTX: u8 = 97;
const OPUS: u8 = 111;

/// Half a second of 25 pictures a second, and a fifth of a second of sound.
fn clips() -> Vec<Rc<Clip>> {
    let pictures: Vec<&[u16]> = (0..12)
        .map(|index| {
            if index == 0 {
                &[1_000, 1_000, 700][..]
            } else {
                &[900, 400][..]
            }
        })
        .collect();
    let sounds = [&[80u16][..]; 10];
    [
        bytes_of(0, 48_000, 960, &sounds),
        bytes_of(1, 90_000, 3_600, &pictures),
    ]
    .map(|bytes| Rc::new(Clip::parse(&bytes).unwrap()))
    .to_vec()
}

/// Both use the same streams' numbers: each is the other's slot.
fn join(user: u64, send_key: u8, receive_key: u8) -> Join {
    let format = |payload_type, codec, repair| Format {
        payload_type,
        codec,
        repair,
    };
    let sends = |mid: &str, clip, ssrc, repair_ssrc| Sends {
        mid: mid.into(),
        rid: None,
        clip,
        ssrc,
        repair_ssrc,
    };
    Join {
        user,
        server: "127.0.0.1:9".parse().unwrap(),
        profile: GCM_128,
        send_key: Secret(vec![send_key; KEY_BYTES]),
        receive_key: Secret(vec![receive_key; KEY_BYTES]),
        consent_check: Secret(vec![0; 20]),
        extensions: Extensions {
            mid: Some(4),
            transport_cc: Some(3),
            audio_level: Some(1),
            ..Extensions::default()
        },
        formats: vec![
            format(OPUS, Codec::Opus, None),
            format(VP8, Codec::Vp8, Some(RTX)),
        ],
        sends: vec![
            sends("0", 0, SOUND, None),
            sends("1", 1, PICTURE, Some(PICTURE_REPAIR)),
        ],
        receives: vec![
            Receives {
                ssrc: SOUND,
                repair_ssrc: None,
                is_video: false,
            },
            Receives {
                ssrc: PICTURE,
                repair_ssrc: Some(PICTURE_REPAIR),
                is_video: true,
            },
        ],
    }
}

/// A call between two; `loses` says which datagrams of the first member never arrive.
struct Call {
    members: [Member; 2],
    tallies: [Tally; 2],
    under_way: Vec<(Time, usize, Vec<u8>)>,
    lines: Vec<String>,
    now: Time,
}

impl Call {
    fn new() -> Self {
        let clips = clips();
        let now = Time::from_millis(1_000);
        let mut members = [join(1, KEY, KEY + 1), join(2, KEY + 1, KEY)]
            .map(|job| Member::new(job, &clips, now).unwrap());
        for member in &mut members {
            member.show(&[(PICTURE, 5)], now);
        }
        Self {
            members,
            tallies: Default::default(),
            under_way: Vec::new(),
            lines: Vec::new(),
            now,
        }
    }

    fn run(&mut self, lasts: Duration, mut loses: impl FnMut(&[u8]) -> bool) {
        let end = self.now + lasts;
        while self.now < end {
            for index in 0..2 {
                let (member, tally) = (&mut self.members[index], &mut self.tallies[index]);
                let (under_way, arrives) = (&mut self.under_way, self.now + DELAY);
                member.poll(self.now, tally, &mut |datagram| {
                    if index == 1 || !loses(datagram) {
                        under_way.push((arrives, 1 - index, datagram.to_vec()));
                    }
                });
            }
            self.arrive(&mut loses);
            self.now += Duration::from_millis(1);
        }
    }

    fn arrive(&mut self, loses: &mut impl FnMut(&[u8]) -> bool) {
        let due = |(at, _, _): &(Time, usize, Vec<u8>)| *at <= self.now;
        let (arrived, rest) = std::mem::take(&mut self.under_way)
            .into_iter()
            .partition(due);
        self.under_way = rest;
        for (at, index, mut datagram) in arrived {
            let under_way = &mut self.under_way;
            let lines = &mut self.lines;
            self.members[index].receive(
                &mut datagram,
                at,
                &mut self.tallies[index],
                &mut |answer| {
                    if index == 1 || !loses(answer) {
                        under_way.push((at + DELAY, 1 - index, answer.to_vec()));
                    }
                },
                &mut |line| lines.push(serde_json::to_string(&line).unwrap()),
            );
        }
    }
}

/// Whether it is a packet of this payload type.
fn is_of(datagram: &[u8], payload_type: u8) -> bool {
    matches!(classify(datagram), DatagramKind::Rtp) && datagram[1] & 0x7f == payload_type
}

#[test]
fn on_a_good_path_everything_arrives_and_nothing_is_asked_for() {
    let mut call = Call::new();
    call.run(Duration::from_secs(10), |_| false);
    for index in 0..2 {
        let totals = call.members[index].totals();
        let tally = &call.tallies[index];
        let in_flight = call.tallies[1 - index].sent - totals.packets.received;
        assert!(in_flight <= 10, "{in_flight}");
        assert_eq!(totals.packets.lost + totals.packets.repaired, 0);
        assert_eq!(totals.pictures.freezes, 0);
        assert!(totals.pictures.pictures >= 245, "{totals:?}");
        assert_eq!(
            tally.unreadable + tally.packets_asked + tally.keyframes_asked,
            0
        );
        let latency = tally.latency.latency();
        assert!((20_000..=21_300).contains(&latency.p50), "{}", latency.p50);
    }
    assert_eq!(call.lines.len(), 2, "{:?}", call.lines);
    assert!(call.lines[0].contains(r#""ssrc":200,"after_ms":20.0"#));
}

#[test]
fn what_is_lost_is_asked_for_and_repaired() {
    let mut call = Call::new();
    let mut count = 0;
    call.run(Duration::from_secs(10), |datagram| {
        count += u32::from(is_of(datagram, VP8));
        is_of(datagram, VP8) && count.is_multiple_of(20)
    });
    let totals = call.members[1].totals();
    assert!(totals.packets.lost >= 20, "{totals:?}");
    // What is missing just before the clip begins anew, twice a second, is not worth asking for.
    assert!(
        totals.packets.repaired * 4 >= totals.packets.lost * 3,
        "{totals:?}"
    );
    assert!(totals.pictures.pictures >= 240);
    assert_eq!(totals.pictures.long_freezes, 0);
    assert_eq!(call.tallies[1].keyframes_asked, 0);
}

#[test]
fn without_repair_a_keyframe_is_asked_for_and_comes() {
    let mut call = Call::new();
    let mut losing = true;
    // The second picture and every repair are lost; the clip is half a second long, so that the
    // next keyframe of its own is not far.
    let mut pictures = 0;
    call.run(Duration::from_secs(3), |datagram| {
        pictures += u32::from(is_of(datagram, VP8));
        let is_lost = losing && (4..=40).contains(&pictures) && is_of(datagram, VP8);
        losing = pictures <= 40;
        is_lost || is_of(datagram, RTX)
    });
    let totals = call.members[1].totals();
    assert_eq!(totals.packets.repaired, 0);
    assert!(call.tallies[1].keyframes_asked >= 1);
    assert!(call.tallies[0].keyframes_wanted >= 1);
    assert_eq!(totals.pictures.long_freezes, 1, "{totals:?}");
    assert!(totals.pictures.pictures >= 40, "{totals:?}");
}

#[test]
fn a_layer_that_nobody_watches_is_not_sent_and_begins_anew_with_a_keyframe() {
    let mut call = Call::new();
    call.run(Duration::from_secs(1), |_| false);
    call.members[0].want_layers(&[]);
    call.members[1].show(&[], call.now);
    let mut packets = 0;
    call.run(Duration::from_secs(1), |datagram| {
        packets += u32::from(is_of(datagram, VP8));
        false
    });
    assert_eq!(packets, 0);
    call.members[0].want_layers(&[String::new()]);
    call.members[1].show(&[(PICTURE, 6)], call.now);
    call.run(Duration::from_secs(1), |_| false);
    let totals = call.members[1].totals();
    assert_eq!((totals.packets.lost, totals.pictures.freezes), (0, 0));
    assert_eq!(call.tallies[1].keyframes_asked, 0);
    assert!(totals.pictures.pictures >= 48, "{totals:?}");
}

#[test]
fn forgeries_and_repetitions_change_nothing() {
    let mut call = Call::new();
    let mut kept = Vec::new();
    call.run(Duration::from_secs(1), |datagram| {
        kept.push(datagram.to_vec());
        false
    });
    let tally = &mut call.tallies[1];
    for mut datagram in kept.clone() {
        let nothing = &mut |_: &[u8]| {};
        call.members[1].receive(&mut datagram, call.now, tally, nothing, &mut |_| {});
    }
    let before = call.members[1].totals().packets;
    let unreadable = tally.unreadable;
    let forged = kept.iter().map(|datagram| {
        let mut forged = datagram.clone();
        let last = forged.len() - 1;
        forged[last] ^= 1;
        forged
    });
    let short = kept
        .iter()
        .map(|datagram| datagram[..datagram.len() / 2].to_vec());
    for mut datagram in kept.iter().cloned().chain(forged).chain(short) {
        let nothing = &mut |_: &[u8]| {};
        call.members[1].receive(&mut datagram, call.now, tally, nothing, &mut |_| {});
    }
    assert!(tally.unreadable > unreadable);
    assert_eq!(call.members[1].totals().packets.received, before.received);
}

#[test]
fn feedback_is_a_twentieth_of_what_is_received() {
    assert_eq!(feedback_every(0), FEEDBACK_EVERY_MOST);
    assert_eq!(feedback_every(1_000_000), FEEDBACK_EVERY_LEAST);
    // 100 kbit/s: 5 kbit/s of feedback.
    assert_eq!(feedback_every(12_500), Duration::from_micros(108_800));
}

#[test]
fn a_job_that_makes_no_sense_is_refused() {
    let now = Time(0);
    let refused = |change: &dyn Fn(&mut Join)| {
        let mut job = join(1, KEY, KEY);
        change(&mut job);
        Member::new(job, &clips(), now).is_err()
    };
    assert!(!refused(&|_| {}));
    assert!(refused(&|job| job.profile = 2));
    assert!(refused(&|job| job.send_key = Secret(vec![1; 5])));
    assert!(refused(&|job| job.sends[0].clip = 9));
    assert!(refused(&|job| job.formats.clear()));
}
