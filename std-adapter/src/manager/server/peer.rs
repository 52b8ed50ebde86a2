//! [`Peer`]: the other end of a connection, as the server sees it; [`Remote`], which is one behind a
//! socket.
//!
//! All that a conversation has to do with the world goes through a peer: so it can be had with a
//! list of bytes as well.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use crate::sys::socket::{Bell, Stream, Woken};

pub(super) trait Peer {
    /// Waits for bytes. 0 says that there will be none, and that all that was sent was read; an
    /// error says that something was not.
    fn receive(&mut self, into: &mut [u8], deadline: Option<Instant>) -> io::Result<usize>;

    /// Sends all bytes.
    fn send(&mut self, bytes: &[u8], deadline: Option<Instant>) -> io::Result<()>;

    /// Polls until that is ready, the deadline has passed or the other end has gone.
    fn wait<T>(
        &mut self,
        deadline: Option<Instant>,
        poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Waited<T>;
}

/// How [`Peer::wait`] ended.
pub(super) enum Waited<T> {
    Done(T),
    TimedOut,
    HungUp,
}

/// Who is at the other end of a socket.
pub(super) struct Remote {
    stream: Arc<Stream>,
    /// Wakes the thread while it waits for something else than bytes. Made when it is needed.
    bell: Option<Arc<Bell>>,
}

impl Remote {
    pub(super) fn new(stream: Arc<Stream>) -> Self {
        Self { stream, bell: None }
    }

    fn bell(&mut self) -> io::Result<Arc<Bell>> {
        let bell = match self.bell.take() {
            Some(bell) => bell,
            None => Arc::new(Bell::new()?),
        };
        self.bell = Some(Arc::clone(&bell));
        Ok(bell)
    }
}

impl Peer for Remote {
    fn receive(&mut self, into: &mut [u8], deadline: Option<Instant>) -> io::Result<usize> {
        self.stream.receive(into, deadline)
    }

    fn send(&mut self, bytes: &[u8], deadline: Option<Instant>) -> io::Result<()> {
        self.stream.send(bytes, deadline)
    }

    fn wait<T>(
        &mut self,
        deadline: Option<Instant>,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Waited<T> {
        // Without a descriptor for the bell the connection cannot go on.
        let Ok(bell) = self.bell() else {
            return Waited::HungUp;
        };
        let waker = Waker::from(Arc::clone(&bell));
        let mut context = Context::from_waker(&waker);
        loop {
            if let Poll::Ready(result) = poll(&mut context) {
                return Waited::Done(result);
            }
            match self.stream.wait(&bell, deadline) {
                Ok(Woken::Rung) => {}
                Ok(Woken::TimedOut) => return Waited::TimedOut,
                Ok(Woken::HungUp) | Err(_) => return Waited::HungUp,
            }
        }
    }
}
