//! The one UDP socket, and the one that listens for TCP.

use std::io;
use std::mem;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use crate::address::RawAddress;

/// Asked of the kernel in each direction: about 300 ms at 100 Mbit/s, for the moments when the
/// media thread is not scheduled. The kernel grants at most `net.core.rmem_max`/`wmem_max`.
const BUFFER_BYTES: libc::c_int = 4 * 1024 * 1024;

/// Binds a non-blocking UDP socket with large buffers. An unspecified IPv6 address takes IPv4 too.
///
/// # Errors
/// Whatever the kernel refuses.
pub fn bind(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = open(address, libc::SOCK_DGRAM)?;
    grow_buffers(&socket);
    attach(&socket, address)?;
    let socket = UdpSocket::from(socket);
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// How many connections may wait to be accepted: a whole panel after a restart.
const BACKLOG: libc::c_int = 512;

/// Listens for TCP connections on `address`, without blocking. An unspecified IPv6 address takes
/// IPv4 too.
///
/// # Errors
/// Whatever the kernel refuses.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = open(address, libc::SOCK_STREAM)?;
    // After a restart the port is still full of connections that are closing.
    set_option(&socket, libc::SOL_SOCKET, libc::SO_REUSEADDR, 1)?;
    attach(&socket, address)?;
    // SAFETY: no pointers; the socket is open and bound.
    if unsafe { libc::listen(socket.as_raw_fd(), BACKLOG) } < 0 {
        return Err(io::Error::last_os_error());
    }
    let listener = TcpListener::from(socket);
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn attach(socket: &OwnedFd, address: SocketAddr) -> io::Result<()> {
    if address.is_ipv6() && address.ip().is_unspecified() {
        set_option(socket, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, 0)?;
    }
    let (raw, length) = RawAddress::new(address, address.is_ipv6());
    // SAFETY: `raw` is an initialised address of at least `length` bytes.
    let bound = unsafe { libc::bind(socket.as_raw_fd(), (&raw const raw).cast(), length) };
    if bound < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

fn open(address: SocketAddr, kind: libc::c_int) -> io::Result<OwnedFd> {
    let family = if address.is_ipv6() {
        libc::AF_INET6
    } else {
        libc::AF_INET
    };
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let kind = kind | libc::SOCK_CLOEXEC;
    // SAFETY: no pointers; the result is checked before it is owned.
    let fd = unsafe { libc::socket(family, kind, 0) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: `fd` is a fresh descriptor that nothing else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Larger buffers are a wish: a kernel that grants less still works.
fn grow_buffers(socket: &OwnedFd) {
    for (option, forced) in buffer_options() {
        let granted = forced.is_some_and(|option| {
            set_option(socket, libc::SOL_SOCKET, option, BUFFER_BYTES).is_ok()
        });
        if !granted {
            let _ = set_option(socket, libc::SOL_SOCKET, option, BUFFER_BYTES);
        }
    }
}

/// Each buffer's option and the one that exceeds the system's limit when we are privileged.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn buffer_options() -> [(libc::c_int, Option<libc::c_int>); 2] {
    [
        (libc::SO_RCVBUF, Some(libc::SO_RCVBUFFORCE)),
        (libc::SO_SNDBUF, Some(libc::SO_SNDBUFFORCE)),
    ]
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn buffer_options() -> [(libc::c_int, Option<libc::c_int>); 2] {
    [(libc::SO_RCVBUF, None), (libc::SO_SNDBUF, None)]
}

pub(crate) fn set_option(
    socket: &impl AsRawFd,
    level: libc::c_int,
    option: libc::c_int,
    value: libc::c_int,
) -> io::Result<()> {
    // SAFETY: the pointer and length describe `value`, which outlives the call.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            option,
            (&raw const value).cast(),
            mem::size_of_val(&value) as libc::socklen_t,
        )
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_zero_is_any_free_port() {
        let socket = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        assert_ne!(socket.local_addr().unwrap().port(), 0);
    }

    #[test]
    fn a_listener_takes_both_families_on_the_unspecified_address() {
        let Ok(listener) = listen("[::]:0".parse().unwrap()) else {
            return; // no IPv6 here
        };
        let port = listener.local_addr().unwrap().port();
        listener.set_nonblocking(false).unwrap();
        for host in ["127.0.0.1", "::1"] {
            let Ok(here) = std::net::TcpStream::connect((host, port)) else {
                assert_eq!(host, "::1", "IPv4 is everywhere");
                continue;
            };
            let (_, remote) = listener.accept().unwrap();
            assert_eq!(remote.port(), here.local_addr().unwrap().port());
        }
    }

    #[test]
    fn a_taken_port_is_refused() {
        let first = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let error = bind(first.local_addr().unwrap()).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EADDRINUSE));
    }

    #[test]
    fn reading_an_idle_socket_does_not_block() {
        let socket = bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let error = socket.recv_from(&mut [0; 16]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    }
}
