//! Encoded media to send again and again, as `loadtest/clips.py` wrote them: RTP payloads of
//! frames, so that nothing has to be encoded or cut into packets while a test runs.

use std::fmt;
use std::path::Path;
use std::time::Duration;

const MAGIC: &[u8; 4] = b"MCLP";
const VERSION: u8 = 1;
const IS_KEY: u8 = 1;

/// No payload is longer: with header, stamp, tag and IP it has to fit into 1500 bytes.
const MAX_FRAGMENT_BYTES: usize = 1_300;

/// The format of a clip's payloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Codec {
    /// One packet a frame.
    Opus,
    /// Without payload descriptors: they count pictures, so they are written while sending.
    Vp8,
    /// Packetization mode 1 (RFC 6184), ready to send.
    H264,
}

/// Frames in a loop; the first is a keyframe.
#[derive(Debug)]
pub struct Clip {
    /// How the payloads are to be understood.
    pub codec: Codec,
    /// Of the RTP timestamps, in Hz.
    pub clock_rate: u32,
    /// From frame to frame.
    pub ticks_per_frame: u32,
    frames: Vec<Frame>,
}

/// What is sent at one moment.
#[derive(Debug)]
pub struct Frame {
    /// Whether a decoder can start here.
    pub is_key: bool,
    /// The payloads of its packets.
    pub fragments: Vec<Box<[u8]>>,
}

/// A file that is no clip; what is wrong with it.
#[derive(Debug, PartialEq, Eq)]
pub struct ClipError(&'static str);

impl fmt::Display for ClipError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "not a clip: {}", self.0)
    }
}

impl std::error::Error for ClipError {}

impl Clip {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or [`ClipError`].
    pub fn open(path: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self::parse(&bytes)?)
    }

    /// Reads a file's content: magic, version, codec, two bytes of nothing, clock rate, ticks a
    /// frame and number of frames; then of each frame its flags, its number of fragments and each
    /// with its length before it. All in network order.
    ///
    /// # Errors
    /// [`ClipError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, ClipError> {
        let mut reader = Reader { rest: bytes };
        if reader.take(4)? != MAGIC || reader.byte()? != VERSION {
            return Err(ClipError("it begins with something else"));
        }
        let codec = match reader.byte()? {
            0 => Codec::Opus,
            1 => Codec::Vp8,
            2 => Codec::H264,
            _ => return Err(ClipError("its codec is unknown")),
        };
        reader.take(2)?;
        let (clock_rate, ticks_per_frame) = (reader.u32()?, reader.u32()?);
        let count = reader.u32()?;
        if clock_rate == 0 || ticks_per_frame == 0 || count == 0 {
            return Err(ClipError("it has no frames, or they take no time"));
        }
        let frames: Vec<Frame> = (0..count)
            .map(|_| reader.frame())
            .collect::<Result<_, _>>()?;
        if !frames[0].is_key {
            return Err(ClipError("it does not begin with a keyframe"));
        }
        if !reader.rest.is_empty() {
            return Err(ClipError("something follows its last frame"));
        }
        Ok(Self {
            codec,
            clock_rate,
            ticks_per_frame,
            frames,
        })
    }

    /// Frame `index`, counted round and round.
    pub fn frame(&self, index: usize) -> &Frame {
        &self.frames[index % self.frames.len()]
    }

    /// How long `frames` frames last.
    pub fn lasts(&self, frames: u64) -> Duration {
        let ticks = frames * u64::from(self.ticks_per_frame);
        Duration::from_micros(ticks * 1_000_000 / u64::from(self.clock_rate))
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], ClipError> {
        let (taken, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or(ClipError("it ends too early"))?;
        self.rest = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, ClipError> {
        Ok(self.take(1)?[0])
    }

    fn u16(&mut self) -> Result<u16, ClipError> {
        let bytes = self.take(2)?;
        Ok(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn u32(&mut self) -> Result<u32, ClipError> {
        let bytes = self.take(4)?;
        Ok(u32::from_be_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    fn frame(&mut self) -> Result<Frame, ClipError> {
        let is_key = self.byte()? & IS_KEY != 0;
        let fragments = (0..self.u16()?)
            .map(|_| self.fragment())
            .collect::<Result<Vec<_>, _>>()?;
        if fragments.is_empty() {
            return Err(ClipError("a frame has no packets"));
        }
        Ok(Frame { is_key, fragments })
    }

    fn fragment(&mut self) -> Result<Box<[u8]>, ClipError> {
        let bytes = usize::from(self.u16()?);
        if bytes == 0 || bytes > MAX_FRAGMENT_BYTES {
            return Err(ClipError("a packet is empty or too long"));
        }
        Ok(self.take(bytes)?.into())
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A clip of `frames` frames, each a list of packet lengths; the first is a keyframe.
    pub fn bytes_of(codec: u8, clock_rate: u32, ticks: u32, frames: &[&[u16]]) -> Vec<u8> {
        let mut bytes = [MAGIC, &[VERSION, codec, 0, 0][..]].concat();
        for number in [clock_rate, ticks, frames.len() as u32] {
            bytes.extend(number.to_be_bytes());
        }
        for (index, fragments) in frames.iter().enumerate() {
            bytes.push(u8::from(index == 0));
            bytes.extend((fragments.len() as u16).to_be_bytes());
            for length in *fragments {
                bytes.extend(length.to_be_bytes());
                bytes.extend(payload(codec, index == 0, usize::from(*length)));
            }
        }
        bytes
    }

    /// Looks like the first bytes of a frame of its kind.
    fn payload(codec: u8, is_key: bool, length: usize) -> Vec<u8> {
        let mut payload = vec![0; length];
        payload[0] = match (codec, is_key) {
            (1, is_key) => u8::from(!is_key),
            (2, true) => 0x67,
            _ => 0x41,
        };
        payload
    }

    #[test]
    fn what_was_written_is_read() {
        let clip = Clip::parse(&bytes_of(1, 90_000, 3_600, &[&[900, 300], &[50]])).unwrap();
        assert_eq!(clip.codec, Codec::Vp8);
        assert!(clip.frame(0).is_key && clip.frame(2).is_key && !clip.frame(3).is_key);
        assert_eq!(clip.frame(0).fragments[1].len(), 300);
        assert_eq!(clip.lasts(25), Duration::from_secs(1));
    }

    #[test]
    fn every_shortened_or_lengthened_file_is_refused() {
        let whole = bytes_of(1, 90_000, 3_600, &[&[9, 3], &[5]]);
        for length in 0..whole.len() {
            assert!(Clip::parse(&whole[..length]).is_err(), "{length}");
        }
        assert!(Clip::parse(&[&whole[..], &[0]].concat()).is_err());
    }

    #[test]
    fn files_that_make_no_sense_are_refused() {
        for (codec, clock_rate, ticks, frames) in [
            (3, 90_000, 3_600, &[&[5u16][..]][..]),
            (1, 0, 3_600, &[&[5]]),
            (1, 90_000, 0, &[&[5]]),
            (1, 90_000, 3_600, &[]),
            (1, 90_000, 3_600, &[&[]]),
            (1, 90_000, 3_600, &[&[1_301]]),
        ] {
            assert!(Clip::parse(&bytes_of(codec, clock_rate, ticks, frames)).is_err());
        }
    }
}
