//! The media thread, seen from outside.

use std::io;
use std::mem::MaybeUninit;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::RawFd;
use std::panic::{self, AssertUnwindSafe};
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use mianshi_engine_core::{Command, Config, Engine, Event};

use crate::clock::Clock;
use crate::error::{Crashed, StartError};
use crate::event_loop::EventLoop;
use crate::mailbox::{Inbox, Letter, Outbox};
use crate::net::{Poller, Receiver, Sender};
use crate::socket;
use crate::streams::Streams;

/// One engine on one UDP socket, and a TCP port if wanted, in one thread. Dropping it closes it.
#[derive(Debug)]
pub struct MediaThread {
    address: SocketAddr,
    tcp_address: Option<SocketAddr>,
    inbox: Arc<Inbox>,
    outbox: Arc<Outbox>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl MediaThread {
    /// Binds `address` (port 0: any), listens for TCP on `tcp` if that is wanted, and starts the
    /// thread. `seed` makes the engine's random choices: 32 unpredictable bytes.
    ///
    /// # Errors
    /// An address cannot be had, or the process is out of descriptors or threads.
    pub fn start(
        address: SocketAddr,
        tcp: Option<SocketAddr>,
        seed: [u8; 32],
    ) -> Result<Self, StartError> {
        let socket = socket::bind(address)?;
        let address = socket.local_addr()?;
        let listener = tcp.map(socket::listen).transpose();
        let listener = listener.map_err(StartError::of_tcp)?;
        let tcp_address = listener.as_ref().map(TcpListener::local_addr).transpose()?;
        let streams = listener.map(Streams::new).transpose()?;
        let inbox = Arc::new(Inbox::new()?);
        let outbox = Arc::new(Outbox::new()?);
        let clock = Clock::start();
        let config = Config {
            seed,
            ntp_epoch: clock.ntp_epoch(),
        };
        let mut poller = Poller::new(&socket, inbox.signal())?;
        if let Some(streams) = &streams {
            poller.watch_streams(streams.poller())?;
        }
        let event_loop = EventLoop {
            engine: Engine::new(config, clock.now()),
            clock,
            poller,
            receiver: Receiver::new(),
            sender: Sender::new(&socket, address),
            streams,
            socket,
            inbox: Arc::clone(&inbox),
            outbox: Arc::clone(&outbox),
            letters: Vec::new(),
            events: Vec::new(),
        };
        let thread = spawn(event_loop)?;
        Ok(Self {
            address,
            tcp_address,
            inbox,
            outbox,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Where the socket is bound.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where TCP connections are taken, if they are.
    pub fn tcp_address(&self) -> Option<SocketAddr> {
        self.tcp_address
    }

    /// Readable while events wait, and for ever after a crash.
    pub fn event_fd(&self) -> RawFd {
        self.outbox.fd()
    }

    /// Queues a command; does nothing after [`MediaThread::close`].
    pub fn command(&self, command: Command) {
        if self.is_open() {
            self.inbox.put(Letter::Command(command));
        }
    }

    /// Takes the events that wait.
    ///
    /// # Errors
    /// The media thread has crashed and all its events were taken.
    pub fn drain(&self) -> Result<Vec<Event>, Crashed> {
        self.outbox.take().ok_or(Crashed)
    }

    /// Sends what earlier commands asked for, stops the thread, waits for it and closes the
    /// socket. A second call does nothing.
    pub fn close(&self) {
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            self.inbox.put(Letter::Stop);
            // The thread catches its panics, so there is no error to see here.
            let _ = thread.join();
        }
    }

    fn is_open(&self) -> bool {
        self.thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some()
    }
}

impl Drop for MediaThread {
    fn drop(&mut self) {
        self.close();
    }
}

fn spawn(event_loop: EventLoop) -> io::Result<JoinHandle<()>> {
    let outbox = Arc::clone(&event_loop.outbox);
    thread::Builder::new()
        .name("mianshi-media".into())
        .spawn(move || {
            block_signals();
            // Packets go before Python's work where processors are short. Elsewhere niceness is of
            // the whole process, and nothing else is asked for.
            #[cfg(any(target_os = "linux", target_os = "android"))]
            crate::net::come_first();
            // A broken invariant must not pass for a quiet network: Python is told.
            if panic::catch_unwind(AssertUnwindSafe(|| event_loop.run())).is_err() {
                outbox.crash();
            }
        })
}

/// Signals belong to Python's main thread.
fn block_signals() {
    let mut all = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: sigfillset initialises the set before pthread_sigmask reads it.
    unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), ptr::null_mut());
    }
}
