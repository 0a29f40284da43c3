//! The engine's thread: one UDP socket, one loop around the sans-IO core.
