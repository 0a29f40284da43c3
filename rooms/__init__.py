"""Rooms: who is where, and what they may do. Knows no packets."""
