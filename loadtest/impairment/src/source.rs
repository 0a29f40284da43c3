//! One address of a client, and the socket that stands for it towards the server.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

/// A client's address and what the server sees in its place.
pub struct Source {
    pub address: SocketAddr,
    /// Its client, by index.
    pub client: usize,
    pub upstream: UdpSocket,
    /// When it last sent something.
    pub heard_us: u64,
}

/// A socket of our own towards the server, at a port of the kernel's choice.
pub fn connect(target: SocketAddr) -> io::Result<UdpSocket> {
    let near = target.ip().to_canonical().is_loopback();
    let local: IpAddr = match target {
        SocketAddr::V4(_) if near => Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) if near => Ipv6Addr::LOCALHOST.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((local, 0))?;
    socket.connect(target)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}
