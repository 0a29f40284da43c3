//! Deadlines of all peers: an idle peer has no entry and costs nothing.
//!
//! Most tasks need not be on time to the millisecond. While packets come they are done with the
//! next one, and only in a pause is the thread woken for them: a waking by the clock costs as much
//! as several packets.

use core::cmp::Reverse;
use core::time::Duration;
use std::collections::BinaryHeap;

use crate::time::Time;

/// What is due for a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Task {
    /// Ask for packets that are missing.
    Nack,
    /// Tell which transport-wide numbers arrived.
    Feedback,
    /// Sender and receiver reports.
    Reports,
    /// Repeat a keyframe request that was not answered.
    Keyframe,
    /// Look whether a speaker fell silent by sending nothing.
    Speech,
    /// Look whether anything authenticated arrived.
    Silence,
    /// Send pictures that wait, and what probes lack.
    Pace,
    /// Look after the path to the viewer: silence, probes.
    Downlink,
    /// Share a viewer's bandwidth among its slots.
    Allocate,
    /// Tell a publisher which layers are watched.
    Watched,
}

const TASKS: usize = 10;

/// How long a task that can wait does so, for a packet to come.
const PATIENCE: Duration = Duration::from_millis(20);

/// The same while packets come all the time: the thread would be woken in vain.
const PATIENCE_IN_TRAFFIC: Duration = Duration::from_millis(100);

/// The last task waited no longer than this for its packet if packets come all the time.
const TRAFFIC_GAP: Duration = Duration::from_millis(2);

impl Task {
    fn can_wait(self) -> bool {
        matches!(
            self,
            Self::Feedback
                | Self::Reports
                | Self::Speech
                | Self::Silence
                | Self::Downlink
                | Self::Allocate
        )
    }
}

/// Deadlines by peer index and task; each pair has at most one.
#[derive(Debug, Default)]
pub struct Timers {
    prompt: Queue,
    patient: Queue,
    armed: Vec<[Option<Time>; TASKS]>,
    in_traffic: bool,
}

/// The earliest first; what is not armed for that time any more is passed over.
type Queue = BinaryHeap<Reverse<(Time, usize, Task)>>;

impl Timers {
    /// Make `task` due at `at`, or earlier if it already is. An unnecessary call costs one compare.
    pub fn arm(&mut self, peer: usize, task: Task, at: Time) {
        if self.armed.len() <= peer {
            self.armed.resize(peer + 1, [None; TASKS]);
        }
        let entry = &mut self.armed[peer][task as usize];
        if entry.is_some_and(|earlier| earlier <= at) {
            return;
        }
        *entry = Some(at);
        let queue = match task.can_wait() {
            true => &mut self.patient,
            false => &mut self.prompt,
        };
        queue.push(Reverse((at, peer, task)));
    }

    /// True if the task has a deadline.
    pub fn is_armed(&self, peer: usize, task: Task) -> bool {
        self.armed
            .get(peer)
            .is_some_and(|tasks| tasks[task as usize].is_some())
    }

    /// Forget every deadline of a peer; its index may be given to another.
    pub fn clear(&mut self, peer: usize) {
        if let Some(tasks) = self.armed.get_mut(peer) {
            *tasks = [None; TASKS];
        }
    }

    /// When to look for tasks that are due at the latest, if no packet comes before.
    pub fn deadline(&mut self) -> Option<Time> {
        let prompt = next(&mut self.prompt, &self.armed).map(|(at, ..)| at);
        let patience = match self.in_traffic {
            true => PATIENCE_IN_TRAFFIC,
            false => PATIENCE,
        };
        let patient = next(&mut self.patient, &self.armed).map(|(at, ..)| at + patience);
        prompt.into_iter().chain(patient).min()
    }

