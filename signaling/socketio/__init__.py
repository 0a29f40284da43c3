"""The Socket.IO edge."""
