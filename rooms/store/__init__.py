"""The live store: Redis."""
