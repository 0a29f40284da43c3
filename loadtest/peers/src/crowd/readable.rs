//! Which of many sockets have something to read.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{CreateFlags, Event, EventData, EventFlags, add, create, wait};

/// Sockets named in one look; the rest is named in the next.
const MOST_EVENTS: usize = 256;

/// Sockets by number.
pub struct Readable {
    epoll: OwnedFd,
    events: Vec<Event>,
}

impl Readable {
    /// Watches nothing.
    ///
    /// # Errors
    /// As epoll_create1(2).
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            epoll: create(CreateFlags::CLOEXEC)?,
            events: Vec::with_capacity(MOST_EVENTS),
        })
    }

    /// Watches a socket until it is closed.
    ///
    /// # Errors
    /// As epoll_ctl(2).
    pub fn add(&self, socket: impl AsFd, number: u64) -> io::Result<()> {
        Ok(add(
            &self.epoll,
            socket,
            EventData::new_u64(number),
            EventFlags::IN,
        )?)
    }

    /// The numbers of sockets that are readable now. It never waits: a receiver that does is woken
    /// by the server's send, at the server's expense, as no remote receiver ever would be.
    ///
    /// # Errors
    /// As epoll_wait(2).
    pub fn look(&mut self) -> io::Result<impl Iterator<Item = u64> + '_> {
        self.events.clear();
        let at_once = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        wait(
            &self.epoll,
            spare_capacity(&mut self.events),
            Some(&at_once),
        )?;
        Ok(self.events.iter().map(|event| event.data.u64()))
    }
}
