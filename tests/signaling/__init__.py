"""Tests of `signaling/`."""
