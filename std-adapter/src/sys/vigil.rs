//! [`Vigil`]: waiting for many descriptors to become readable, such as those of processes, which do
//! when these have ended; and [`Bell`], by which threads call the one that waits.

#![forbid(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::{EventfdFlags, Timespec, epoll, eventfd};
use rustix::io::Errno;

/// Waits for the first of many.
#[derive(Debug)]
pub(crate) struct Vigil(OwnedFd);

impl Vigil {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self(epoll::create(epoll::CreateFlags::CLOEXEC)?))
    }

    /// From now on [`wait`](Self::wait) tells of this one, by `key`, also if it is readable already. Until it
    /// is closed or [removed](Self::remove).
    pub(crate) fn add(&self, one: impl AsFd, key: u64) -> io::Result<()> {
        let data = epoll::EventData::new_u64(key);
        Ok(epoll::add(&self.0, one, data, epoll::EventFlags::IN)?)
    }

    pub(crate) fn remove(&self, one: impl AsFd) -> io::Result<()> {
        Ok(epoll::delete(&self.0, one)?)
    }

    /// Blocks until one is readable, for `timeout` at most, or a signal comes; adds the keys of some that
    /// are.
    pub(crate) fn wait(&self, ready: &mut Vec<u64>, timeout: Option<Duration>) -> io::Result<()> {
        // What is too long for the system is for ever.
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        let mut events = Vec::with_capacity(64);
        match epoll::wait(&self.0, spare_capacity(&mut events), timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        ready.extend(events.iter().map(|event: &epoll::Event| event.data.u64()));
        Ok(())
    }
}

/// Something that threads ring, and a [`Vigil`] can wait for.
pub(crate) struct Bell(OwnedFd);

impl Bell {
    pub(crate) fn new() -> io::Result<Self> {
        let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK;
        Ok(Self(eventfd(0, flags)?))
    }

    /// Wakes the thread that waits, or will.
    pub(crate) fn ring(&self) {
        // It fails only if the bell has been rung so often that it cannot count it.
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }

    /// Until it is rung again.
    pub(crate) fn silence(&self) {
        // It fails if nobody has rung.
        let _ = rustix::io::read(&self.0, &mut [0_u8; 8]);
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
