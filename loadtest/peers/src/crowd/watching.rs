//! One incoming stream, a slot: what was lost, repaired and shown of it.

use std::time::Duration;

use mianshi_engine_core::nack::MissingPackets;
use mianshi_engine_core::received::ReceivedWindow;
use mianshi_engine_core::reports::{Reception, SenderReportSeen};
use mianshi_engine_core::seqnum::SequenceExtender;
use mianshi_engine_core::time::{NtpTime, Time};
use mianshi_engine_core::wire::h264;
use mianshi_engine_core::wire::rtcp::ReportBlock;
use mianshi_engine_core::wire::rtp::RtpHeader;
use mianshi_engine_core::wire::vp8::Descriptor;

use super::clip::Codec;
use super::frames::{Frames, Part, PictureTotals};
use super::job::Receives;
use crate::publisher::STAMP_BYTES;

const SOUND_CLOCK: u32 = 48_000;
const PICTURE_CLOCK: u32 = 90_000;

/// Without a picture for so long, a keyframe is asked for.
const STUCK_AFTER: Duration = Duration::from_millis(400);
/// And again after this.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// What happened to the packets of one stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PacketTotals {
    /// That came by themselves.
    pub received: u64,
    /// That did not, so far.
    pub lost: u64,
    /// Of which came when asked for.
    pub repaired: u64,
    /// That came twice.
    pub duplicates: u64,
    /// That came after one sent later.
    pub reordered: u64,
}

/// What a packet of media turned out to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// When it was sent; of a packet that came by itself.
    pub sent: Option<Time>,
    /// How long the first picture took that it completed.
    pub first_picture_after: Option<Duration>,
}

/// A slot.
pub struct Watching {
    job: Receives,
    extender: SequenceExtender,
    /// The lowest number that came by itself.
    first: Option<u64>,
    seen: ReceivedWindow,
    reception: Reception,
    missing: MissingPackets,
    frames: Frames,
    person: Option<u64>,
    keyframe_asked: Option<Time>,
    sender_report: Option<SenderReportSeen>,
    totals: PacketTotals,
}

impl Watching {
    /// A slot that shows nobody.
    pub fn new(job: Receives) -> Self {
        Self {
            job,
            extender: SequenceExtender::default(),
            first: None,
            seen: ReceivedWindow::default(),
            reception: Reception::default(),
            missing: MissingPackets::default(),
            frames: Frames::default(),
            person: None,
            keyframe_asked: None,
            sender_report: None,
            totals: PacketTotals::default(),
        }
    }

    /// Its SSRC.
    pub fn ssrc(&self) -> u32 {
        self.job.ssrc
    }

    /// The SSRC of its retransmissions.
    pub fn repair_ssrc(&self) -> Option<u32> {
        self.job.repair_ssrc
    }

    /// Shows this person from now on, or nobody.
    pub fn show(&mut self, person: Option<u64>, now: Time) {
        if self.person == person {
            return;
        }
        self.person = person;
        match person {
            Some(_) => self.frames.expect(now),
            None => self.frames.nothing_expected(),
        }
    }

    /// Takes a packet that came by itself, at `at` by the kernel's note.
    pub fn receive(&mut self, header: &RtpHeader, codec: Codec, payload: &[u8], at: Time) -> Taken {
        let newest = self.extender.highest();
        let sequence = self.extender.extend(header.sequence);
        if !self.seen.insert(sequence) {
            self.totals.duplicates += 1;
            return Taken {
                sent: None,
                first_picture_after: None,
            };
        }
        self.totals.received += 1;
        self.first = Some(self.first.map_or(sequence, |first| first.min(sequence)));
        self.totals.reordered += u64::from(newest.is_some_and(|newest| sequence < newest));
        self.reception
            .receive(sequence, header.timestamp, self.clock_rate(), at);
        Taken {
            sent: sent_at(payload),
            first_picture_after: self.take(header, sequence, codec, payload, true, at),
        }
    }

