//! Lines of standard input, without losing what came behind the first.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, RawFd};

/// A scenario file fits many times over.
const MAX_LINE_BYTES: usize = 4 << 20;

/// Collects bytes into lines.
pub struct Lines {
    input: File,
    bytes: Vec<u8>,
    ended: bool,
}

impl Lines {
    /// Of file descriptor 0.
    pub fn of_standard_input() -> io::Result<Self> {
        let input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        Ok(Self {
            input,
            bytes: Vec::new(),
            ended: false,
        })
    }

    /// To wait on.
    pub fn fd(&self) -> RawFd {
        self.input.as_raw_fd()
    }

    /// Whether nothing comes any more.
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// Blocks until a whole line is there; `None` at the end.
    pub fn wait_for_line(&mut self) -> io::Result<Option<String>> {
        loop {
            if let Some(line) = self.next_line() {
                return Ok(Some(line));
            }
            if self.ended {
                return Ok(None);
            }
            self.read()?;
        }
    }

    /// Reads once; call it when the descriptor is readable.
    ///
    /// # Errors
    /// The line is too long, or the kernel's error.
    pub fn read(&mut self) -> io::Result<()> {
        let mut buffer = [0; 16_384];
        let count = self.input.read(&mut buffer)?;
        self.ended = count == 0;
        self.bytes.extend_from_slice(&buffer[..count]);
        if self.bytes.len() > MAX_LINE_BYTES {
            return Err(io::Error::other("a line of the input is too long"));
        }
        Ok(())
    }

    /// A line that is already here.
    pub fn next_line(&mut self) -> Option<String> {
        let end = self.bytes.iter().position(|byte| *byte == b'\n')?;
        let line: Vec<u8> = self.bytes.drain(..=end).collect();
        Some(String::from_utf8_lossy(&line).into_owned())
    }
}
