//! The yardstick: the same datagrams through one socket with no look inside.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;

use mianshi_engine_core::time::Time;
use mianshi_engine_io::BATCH_DATAGRAMS;
use mianshi_engine_io::net::{Poller, Receiver, Sender, Signal, bind};

use crate::Failure;
use crate::job::RelayJob;

/// Relays until standard input ends; prints its port first and what it sent last.
pub fn run(job: RelayJob) -> Result<(), Failure> {
    let socket = bind("127.0.0.1:0".parse()?)?;
    let local = socket.local_addr()?;
    let ended = Arc::new(Signal::new()?);
    raise_at_end_of_input(Arc::clone(&ended));
    println!("{{\"port\":{}}}", local.port());
    io::stdout().flush()?;

    let routes: HashMap<SocketAddr, Vec<SocketAddr>> = job
        .routes
        .into_iter()
        .map(|route| (route.from, route.to))
        .collect();
    let mut poller = Poller::new(&socket, &ended)?;
    let mut receiver = Receiver::new();
    let mut sender = Sender::new(&socket, local).without_offload();
    let mut batch = Batch::new();
    loop {
        let readiness = poller.wait(Time(0), None);
        if readiness.signalled {
            break;
        }
        batch.clear();
        receiver.receive(&socket, |datagram, source| batch.push(datagram, source));
        sender.send(&socket, batch.copies(&routes));
    }
    println!("{{\"sent\":{}}}", sender.counters().sent);
    Ok(())
}

/// Received datagrams, kept until all their copies are sent.
struct Batch {
    bytes: Vec<u8>,
    datagrams: Vec<(SocketAddr, usize, usize)>,
}

impl Batch {
    fn new() -> Self {
        Self {
            bytes: Vec::new(),
            datagrams: Vec::with_capacity(BATCH_DATAGRAMS),
        }
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.datagrams.clear();
    }

    fn push(&mut self, datagram: &[u8], source: SocketAddr) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(datagram);
        self.datagrams.push((source, start, self.bytes.len()));
    }

    fn copies<'a>(
        &'a self,
        routes: &'a HashMap<SocketAddr, Vec<SocketAddr>>,
    ) -> impl Iterator<Item = (SocketAddr, &'a [u8])> {
        self.datagrams
            .iter()
            .flat_map(move |&(source, start, end)| {
                let destinations = routes.get(&source).map_or(&[][..], Vec::as_slice);
                destinations
                    .iter()
                    .map(move |destination| (*destination, &self.bytes[start..end]))
            })
    }
}

fn raise_at_end_of_input(ended: Arc<Signal>) {
    thread::spawn(move || {
        // An error is an end as well.
        let _ = io::stdin().read_to_end(&mut Vec::new());
        ended.raise();
    });
}
