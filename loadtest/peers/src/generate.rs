//! Publishes and watches over sockets that Python has connected.

use std::net::{SocketAddr, UdpSocket};
use std::thread;
use std::time::Duration;

use mianshi_engine_core::srtp::{Inbound, Outbound};

use crate::Failure;
use crate::histogram::Histogram;
use crate::job::{GenerateJob, GenerateReport, PeerJob};
use crate::publisher::Publisher;
use crate::viewer::{Arrival, Viewer};
use crate::wait::{Watch, adopt, monotonic_of, monotonic_us, receive_stamped};

/// Consent checks of a browser come every 5 s at most (RFC 7675, section 5.1).
const CONSENT_INTERVAL_US: u64 = 2_500_000;

/// After the window, for packets that are still under way.
const DRAIN_US: u64 = 300_000;

/// No rest is longer than this: what arrives meanwhile has to fit into the sockets' buffers.
const MAX_WAIT_US: u64 = 1_000;

/// Datagrams received before it is looked what is due.
const MOST_AT_ONCE: usize = 16;

struct Peer {
    socket: UdpSocket,
    server: SocketAddr,
    viewer: Viewer,
    publisher: Option<Publisher>,
    consent_check: Vec<u8>,
    next_consent_us: u64,
}

struct Tally {
    from_us: u64,
    until_us: u64,
    sent: u64,
    received: u64,
    failed: u64,
    keyframe_requests: u64,
    latency: Histogram,
    window_us: u64,
    windows: Vec<Histogram>,
}

/// Runs one job and prints its report.
pub fn run(job: GenerateJob) -> Result<(), Failure> {
    if job.punctual {
        crate::come_first();
    }
    let start_us = job.start_us;
    let from_us = start_us + job.warmup_us;
    let mut peers = job
        .peers
        .into_iter()
        .map(|peer| Peer::new(peer, start_us))
        .collect::<Result<Vec<_>, _>>()?;
    let mut tally = Tally::new(from_us, job.window_us, job.windows);
    let mut watch = Watch::new(peers.iter().map(|peer| &peer.socket));
    while monotonic_us() < tally.until_us + DRAIN_US {
        let mut next_us = send_due(&mut peers, &mut tally)?;
        thread::sleep(Duration::from_micros(
            next_us.saturating_sub(monotonic_us()),
        ));
        watch.look();
        for index in 0..peers.len() {
            if watch.is_readable(index) {
                while peers[index].receive(&mut tally) {
                    // What is due does not wait until all was read: it would leave in a burst.
                    if monotonic_us() >= next_us {
                        next_us = send_due(&mut peers, &mut tally)?;
                    }
                }
            }
        }
    }
    println!("{}", serde_json::to_string(&tally.report())?);
    Ok(())
}

/// Sends what is due from all; returns when to look again.
fn send_due(peers: &mut [Peer], tally: &mut Tally) -> Result<u64, Failure> {
    let now_us = monotonic_us();
    let mut next_us = now_us + MAX_WAIT_US;
    for peer in peers {
        peer.check_consent(now_us);
        if now_us < tally.until_us {
            next_us = next_us.min(peer.publish(tally)?);
        }
    }
    Ok(next_us)
}

impl Peer {
    fn new(job: PeerJob, start_us: u64) -> Result<Self, Failure> {
        let profile = job.profile()?;
        let inbound = Inbound::new(profile, &job.receive_key.0).map_err(|error| error.code())?;
        let outbound = Outbound::new(profile, &job.send_key.0).map_err(|error| error.code())?;
        let publisher = job
            .publish
            .map(|publish| Publisher::new(publish, outbound, start_us))
            .transpose()?;
        Ok(Self {
            socket: adopt(job.fd)?,
            server: job.server,
            viewer: Viewer::new(inbound, job.payload_type),
            publisher,
            consent_check: job.consent_check.0,
            next_consent_us: 0,
        })
    }

    fn check_consent(&mut self, now_us: u64) {
        if now_us >= self.next_consent_us && !self.consent_check.is_empty() {
            // A lost check is repeated by the next one.
            let _ = self.socket.send_to(&self.consent_check, self.server);
            self.next_consent_us = now_us + CONSENT_INTERVAL_US;
        }
    }

    /// Sends what is due; returns when the next packet is.
    fn publish(&mut self, tally: &mut Tally) -> Result<u64, Failure> {
        let Some(publisher) = &mut self.publisher else {
            return Ok(u64::MAX);
        };
        loop {
            let now_us = monotonic_us();
            if publisher.next_us() > now_us {
                return Ok(publisher.next_us());
            }
            let sent = self.socket.send_to(publisher.packet(now_us)?, self.server);
            tally.sent(now_us, sent.is_ok());
        }
    }

    /// Receives what waits, up to [`MOST_AT_ONCE`]; returns whether more may wait.
    fn receive(&mut self, tally: &mut Tally) -> bool {
        let mut buffer = [0; 2048];
        for _ in 0..MOST_AT_ONCE {
            let Ok((bytes, arrived_us)) = receive_stamped(&self.socket, &mut buffer) else {
                return false;
            };
            match self.viewer.receive(&mut buffer[..bytes]) {
                Arrival::Media { sent_us } => {
                    tally.received(sent_us, arrived_us.map_or_else(monotonic_us, monotonic_of));
                }
                Arrival::KeyframeRequest => {
                    tally.keyframe_requests += 1;
                    if let Some(publisher) = &mut self.publisher {
                        publisher.want_keyframe();
                    }
                }
                Arrival::Unreadable => tally.failed += 1,
                Arrival::Other => {}
            }
        }
        true
    }
}

impl Tally {
    fn new(from_us: u64, window_us: u64, windows: usize) -> Self {
        Self {
            from_us,
            until_us: from_us + window_us * windows as u64,
            sent: 0,
            received: 0,
            failed: 0,
            keyframe_requests: 0,
            latency: Histogram::new(),
            window_us,
            windows: (0..windows).map(|_| Histogram::new()).collect(),
        }
    }

    fn sent(&mut self, now_us: u64, is_ok: bool) {
        if !is_ok {
            self.failed += 1;
        } else if (self.from_us..self.until_us).contains(&now_us) {
            self.sent += 1;
        }
    }

    fn received(&mut self, sent_us: u64, arrived_us: u64) {
        if (self.from_us..self.until_us).contains(&sent_us) {
            self.received += 1;
            let took_us = arrived_us.saturating_sub(sent_us);
            self.latency.add(took_us);
            let window = (sent_us - self.from_us) / self.window_us;
            self.windows[window as usize].add(took_us);
        }
    }

    fn report(&self) -> GenerateReport {
        GenerateReport {
            sent: self.sent,
            received: self.received,
            failed: self.failed,
            keyframe_requests: self.keyframe_requests,
            latency_us: self.latency.latency(),
            windows_latency_us: self.windows.iter().map(Histogram::latency).collect(),
        }
    }
}
