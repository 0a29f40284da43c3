"""One client's signalling state machine, without I/O."""
