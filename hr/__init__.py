"""Everything durable: interviews, links and, later, the rest of HR."""
