//! Socket addresses as the kernel lays them out.

use std::mem;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// A `sockaddr` of either family; 28 bytes instead of the 128 of `sockaddr_storage`.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) union RawAddress {
    any: libc::sockaddr,
    v4: libc::sockaddr_in,
    v6: libc::sockaddr_in6,
}

impl RawAddress {
    /// Room for the kernel to write into.
    pub const CAPACITY: libc::socklen_t = mem::size_of::<RawAddress>() as libc::socklen_t;

    pub fn empty() -> Self {
        // SAFETY: all-zero bytes are a valid value of every member (integers only).
        unsafe { mem::zeroed() }
    }

    /// The address as a socket of the given family wants it: an IPv6 socket takes IPv4
    /// destinations in mapped form (RFC 4291, section 2.5.5.2).
    pub fn new(address: SocketAddr, socket_is_v6: bool) -> (Self, libc::socklen_t) {
        match address {
            SocketAddr::V4(v4) if socket_is_v6 => {
                let mapped = SocketAddrV6::new(v4.ip().to_ipv6_mapped(), v4.port(), 0, 0);
                Self::from_v6(&mapped)
            }
            SocketAddr::V4(v4) => Self::from_v4(&v4),
            SocketAddr::V6(v6) => Self::from_v6(&v6),
        }
    }

    fn from_v4(address: &SocketAddrV4) -> (Self, libc::socklen_t) {
        let mut raw = Self::empty();
        raw.v4.sin_family = libc::AF_INET as libc::sa_family_t;
        raw.v4.sin_port = address.port().to_be();
        raw.v4.sin_addr.s_addr = u32::from_ne_bytes(address.ip().octets());
        (raw, mem::size_of::<libc::sockaddr_in>() as libc::socklen_t)
    }

    fn from_v6(address: &SocketAddrV6) -> (Self, libc::socklen_t) {
        let mut raw = Self::empty();
        raw.v6.sin6_family = libc::AF_INET6 as libc::sa_family_t;
        raw.v6.sin6_port = address.port().to_be();
        raw.v6.sin6_addr.s6_addr = address.ip().octets();
        raw.v6.sin6_flowinfo = address.flowinfo();
        raw.v6.sin6_scope_id = address.scope_id();
        (raw, mem::size_of::<libc::sockaddr_in6>() as libc::socklen_t)
    }

    /// The address that the kernel wrote; mapped IPv4 comes back as IPv4, so that one peer has
    /// one address whatever the socket's family. `None` for a family that is neither.
    pub fn address(&self) -> Option<SocketAddr> {
        // SAFETY: every member begins with the family, and all bytes were initialised.
        let family = libc::c_int::from(unsafe { self.any.sa_family });
        match family {
            libc::AF_INET => {
                // SAFETY: the family says that the kernel wrote a sockaddr_in.
                let v4 = unsafe { self.v4 };
                let ip = Ipv4Addr::from(v4.sin_addr.s_addr.to_ne_bytes());
                Some(SocketAddr::from((ip, u16::from_be(v4.sin_port))))
            }
            libc::AF_INET6 => {
                // SAFETY: the family says that the kernel wrote a sockaddr_in6.
                let v6 = unsafe { self.v6 };
                let ip = Ipv6Addr::from(v6.sin6_addr.s6_addr);
                let port = u16::from_be(v6.sin6_port);
                Some(match ip.to_ipv4_mapped() {
                    Some(v4) => SocketAddr::from((v4, port)),
                    // The flow says nothing about the path; the engine marks its own with it.
                    None => SocketAddrV6::new(ip, port, 0, v6.sin6_scope_id).into(),
                })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_survive_both_families() {
        for (text, socket_is_v6) in [
            ("192.0.2.7:443", false),
            ("192.0.2.7:443", true),
            ("[2001:db8::7]:65535", true),
        ] {
            let address: SocketAddr = text.parse().unwrap();
            let (raw, _) = RawAddress::new(address, socket_is_v6);
            assert_eq!(raw.address(), Some(address));
        }
    }

    #[test]
    fn nobody_can_send_the_mark_of_another_transport() {
        let marked =
            mianshi_engine_core::transport::tcp_address("[2001:db8::7]:9".parse().unwrap());
        let (raw, _) = RawAddress::new(marked, true);
        assert_eq!(raw.address(), Some("[2001:db8::7]:9".parse().unwrap()));
    }

    #[test]
    fn an_unwritten_address_is_none() {
        assert_eq!(RawAddress::empty().address(), None);
    }
}
