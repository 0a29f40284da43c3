"""The parts that the benchmarks are made of."""
