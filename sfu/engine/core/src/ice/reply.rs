//! Answers to authenticated Binding requests.

use core::net::SocketAddr;

use aws_lc_rs::hmac::Key;

use crate::outbox::Outbox;
use crate::wire::WireError;
use crate::wire::stun::{Class, Message, MessageWriter};

/// Room for the longest answer: an error with eight unknown attributes.
const REPLY_BYTES: usize = 160;

/// Unknown comprehension-required attributes (RFC 8489, section 6.3.1).
const UNKNOWN_ATTRIBUTE: u16 = 420;
/// Both sides claim the same role (RFC 8445, section 7.3.1.1).
const ROLE_CONFLICT: u16 = 487;

/// Why an authenticated request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    UnknownAttribute,
    RoleConflict,
}

/// Tells the peer its address, as we see it; an IPv4 peer on a dual-stack socket as IPv4.
pub(super) fn accept(request: &Message<'_>, source: SocketAddr, key: &Key, outbox: &mut Outbox) {
    send(request, source, key, Class::Success, outbox, |writer| {
        writer.mapped_address(SocketAddr::new(source.ip().to_canonical(), source.port()))
    });
}

/// Tells the peer what is wrong.
pub(super) fn refuse(
    request: &Message<'_>,
    source: SocketAddr,
    key: &Key,
    refusal: Refusal,
    outbox: &mut Outbox,
) {
    send(
        request,
        source,
        key,
        Class::Error,
        outbox,
        |writer| match refusal {
            Refusal::UnknownAttribute => {
                writer.error(UNKNOWN_ATTRIBUTE, "Unknown Attribute")?;
                writer.unknown_attributes(request.unknown.types())
            }
            Refusal::RoleConflict => writer.error(ROLE_CONFLICT, "Role Conflict"),
        },
    );
}

fn send(
    request: &Message<'_>,
    destination: SocketAddr,
    key: &Key,
    class: Class,
    outbox: &mut Outbox,
    body: impl FnOnce(&mut MessageWriter<'_>) -> Result<(), WireError>,
) {
    let buffer = outbox.begin(destination, REPLY_BYTES);
    let bytes = MessageWriter::new(buffer, class, request.transaction)
        .and_then(|mut writer| {
            body(&mut writer)?;
            writer.integrity(key)?;
            writer.fingerprint()?;
            Ok(writer.finish())
        })
        .expect("the longest answer fits its room");
    outbox.commit(bytes);
}
