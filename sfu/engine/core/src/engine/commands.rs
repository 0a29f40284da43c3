//! Commands: peers come and go, sections are described, slots are routed.

use super::Engine;
use crate::PeerId;
use crate::command::{Command, Direction, Media, MediaKind};
use crate::drops::DropReason;
use crate::event::Event;
use crate::extensions::MeaningById;
use crate::peer::{MAX_MEDIA, Peer, place};
use crate::slot::{Shown, Slot};
use crate::source::{Source, Subscriber};
use crate::srtp::{Inbound, Outbound, Profile};
use crate::time::Time;

impl Engine {
    pub(super) fn apply(&mut self, command: Command, now: Time) {
        match command {
            Command::AddPeer {
                peer,
                ice_ufrag,
                ice_pwd,
            } => self.add_peer(peer, &ice_ufrag, &ice_pwd, now),
            Command::RestartIce {
                peer,
                ice_ufrag,
                ice_pwd,
            } => {
                // Refused for a peer that is gone, or credentials that no SDP could carry.
                let _ = self.ice.restart_peer(peer, &ice_ufrag, &ice_pwd);
            }
            Command::SendDtls { peer, datagram } => self.send_dtls(peer, &datagram),
            Command::SetKeys {
                peer,
                profile,
                receive,
                send,
            } => self.set_keys(peer, profile, &receive, &send, now),
            Command::SetMedia { peer, media } => self.set_media(peer, &media, now),
            Command::Route {
                viewer,
                slot,
                source,
            } => self.route(viewer, &slot, source, now),
            Command::SetSlot {
                viewer,
                slot,
                tuning,
            } => self.set_slot(viewer, &slot, tuning, now),
            Command::SetEnabled { peer, mid, enabled } => {
                self.set_enabled(peer, &mid, enabled, now)
            }
            Command::RequestKeyframe { peer, mid } => self.request_keyframe(peer, &mid, now),
            Command::RequestStats { token } => {
                let stats = self.statistics(token, now);
                self.events.push_back(Event::Stats(stats));
            }
            Command::RemovePeer { peer } => self.remove_peer(peer),
        }
    }

    fn add_peer(&mut self, id: PeerId, ufrag: &str, password: &str, now: Time) {
        if self.ice.add_peer(id, ufrag, password).is_err() {
            return;
        }
        let peer = Peer::new(id, self.numbers.random() as u32, now);
        let index = place(&mut self.peers, Box::new(peer));
        self.index_by_id.insert(id, index);
        self.watch_silence(index);
    }

    fn remove_peer(&mut self, id: PeerId) {
        self.ice.remove_peer(id);
        let Some(index) = self.index_by_id.remove(&id) else {
            return;
        };
        let Some(peer) = self.peer(index) else { return };
        let (sources, slots) = (peer.sources.len(), peer.slots.len());
        (0..sources).for_each(|source| self.close_source(index, source));
        (0..slots).for_each(|slot| self.close_slot(Subscriber { peer: index, slot }));
        self.timers.clear(index);
        self.peers[index] = None;
    }

    fn send_dtls(&mut self, id: PeerId, datagram: &[u8]) {
        match self.ice.address_of(id) {
            Some(address) => self.outbox.push(address, datagram),
            None => self.drop(DropReason::NoDestination),
        }
    }

    /// The first keys of a peer stay: to seal anew under the same keys would repeat nonces, and
    /// a new handshake belongs to a new peer.
    fn set_keys(&mut self, id: PeerId, profile: u16, receive: &[u8], send: &[u8], now: Time) {
        let Some(profile) = Profile::from_id(profile) else {
            return;
        };
        let Some(index) = self.index_of(id) else {
            return;
        };
        let Some(peer) = self.peer_mut(index).filter(|peer| peer.outbound.is_none()) else {
            return;
        };
        if let (Ok(inbound), Ok(outbound)) =
            (Inbound::new(profile, receive), Outbound::new(profile, send))
        {
            peer.inbound = Some(inbound);
            peer.outbound = Some(outbound);
            self.watch_downlink(index, now);
            self.start_over(index, now);
        }
    }

