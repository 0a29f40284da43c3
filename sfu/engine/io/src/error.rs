//! What can go wrong around the engine; inside it, nothing does.

use std::fmt;
use std::io;

/// The engine could not have its socket, its descriptors or its thread.
#[derive(Debug)]
pub struct StartError {
    /// Stable: `address_in_use`, `address_unavailable`, `permission_denied`, `out_of_descriptors`
    /// or `socket_failed`; `tcp_unavailable` if only the TCP port cannot be had.
    pub code: &'static str,
    socket: &'static str,
    source: io::Error,
}

impl From<io::Error> for StartError {
    fn from(source: io::Error) -> Self {
        let code = match source.raw_os_error() {
            Some(libc::EADDRINUSE) => "address_in_use",
            Some(libc::EADDRNOTAVAIL | libc::EAFNOSUPPORT) => "address_unavailable",
            Some(libc::EACCES | libc::EPERM) => "permission_denied",
            Some(libc::EMFILE | libc::ENFILE) => "out_of_descriptors",
            _ => "socket_failed",
        };
        let socket = "UDP";
        Self {
            code,
            socket,
            source,
        }
    }
}

impl StartError {
    /// The UDP socket is there, the TCP port cannot be had.
    pub(crate) fn of_tcp(source: io::Error) -> Self {
        Self {
            code: "tcp_unavailable",
            socket: "TCP",
            source,
        }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "the engine could not have its {} socket: {}",
            self.socket, self.source
        )
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// The media thread ended by a broken invariant; no media flows any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crashed;

impl fmt::Display for Crashed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the media thread has crashed")
    }
}

impl std::error::Error for Crashed {}
