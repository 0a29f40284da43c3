//! Packets on a byte stream: each behind its length in 16 bits (RFC 4571, section 2).

use super::WireError;

/// The length field in front of a packet.
pub const HEADER_BYTES: usize = 2;

/// The longest packet that is taken: what fits a datagram buffer of the loop. WebRTC keeps to
/// about 1200 bytes; a length beyond this is an attack or another protocol (an HTTP request
/// reads as 18 KB, a TLS ClientHello as 5 KB).
pub const MAX_PACKET_BYTES: usize = 2048;

/// The field in front of a packet of `length` bytes.
///
/// # Errors
/// `NoRoom`: longer than the field can say.
pub fn header(length: usize) -> Result<[u8; HEADER_BYTES], WireError> {
    let length = u16::try_from(length).map_err(|_| WireError::NoRoom)?;
    Ok(length.to_be_bytes())
}

/// Cuts a stream into packets. It keeps at most one unfinished packet.
#[derive(Debug, Default)]
pub struct Deframer {
    /// The beginning of a packet, with its header.
    unfinished: Vec<u8>,
    failed: bool,
}

impl Deframer {
    /// Hands every packet that `bytes` completes to `take`, in order; empty packets, which the
    /// format allows, are passed over. `bytes` may be changed.
    ///
    /// # Errors
    /// `Malformed`: a packet longer than [`MAX_PACKET_BYTES`]. What came before it was handed
    /// over; the stream cannot be read any further, and every later call fails.
    pub fn feed(&mut self, bytes: &mut [u8], take: impl FnMut(&mut [u8])) -> Result<(), WireError> {
        if self.failed {
            return Err(WireError::Malformed);
        }
        let result = self.cut(bytes, take);
        if result.is_err() {
            self.failed = true;
            self.unfinished = Vec::new();
        }
        result
    }

    /// How many bytes wait for the rest of their packet.
    pub fn unfinished_bytes(&self) -> usize {
        self.unfinished.len()
    }

    fn cut(
        &mut self,
        mut bytes: &mut [u8],
        mut take: impl FnMut(&mut [u8]),
    ) -> Result<(), WireError> {
        if !self.unfinished.is_empty() {
            let used = self.finish(bytes, &mut take)?;
            bytes = &mut bytes[used..];
        }
        while let Some(end) = announced(bytes)?.filter(|end| *end <= bytes.len()) {
            let (packet, rest) = bytes.split_at_mut(end);
            hand_over(packet, &mut take);
            bytes = rest;
        }
        self.unfinished.extend_from_slice(bytes);
        Ok(())
    }

    /// Completes the packet that was begun, as far as `bytes` go; how many of them it took.
    fn finish(
        &mut self,
        bytes: &[u8],
        take: &mut impl FnMut(&mut [u8]),
    ) -> Result<usize, WireError> {
        let header = HEADER_BYTES.saturating_sub(self.unfinished.len());
        let used = self.append(&bytes[..header.min(bytes.len())]);
        let Some(end) = announced(&self.unfinished)? else {
            return Ok(used);
        };
        let missing = (end - self.unfinished.len()).min(bytes.len() - used);
        let used = used + self.append(&bytes[used..used + missing]);
        if self.unfinished.len() == end {
            hand_over(&mut self.unfinished, take);
            self.unfinished.clear();
        }
        Ok(used)
    }

    fn append(&mut self, bytes: &[u8]) -> usize {
        self.unfinished.extend_from_slice(bytes);
        bytes.len()
    }
}

/// Where the packet at the beginning of `stream` ends, if its length is there.
fn announced(stream: &[u8]) -> Result<Option<usize>, WireError> {
    match super::read_u16(stream, 0).map(usize::from) {
        Some(length) if length > MAX_PACKET_BYTES => Err(WireError::Malformed),
        length => Ok(length.map(|length| HEADER_BYTES + length)),
    }
}

fn hand_over(packet: &mut [u8], take: &mut impl FnMut(&mut [u8])) {
    if packet.len() > HEADER_BYTES {
        take(&mut packet[HEADER_BYTES..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(packets: &[&[u8]]) -> Vec<u8> {
        let mut stream = Vec::new();
        for packet in packets {
            stream.extend(header(packet.len()).unwrap());
            stream.extend(*packet);
        }
        stream
    }

    /// Feeds the stream in pieces of the given sizes, round and round.
    fn fed(stream: &[u8], sizes: &[usize]) -> (Vec<Vec<u8>>, Result<(), WireError>) {
        let (mut deframer, mut packets, mut at) = (Deframer::default(), Vec::new(), 0);
        for size in sizes.iter().cycle() {
            let end = (at + size).min(stream.len());
            let mut piece = stream[at..end].to_vec();
            let result = deframer.feed(&mut piece, |packet| packets.push(packet.to_vec()));
            assert!(deframer.unfinished_bytes() < HEADER_BYTES + MAX_PACKET_BYTES);
            if result.is_err() || end == stream.len() {
                return (packets, result);
            }
            at = end;
        }
        unreachable!("the stream ends")
    }

    #[test]
    fn packets_come_out_whole_however_the_stream_is_cut() {
        let long = vec![7; MAX_PACKET_BYTES];
        let packets: [&[u8]; 6] = [b"a", b"", &long, b"bcd", &long, b"e"];
        let stream = framed(&packets);
        let whole = packets.iter().filter(|packet| !packet.is_empty());
        let expected: Vec<_> = whole.map(|packet| packet.to_vec()).collect();
        for sizes in [
            &[1][..],
            &[2],
            &[3],
            &[1, 4097, 2],
            &[2050],
            &[usize::MAX / 2],
        ] {
            let (seen, result) = fed(&stream, sizes);
            assert_eq!(result, Ok(()));
            assert_eq!(seen, expected);
        }
    }

    #[test]
    fn an_impossible_length_ends_the_stream_for_good() {
        for sizes in [&[1][..], &[3], &[1000]] {
            let mut stream = framed(&[b"before"]);
            stream.extend(b"GET / HTTP/1.1\r\n\r\n");
            let (seen, result) = fed(&stream, sizes);
            assert_eq!(seen, [b"before".to_vec()]);
            assert_eq!(result, Err(WireError::Malformed));
        }
        let mut deframer = Deframer::default();
        assert!(deframer.feed(&mut [0xff, 0xff], |_| {}).is_err());
        let mut good = framed(&[b"later"]);
        assert!(
            deframer
                .feed(&mut good, |_| panic!("nothing comes after"))
                .is_err()
        );
    }

    #[test]
    fn nothing_is_lost_while_a_packet_is_unfinished() {
        let mut deframer = Deframer::default();
        let mut begun = framed(&[b"0123456789"]);
        begun.truncate(5);
        deframer
            .feed(&mut begun, |_| panic!("not whole yet"))
            .unwrap();
        assert_eq!(deframer.unfinished_bytes(), 5);
        let mut seen = Vec::new();
        let mut rest = *b"3456789";
        deframer
            .feed(&mut rest, |packet| seen.push(packet.to_vec()))
            .unwrap();
        assert_eq!(seen, [b"0123456789".to_vec()]);
        assert_eq!(deframer.unfinished_bytes(), 0);
    }

    #[test]
    fn a_length_that_no_field_holds_is_refused() {
        assert_eq!(header(65_535), Ok([0xff, 0xff]));
        assert_eq!(header(65_536), Err(WireError::NoRoom));
    }
}
