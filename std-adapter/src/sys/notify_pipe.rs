//! What a handler does about an event, and what it leaves: where waking a thread takes a lock, it
//! leaves everything.
//!
//! The courier reads from a socket, to which a handler writes to call it.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::OnceLock;

use super::courier::Need;
use crate::Event;

/// What it takes for a handler to leave something.
pub(super) const REASONS: u32 = Need::Signals as u32;

/// In a handler: nothing can be done.
pub(super) fn in_handler(_event: &Event) {}

/// In the courier, after a handler.
pub(super) fn afterwards(event: &Event) {
    event.set();
}

/// The handlers' end and the courier's. Never closed.
static ENDS: OnceLock<(UnixStream, UnixStream)> = OnceLock::new();

/// The courier's end.
pub(super) struct Bell {
    ear: &'static UnixStream,
}

impl Bell {
    /// Not to be called by several at a time. The next one gets what one left that came to nothing.
    pub(super) fn new() -> io::Result<Self> {
        if ENDS.get().is_none() {
            let ends = UnixStream::pair()?;
            // A full socket gives the courier enough to read; a handler must not wait for room.
            ends.0.set_nonblocking(true)?;
            let _ = ENDS.set(ends);
        }
        match ENDS.get() {
            Some((_, ear)) => Ok(Self { ear }),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// One system call, no lock, no allocation. Async-signal-safe, apart from `errno`.
    pub(super) fn ring() {
        if let Some((button, _)) = ENDS.get() {
            let mut button = button;
            let _ = button.write(&[1]);
        }
    }

    /// Waits for the next ring; whether there can be more.
    pub(super) fn rung(&mut self) -> bool {
        let mut bytes = [0; 64];
        loop {
            match self.ear.read(&mut bytes) {
                Ok(1..) => return true,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => return false,
            }
        }
    }
}
