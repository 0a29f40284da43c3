//! What the loop could not receive, send or hand over, by reason.

/// Datagrams lost before the engine saw them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReceiveCounters {
    /// Handed to the engine.
    pub received: u64,
    /// Dropped by the kernel because the socket's receive buffer was full.
    pub kernel_dropped: u64,
    /// Longer than [`crate::MAX_DATAGRAM_BYTES`].
    pub oversized: u64,
}

/// Datagrams that the engine wanted to send.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SendCounters {
    /// Taken by the kernel.
    pub sent: u64,
    /// Refused by the kernel for good: no route, too long for the path, filtered.
    pub failed: u64,
    /// Dropped because the kernel's buffer and the backlog behind it were full.
    pub backlog_dropped: u64,
    /// Calls into the kernel.
    pub calls: u64,
}

/// Connections over TCP and what went through them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StreamCounters {
    /// Open now.
    pub open: u64,
    /// Let in.
    pub accepted: u64,
    /// Not let in: too many, or no descriptor left.
    pub refused: u64,
    /// Closed because they did not authenticate in time, made room, or fell silent.
    pub expired: u64,
    /// Closed because they spoke something else.
    pub malformed: u64,
    /// Packets handed to the engine.
    pub received: u64,
    /// Packets queued for the kernel.
    pub sent: u64,
    /// Packets dropped because the peer reads too slowly.
    pub behind: u64,
    /// Packets for a connection that is closed.
    pub unsent: u64,
}
