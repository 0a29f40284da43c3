//! Which stream of a peer is which: SSRCs to sources and layers.

use crate::layer::Via;
use crate::packet::Announced;
use crate::source::{PayloadMeaning, Source};
use crate::time::Time;
use crate::wire::rtp::RtpHeader;

/// What an SSRC carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamPlace {
    /// The source's index in the peer.
    pub source: usize,
    /// The layer's index in the source.
    pub layer: usize,
    /// The stream itself or its retransmissions.
    pub via: Via,
}

/// The known SSRCs of a peer: at most two for each layer, so that no flood grows it.
#[derive(Debug, Default)]
pub struct StreamTable {
    entries: Vec<(u32, StreamPlace)>,
}

impl StreamTable {
    /// What a known SSRC carries.
    pub fn get(&self, ssrc: u32) -> Option<StreamPlace> {
        self.entries
            .iter()
            .find(|(known, _)| *known == ssrc)
            .map(|(_, place)| *place)
    }

    /// Know exactly the SSRCs that the layers have.
    pub fn rebuild(&mut self, sources: &[Option<Source>]) {
        self.entries.clear();
        for (source, layers) in sources
            .iter()
            .enumerate()
            .filter_map(|(i, s)| s.as_ref().map(|s| (i, &s.layers)))
        {
            for (layer, state) in layers.iter().enumerate() {
                let streams = [
                    (state.ssrc, Via::Stream),
                    (state.rtx_ssrc, Via::Retransmission),
                ];
                for (ssrc, via) in streams {
                    let Some(ssrc) = ssrc.filter(|ssrc| self.get(*ssrc).is_none()) else {
                        continue;
                    };
                    self.entries
                        .push((ssrc, StreamPlace { source, layer, via }));
                }
            }
        }
    }

    /// Find what an unknown SSRC carries, by what its packet says, and remember it.
    ///
    /// By mid and rid (RFC 8843, RFC 8852), or by a payload type that only one source has.
    pub fn learn(
        &mut self,
        sources: &mut [Option<Source>],
        header: &RtpHeader,
        announced: &Announced<'_>,
        stream: u64,
        now: Time,
    ) -> Option<StreamPlace> {
        let index = find_source(sources, header.payload_type, announced)?;
        let source = sources[index].as_mut()?;
        let (via, rid) = match source.payload_meaning(header.payload_type)? {
            PayloadMeaning::Media(_) => (Via::Stream, announced.rid),
            PayloadMeaning::Retransmission(_) => (Via::Retransmission, announced.repaired_rid),
        };
        let layer = match rid {
            Some(rid) if source.is_simulcast() => source.layer_by_rid(rid)?,
            None if source.is_simulcast() => return None,
            _ => 0,
        };
        let state = &mut source.layers[layer];
        if state.is_retired(header.ssrc, now) {
            return None;
        }
        if via == Via::Retransmission {
            state.rtx_ssrc = Some(header.ssrc);
        } else {
            state.bind(header.ssrc, stream, now);
        }
        self.rebuild(sources);
        self.get(header.ssrc)
    }
}

fn find_source(
    sources: &[Option<Source>],
    payload_type: u8,
    announced: &Announced<'_>,
) -> Option<usize> {
    let open = || {
        sources
            .iter()
            .enumerate()
            .filter_map(|(index, source)| Some((index, source.as_ref()?)))
    };
    if let Some(mid) = announced.mid {
        return open()
            .find(|(_, source)| source.mid == mid)
            .map(|(index, _)| index);
    }
    let mut speaking = open().filter(|(_, source)| source.payload_meaning(payload_type).is_some());
    let (index, _) = speaking.next()?;
    speaking.next().is_none().then_some(index)
}
