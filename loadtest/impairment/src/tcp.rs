//! TCP to the same port, passed on untouched: what a client falls back to without UDP.

use std::io;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread;

/// Passes connections on for as long as the process lives.
///
/// # Errors
/// The port is taken.
pub fn listen(at: SocketAddr, target: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(at)?;
    thread::spawn(move || {
        for near in listener.incoming().flatten() {
            thread::spawn(move || join(near, target));
        }
    });
    Ok(())
}

fn join(near: TcpStream, target: SocketAddr) -> io::Result<()> {
    let far = TcpStream::connect(target)?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let (near_too, far_too) = (near.try_clone()?, far.try_clone()?);
    let back = thread::spawn(move || pass(far_too, near_too));
    pass(near, far);
    let _ = back.join();
    Ok(())
}

/// Until one side ends or breaks; the other side learns of it.
fn pass(mut from: TcpStream, mut to: TcpStream) {
    let _ = io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}