    fn set_media(&mut self, id: PeerId, media: &[Media], now: Time) {
        let media = &media[..media.len().min(MAX_MEDIA)];
        let Some(index) = self.index_of(id) else {
            return;
        };
        let Some(peer) = self.peer_mut(index) else {
            return;
        };
        peer.meanings = MeaningById::default();
        media
            .iter()
            .for_each(|section| peer.meanings.learn(&section.extensions));
        let (sources, slots) = peer.gone(media);
        sources
            .into_iter()
            .for_each(|source| self.close_source(index, source));
        slots
            .into_iter()
            .for_each(|slot| self.close_slot(Subscriber { peer: index, slot }));
        for section in media {
            match section.direction {
                Direction::Receive => self.describe_source(index, section),
                Direction::Send => self.describe_slot(index, section),
            }
        }
        if let Some(peer) = self.peer_mut(index) {
            peer.streams.rebuild(&peer.sources);
            let told = |slot: &Slot| slot.is_numbered() && slot.has_transport_feedback();
            let feedback = peer.slots.iter().flatten().any(told);
            peer.downlink.negotiate(feedback, now);
        }
        self.watch_downlink(index, now);
    }

    fn describe_source(&mut self, peer: usize, section: &Media) {
        let Self { peers, numbers, .. } = self;
        let Some(owner) = peers[peer].as_deref_mut() else {
            return;
        };
        match owner.source_by_mid(&section.mid) {
            Some(index) => {
                if let Some(source) = owner.sources[index].as_mut() {
                    source.describe(section, || numbers.stream());
                }
                self.map_codecs_of_viewers(Shown {
                    peer,
                    source: index,
                });
            }
            None => {
                place(
                    &mut owner.sources,
                    Source::new(section, || numbers.stream()),
                );
            }
        }
    }

    fn describe_slot(&mut self, peer: usize, section: &Media) {
        let seed = self.numbers.random();
        let Some(owner) = self.peer_mut(peer) else {
            return;
        };
        let Some(index) = owner.slot_by_mid(&section.mid) else {
            place(&mut owner.slots, Slot::new(section, seed));
            return;
        };
        let Some(slot) = owner.slots[index].as_mut() else {
            return;
        };
        slot.describe(section);
        if let Some(shown) = slot.shown {
            self.map_codecs_of_viewers(shown);
        }
    }

    /// A description changed on one side: match payload types anew.
    fn map_codecs_of_viewers(&mut self, shown: Shown) {
        let Some(source) = self.source(shown.peer, shown.source) else {
            return;
        };
        let (codecs, subscribers) = (source.codecs.clone(), source.subscribers.clone());
        for subscriber in subscribers {
            if let Some(slot) = self.slot_mut(subscriber) {
                slot.map_codecs(&codecs);
            }
        }
    }

    fn close_source(&mut self, peer: usize, source: usize) {
        let Some(owner) = self.peer_mut(peer) else {
            return;
        };
        let Some(closed) = owner.sources.get_mut(source).and_then(Option::take) else {
            return;
        };
        for subscriber in closed.subscribers {
            self.stop_showing(subscriber, Shown { peer, source });
            if let Some(slot) = self.slot_mut(subscriber) {
                slot.clear();
            }
            self.abandon_waiting(subscriber);
        }
    }

    fn close_slot(&mut self, at: Subscriber) {
        self.unsubscribe(at);
        if let Some(peer) = self.peer_mut(at.peer) {
            peer.slots[at.slot] = None;
        }
    }

    fn unsubscribe(&mut self, at: Subscriber) {
        let Some(shown) = self.slot(at).and_then(|slot| slot.shown) else {
            return;
        };
        if let Some(source) = self.source_mut(shown.peer, shown.source) {
            source.unsubscribe(at);
        }
        self.stop_showing(at, shown);
        if let Some(slot) = self.slot_mut(at) {
            slot.clear();
        }
        self.abandon_waiting(at);
    }

