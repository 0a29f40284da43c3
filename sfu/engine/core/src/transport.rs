//! UDP or TCP: what an address of the engine means.
//!
//! The engine knows a path by the peer's socket address. The far end of a TCP connection (RFC
//! 6544) is written as the same address with a mark in the flow field of its IPv6 form (IPv4 in
//! mapped form), so that the two transports never meet in a table, while the path of a UDP
//! datagram costs nothing for it. A flow label has 20 bits (RFC 6437), so the mark is none, and
//! the loop clears the field of whatever the kernel hands it: no stranger can send it.

use core::net::{IpAddr, SocketAddr, SocketAddrV6};

const TCP_MARK: u32 = 1 << 31;

/// How a datagram travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// One datagram, one packet.
    Udp,
    /// Framed on a connection that the peer opened (RFC 4571, RFC 6544 passive).
    Tcp,
}

impl Transport {
    /// As SDP writes it (RFC 8839, section 5.1).
    pub const fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
        }
    }

    /// Which transport an address of the engine belongs to.
    pub const fn of(address: &SocketAddr) -> Self {
        match is_tcp(address) {
            true => Self::Tcp,
            false => Self::Udp,
        }
    }
}

/// Whether datagrams for `address` go down a TCP connection.
#[inline]
pub const fn is_tcp(address: &SocketAddr) -> bool {
    matches!(address, SocketAddr::V6(v6) if v6.flowinfo() & TCP_MARK != 0)
}

/// The engine's address for the far end of a TCP connection.
pub fn tcp_address(remote: SocketAddr) -> SocketAddr {
    let (ip, scope) = match remote {
        SocketAddr::V4(v4) => (v4.ip().to_ipv6_mapped(), 0),
        SocketAddr::V6(v6) => (*v6.ip(), v6.scope_id()),
    };
    SocketAddrV6::new(ip, remote.port(), TCP_MARK, scope).into()
}

/// The address as others write it: without our mark, and IPv4 as IPv4.
pub fn socket_address(address: SocketAddr) -> SocketAddr {
    match (address, address.ip().to_canonical()) {
        (SocketAddr::V6(v6), IpAddr::V6(ip)) => {
            SocketAddrV6::new(ip, v6.port(), 0, v6.scope_id()).into()
        }
        (_, ip) => SocketAddr::new(ip, address.port()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_transports_of_one_socket_address_are_two_addresses() {
        for text in ["192.0.2.7:443", "[2001:db8::7]:443", "[fe80::1%3]:9"] {
            let udp: SocketAddr = text.parse().unwrap();
            let tcp = tcp_address(udp);
            assert_ne!(udp, tcp);
            assert_eq!(Transport::of(&udp), Transport::Udp);
            assert_eq!(Transport::of(&tcp), Transport::Tcp);
            assert_eq!(socket_address(tcp), udp);
            assert_eq!(socket_address(udp), udp);
            assert_eq!(tcp.port(), udp.port());
            assert_eq!(tcp.ip().to_canonical(), udp.ip());
        }
    }
}
