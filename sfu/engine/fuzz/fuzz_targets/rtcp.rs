//! RTCP compounds and every iterator that they lead to.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mianshi_engine_core::wire::rtcp::{Packet, packets};

fuzz_target!(|compound: &[u8]| {
    for packet in packets(compound) {
        match packet {
            Ok(Packet::SenderReport { reports, .. } | Packet::ReceiverReport { reports, .. }) => {
                assert!(reports.count() <= 31);
            }
            Ok(Packet::SourceDescription(names)) => assert!(names.cnames().count() <= 31),
            Ok(Packet::Goodbye(streams)) => assert!(streams.count() <= 31),
            Ok(Packet::Nack { lost, .. }) => assert!(lost.count() <= compound.len() * 5),
            Ok(Packet::Fir { requests, .. }) => assert!(requests.count() <= compound.len() / 8),
            Ok(Packet::TransportFeedback(feedback)) => {
                if let Ok(statuses) = feedback.statuses() {
                    assert_eq!(statuses.count(), usize::from(feedback.status_count));
                }
            }
            Ok(Packet::Remb(estimate)) => assert!(estimate.ssrcs().count() <= 255),
            Ok(Packet::Pli { .. } | Packet::Other { .. }) | Err(_) => {}
        }
    }
});
