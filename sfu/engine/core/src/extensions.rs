//! Header extensions of one bundle: ids of a peer to meanings, and a slot's meanings to ids.

use crate::wire::extension::{
    ABS_SEND_TIME_URI, AUDIO_LEVEL_URI, MID_URI, REPAIRED_RID_URI, RID_URI, TRANSPORT_CC_URI,
    VIDEO_ORIENTATION_URI,
};

/// The extensions that the engine reads or writes; any other is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The m-section.
    Mid,
    /// The simulcast layer.
    Rid,
    /// The simulcast layer that a retransmission repairs.
    RepairedRid,
    /// The transport-wide sequence number.
    TransportCc,
    /// When the packet left.
    AbsSendTime,
    /// How loud the audio is.
    AudioLevel,
    /// How the camera is held.
    VideoOrientation,
}

impl Meaning {
    /// The meaning of a URI, if it has one here.
    pub fn of(uri: &str) -> Option<Self> {
        match uri {
            MID_URI => Some(Self::Mid),
            RID_URI => Some(Self::Rid),
            REPAIRED_RID_URI => Some(Self::RepairedRid),
            TRANSPORT_CC_URI => Some(Self::TransportCc),
            ABS_SEND_TIME_URI => Some(Self::AbsSendTime),
            AUDIO_LEVEL_URI => Some(Self::AudioLevel),
            VIDEO_ORIENTATION_URI => Some(Self::VideoOrientation),
            _ => None,
        }
    }
}

/// What each id means in what a peer sends; one for the whole bundle (RFC 8843, section 9.2).
#[derive(Clone, Debug)]
pub struct MeaningById([Option<Meaning>; 256]);

impl Default for MeaningById {
    fn default() -> Self {
        Self([None; 256])
    }
}

impl MeaningById {
    /// Add a section's extensions.
    pub fn learn(&mut self, extensions: &[(String, u8)]) {
        for (uri, id) in extensions {
            self.0[usize::from(*id)] = Meaning::of(uri);
        }
    }

    /// The meaning of an id.
    pub fn get(&self, id: u8) -> Option<Meaning> {
        self.0[usize::from(id)]
    }
}

/// The ids that a slot's packets carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlotExtensionIds {
    /// The slot's mid.
    pub mid: Option<u8>,
    /// Our transport-wide number.
    pub transport_cc: Option<u8>,
    /// When we sent it.
    pub abs_send_time: Option<u8>,
    /// Copied from the source.
    pub audio_level: Option<u8>,
    /// Copied from the source.
    pub video_orientation: Option<u8>,
}

impl SlotExtensionIds {
    /// The ids of a section; 0 is no id.
    pub fn of(extensions: &[(String, u8)]) -> Self {
        let mut ids = Self::default();
        for (uri, id) in extensions.iter().filter(|(_, id)| *id > 0) {
            match Meaning::of(uri) {
                Some(Meaning::Mid) => ids.mid = Some(*id),
                Some(Meaning::TransportCc) => ids.transport_cc = Some(*id),
                Some(Meaning::AbsSendTime) => ids.abs_send_time = Some(*id),
                Some(Meaning::AudioLevel) => ids.audio_level = Some(*id),
                Some(Meaning::VideoOrientation) => ids.video_orientation = Some(*id),
                Some(Meaning::Rid | Meaning::RepairedRid) | None => {}
            }
        }
        ids
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_learned_by_uri_and_unknown_ones_mean_nothing() {
        let extensions = [
            (MID_URI.to_owned(), 4),
            ("urn:x-unknown".to_owned(), 5),
            (RID_URI.to_owned(), 200),
        ];
        let mut meanings = MeaningById::default();
        meanings.learn(&extensions);
        assert_eq!(meanings.get(4), Some(Meaning::Mid));
        assert_eq!(meanings.get(5), None);
        assert_eq!(meanings.get(200), Some(Meaning::Rid));
        assert_eq!(
            SlotExtensionIds::of(&extensions),
            SlotExtensionIds {
                mid: Some(4),
                ..Default::default()
            }
        );
    }
}
