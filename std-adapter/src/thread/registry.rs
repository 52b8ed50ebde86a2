//! The list of all threads that brigade has started and that have not ended.
//!
//! ```text
//!     announce --> listed ------ begin ------ the thread's work ------ drop --> not listed
//!     (spawner)    (counts for exit)  (has ids, is enumerated)     (wakes who waits for it)
//! ```
//!
//! A lock around a map: it is taken three times in the life of a thread, which costs a hundred times
//! as much to start. No code of the user's runs under it.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Instant;

use crate::sys::thread_id;

/// A thread as [`enumerate`](super::enumerate) saw it.
#[derive(Clone, PartialEq, Eq)]
pub struct Info {
    name: Arc<str>,
    id: ThreadId,
    os_id: Option<u32>,
    daemon: bool,
}

impl Info {
    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The standard library's number for it, which is never used again.
    #[must_use]
    pub fn id(&self) -> ThreadId {
        self.id
    }

    /// The system's number for it, under which `top -H` and debuggers show it: on Linux and Android,
    /// once the thread has begun to run. Used again for other threads when it has ended.
    #[must_use]
    pub fn os_id(&self) -> Option<u32> {
        self.os_id
    }

    /// Whether the program may end while it runs: see [`join_at_exit`](super::join_at_exit).
    #[must_use]
    pub fn is_daemon(&self) -> bool {
        self.daemon
    }

    /// Whether it is still running, or in the middle of ending. Takes the registry's lock.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        lock().live.values().any(|entry| entry.id == Some(self.id))
    }
}

impl fmt::Debug for Info {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Info")
            .field("name", &self.name())
            .field("id", &self.id())
            .field("os_id", &self.os_id())
            .field("daemon", &self.is_daemon())
            .finish()
    }
}

struct Threads {
    last: u64,
    /// In the order in which they were started.
    live: BTreeMap<u64, Entry>,
}

struct Entry {
    name: Arc<str>,
    /// Not known before the thread is there.
    id: Option<ThreadId>,
    os_id: Option<u32>,
    daemon: bool,
}

impl Entry {
    fn info(&self) -> Option<Info> {
        Some(Info {
            name: Arc::clone(&self.name),
            id: self.id?,
            os_id: self.os_id,
            daemon: self.daemon,
        })
    }
}

static THREADS: Mutex<Threads> = Mutex::new(Threads {
    last: 0,
    live: BTreeMap::new(),
});

/// Notified when a thread is taken from the list.
static ENDED: Condvar = Condvar::new();

fn lock() -> MutexGuard<'static, Threads> {
    THREADS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A place in the list, until it is dropped.
pub(crate) struct Listed {
    number: u64,
    name: Arc<str>,
}

/// How a thread is called.
pub(super) enum Name {
    Given(String),
    /// With a number behind it.
    Numbered(&'static str),
}

impl Listed {
    /// Lists a thread that is about to be started.
    pub(super) fn announce(name: Name, daemon: bool) -> Self {
        let mut threads = lock();
        threads.last += 1;
        let number = threads.last;
        let name: Arc<str> = match name {
            Name::Given(name) => name.into(),
            Name::Numbered(kind) => format!("{kind}-{number}").into(),
        };
        let entry = Entry {
            name: Arc::clone(&name),
            id: None,
            os_id: None,
            daemon,
        };
        threads.live.insert(number, entry);
        Self { number, name }
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The thread is the calling one.
    pub(super) fn begin(&self) {
        let (id, os_id) = (thread::current().id(), thread_id::current());
        if let Some(entry) = lock().live.get_mut(&self.number) {
            entry.id = Some(id);
            entry.os_id = os_id;
        }
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        lock().live.remove(&self.number);
        ENDED.notify_all();
    }
}

/// Lists the calling thread, by its own name and as a daemon, until the answer is dropped: for those
/// that are not started by a [`Builder`](super::Builder) and that somebody else waits for.
#[must_use]
pub(crate) fn enter_as_daemon() -> Listed {
    let name = thread::current().name().unwrap_or_default().into();
    let listed = Listed::announce(Name::Given(name), true);
    listed.begin();
    listed
}

/// The thread with this number is there. It may have ended.
pub(super) fn started(number: u64, id: ThreadId) {
    if let Some(entry) = lock().live.get_mut(&number) {
        entry.id = Some(id);
    }
}

/// All threads that have been started and have not ended, in the order in which they were started.
pub(super) fn live() -> Vec<Info> {
    lock().live.values().filter_map(Entry::info).collect()
}

/// Those of them that are to be joined at exit.
pub(super) fn joined_at_exit() -> Vec<Info> {
    let mut threads = live();
    threads.retain(|thread| !thread.daemon);
    threads
}

/// Whether the calling thread is to be joined at exit.
pub(super) fn is_own_thread_joined_at_exit() -> bool {
    let here = Some(thread::current().id());
    lock()
        .live
        .values()
        .any(|entry| entry.id == here && !entry.daemon)
}

/// Waits until no thread is left that is to be joined at exit; `false` if the deadline passes first.
pub(super) fn wait_for_exit(deadline: Option<Instant>) -> bool {
    let mut threads = lock();
    while threads.live.values().any(|entry| !entry.daemon) {
        threads = match deadline {
            None => ENDED.wait(threads).unwrap_or_else(PoisonError::into_inner),
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    return false;
                }
                ENDED
                    .wait_timeout(threads, left)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0
            }
        };
    }
    true
}