    fn route(&mut self, viewer: PeerId, slot: &str, source: Option<(PeerId, String)>, now: Time) {
        let Some(peer) = self.index_of(viewer) else {
            return;
        };
        let Some(slot) = self.peer(peer).and_then(|viewer| viewer.slot_by_mid(slot)) else {
            return;
        };
        let at = Subscriber { peer, slot };
        let shown = source.and_then(|(publisher, mid)| {
            let peer = self.index_of(publisher)?;
            Some(Shown {
                peer,
                source: self.peer(peer)?.source_by_mid(&mid)?,
            })
        });
        if shown.is_some() && self.slot(at).and_then(|slot| slot.shown) == shown {
            return;
        }
        self.unsubscribe(at);
        if let Some(shown) = shown {
            self.show(at, shown, now);
        }
    }

    /// Only equal kinds meet: the facade never asks for others.
    fn show(&mut self, at: Subscriber, shown: Shown, now: Time) {
        let kind = self.slot(at).map(|slot| slot.kind);
        let Some(source) = self
            .source_mut(shown.peer, shown.source)
            .filter(|source| Some(source.kind) == kind)
        else {
            return;
        };
        source.subscribe(at);
        let codecs = source.codecs.clone();
        if let Some(slot) = self.slot_mut(at) {
            slot.show(shown, &codecs);
        }
        if kind == Some(MediaKind::Video) {
            self.begin_showing(at, now);
        }
    }

    /// Begin with the last keyframe if it is recent enough to be replayed, else ask for one.
    pub(super) fn start_picture(&mut self, at: Subscriber, shown: Shown, now: Time) {
        let source = self.source(shown.peer, shown.source);
        if source.is_none_or(|source| !source.enabled)
            || self.slot(at).is_none_or(|slot| slot.target.is_none())
        {
            return;
        }
        let kept = self.aimed_at(at, shown).and_then(|origin| {
            let layer = self.layer(origin).filter(|layer| layer.is_arriving(now))?;
            Some((origin, layer.replay(now)?))
        });
        match kept {
            Some((origin, packets)) => self.replay(at, origin, packets, now),
            None => self.want_keyframe_to_start(at, shown, now),
        }
    }

    fn set_enabled(&mut self, id: PeerId, mid: &str, enabled: bool, now: Time) {
        let Some(peer) = self.index_of(id) else {
            return;
        };
        let Some(index) = self.peer(peer).and_then(|owner| owner.source_by_mid(mid)) else {
            return;
        };
        let Some(source) = self
            .source_mut(peer, index)
            .filter(|source| source.enabled != enabled)
        else {
            return;
        };
        source.enabled = enabled;
        let (kind, watched) = (source.kind, !source.subscribers.is_empty());
        if enabled {
            if kind == MediaKind::Video && watched {
                self.want_keyframe_for_route(
                    Shown {
                        peer,
                        source: index,
                    },
                    now,
                );
            }
            return self.source_changed(
                Shown {
                    peer,
                    source: index,
                },
                now,
            );
        }
        source
            .layers
            .iter_mut()
            .for_each(crate::layer::Layer::forget_packets);
        let fell_silent = source.speech.silence();
        for subscriber in source.subscribers.clone() {
            if let Some(slot) = self.slot_mut(subscriber) {
                slot.interrupt();
            }
            self.abandon_waiting(subscriber);
        }
        if let Some(change) = fell_silent {
            self.tell_speech(peer, index, change);
        }
        self.source_changed(
            Shown {
                peer,
                source: index,
            },
            now,
        );
    }

    fn request_keyframe(&mut self, id: PeerId, mid: &str, now: Time) {
        let Some(peer) = self.index_of(id) else {
            return;
        };
        if let Some(source) = self.peer(peer).and_then(|owner| owner.source_by_mid(mid)) {
            self.want_keyframe_of(Shown { peer, source }, now);
        }
    }
}
