//! Networks that fail in the middle of a call.

use crate::rig::{Rig, SECOND, longest_gap_ms, scenario};

#[test]
fn after_an_address_change_media_is_back_within_a_second() {
    let mut rig = Rig::pair(5, &scenario("address-change"));
    rig.run_for(20 * SECOND);
    let pictures = rig.pictures(2, 0, 9.0, 20.0);
    assert!(
        longest_gap_ms(&pictures) <= 1_000,
        "{}",
        longest_gap_ms(&pictures)
    );
}
