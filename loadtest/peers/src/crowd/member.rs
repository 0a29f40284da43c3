//! One virtual user's media: sans-IO, so two of them can talk in virtual time.

use std::rc::Rc;
use std::time::Duration;

use mianshi_engine_core::feedback::ArrivalRecorder;
use mianshi_engine_core::reports::RoundTrip;
use mianshi_engine_core::srtp::{Inbound, Outbound, SrtpError};
use mianshi_engine_core::time::Time;
use mianshi_engine_core::wire::rtcp::{MAX_COUNT, Packet, ReportBlock, SenderInfo, packets};
use mianshi_engine_core::wire::rtp::RtpHeader;
use mianshi_engine_core::wire::{DatagramKind, classify};

use super::clip::{Clip, Codec};
use super::job::{Extensions, Format, Join};
use super::sending::Sending;
use super::tally::{Line, MemberReport, Tally, Totals};
use super::watching::Watching;
use super::wire::{Send, Wire};

/// As a browser, whose checks come every 5 s, more or less (RFC 7675, section 5.1).
const CONSENT_EVERY: Duration = Duration::from_millis(4_000);
/// As libwebrtc reports on video.
const REPORT_EVERY: Duration = Duration::from_secs(1);
/// Transport-wide feedback is a twentieth of what is received, within these bounds: as libwebrtc.
const FEEDBACK_EVERY_LEAST: Duration = Duration::from_millis(50);
/// As above.
const FEEDBACK_EVERY_MOST: Duration = Duration::from_millis(250);
/// One feedback with its headers, as libwebrtc reckons.
const FEEDBACK_BITS: u64 = 68 * 8;
/// How long a member sleeps at most.
const LONGEST_REST: Duration = Duration::from_millis(100);

/// A connected user.
pub struct Member {
    user: u64,
    inbound: Inbound,
    wire: Wire,
    extensions: Extensions,
    formats: Vec<Format>,
    consent_check: Vec<u8>,
    sending: Vec<Sending>,
    watching: Vec<Watching>,
    arrivals: ArrivalRecorder,
    round_trip: RoundTrip,
    next_consent: Time,
    next_report: Time,
    next_feedback: Time,
    feedback_every: Duration,
    received_bytes: u64,
    worst_latency: Duration,
}

impl Member {
    /// Begins to send at `now`.
    ///
    /// # Errors
    /// Keys of a wrong length, or a clip or payload type that nobody named.
    pub fn new(job: Join, clips: &[Rc<Clip>], now: Time) -> Result<Self, String> {
        let profile = job.profile()?;
        let inbound = Inbound::new(profile, &job.receive_key.0).map_err(|error| error.code())?;
        let outbound = Outbound::new(profile, &job.send_key.0).map_err(|error| error.code())?;
        let formats = job.formats;
        let sending = job
            .sends
            .into_iter()
            .map(|sends| {
                let clip = clips.get(sends.clip).ok_or("no such clip")?;
                let format = formats
                    .iter()
                    .find(|format| format.codec == clip.codec)
                    .ok_or("no payload type for a clip")?;
                Ok(Sending::new(sends, *format, Rc::clone(clip), now))
            })
            .collect::<Result<_, &str>>()?;
        Ok(Self {
            user: job.user,
            inbound,
            wire: Wire::new(outbound, job.extensions),
            extensions: job.extensions,
            formats,
            consent_check: job.consent_check.0,
            sending,
            watching: job.receives.into_iter().map(Watching::new).collect(),
            arrivals: ArrivalRecorder::default(),
            round_trip: RoundTrip::default(),
            next_consent: now,
            next_report: now + REPORT_EVERY,
            next_feedback: now + FEEDBACK_EVERY_MOST,
            feedback_every: FEEDBACK_EVERY_MOST,
            received_bytes: 0,
            worst_latency: Duration::ZERO,
        })
    }

    /// Sends only these layers of the camera from now on.
    pub fn want_layers(&mut self, wanted: &[String]) {
        for sending in self.sending.iter_mut().filter(|each| each.is_video()) {
            let is_wanted = wanted.iter().any(|rid| rid == sending.rid());
            sending.pause(!is_wanted);
        }
    }

    /// Shows these people, by the SSRC of the slot, and nobody else.
    pub fn show(&mut self, shown: &[(u32, u64)], now: Time) {
        for watching in &mut self.watching {
            let person = shown.iter().find(|(ssrc, _)| *ssrc == watching.ssrc());
            watching.show(person.map(|(_, person)| *person), now);
        }
    }

