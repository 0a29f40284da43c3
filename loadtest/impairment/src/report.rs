//! What the relay prints: samples of each direction, and totals at the end.

use std::time::{SystemTime, UNIX_EPOCH};

use mianshi_netsim::{Counters, Direction};
use serde_json::{Map, Value, json};

use crate::clients::Client;

/// A client that has been silent for longer is left out of samples.
const ACTIVE_US: u64 = 5_000_000;

/// Milliseconds since 1970, as browsers count `performance.timeOrigin`.
pub fn wall_ms() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_micros() as f64 / 1_000.0)
}

/// Prints one line; a reader that has gone is no reason to stop relaying.
pub fn print(kind: &str, body: Value) {
    use std::io::Write;
    let mut line = Map::new();
    line.insert(kind.into(), body);
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{}", Value::Object(line)).and_then(|()| out.flush());
}

/// Rates and queues between two samples.
pub struct Sampler {
    interval_us: u64,
    next_us: u64,
    last_us: u64,
    /// By client: up and down.
    before: Vec<[Counters; 2]>,
}

impl Sampler {
    pub fn new(interval_us: u64) -> Self {
        Self {
            interval_us,
            next_us: interval_us,
            last_us: 0,
            before: Vec::new(),
        }
    }

    pub fn deadline_us(&self) -> u64 {
        self.next_us
    }

    /// Prints a sample if one is due.
    pub fn sample(&mut self, clients: &mut [Client], now_us: u64) {
        if now_us < self.next_us {
            return;
        }
        let span_us = (now_us - self.last_us).max(1);
        self.before.resize(clients.len(), Default::default());
        let rows: Vec<Value> = clients
            .iter_mut()
            .zip(&mut self.before)
            .filter(|(client, _)| client.heard_us + ACTIVE_US > now_us)
            .map(|(client, before)| row(client, before, span_us, now_us))
            .collect();
        if !rows.is_empty() {
            print("sample", json!({"at_ms": wall_ms(), "clients": rows}));
        }
        self.last_us = now_us;
        self.next_us = now_us + self.interval_us;
    }
}

fn row(client: &mut Client, before: &mut [Counters; 2], span_us: u64, now_us: u64) -> Value {
    let [up, down] = [(Direction::Up, 0), (Direction::Down, 1)].map(|(direction, at)| {
        let link = client.network.link_mut(direction);
        let (now, past) = (link.counters(), before[at]);
        before[at] = now;
        let waits_us = link.queue_delay_us(now_us).unwrap_or(0);
        let queue_us = link.take_peak_wait_us().max(waits_us);
        let bps = |bytes: u64| bytes * 8_000_000 / span_us;
        json!({
            "pushed_bps": bps(now.pushed_bytes - past.pushed_bytes),
            "sent_bps": bps(now.sent_bytes - past.sent_bytes),
            "capacity_bps": link.condition().rate_bps,
            "queue_ms": queue_us as f64 / 1_000.0,
            "pushed": now.pushed - past.pushed,
            "queue_drops": now.queue_drops - past.queue_drops,
            "lost": now.lost - past.lost,
            "dark": now.dark - past.dark,
        })
    });
    let pause_us = client.take_longest_pause_us(now_us);
    json!({
        "number": client.number,
        "up": up,
        "down": down,
        "pause_ms": pause_us as f64 / 1_000.0,
    })
}

/// Everything that became of every client's packets.
pub fn totals(clients: &[Client]) -> Value {
    let side = |client: &Client, direction| {
        let counters = client.network.link(direction).counters();
        json!({
            "pushed": counters.pushed,
            "pushed_bytes": counters.pushed_bytes,
            "sent": counters.sent,
            "sent_bytes": counters.sent_bytes,
            "arrived": counters.arrived,
            "queue_drops": counters.queue_drops,
            "lost": counters.lost,
            "dark": counters.dark,
            "duplicated": counters.duplicated,
            "reordered": counters.reordered,
        })
    };
    clients
        .iter()
        .map(|client| {
            json!({
                "number": client.number,
                "up": side(client, Direction::Up),
                "down": side(client, Direction::Down),
            })
        })
        .collect()
}
