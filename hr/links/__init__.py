"""Links: how people without an account come in, bound to their first device."""
