"""Settings: read once, passed down by section."""