    /// Sends what is due.
    pub fn poll(&mut self, now: Time, tally: &mut Tally, send: &mut Send<'_>) {
        for sending in &mut self.sending {
            let late_us = sending.late(now).as_micros() as u64;
            tally.late_us = tally.late_us.max(late_us);
            tally.sent += sending.poll(now, &mut self.wire, send);
        }
        self.ask(now, tally, send);
        if self.next_feedback <= now {
            self.give_feedback(now, send);
        }
        if self.next_report <= now {
            self.next_report = now + REPORT_EVERY;
            self.report(now, send);
        }
        if self.next_consent <= now {
            self.next_consent = now + CONSENT_EVERY;
            send(&self.consent_check);
        }
    }

    /// When to poll next.
    pub fn next_due(&self, now: Time) -> Time {
        let sends = self.sending.iter().map(Sending::next_due);
        let asks = self.watching.iter().filter_map(Watching::deadline);
        sends
            .chain(asks)
            .chain([self.next_feedback, now + LONGEST_REST])
            .min()
            .unwrap_or(now)
    }

    /// Takes a datagram that arrived at `at`; `line` gets what is worth telling at once.
    pub fn receive(
        &mut self,
        datagram: &mut [u8],
        at: Time,
        tally: &mut Tally,
        send: &mut Send<'_>,
        line: &mut dyn FnMut(Line),
    ) {
        tally.datagrams_received += 1;
        tally.bytes_received += datagram.len() as u64;
        let is_read = match classify(datagram) {
            DatagramKind::Rtp => self.receive_rtp(datagram, at, tally, line),
            DatagramKind::Rtcp => self.receive_rtcp(datagram, at, tally, send),
            _ => Some(()),
        };
        tally.unreadable += u64::from(is_read.is_none());
    }

