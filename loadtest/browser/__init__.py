"""Real Chromium as a participant: cameras that tell whose picture it is, and what is decoded."""
