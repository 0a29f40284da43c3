"""Typed messages between browsers and the server; see PROTOCOL.md."""
