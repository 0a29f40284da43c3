//! VP8 descriptors, read and rewritten, and H.264 units.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mianshi_engine_core::wire::h264;
use mianshi_engine_core::wire::vp8::{Descriptor, MAX_DESCRIPTOR_BYTES, keyframe_size};

fuzz_target!(|payload: &[u8]| {
    h264::units(payload);
    keyframe_size(payload);
    let Ok(descriptor) = Descriptor::parse(payload) else {
        return;
    };
    let mut copy = payload.to_vec();
    descriptor.rewrite(&mut copy, 0x1234, 0x56);
    assert_eq!(copy[descriptor.bytes..], payload[descriptor.bytes..]);
    let again = Descriptor::parse(&copy).expect("as valid as before");
    assert_eq!(again.bytes, descriptor.bytes);
    assert!(descriptor.write(&mut [0; MAX_DESCRIPTOR_BYTES]).is_ok());
});
