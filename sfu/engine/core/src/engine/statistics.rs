//! The answer to a request for statistics.

use core::time::Duration;

use super::Engine;
use crate::PeerId;
use crate::command::Direction;
use crate::event::{DownlinkStats, PathStats, Stats, StreamStats};
use crate::layer::Layer;
use crate::peer::Peer;
use crate::slot::Slot;
use crate::source::Source;
use crate::time::Time;

impl Engine {
    pub(super) fn statistics(&self, token: u64, now: Time) -> Stats {
        Stats {
            token,
            peers: self.index_by_id.len() as u64,
            datagrams_received: self.received,
            datagrams_sent: self.sent,
            tcp_connections: 0,
            datagrams_dropped: self.drops.all(),
            paths: self
                .peers
                .iter()
                .flatten()
                .map(|peer| path_of(peer, now))
                .collect(),
            streams: self
                .peers
                .iter()
                .flatten()
                .flat_map(|peer| streams_of(peer))
                .collect(),
            downlinks: self
                .peers
                .iter()
                .flatten()
                .filter_map(|peer| downlink_of(peer, now))
                .collect(),
        }
    }
}

fn path_of(peer: &Peer, now: Time) -> PathStats {
    let silent = now.since(peer.last_heard).as_millis();
    PathStats {
        peer: peer.id,
        silent_ms: u64::try_from(silent).unwrap_or(u64::MAX),
        round_trip_time_ms: peer.round_trip.measured().map(to_ms),
    }
}

fn downlink_of(peer: &Peer, now: Time) -> Option<DownlinkStats> {
    let path = peer.downlink.report(now)?;
    let pacer = &peer.downlink.pacer;
    Some(DownlinkStats {
        peer: peer.id,
        available_bps: path.available_bps,
        acknowledged_bps: path.acknowledged_bps,
        queue_ms: to_ms(path.queue_delay),
        loss_ratio: path.loss_ratio,
        pacer_queue_ms: to_ms(pacer.delay(now)),
        paced_packets: pacer.delayed(),
        probe_clusters: path.probe_clusters,
    })
}

fn streams_of(peer: &Peer) -> Vec<StreamStats> {
    let round_trip = peer.round_trip.measured().unwrap_or_default();
    let received = peer.sources.iter().flatten().flat_map(|source| {
        let heard = source
            .layers
            .iter()
            .filter(|layer| layer.totals.packets > 0);
        heard.map(|layer| received_stream(peer.id, source, layer, round_trip))
    });
    let sent = peer
        .slots
        .iter()
        .flatten()
        .filter(|slot| slot.totals.packets > 0);
    received
        .chain(sent.map(|slot| sent_stream(peer.id, slot)))
        .collect()
}

fn received_stream(
    peer: PeerId,
    source: &Source,
    layer: &Layer,
    round_trip: Duration,
) -> StreamStats {
    StreamStats {
        peer,
        mid: source.mid.clone(),
        rid: layer.rid.clone(),
        kind: source.kind,
        direction: Direction::Receive,
        ssrc: layer.ssrc.unwrap_or_default(),
        packets: layer.totals.packets,
        bytes: layer.totals.bytes,
        packets_lost: layer.reception.lost(),
        jitter_ms: ticks_to_ms(layer.reception.jitter(), layer.clock_rate),
        round_trip_time_ms: to_ms(round_trip),
        nack_count: layer.totals.nacks,
        pli_count: layer.totals.plis,
        fir_count: layer.totals.firs,
        retransmitted_packets: layer.totals.retransmitted,
        key_frames: layer.totals.keyframes,
    }
}

fn sent_stream(peer: PeerId, slot: &Slot) -> StreamStats {
    StreamStats {
        peer,
        mid: slot.mid.clone(),
        rid: String::new(),
        kind: slot.kind,
        direction: Direction::Send,
        ssrc: slot.ssrc,
        packets: slot.totals.packets,
        bytes: slot.totals.bytes,
        packets_lost: i64::from(slot.totals.reported_lost),
        jitter_ms: ticks_to_ms(slot.totals.reported_jitter, slot.clock_rate()),
        round_trip_time_ms: to_ms(slot.totals.round_trip),
        nack_count: slot.totals.nacks,
        pli_count: slot.totals.plis,
        fir_count: slot.totals.firs,
        retransmitted_packets: slot.totals.retransmitted,
        key_frames: slot.totals.keyframes,
    }
}

fn ticks_to_ms(ticks: u32, clock_rate: u32) -> f64 {
    f64::from(ticks) * 1_000.0 / f64::from(clock_rate.max(1))
}

fn to_ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}
