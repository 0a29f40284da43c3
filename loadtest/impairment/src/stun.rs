//! Whose datagram it is: the user name of a binding request (RFC 8489, section 14.3).

const HEADER_BYTES: usize = 20;
const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const USERNAME: u16 = 0x0006;

/// The part of the user name that the server chose, which is the same on all paths of one client
/// (RFC 8445, section 7.2.2). `None` if this is no binding request that has one.
pub fn server_fragment(datagram: &[u8]) -> Option<&[u8]> {
    let (header, mut rest) = datagram.split_at_checked(HEADER_BYTES)?;
    if header[..2] != BINDING_REQUEST || header[4..8] != MAGIC_COOKIE {
        return None;
    }
    loop {
        let (head, behind) = rest.split_at_checked(4)?;
        let kind = u16::from_be_bytes([head[0], head[1]]);
        let bytes = usize::from(u16::from_be_bytes([head[2], head[3]]));
        if kind == USERNAME {
            let name = behind.get(..bytes)?;
            return name.split(|byte| *byte == b':').next();
        }
        rest = behind.get(bytes.next_multiple_of(4)..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(attributes: &[u8]) -> Vec<u8> {
        let mut datagram = vec![0, 1, 0, attributes.len() as u8, 0x21, 0x12, 0xa4, 0x42];
        datagram.extend([7; 12]);
        datagram.extend(attributes);
        datagram
    }

    #[test]
    fn the_servers_fragment_is_found_behind_other_attributes() {
        let attributes = b"\x00\x24\x00\x03abc\0\x00\x06\x00\x09srv1:cli2\0\0\0";
        assert_eq!(server_fragment(&request(attributes)), Some(&b"srv1"[..]));
    }

    #[test]
    fn whatever_else_comes_has_none() {
        let whole = request(b"\x00\x06\x00\x09srv1:cli2\0\0\0");
        for end in 0..whole.len() - 3 {
            assert_eq!(server_fragment(&whole[..end]), None, "{end}");
        }
        assert_eq!(server_fragment(&request(b"\x00\x24\xff\xff")), None);
        assert_eq!(server_fragment(&[0x80; 60]), None);
        let mut response = whole;
        response[0] = 1;
        assert_eq!(server_fragment(&response), None);
    }
}
