//! See `mianshi_engine_fuzz_targets::framing`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mianshi_engine_fuzz_targets::framing(bytes));
