//! How large the pictures of a layer are, and which layer is large enough for a slot.

use crate::command::Tuning;
use crate::layer::Layer;

/// A picture may be drawn a quarter larger than it is before a larger layer is worth its bits.
const MAX_ENLARGED: (u32, u32) = (5, 4);
/// A layer may have this much more lines than allowed: encoders round up (1088 for 1080).
const MAX_ABOVE_CEILING: (u32, u32) = (21, 20);

/// Width and height in pixels, as shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureSize {
    /// Pixels of a line.
    pub width: u32,
    /// Lines.
    pub height: u32,
}

impl PictureSize {
    /// The picture as it is shown: the video orientation byte says if it is turned on its side.
    pub fn shown(width: u16, height: u16, video_orientation: Option<u8>) -> Self {
        let (width, height) = (u32::from(width), u32::from(height));
        let turned = video_orientation.is_some_and(|byte| byte & 1 != 0);
        match turned {
            true => Self {
                width: height,
                height: width,
            },
            false => Self { width, height },
        }
    }

    /// The lines of the picture when it lies on its side.
    fn lines(self) -> u32 {
        self.width.min(self.height)
    }

    /// Whether a slot of this many pixels shows all that the picture has to offer. The whole
    /// picture is drawn, so the side that fits first counts.
    fn fills(self, (width, height): (u16, u16)) -> bool {
        let enough =
            |own: u32, drawn: u16| own * MAX_ENLARGED.0 >= u32::from(drawn) * MAX_ENLARGED.1;
        enough(self.width, width) || enough(self.height, height)
    }

    fn is_under(self, max_height: u16) -> bool {
        self.lines() * MAX_ABOVE_CEILING.1 <= u32::from(max_height) * MAX_ABOVE_CEILING.0
    }

    fn doubled(self, times: i32) -> Self {
        let scale = |side: u32| match times {
            0.. => side.saturating_mul(1 << times.min(8)),
            _ => side >> (-times).min(31),
        };
        Self {
            width: scale(self.width),
            height: scale(self.height),
        }
    }
}

/// The highest layer that is of use in a slot, of `layers` lowest first; nothing while the slot
/// shows no pictures. The lowest is allowed under every ceiling.
pub fn useful_layer(layers: &[Layer], tuning: &Tuning) -> Option<usize> {
    if tuning.max_height == Some(0) || tuning.drawn.is_some_and(|(w, h)| w == 0 || h == 0) {
        return None;
    }
    let sizes = |layer: usize| size_of(layers, layer);
    let top = layers.len().checked_sub(1)?;
    let allowed = tuning.max_height.map_or(top, |ceiling| {
        (0..=top)
            .rfind(|layer| sizes(*layer).is_under(ceiling))
            .unwrap_or(0)
    });
    let enough = tuning.drawn.map_or(top, |drawn| {
        (0..top)
            .find(|layer| sizes(*layer).fills(drawn))
            .unwrap_or(top)
    });
    Some(allowed.min(enough))
}

/// As measured, else by a layer that was measured (each is twice the one below), else by name.
pub fn size_of(layers: &[Layer], layer: usize) -> PictureSize {
    let nearest = (0..layers.len())
        .filter(|other| layers[*other].size.is_some())
        .min_by_key(|other| other.abs_diff(layer));
    match nearest.and_then(|other| Some((other, layers[other].size?))) {
        Some((other, size)) => size.doubled(layer as i32 - other as i32),
        None => nominal(&layers[layer].rid, layer),
    }
}

fn nominal(rid: &str, layer: usize) -> PictureSize {
    let place = match rid {
        "q" => 0,
        "h" => 1,
        "f" | "" => 2,
        _ => layer,
    };
    let (width, height) = match place {
        0 => (640, 360),
        1 => (1280, 720),
        _ => (1920, 1080),
    };
    PictureSize { width, height }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::MediaKind;

    fn layers(rids: &[&str]) -> Vec<Layer> {
        rids.iter()
            .map(|rid| Layer::new(rid, MediaKind::Video, 1))
            .collect()
    }

    fn drawn(width: u16, height: u16) -> Tuning {
        Tuning {
            drawn: Some((width, height)),
            ..Tuning::default()
        }
    }

    fn under(max_height: u16) -> Tuning {
        Tuning {
            max_height: Some(max_height),
            ..Tuning::default()
        }
    }

    #[test]
    fn a_slot_gets_the_smallest_layer_that_fills_it() {
        let layers = layers(&["q", "h", "f"]);
        for (tuning, expected) in [
            (Tuning::default(), Some(2)),
            (drawn(320, 180), Some(0)),
            (drawn(800, 450), Some(0)),
            (drawn(801, 451), Some(1)),
            (drawn(3840, 2160), Some(2)),
            (drawn(1, 4000), Some(0)),
            (drawn(0, 0), None),
            (drawn(0, 300), None),
        ] {
            assert_eq!(useful_layer(&layers, &tuning), expected, "{tuning:?}");
        }
    }

    #[test]
    fn a_ceiling_is_kept_but_for_the_lowest_layer() {
        let layers = layers(&["q", "h", "f"]);
        for (max_height, expected) in [
            (0, None),
            (1, Some(0)),
            (360, Some(0)),
            (719, Some(1)),
            (720, Some(1)),
            (1080, Some(2)),
            (u16::MAX, Some(2)),
        ] {
            assert_eq!(useful_layer(&layers, &under(max_height)), expected);
        }
        let both = Tuning {
            max_height: Some(720),
            ..drawn(1920, 1080)
        };
        assert_eq!(useful_layer(&layers, &both), Some(1));
    }

    #[test]
    fn what_was_measured_counts_more_than_names() {
        let mut layers = layers(&["q", "h", "f"]);
        layers[1].size = Some(PictureSize::shown(640, 360, None));
        assert_eq!(useful_layer(&layers, &drawn(320, 180)), Some(0));
        assert_eq!(useful_layer(&layers, &drawn(640, 360)), Some(1));
        assert_eq!(useful_layer(&layers, &under(720)), Some(2));
        assert_eq!(size_of(&layers, 0).lines(), 180);
    }

    #[test]
    fn a_phone_held_upright_is_as_wide_as_its_picture_is_high() {
        let mut layers = layers(&["q", "h", "f"]);
        layers[0].size = Some(PictureSize::shown(320, 180, Some(1)));
        assert_eq!(
            size_of(&layers, 0),
            PictureSize {
                width: 180,
                height: 320
            }
        );
        // In a landscape slot its height fits first.
        assert_eq!(useful_layer(&layers, &drawn(1280, 720)), Some(1));
        assert_eq!(useful_layer(&layers, &under(360)), Some(1));
    }

    #[test]
    fn sizes_from_the_network_overflow_nothing() {
        let mut layers = layers(&["a", "b", "c", "d"]);
        layers[0].size = Some(PictureSize::shown(0x3fff, 0x3fff, None));
        assert_eq!(useful_layer(&layers, &drawn(u16::MAX, u16::MAX)), Some(2));
        layers[0].size = Some(PictureSize::shown(0, 0, None));
        assert_eq!(useful_layer(&layers, &drawn(u16::MAX, u16::MAX)), Some(3));
        assert_eq!(useful_layer(&[], &drawn(1, 1)), None);
    }
}
