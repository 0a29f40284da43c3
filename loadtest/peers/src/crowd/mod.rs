//! Many virtual users at once: Python joins them one by one, here they send, watch and count.
//!
//! `mianshi-peers crowd` takes messages (see [`job::Message`]) from the Unix socket that is its
//! standard input, and prints lines (see [`tally::Line`]) until that is closed.

mod clip;
mod control;
mod frames;
mod job;
mod member;
mod readable;
mod sending;
mod tally;
mod watching;
mod wire;

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io::{self, Write};
use std::net::UdpSocket;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use mianshi_engine_core::time::Time;

use crate::Failure;
use crate::wait::{monotonic_of, monotonic_us, receive_stamped, stamp_arrivals};
use clip::Clip;
use control::{Control, Received};
use job::{Join, Message};
use member::Member;
use readable::Readable;
use tally::{Line, Tally, Totals};

const SAMPLE_EVERY: Duration = Duration::from_secs(1);
/// No rest is longer than this: what arrives meanwhile has to fit into the sockets' buffers.
const LONGEST_REST: Duration = Duration::from_millis(1);
/// Datagrams of one member received before it is another's turn.
const MOST_AT_ONCE: usize = 32;
/// Longer than any datagram of the server's.
const BUFFER_BYTES: usize = 2_048;

/// Runs until the control socket is closed.
pub fn run(control: OwnedFd) -> Result<(), Failure> {
    let mut control = Control::new(control);
    let mut crowd = Crowd::new()?;
    let mut next_sample = now() + SAMPLE_EVERY;
    loop {
        loop {
            match control.receive()? {
                Received::Message(message, descriptor) => crowd.obey(message, descriptor)?,
                Received::Nothing => break,
                Received::End => return crowd.end(),
            }
        }
        crowd.send_due();
        if now() >= next_sample {
            next_sample += SAMPLE_EVERY;
            crowd.print_sample()?;
        }
        thread::sleep(crowd.rest());
        crowd.receive_all()?;
    }
}

fn now() -> Time {
    Time(monotonic_us())
}

struct Crowd {
    clips: Vec<Rc<Clip>>,
    present: HashMap<u64, Present>,
    /// Whose turn it is when. Whoever has left meanwhile is passed over.
    turns: BinaryHeap<Reverse<(Time, u64)>>,
    readable: Readable,
    tally: Tally,
    buffer: Box<[u8; BUFFER_BYTES]>,
}

struct Present {
    member: Member,
    socket: UdpSocket,
}

impl Crowd {
    fn new() -> Result<Self, Failure> {
        Ok(Self {
            clips: Vec::new(),
            present: HashMap::new(),
            turns: BinaryHeap::new(),
            readable: Readable::new()?,
            tally: Tally::default(),
            buffer: Box::new([0; BUFFER_BYTES]),
        })
    }

    fn obey(&mut self, message: Message, descriptor: Option<OwnedFd>) -> Result<(), Failure> {
        match message {
            Message::Clips(paths) => self.open_clips(&paths)?,
            Message::Join(join) => self.join(*join, descriptor.ok_or("no socket came along")?)?,
            Message::Layers(layers) => {
                if let Some(present) = self.present.get_mut(&layers.user) {
                    present.member.want_layers(&layers.wanted);
                }
            }
            Message::Slots(slots) => {
                if let Some(present) = self.present.get_mut(&slots.user) {
                    present.member.show(&slots.shown, now());
                }
            }
            Message::Leave(leave) => {
                if let Some(present) = self.present.remove(&leave.user) {
                    self.farewell(&present.member)?;
                }
            }
        }
        Ok(())
    }

    fn open_clips(&mut self, paths: &[PathBuf]) -> Result<(), Failure> {
        for path in paths {
            self.clips.push(Rc::new(Clip::open(path)?));
        }
        Ok(())
    }

