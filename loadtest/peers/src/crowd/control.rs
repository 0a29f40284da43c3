//! Messages from Python, each a datagram on a Unix socket that may bring a UDP socket along.

use std::io::{self, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, recvmsg};

use super::job::Message;
use crate::Failure;

/// Python sends nothing longer.
const MAX_MESSAGE_BYTES: usize = 64 * 1024;

/// The receiving end of a `SOCK_SEQPACKET` pair.
pub struct Control {
    socket: OwnedFd,
    buffer: Vec<u8>,
}

/// What came.
pub enum Received {
    /// A message, with the descriptor that came with it.
    Message(Message, Option<OwnedFd>),
    /// Nothing waits.
    Nothing,
    /// The other end is closed.
    End,
}

impl Control {
    /// Listens on a socket that is ours from now on.
    pub fn new(socket: OwnedFd) -> Self {
        Self {
            socket,
            buffer: vec![0; MAX_MESSAGE_BYTES],
        }
    }

    /// The next message, without waiting.
    ///
    /// # Errors
    /// The message is too long or says nothing that we know, or the socket fails.
    pub fn receive(&mut self) -> Result<Received, Failure> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = RecvAncillaryBuffer::new(&mut space);
        let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
        let mut vectors = [IoSliceMut::new(&mut self.buffer)];
        let received = match recvmsg(self.socket.as_fd(), &mut vectors, &mut ancillary, flags) {
            Ok(received) => received,
            Err(Errno::AGAIN) => return Ok(Received::Nothing),
            Err(error) => return Err(io::Error::from(error).into()),
        };
        if received.bytes == 0 {
            return Ok(Received::End);
        }
        if received.flags.contains(ReturnFlags::TRUNC) {
            return Err("a message is too long".into());
        }
        let descriptor = ancillary.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
            _ => None,
        });
        let message = serde_json::from_slice(&self.buffer[..received.bytes])?;
        Ok(Received::Message(message, descriptor))
    }
}

#[cfg(test)]
mod tests {
    use std::io::IoSlice;
    use std::net::UdpSocket;

    use rustix::net::{
        AddressFamily, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags,
        SocketType, sendmsg, socketpair,
    };

    use super::*;

    fn pair() -> (OwnedFd, Control) {
        let flags = SocketFlags::CLOEXEC;
        let (ours, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None).unwrap();
        (ours, Control::new(theirs))
    }

    fn say(socket: &OwnedFd, text: &[u8], along: &[rustix::fd::BorrowedFd<'_>]) {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !along.is_empty() {
            assert!(ancillary.push(SendAncillaryMessage::ScmRights(along)));
        }
        sendmsg(
            socket,
            &[IoSlice::new(text)],
            &mut ancillary,
            SendFlags::empty(),
        )
        .unwrap();
    }

    #[test]
    fn a_socket_comes_with_its_message() {
        let (ours, mut control) = pair();
        assert!(matches!(control.receive(), Ok(Received::Nothing)));
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        say(&ours, br#"{"leave":{"user":7}}"#, &[socket.as_fd()]);
        let Ok(Received::Message(Message::Leave(leave), Some(descriptor))) = control.receive()
        else {
            panic!("not what was sent")
        };
        assert_eq!(leave.user, 7);
        let theirs = UdpSocket::from(descriptor);
        assert_eq!(theirs.local_addr().unwrap(), socket.local_addr().unwrap());
        drop(ours);
        assert!(matches!(control.receive(), Ok(Received::End)));
    }

    #[test]
    fn nonsense_is_an_error() {
        let (ours, mut control) = pair();
        for text in [
            &b"x"[..],
            b"{}",
            br#"{"leave":{}}"#,
            br#"{"leave":{"user":1,"why":2}}"#,
            br#"{"leave":{"user":-1}}"#,
        ] {
            say(&ours, text, &[]);
            assert!(control.receive().is_err(), "{text:?}");
        }
        say(&ours, &vec![b'x'; MAX_MESSAGE_BYTES + 1], &[]);
        assert!(control.receive().is_err());
    }
}