    /// Take one task that is due at `now`.
    pub fn due(&mut self, now: Time) -> Option<(usize, Task)> {
        [&mut self.prompt, &mut self.patient]
            .into_iter()
            .find_map(|queue| {
                let (at, peer, task) = next(queue, &self.armed).filter(|(at, ..)| *at <= now)?;
                queue.pop();
                self.armed[peer][task as usize] = None;
                if task.can_wait() {
                    self.in_traffic = now.since(at) <= TRAFFIC_GAP;
                }
                Some((peer, task))
            })
    }
}

fn next(queue: &mut Queue, armed: &[[Option<Time>; TASKS]]) -> Option<(Time, usize, Task)> {
    while let Some(Reverse((at, peer, task))) = queue.peek().copied() {
        if armed[peer][task as usize] == Some(at) {
            return Some((at, peer, task));
        }
        queue.pop();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tasks_come_in_order_and_only_when_due() {
        let mut timers = Timers::default();
        timers.arm(3, Task::Pace, Time(900));
        timers.arm(0, Task::Nack, Time(500));
        assert_eq!(timers.deadline(), Some(Time(500)));
        assert_eq!(timers.due(Time(499)), None);
        assert_eq!(timers.due(Time(1000)), Some((0, Task::Nack)));
        assert_eq!(timers.due(Time(1000)), Some((3, Task::Pace)));
        assert_eq!(timers.due(Time(1000)), None);
        assert_eq!(timers.deadline(), None);
    }

    #[test]
    fn a_task_that_can_wait_is_done_with_the_next_packet_or_soon_without_one() {
        let mut timers = Timers::default();
        timers.arm(3, Task::Reports, Time(900));
        assert_eq!(timers.deadline(), Some(Time(900) + PATIENCE));
        timers.arm(0, Task::Pace, Time(9_000));
        assert_eq!(timers.deadline(), Some(Time(9_000)));
        assert_eq!(timers.due(Time(899)), None);
        assert_eq!(timers.due(Time(901)), Some((3, Task::Reports)));
        assert_eq!(timers.due(Time(901)), None);
    }

    #[test]
    fn nobody_is_woken_for_it_while_packets_come_all_the_time() {
        let mut timers = Timers::default();
        let mut at = Time(900);
        for (waited, patience) in [
            (TRAFFIC_GAP, PATIENCE_IN_TRAFFIC),
            (TRAFFIC_GAP + Duration::from_micros(1), PATIENCE),
            (Duration::ZERO, PATIENCE_IN_TRAFFIC),
        ] {
            timers.arm(3, Task::Feedback, at);
            at += waited;
            assert_eq!(timers.due(at), Some((3, Task::Feedback)));
            timers.arm(3, Task::Feedback, at);
            assert_eq!(timers.deadline(), Some(at + patience));
            assert_eq!(timers.due(at), Some((3, Task::Feedback)));
        }
    }

    #[test]
    fn an_earlier_deadline_replaces_a_later_one_and_fires_once() {
        let mut timers = Timers::default();
        timers.arm(1, Task::Keyframe, Time(800));
        timers.arm(1, Task::Keyframe, Time(300));
        timers.arm(1, Task::Keyframe, Time(900));
        assert_eq!(timers.due(Time(5000)), Some((1, Task::Keyframe)));
        assert_eq!(timers.due(Time(5000)), None);
    }

    #[test]
    fn a_cleared_peer_never_fires() {
        let mut timers = Timers::default();
        timers.arm(1, Task::Silence, Time(10));
        timers.arm(2, Task::Silence, Time(20));
        timers.clear(1);
        assert!(!timers.is_armed(1, Task::Silence));
        assert_eq!(timers.due(Time(99)), Some((2, Task::Silence)));
        assert_eq!(timers.due(Time(99)), None);
    }

    #[test]
    fn arming_again_and_again_does_not_grow_the_heap() {
        let mut timers = Timers::default();
        for i in 0..10_000 {
            timers.arm(1, Task::Feedback, Time(1_000 + i));
        }
        assert_eq!((timers.prompt.len(), timers.patient.len()), (0, 1));
    }
}
