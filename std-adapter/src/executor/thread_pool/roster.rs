//! [`Roster`]: the workers of a pool, and which of them wait for the pool itself.
//!
//! All of it is under one lock, which is taken when a worker begins, ends, or waits for its own pool:
//! seldom, and never to submit or to run a task.

use std::ptr::NonNull;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use crate::executor::self_wait::{PoolId, Probe};

/// See the [module](self).
pub(in crate::executor) struct Roster {
    pool: PoolId,
    state: Mutex<State>,
}

struct State {
    /// Those that have not ended.
    workers: usize,
    /// Those of them that wait for the pool.
    waiting: Vec<Waiting>,
    /// Others who have tasks of the pool in hand, to run or to drop.
    outsiders: usize,
}

/// A worker that waits.
struct Waiting {
    worker: ThreadId,
    /// Whether its wait is over.
    probe: NonNull<dyn Probe>,
}

// SAFETY: probes are `Sync`, and the pointer is used as a shared reference only.
unsafe impl Send for Waiting {}

impl Roster {
    pub(super) fn new() -> Self {
        Self {
            pool: PoolId::new(),
            state: Mutex::new(State {
                workers: 0,
                waiting: Vec::new(),
                outsiders: 0,
            }),
        }
    }

    pub(in crate::executor) fn pool(&self) -> PoolId {
        self.pool
    }

    pub(super) fn begin(&self) {
        self.lock().workers += 1;
    }

    pub(super) fn end(&self) {
        self.lock().workers -= 1;
    }

    /// Does `work` with the calling worker on the list of those that wait until `probe` is over.
    /// `work` may ask whether all workers are at a standstill; if they are, it must return, and
    /// the calling worker counts as one that does not wait from then on.
    pub(in crate::executor) fn while_waiting<R>(
        &self,
        probe: &dyn Probe,
        work: impl FnOnce(&dyn Fn() -> bool) -> R,
    ) -> R {
        /// Strikes the worker off the list, also if `work` panics.
        struct Entry<'a> {
            roster: &'a Roster,
            worker: ThreadId,
        }

        impl Drop for Entry<'_> {
            fn drop(&mut self) {
                self.roster.lock().strike_off(self.worker);
            }
        }

        let worker = thread::current().id();
        let probe = erase(probe);
        self.lock().waiting.push(Waiting { worker, probe });
        let entry = Entry {
            roster: self,
            worker,
        };
        work(&|| {
            let mut state = entry.roster.lock();
            let stuck = state.stands_still();
            if stuck {
                // Under the same lock: of two that ask at a time, one is enough to go on.
                state.strike_off(worker);
            }
            stuck
        })
    }

    /// Notes that somebody who is no worker has tasks in hand.
    pub(super) fn outsider(self: &Arc<Self>) -> Outsider {
        self.lock().outsiders += 1;
        Outsider(Arc::clone(self))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether nothing that goes on in the pool can end any of the waits.
    fn stands_still(&self) -> bool {
        self.outsiders == 0
            && self.waiting.len() == self.workers
            && !self.waiting.iter().any(Waiting::is_over)
    }

    fn strike_off(&mut self, worker: ThreadId) {
        self.waiting.retain(|waiting| waiting.worker != worker);
    }
}

impl Waiting {
    fn is_over(&self) -> bool {
        // SAFETY: whoever borrows the probe is in `while_waiting`, which strikes it off under the
        // lock before it returns; and the lock is held here.
        unsafe { self.probe.as_ref() }.is_over()
    }
}

/// A pointer that does not tell how long it is good for.
fn erase(probe: &dyn Probe) -> NonNull<dyn Probe> {
    let probe: NonNull<dyn Probe + '_> = NonNull::from(probe);
    // SAFETY: the types differ in a lifetime alone.
    unsafe { std::mem::transmute::<NonNull<dyn Probe + '_>, NonNull<dyn Probe + 'static>>(probe) }
}

/// Somebody who is no worker and has tasks of the pool in hand, or is about to.
pub(super) struct Outsider(Arc<Roster>);

impl Clone for Outsider {
    fn clone(&self) -> Self {
        self.0.outsider()
    }
}

impl Drop for Outsider {
    fn drop(&mut self) {
        self.0.lock().outsiders -= 1;
    }
}
