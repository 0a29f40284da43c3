//! What every simulated client does to be let in and heard: keys, STUN, sealed RTCP.

use mianshi_engine_core::PeerId;
use mianshi_engine_core::srtp::{MAX_TRAILER_BYTES, Outbound, Profile};
use mianshi_engine_core::wire::rtcp_writer::RtcpWriter;
use mianshi_engine_core::wire::rtp::RtpHeader;
use mianshi_engine_core::wire::stun::{Class, MessageWriter, attribute, integrity_key};

use super::description::TRANSPORT_CC;

pub const PROFILE: Profile = Profile::AeadAes128Gcm;
const MAX_RTCP_BYTES: usize = 1_300;

pub fn key(peer: PeerId, towards_engine: bool) -> Vec<u8> {
    let seed = peer as u8 * 2 + u8::from(towards_engine);
    (0..PROFILE.key_and_salt_bytes() as u8)
        .map(|i| i.wrapping_mul(7) ^ seed)
        .collect()
}

/// A nominating Binding request.
pub fn binding_request(ufrag: &str, password: &str) -> Vec<u8> {
    let mut buffer = vec![0; 256];
    let mut writer = MessageWriter::new(&mut buffer, Class::Request, [7; 12]).expect("room");
    let username = format!("{ufrag}:theirs");
    for (kind, value) in [
        (attribute::USERNAME, username.as_bytes()),
        (attribute::ICE_CONTROLLING, &[1; 8]),
        (attribute::USE_CANDIDATE, &[]),
    ] {
        writer.attribute(kind, value).expect("room");
    }
    writer.integrity(&integrity_key(password)).expect("room");
    writer.fingerprint().expect("room");
    let bytes = writer.finish();
    buffer.truncate(bytes);
    buffer
}

/// A sealed compound packet; nothing if nothing was written.
pub fn rtcp(outbound: &mut Outbound, write: impl FnOnce(&mut RtcpWriter<'_>)) -> Option<Vec<u8>> {
    let mut buffer = vec![0; MAX_RTCP_BYTES + MAX_TRAILER_BYTES];
    let mut writer = RtcpWriter::new(&mut buffer[..MAX_RTCP_BYTES]);
    write(&mut writer);
    let plain_bytes = writer.finish();
    if plain_bytes == 0 {
        return None;
    }
    let sealed = outbound.seal_rtcp(&mut buffer, plain_bytes);
    buffer.truncate(sealed.expect("seals"));
    Some(buffer)
}

/// The transport-wide number of an opened packet.
pub fn transport_number(header: &RtpHeader, packet: &[u8]) -> Option<u16> {
    let found = header
        .extensions(packet)
        .find(|(id, _)| *id == TRANSPORT_CC);
    found.map(|(_, value)| u16::from_be_bytes([value[0], value[1]]))
}