    /// Takes a repeated packet, whose payload begins with the number that it had.
    pub fn receive_repeated(
        &mut self,
        header: &RtpHeader,
        codec: Codec,
        payload: &[u8],
        at: Time,
    ) -> Option<Duration> {
        let (number, payload) = payload.split_first_chunk()?;
        let sequence = self.extender.peek(u16::from_be_bytes(*number));
        let is_ours = self
            .extender
            .highest()
            .is_some_and(|newest| sequence <= newest);
        // What was never missed probes the path.
        if !is_ours || !self.seen.insert(sequence) {
            return None;
        }
        // What was before the first that came was not lost to us.
        self.totals.repaired += u64::from(self.first.is_some_and(|first| sequence > first));
        self.take(header, sequence, codec, payload, false, at)
    }

    /// Gives what should be asked for again to `request`; returns whether only a keyframe helps.
    pub fn ask(&mut self, now: Time, round_trip: Duration, request: impl FnMut(u16)) -> bool {
        if !self.job.is_video {
            return false;
        }
        let given_up = self.missing.due(now, round_trip, request);
        self.frames.look(now);
        let is_stuck = given_up || self.frames.is_stuck(now, STUCK_AFTER);
        let again = |asked: Time| now.since(asked) >= ASK_AGAIN_AFTER;
        if is_stuck && self.person.is_some() && self.keyframe_asked.is_none_or(again) {
            self.keyframe_asked = Some(now);
            return true;
        }
        false
    }

    /// When `ask` should be called next.
    pub fn deadline(&self) -> Option<Time> {
        self.missing.deadline()
    }

    /// Notes a sender report.
    pub fn sender_report(&mut self, ntp: NtpTime, timestamp: u32, now: Time) {
        self.sender_report = Some(SenderReportSeen {
            ntp,
            timestamp,
            arrived: now,
        });
    }

    /// What a receiver report says of it since the last.
    pub fn report(&mut self, now: Time) -> Option<ReportBlock> {
        let report = self.reception.report()?;
        let (last_sender_report, delay_since_last) = self
            .sender_report
            .map_or((0, 0), |seen| seen.last_and_delay(now));
        Some(ReportBlock {
            ssrc: self.job.ssrc,
            fraction_lost: report.fraction_lost,
            cumulative_lost: report.cumulative_lost,
            highest_sequence: report.highest_sequence,
            jitter: report.jitter,
            last_sender_report,
            delay_since_last,
        })
    }

    /// Since the beginning.
    pub fn totals(&self) -> (PacketTotals, PictureTotals) {
        let lost = u64::try_from(self.reception.lost()).unwrap_or(0);
        (
            PacketTotals {
                lost,
                ..self.totals
            },
            self.frames.totals(),
        )
    }

    fn take(
        &mut self,
        header: &RtpHeader,
        sequence: u64,
        codec: Codec,
        payload: &[u8],
        by_itself: bool,
        at: Time,
    ) -> Option<Duration> {
        if !self.job.is_video {
            return None;
        }
        self.missing.receive(sequence, by_itself, at);
        let part = Part {
            sequence,
            timestamp: header.timestamp,
            starts_keyframe: starts_keyframe(codec, payload),
            ends_picture: header.marker,
        };
        let first = self.frames.receive(part, at);
        if let Some(next) = self.frames.next() {
            self.missing.forget_before(next.saturating_sub(1));
        }
        first
    }

    fn clock_rate(&self) -> u32 {
        match self.job.is_video {
            true => PICTURE_CLOCK,
            false => SOUND_CLOCK,
        }
    }
}

fn starts_keyframe(codec: Codec, payload: &[u8]) -> bool {
    match codec {
        Codec::Opus => false,
        Codec::Vp8 => {
            Descriptor::parse(payload).is_ok_and(|descriptor| descriptor.starts_keyframe(payload))
        }
        Codec::H264 => h264::starts_keyframe(payload),
    }
}

fn sent_at(payload: &[u8]) -> Option<Time> {
    let stamp = payload.last_chunk::<STAMP_BYTES>()?;
    Some(Time(u64::from_be_bytes(*stamp)))
}
