//! The paths to viewers: their feedback, and what is done when none comes.

use core::time::Duration;

use super::Engine;
use super::rtcp::Limits;
use crate::drops::DropReason;
use crate::peer::Peer;
use crate::time::Time;
use crate::timer::Task;
use crate::wire::twcc::TransportFeedback;

/// How often a path in use is looked after.
const DOWNLINK_INTERVAL: Duration = Duration::from_millis(100);

impl Engine {
    /// A viewer told which packets arrived.
    pub(super) fn receive_transport_feedback(
        &mut self,
        index: usize,
        feedback: &TransportFeedback<'_>,
        limits: &mut Limits,
        now: Time,
    ) {
        let Some(left) = limits
            .statuses
            .checked_sub(usize::from(feedback.status_count))
        else {
            return self.drop(DropReason::Malformed);
        };
        limits.statuses = left;
        let Some(peer) = self.peer_mut(index) else {
            return;
        };
        let round_trip = peer.round_trip.estimate();
        if peer
            .downlink
            .receive_feedback(feedback, round_trip, now)
            .is_err()
        {
            return self.drop(DropReason::Malformed);
        }
        self.check_bandwidth(index, now);
        self.watch_downlink(index, now);
    }

    /// Begin to look after the path to a viewer, if there is any and it is in use.
    pub(super) fn watch_downlink(&mut self, index: usize, now: Time) {
        let active = self
            .peer(index)
            .is_some_and(|peer| peer.is_reachable() && peer.downlink.is_active(now));
        if active {
            self.timers
                .arm(index, Task::Downlink, now + DOWNLINK_INTERVAL);
        }
    }

    pub(super) fn look_after_downlink(&mut self, index: usize, now: Time) {
        let Some(peer) = self.peer_mut(index).filter(|peer| Peer::is_reachable(peer)) else {
            return;
        };
        if peer.downlink.tick(now) {
            self.timers.arm(index, Task::Pace, now);
        }
        self.check_bandwidth(index, now);
        self.watch_downlink(index, now);
    }

    /// A viewer is reached at another address.
    pub(super) fn move_downlink(&mut self, index: usize, now: Time) {
        if let Some(peer) = self.peer_mut(index) {
            peer.downlink.moved();
        }
        self.watch_downlink(index, now);
    }
}
