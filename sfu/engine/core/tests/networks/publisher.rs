//! What a participant sends: a microphone, and a camera whose layers follow the uplink.

use mianshi_engine_core::WantedLayer;
use mianshi_engine_core::time::Time;
use mianshi_engine_core::wire::rtp::HeaderFields;

use crate::camera::{FRAME_INTERVAL, LADDER, Layer};
use crate::microphone::{Microphone, SOUND_INTERVAL};
use crate::uplink::Uplink;

/// A plain packet to be sent, with what its header extensions say.
pub struct Outgoing {
    pub fields: HeaderFields,
    pub mid: &'static str,
    pub rid: Option<&'static str>,
    pub repaired: bool,
    pub payload: Vec<u8>,
}

pub struct Publisher {
    pub microphone: Microphone,
    pub layers: Vec<Layer>,
    pub uplink: Uplink,
    /// Layers that somebody watches; nothing known: all.
    pub wanted: Option<Vec<WantedLayer>>,
    next_frame: Time,
    next_sound: Time,
}

impl Publisher {
    pub fn new(id: u64, now: Time) -> Self {
        let base = id as u32 * 10_000;
        Self {
            microphone: Microphone::new(base),
            layers: (0..LADDER.len())
                .map(|index| Layer::new(index, base + 1_000 * (index as u32 + 1)))
                .collect(),
            uplink: Uplink::new(5_500_000),
            wanted: None,
            next_frame: now,
            next_sound: now,
        }
    }

    pub fn next_due(&self) -> Time {
        self.next_frame.min(self.next_sound)
    }

    pub fn poll(&mut self, now: Time) -> Vec<Outgoing> {
        let mut out = Vec::new();
        if self.next_sound <= now {
            self.next_sound += SOUND_INTERVAL;
            let (fields, payload) = self.microphone.speak();
            out.push(Outgoing {
                fields,
                mid: "mic",
                rid: None,
                repaired: false,
                payload,
            });
        }
        if self.next_frame <= now {
            self.next_frame += FRAME_INTERVAL;
            self.share();
            for layer in &mut self.layers {
                out.extend(
                    layer
                        .encode()
                        .into_iter()
                        .map(|(fields, payload)| Outgoing {
                            fields,
                            mid: "cam",
                            rid: Some(layer.rid),
                            repaired: false,
                            payload,
                        }),
                );
            }
        }
        out
    }

    /// Lowest layer first, as simulcast encoders share: a layer needs its least, and the lower
    /// ones get what they can use before it.
    fn share(&mut self) {
        let mut left_bps = self.uplink.target_bps.saturating_sub(60_000);
        for (place, layer) in self.layers.iter_mut().enumerate() {
            let named = self.wanted.as_ref().map(|wanted| {
                let mut named = wanted.iter();
                named.find(|wanted| wanted.rid == layer.rid)
            });
            let most_bps = match named {
                None => Some(layer.most_bps),
                Some(wanted) => {
                    wanted.map(|wanted| wanted.max_bps.unwrap_or(u64::MAX).min(layer.most_bps))
                }
            };
            let fits = place == 0 || left_bps >= layer.least_bps;
            let target_bps = match most_bps.filter(|_| fits) {
                Some(most_bps) => most_bps.min(left_bps.max(layer.least_bps / 2)),
                None => 0,
            };
            layer.set_target(target_bps);
            left_bps = left_bps.saturating_sub(target_bps);
        }
    }

    pub fn refresh(&mut self, ssrc: u32) {
        for layer in self.layers.iter_mut().filter(|layer| layer.ssrc == ssrc) {
            layer.keyframe_wanted = true;
        }
    }

    pub fn retransmit(&mut self, ssrc: u32, sequence: u16) -> Option<Outgoing> {
        let layer = self.layers.iter_mut().find(|layer| layer.ssrc == ssrc)?;
        let (fields, payload) = layer.retransmission(sequence)?;
        Some(Outgoing {
            fields,
            mid: "cam",
            rid: Some(layer.rid),
            repaired: true,
            payload,
        })
    }
}
