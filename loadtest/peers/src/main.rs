//! Traffic generator and bare relay for the benchmarks.
fn main() {}
