//! State per stream (SSRC), bounded.

use super::SrtpError;

/// Streams that one context remembers. A browser uses about a dozen; a hostile peer that holds
/// the keys could invent any number.
pub(super) const MAX_STREAMS: usize = 256;

/// States ordered by SSRC.
#[derive(Clone, Debug)]
pub(super) struct Streams<S> {
    entries: Vec<(u32, S)>,
}

/// Where a stream is, or would be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place(Result<usize, usize>);

impl<S> Streams<S> {
    pub(super) const fn new() -> Self {
        Self {
            entries: Vec::new(),
        }
    }

    /// Looks a stream up and creates nothing.
    ///
    /// # Errors
    /// `TooManyStreams` when it is unknown and there is no room for it.
    pub(super) fn find(&self, ssrc: u32) -> Result<Place, SrtpError> {
        let place = self.entries.binary_search_by_key(&ssrc, |entry| entry.0);
        if place.is_err() && self.entries.len() >= MAX_STREAMS {
            return Err(SrtpError::TooManyStreams);
        }
        Ok(Place(place))
    }

    /// The state at a place, if the stream is known.
    pub(super) fn get(&self, place: Place) -> Option<&S> {
        place.0.ok().map(|at| &self.entries[at].1)
    }

    /// The state at a place; a new stream begins as `initial`. No other stream may have been
    /// created since the place was found.
    pub(super) fn enter(&mut self, place: Place, ssrc: u32, initial: impl FnOnce() -> S) -> &mut S {
        let at = match place.0 {
            Ok(at) => at,
            Err(at) => {
                self.entries.insert(at, (ssrc, initial()));
                at
            }
        };
        &mut self.entries[at].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_new_streams_when_full_and_keeps_the_old() {
        let mut streams = Streams::new();
        for ssrc in 0..MAX_STREAMS as u32 {
            let place = streams.find(ssrc * 7).expect("room");
            streams.enter(place, ssrc * 7, || ssrc);
        }
        assert_eq!(streams.find(1).unwrap_err(), SrtpError::TooManyStreams);
        let place = streams.find(21).expect("a known stream");
        assert_eq!(streams.get(place), Some(&3));
    }
}
