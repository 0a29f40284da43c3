"""Interviews: what is scheduled, its rounds and its people."""
