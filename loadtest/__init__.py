"""Virtual users and benchmarks: they speak to a server over the wire only."""
