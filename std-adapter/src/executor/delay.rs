//! What is to happen later: one thread that sleeps until the next of it is due.
//!
//! ```text
//!     at(due, action) --> [ heap, the earliest on top ] --> due? --> action
//! ```
//!
//! The thread, `brigade-delay`, is the process's own and serves all pools. It is started when there
//! is something to wait for, sleeps until that is due, and ends when there has been nothing for a
//! while. It runs no closures of users: actions hand them to workers.

#![forbid(unsafe_code)]

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::work::contain;

/// How long the thread stays with nothing to wait for.
const LINGER: Duration = Duration::from_secs(5);

/// When an action that could not be done is tried again.
const AGAIN: Duration = Duration::from_millis(1);

/// Something to do at a time. Dropped if it is not to be done any more.
pub(super) trait Action: Send {
    /// Does it, without blocking; or returns what is to be tried again a moment later.
    fn act(self: Box<Self>) -> Option<Box<dyn Action>>;
}

struct Entry {
    due: Instant,
    /// Of those due at the same time the first that came is the first to be done.
    number: u64,
    owner: usize,
    action: Box<dyn Action>,
}

struct Delays {
    heap: BinaryHeap<Entry>,
    last: u64,
    /// Whether there is a thread.
    served: bool,
}

static DELAYS: Mutex<Delays> = Mutex::new(Delays {
    heap: BinaryHeap::new(),
    last: 0,
    served: false,
});

/// Signalled when the earliest has changed.
static CHANGED: Condvar = Condvar::new();

fn delays() -> MutexGuard<'static, Delays> {
    // No code of the user's runs under the lock, so no panic leaves anything half done.
    DELAYS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Has the action done at `due`, on behalf of `owner`, which is any number.
///
/// # Panics
///
/// If the system cannot start the thread.
pub(super) fn at(due: Instant, owner: usize, action: Box<dyn Action>) {
    let mut delays = delays();
    if !delays.served {
        // The thread waits for the lock.
        let thread = thread::Builder::new().name("brigade-delay".into());
        thread.spawn(serve).expect("a thread for delays");
        delays.served = true;
    }
    delays.last += 1;
    let number = delays.last;
    let is_first = delays.heap.peek().is_none_or(|first| due < first.due);
    delays.heap.push(Entry {
        due,
        number,
        owner,
        action,
    });
    drop(delays);
    if is_first {
        CHANGED.notify_one();
    }
}

/// Drops all actions of this owner's. One that is being done at the moment may come back once.
pub(super) fn forget(owner: usize) {
    let mut delays = delays();
    let all = std::mem::take(&mut delays.heap).into_vec();
    let (dropped, kept): (Vec<_>, Vec<_>) = all.into_iter().partition(|entry| entry.owner == owner);
    delays.heap = kept.into();
    drop(delays);
    for entry in dropped {
        contain(|| drop(entry));
    }
}

/// What the thread does.
fn serve() {
    let mut delays = delays();
    loop {
        let now = Instant::now();
        let wait = match delays.heap.peek() {
            Some(first) => first.due.saturating_duration_since(now),
            None => LINGER,
        };
        if wait > Duration::ZERO {
            let waited = CHANGED.wait_timeout(delays, wait);
            let (guard, result) = waited.unwrap_or_else(PoisonError::into_inner);
            delays = guard;
            if result.timed_out() && delays.heap.is_empty() {
                delays.served = false;
                return;
            }
        } else if let Some(Entry { owner, action, .. }) = delays.heap.pop() {
            drop(delays);
            contain(|| {
                if let Some(action) = action.act() {
                    at(now + AGAIN, owner, action);
                }
            });
            delays = self::delays();
        }
    }
}

/// The earliest is the greatest, as the heap has the greatest on top.
impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.due, other.number).cmp(&(self.due, self.number))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}
