//! See `mianshi_engine_fuzz_targets::rtcp`.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| mianshi_engine_fuzz_targets::rtcp(bytes));
