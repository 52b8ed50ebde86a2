//! Telling an event from a signal handler, where waking a thread takes a lock: by way of a thread.
//!
//! The handler writes a byte to a socket; a thread reads it and sets the event. When the notifier
//! is dropped the thread reads the end of the stream, and ends too.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::thread;

use crate::Event;

/// What a handler calls to have `event` set; async-signal-safe, apart from `errno`.
pub(super) fn notifier(event: &'static Event) -> io::Result<impl Fn() + Send + Sync + 'static> {
    let (messenger, arrivals) = UnixStream::pair()?;
    // A full socket gives the thread enough to read; a handler must not wait for room.
    messenger.set_nonblocking(true)?;
    thread::Builder::new()
        .name("brigade-signal".into())
        .spawn(move || relay(arrivals, event))?;
    Ok(move || {
        // One system call, no lock, no allocation.
        let _ = (&messenger).write(&[1]);
    })
}

fn relay(mut arrivals: UnixStream, event: &Event) {
    let mut bytes = [0; 64];
    loop {
        match arrivals.read(&mut bytes) {
            Ok(1..) => event.set(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Ok(0) | Err(_) => break,
        }
    }
}