    fn join(&mut self, join: Join, descriptor: OwnedFd) -> Result<(), Failure> {
        let user = join.user;
        let socket = UdpSocket::from(descriptor);
        socket.connect(join.server)?;
        socket.set_nonblocking(true)?;
        stamp_arrivals(&socket)?;
        let member = Member::new(join, &self.clips, now())?;
        self.readable.add(&socket, user)?;
        self.turns.push(Reverse((now(), user)));
        self.present.insert(user, Present { member, socket });
        Ok(())
    }

    fn send_due(&mut self) {
        while let Some(&Reverse((due, user))) = self.turns.peek() {
            let now = now();
            if due > now {
                return;
            }
            self.turns.pop();
            let Some(Present { member, socket }) = self.present.get_mut(&user) else {
                continue;
            };
            let mut sent = Sent::default();
            member.poll(now, &mut self.tally, &mut |datagram| {
                sent.note(socket.send(datagram), datagram);
            });
            sent.add_to(&mut self.tally);
            self.turns.push(Reverse((member.next_due(now), user)));
        }
    }

    fn receive_all(&mut self) -> Result<(), Failure> {
        let (present, buffer, tally) = (&mut self.present, &mut self.buffer, &mut self.tally);
        for user in self.readable.look()? {
            let Some(Present { member, socket }) = present.get_mut(&user) else {
                continue;
            };
            for _ in 0..MOST_AT_ONCE {
                // An error such as a refused port shows in what is missing.
                let Ok((bytes, arrived_us)) = receive_stamped(socket, &mut buffer[..]) else {
                    break;
                };
                let at = Time(arrived_us.map_or_else(monotonic_us, monotonic_of));
                let mut sent = Sent::default();
                member.receive(
                    &mut buffer[..bytes],
                    at,
                    tally,
                    &mut |datagram| sent.note(socket.send(datagram), datagram),
                    &mut |line| print(&line),
                );
                sent.add_to(tally);
            }
        }
        Ok(())
    }

    fn rest(&self) -> Duration {
        let next = self.turns.peek().map(|Reverse((due, _))| *due);
        next.map_or(LONGEST_REST, |due| due.since(now()).min(LONGEST_REST))
    }

    fn farewell(&mut self, member: &Member) -> Result<(), Failure> {
        let totals = member.totals();
        self.tally.left.add(totals.packets, totals.pictures);
        print(&Line::Member(member.report_of_all()));
        Ok(())
    }

    fn print_sample(&mut self) -> Result<(), Failure> {
        let mut all = Totals::default();
        for present in self.present.values() {
            let totals = present.member.totals();
            all.add(totals.packets, totals.pictures);
        }
        let sample = self.tally.sample(now(), self.present.len(), all);
        print(&Line::Sample(Box::new(sample)));
        io::stdout().flush()?;
        Ok(())
    }

    fn end(mut self) -> Result<(), Failure> {
        self.print_sample()?;
        for present in self.present.values() {
            print(&Line::Member(present.member.report_of_all()));
        }
        io::stdout().flush()?;
        Ok(())
    }
}

/// What one member sent in one turn: counted apart, while the member has the tally.
#[derive(Default)]
struct Sent {
    datagrams: u64,
    bytes: u64,
    refused: u64,
}

impl Sent {
    fn note(&mut self, result: io::Result<usize>, datagram: &[u8]) {
        match result {
            Ok(_) => {
                self.datagrams += 1;
                self.bytes += datagram.len() as u64;
            }
            Err(_) => self.refused += 1,
        }
    }

    fn add_to(&self, tally: &mut Tally) {
        tally.datagrams_sent += self.datagrams;
        tally.bytes_sent += self.bytes;
        tally.refused += self.refused;
    }
}

fn print(line: &Line) {
    let text = serde_json::to_string(line).expect("plain data has a JSON form");
    // Nobody reads any more: the end of the control socket follows.
    let _ = writeln!(io::stdout(), "{text}");
}
