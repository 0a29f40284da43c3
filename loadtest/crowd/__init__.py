"""Many virtual users at once: joined here one by one, with native media."""
