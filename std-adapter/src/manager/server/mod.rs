//! The server: owns the objects, and has a thread for each connection.
//!
//! ```text
//!     accept --> stranger --handshake--> client: request, reply, request, ...
//!                 (a few, the oldest     (as many as are allowed)
//!                  is hung up on)
//!                                          |
//!                      objects <-----------+-----------> holdings, one for each process
//!                      queues, dicts, ...                locks, leases: go back with it
//! ```
//!
//! | file | what |
//! |---|---|
//! | `peer.rs` | the other end of a connection, or what a test puts in its place |
//! | `conversation.rs` | a connection from its first byte to its last |
//! | `answer.rs` | what each request does |
//! | `objects.rs`, `queue.rs`, `permits.rs` | what it does it to |
//! | `holdings.rs` | what goes back when a client dies |
//!
//! A thread that waits for an item or a lock sleeps on its socket as well, so it notices at once that
//! its client has gone.

mod answer;
mod conversation;
mod holdings;
mod objects;
mod peer;
mod permits;
mod queue;
mod script;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use std::{fmt, io, process};

use serde::{Deserialize, Serialize};

use super::handshake::Session;
use super::key::{Address, Key};
use crate::sys::socket::{Bell, Listener, Stream, random};
use conversation::{Door, House, converse};
use holdings::Holdings;
use objects::Objects;
use peer::Remote;

pub(super) use conversation::SLACK;
pub use script::replies;

/// Connections that have not proved yet that they know the key. One more, and the oldest is hung up on.
const STRANGERS: usize = 32;
/// What a conversation's thread needs is a few kilobytes.
const STACK: usize = 256 * 1024;
/// How long to wait for descriptors when there are none.
const PAUSE: Duration = Duration::from_millis(10);

/// How much a server lets itself be asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Limits {
    /// The bytes of a message.
    pub(super) message: usize,
    /// Connections that are served at a time.
    pub(super) connections: usize,
    /// Objects, and names.
    pub(super) objects: usize,
    /// The time of a handshake.
    pub(super) handshake: Duration,
}

/// A server in threads of this process. It ends when it is dropped.
pub(super) struct Server {
    inner: Arc<Inner>,
    thread: Option<JoinHandle<()>>,
    /// Whose threads serve: a child by `fork` has none of them.
    pid: u32,
}

struct Inner {
    house: House,
    limits: Limits,
    stop: Bell,
    guests: Mutex<Guests>,
}

/// Who is connected.
#[derive(Default)]
struct Guests {
    /// All, by a number of their own.
    streams: HashMap<u64, Arc<Stream>>,
    last: u64,
    /// Those among them that have not proved anything, the oldest first.
    strangers: VecDeque<u64>,
    /// How many have proved that they know the key.
    clients: usize,
    sessions: HashMap<Session, Weak<Holdings>>,
    /// No more are let in.
    closing: bool,
}

impl Server {
    /// Listens and serves.
    pub(super) fn start(address: &Address, key: Key, limits: Limits) -> io::Result<Self> {
        let listener = Listener::bind(address.as_str())?;
        // Not what the last server at this address gave: its clients may be ours now.
        let first = u32::from_ne_bytes(random()?);
        let inner = Arc::new(Inner {
            house: House {
                key,
                objects: Objects::new(limits.objects, u64::from(first) << 24),
                message_limit: limits.message,
                handshake_limit: limits.handshake,
            },
            limits,
            stop: Bell::new()?,
            guests: Mutex::default(),
        });
        let accepting = Arc::clone(&inner);
        let thread = thread::Builder::new()
            .name("brigade-manager".into())
            .spawn(move || accepting.accept(&listener))?;
        Ok(Self {
            inner,
            thread: Some(thread),
            pid: process::id(),
        })
    }
}

impl Drop for Server {
    /// Stops listening and hangs up on everybody, and waits until that is done.
    fn drop(&mut self) {
        if self.pid != process::id() {
            return;
        }
        self.inner.guests().closing = true;
        self.inner.stop.ring();
        if let Some(thread) = self.thread.take() {
            // It was a panic of ours; clients notice that nobody answers.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").finish_non_exhaustive()
    }
}

impl Inner {
    fn guests(&self) -> MutexGuard<'_, Guests> {
        // Nothing that runs under the lock panics.
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accept(self: &Arc<Self>, listener: &Listener) {
        while !self.guests().closing {
            match listener.accept(&self.stop, None) {
                Ok(Some(stream)) => self.welcome(stream),
                // The bell rings.
                Ok(None) => {}
                // No descriptors are left, most likely. Those who wait to be accepted wait on.
                Err(_) => thread::sleep(PAUSE),
            }
        }
        for stream in self.guests().streams.values() {
            stream.hang_up();
        }
    }

    /// Gives a stranger a thread, if it is one of this user's.
    fn welcome(self: &Arc<Self>, stream: Stream) {
        let (Ok(true), Ok(nonce)) = (stream.is_same_user(), random()) else {
            return;
        };
        let stream = Arc::new(stream);
        let mut guests = self.guests();
        if guests.strangers.len() == STRANGERS {
            if let Some(oldest) = guests.strangers.pop_front() {
                guests.streams[&oldest].hang_up();
            }
        }
        guests.last += 1;
        let number = guests.last;
        guests.strangers.push_back(number);
        guests.streams.insert(number, Arc::clone(&stream));
        drop(guests);

        let guest = Guest {
            inner: Arc::clone(self),
            number,
            session: None,
        };
        // Without a thread the closure is dropped, and the guest with it.
        let _ = thread::Builder::new()
            .name("brigade-client".into())
            .stack_size(STACK)
            .spawn(move || {
                let mut guest = guest;
                let inner = Arc::clone(&guest.inner);
                converse(&inner.house, &nonce, &mut Remote::new(stream), &mut guest);
            });
    }
}

/// One who is connected, on its own thread; is taken off the list when it goes.
struct Guest {
    inner: Arc<Inner>,
    number: u64,
    session: Option<Session>,
}

impl Door for Guest {
    fn enter(&mut self, session: Session) -> Option<Arc<Holdings>> {
        let mut guests = self.inner.guests();
        let place = guests
            .strangers
            .iter()
            .position(|number| *number == self.number);
        // If it is not among them, it was hung up on.
        guests.strangers.remove(place?);
        let known = guests.sessions.get(&session).and_then(Weak::upgrade);
        let holdings = known.unwrap_or_default();
        // Others may wait for what it holds.
        let factor = if holdings.is_empty() { 1 } else { 2 };
        let limit = self.inner.limits.connections.saturating_mul(factor);
        if guests.closing || guests.clients >= limit {
            return None;
        }
        guests.clients += 1;
        self.session = Some(session);
        guests.sessions.insert(session, Arc::downgrade(&holdings));
        Some(holdings)
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut guests = self.inner.guests();
        guests.streams.remove(&self.number);
        guests.strangers.retain(|number| *number != self.number);
        if let Some(session) = &self.session {
            guests.clients -= 1;
            let gone = guests
                .sessions
                .get(session)
                .is_some_and(|known| known.strong_count() == 0);
            if gone {
                guests.sessions.remove(session);
            }
        }
    }
}
