"""How good each connection is, and who is the cause: pure, from statistics and reports."""
