"""Tests mirror the tree; sim, vectors and e2e stand beside it."""
