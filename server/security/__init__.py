"""What we sign and check: tokens, sessions, API keys."""
