"""Real browsers against a real server, judged by what they decode."""
