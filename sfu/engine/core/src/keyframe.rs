//! When to ask a publisher for a keyframe: at once, then throttled, until one arrives.

use core::time::Duration;

use crate::time::Time;

/// At most one request for a layer in this time, however many viewers ask.
const THROTTLE: Duration = Duration::from_millis(500);
/// A slot that was just routed may ask sooner: the owner routes far less often than viewers ask.
const ROUTE_THROTTLE: Duration = Duration::from_millis(100);
/// Requests without an answer before giving up; a viewer that still lacks one asks again.
const MAX_UNANSWERED: u8 = 20;

/// The keyframe requests of one layer.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeyframeRequest {
    wanted: bool,
    last_sent: Option<Time>,
    unanswered: u8,
}

impl KeyframeRequest {
    /// A keyframe is needed. True if the request should be sent now; otherwise `deadline` says.
    pub fn want(&mut self, now: Time) -> bool {
        if !self.wanted {
            self.unanswered = 0;
        }
        self.wanted = true;
        self.due(now)
    }

    /// A slot was routed to the layer and shows nothing yet. True if the request should be sent now.
    pub fn want_for_route(&mut self, now: Time) -> bool {
        if self.want(now) {
            return true;
        }
        let soon = self
            .last_sent
            .is_none_or(|last| now.since(last) >= ROUTE_THROTTLE);
        if soon {
            self.last_sent = Some(now);
        }
        soon
    }

    /// True if a request should be sent now, because it was throttled or not answered.
    pub fn due(&mut self, now: Time) -> bool {
        if self.deadline().is_none_or(|deadline| deadline > now) {
            return false;
        }
        if self.unanswered >= MAX_UNANSWERED {
            self.wanted = false;
            return false;
        }
        self.unanswered += 1;
        self.last_sent = Some(now);
        true
    }

    /// A keyframe arrived, or none can.
    pub fn end(&mut self) {
        self.wanted = false;
        self.unanswered = 0;
    }

    /// When `due` should be called next; nothing if no keyframe is needed.
    pub fn deadline(&self) -> Option<Time> {
        self.wanted
            .then(|| self.last_sent.map_or(Time(0), |last| last + THROTTLE))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_request_goes_out_at_once_and_the_next_are_throttled() {
        let mut request = KeyframeRequest::default();
        assert!(request.want(Time::from_millis(1)));
        for at in 2..500 {
            assert!(!request.want(Time::from_millis(at)));
        }
        assert_eq!(request.deadline(), Some(Time::from_millis(501)));
        assert!(request.due(Time::from_millis(501)));
        assert!(!request.due(Time::from_millis(502)));
    }

    #[test]
    fn a_keyframe_ends_the_requests_but_not_the_throttle() {
        let mut request = KeyframeRequest::default();
        assert!(request.want(Time::from_millis(1)));
        request.end();
        assert_eq!(request.deadline(), None);
        assert!(!request.want(Time::from_millis(300)));
        assert!(request.due(Time::from_millis(501)));
    }

    #[test]
    fn a_route_does_not_wait_for_the_throttle_of_viewers() {
        let mut request = KeyframeRequest::default();
        assert!(request.want(Time::from_millis(1)));
        request.end();
        assert!(!request.want_for_route(Time::from_millis(50)));
        assert!(request.want_for_route(Time::from_millis(150)));
        assert!(!request.want(Time::from_millis(600)));
        assert!(request.due(Time::from_millis(650)));
    }

    #[test]
    fn a_publisher_that_never_answers_is_left_alone_until_asked_again() {
        let mut request = KeyframeRequest::default();
        request.want(Time(0));
        let sent = (1..60)
            .filter(|i| request.due(Time::from_millis(i * 500)))
            .count();
        assert_eq!(sent, usize::from(MAX_UNANSWERED) - 1);
        assert_eq!(request.deadline(), None);
        assert!(request.want(Time::from_millis(60_000)));
    }
}