    /// Of all its slots.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for watching in &self.watching {
            let (packets, pictures) = watching.totals();
            totals.add(packets, pictures);
        }
        totals
    }

    /// What it saw so far.
    pub fn report_of_all(&self) -> MemberReport {
        let Totals { packets, pictures } = self.totals();
        MemberReport {
            user: self.user,
            received: packets.received,
            lost: packets.lost,
            repaired: packets.repaired,
            pictures: pictures.pictures,
            freezes: pictures.freezes,
            long_freezes: pictures.long_freezes,
            frozen_ms: pictures.frozen_us / 1_000,
            worst_latency_us: self.worst_latency.as_micros() as u64,
        }
    }

    fn receive_rtp(
        &mut self,
        packet: &mut [u8],
        at: Time,
        tally: &mut Tally,
        line: &mut dyn FnMut(Line),
    ) -> Option<()> {
        let header = RtpHeader::parse(packet).ok()?;
        let bytes = match self.inbound.open_rtp(packet, &header) {
            Err(SrtpError::Replay) => {
                tally.left.packets.duplicates += 1;
                return Some(());
            }
            opened => opened.ok()?,
        };
        let packet = &packet[..bytes];
        self.received_bytes += bytes as u64;
        if let Some(number) = self.transport_number(&header, packet) {
            self.arrivals.record(number, header.ssrc, at);
        }
        let payload = &packet[header.payload(packet).ok()?];
        let user = self.user;
        let (watching, codec, is_repeated) = self.stream_of(&header)?;
        let ssrc = watching.ssrc();
        // Pure padding probes the path.
        if payload.is_empty() {
            return Some(());
        }
        let first_picture_after = if is_repeated {
            watching.receive_repeated(&header, codec, payload, at)
        } else {
            let taken = watching.receive(&header, codec, payload, at);
            if let Some(sent) = taken.sent {
                let took = at.since(sent);
                tally.latency.add(took.as_micros() as u64);
                self.worst_latency = self.worst_latency.max(took);
            }
            taken.first_picture_after
        };
        if let Some(after) = first_picture_after {
            let after_ms = after.as_micros() as f64 / 1_000.0;
            line(Line::FirstPicture {
                user,
                ssrc,
                after_ms,
            });
        }
        Some(())
    }

    fn receive_rtcp(
        &mut self,
        compound: &mut [u8],
        at: Time,
        tally: &mut Tally,
        send: &mut Send<'_>,
    ) -> Option<()> {
        let bytes = self.inbound.open_rtcp(compound).ok()?;
        for packet in packets(&compound[..bytes]) {
            match packet.ok()? {
                Packet::SenderReport {
                    ssrc,
                    info,
                    reports,
                } => {
                    if let Some(watching) = self.watching.iter_mut().find(|w| w.ssrc() == ssrc) {
                        watching.sender_report(info.ntp, info.rtp_timestamp, at);
                    }
                    self.measure(reports, at);
                }
                Packet::ReceiverReport { reports, .. } => self.measure(reports, at),
                Packet::Nack {
                    media_ssrc, lost, ..
                } => {
                    if let Some(sending) = self.sending.iter_mut().find(|s| s.ssrc() == media_ssrc)
                    {
                        for sequence in lost {
                            sending.repeat(sequence, &mut self.wire, send);
                        }
                    }
                }
                Packet::Pli { media_ssrc, .. } => self.begin_anew(media_ssrc, tally),
                Packet::Fir { requests, .. } => {
                    for (ssrc, _) in requests {
                        self.begin_anew(ssrc, tally);
                    }
                }
                _ => {}
            }
        }
        Some(())
    }

    fn measure(&mut self, reports: impl Iterator<Item = ReportBlock>, at: Time) {
        let now = Sending::ntp(at);
        for report in reports {
            self.round_trip
                .receive(report.last_sender_report, report.delay_since_last, now);
        }
    }

    fn begin_anew(&mut self, ssrc: u32, tally: &mut Tally) {
        if let Some(sending) = self.sending.iter_mut().find(|s| s.ssrc() == ssrc) {
            sending.want_keyframe();
            tally.keyframes_wanted += 1;
        }
    }

    fn ask(&mut self, now: Time, tally: &mut Tally, send: &mut Send<'_>) {
        let round_trip = self.round_trip.estimate();
        let own_ssrc = self.own_ssrc();
        for watching in &mut self.watching {
            let mut lost = Vec::new();
            let needs_keyframe = watching.ask(now, round_trip, |sequence| lost.push(sequence));
            if lost.is_empty() && !needs_keyframe {
                continue;
            }
            tally.packets_asked += lost.len() as u64;
            tally.keyframes_asked += u64::from(needs_keyframe);
            self.wire.rtcp(send, |writer| {
                // Nothing else is in the buffer: these always fit.
                let _ = writer.nack(own_ssrc, watching.ssrc(), &lost);
                if needs_keyframe {
                    let _ = writer.pli(own_ssrc, watching.ssrc());
                }
            });
        }
    }

    fn give_feedback(&mut self, now: Time, send: &mut Send<'_>) {
        let own_ssrc = self.own_ssrc();
        let mut packet = [0; 1_200];
        while let Some(bytes) = self.arrivals.write(own_ssrc, &mut packet) {
            self.wire.rtcp(send, |writer| {
                let _ = writer.ready(&packet[..bytes]);
            });
        }
        self.next_feedback = now + self.feedback_every;
    }

    fn report(&mut self, now: Time, send: &mut Send<'_>) {
        self.feedback_every = feedback_every(std::mem::take(&mut self.received_bytes));
        let infos: Vec<(u32, SenderInfo)> = self
            .sending
            .iter()
            .filter_map(|sending| Some((sending.ssrc(), sending.sender_info(now)?)))
            .collect();
        let blocks: Vec<ReportBlock> = self
            .watching
            .iter_mut()
            .filter_map(|watching| watching.report(now))
            .take(MAX_COUNT)
            .collect();
        let own_ssrc = self.own_ssrc();
        self.wire.rtcp(send, |writer| {
            // Whatever does not fit is told a second later.
            match infos.split_first() {
                Some(((ssrc, info), others)) => {
                    let _ = writer.sender_report(*ssrc, info, &blocks);
                    for (ssrc, info) in others {
                        let _ = writer.sender_report(*ssrc, info, &[]);
                    }
                }
                None => {
                    let _ = writer.receiver_report(own_ssrc, &blocks);
                }
            }
            let _ = writer.cname(own_ssrc, "virtual");
        });
    }

    fn own_ssrc(&self) -> u32 {
        self.sending.first().map_or(1, Sending::ssrc)
    }

    fn transport_number(&self, header: &RtpHeader, packet: &[u8]) -> Option<u16> {
        let id = self.extensions.transport_cc?;
        let (_, value) = header.extensions(packet).find(|(found, _)| *found == id)?;
        Some(u16::from_be_bytes(value.try_into().ok()?))
    }

    /// The slot of a packet, how to read it, and whether it is a repetition.
    fn stream_of(&mut self, header: &RtpHeader) -> Option<(&mut Watching, Codec, bool)> {
        let (codec, is_repeated) = self.formats.iter().find_map(|format| {
            let is_repeated = format.repair == Some(header.payload_type);
            (is_repeated || format.payload_type == header.payload_type)
                .then_some((format.codec, is_repeated))
        })?;
        let watching = self.watching.iter_mut().find(|watching| {
            let ssrc = match is_repeated {
                true => watching.repair_ssrc(),
                false => Some(watching.ssrc()),
            };
            ssrc == Some(header.ssrc)
        })?;
        Some((watching, codec, is_repeated))
    }
}

/// A twentieth of the bytes that came in a second, within bounds.
fn feedback_every(received_bytes: u64) -> Duration {
    let bits_a_second = received_bytes * 8 / 20;
    match FEEDBACK_BITS
        .checked_mul(1_000_000)
        .and_then(|bits| bits.checked_div(bits_a_second))
    {
        Some(us) => Duration::from_micros(us).clamp(FEEDBACK_EVERY_LEAST, FEEDBACK_EVERY_MOST),
        None => FEEDBACK_EVERY_MOST,
    }
}

#[cfg(test)]
mod tests;
