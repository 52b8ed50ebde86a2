//! [`Roster`]: the workers of a pool, and which of them wait for the pool itself.
//!
//! All of it is under one lock, which is taken when a worker begins, ends, or waits for its own pool:
//! seldom, and neither to submit nor to run a task. No code of users' runs under it.

use std::ptr::NonNull;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use crossbeam_utils::CachePadded;

use super::staffing::{Idle, Limits};
use super::stats::{Stats, Tally};
use crate::JoinCounter;
use crate::executor::self_wait::{PoolId, Probe};

/// See the [module](self).
pub(in crate::executor) struct Roster {
    pool: PoolId,
    pub(super) idle: Idle,
    /// The workers whose threads are not through yet.
    pub(super) running: JoinCounter,
    /// Whether there are more workers than may be, for a quick look.
    surplus: AtomicBool,
    state: Mutex<State>,
}

struct State {
    limits: Limits,
    /// The workers' counts, by their numbers; numbers are used again.
    tallies: Vec<Option<Arc<CachePadded<Tally>>>>,
    /// What others have counted, and workers that have ended.
    former: Stats,
    /// Threads that run a task of the pool without being workers.
    helpers: usize,
    /// The workers and helpers that wait for the pool.
    waiting: Vec<Waiting>,
    /// Others who have tasks of the pool in hand, to run or to drop.
    outsiders: usize,
}

/// A worker to be: its number, and where it counts.
pub(in crate::executor) struct Hired {
    pub(super) number: usize,
    pub(super) tally: Arc<CachePadded<Tally>>,
}

/// What the wait of a worker for its own pool has come to.
pub(in crate::executor) enum Verdict {
    /// Somebody else works, or will.
    Wait,
    /// Another worker is to be started.
    Start(Hired),
    /// All of the pool is at a standstill.
    Stuck,
}

/// What a thread that runs a task of the pool is to it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::executor) enum Part {
    Works,
    Helps,
}

/// Somebody who waits.
struct Waiting {
    thread: ThreadId,
    part: Part,
    /// Whether its wait is over.
    probe: NonNull<dyn Probe>,
}

// SAFETY: probes are `Sync`, and the pointer is used as a shared reference only.
unsafe impl Send for Waiting {}

impl Roster {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            pool: PoolId::new(),
            idle: Idle::new(),
            running: JoinCounter::new(),
            surplus: AtomicBool::new(false),
            state: Mutex::new(State {
                limits,
                tallies: Vec::new(),
                former: Stats::default(),
                helpers: 0,
                waiting: Vec::new(),
                outsiders: 0,
            }),
        }
    }

    pub(in crate::executor) fn pool(&self) -> PoolId {
        self.pool
    }

    pub(super) fn max(&self) -> usize {
        self.lock().limits.max
    }

    /// One of the workers that a pool has from the beginning.
    pub(super) fn first(&self) -> Option<Hired> {
        let mut state = self.lock();
        state.limits.begin_start();
        self.enrol(&mut state)
    }

    /// Another worker, if there may be one and, under the lock, it is wanted.
    pub(super) fn hire(&self, wanted: impl FnOnce(&Idle) -> bool) -> Option<Hired> {
        let mut state = self.lock();
        if wanted(&self.idle) && state.limits.hire() {
            return self.enrol(&mut state);
        }
        None
    }

    /// Gives a number to a worker that is counted already; `None` if there are too many threads.
    fn enrol(&self, state: &mut State) -> Option<Hired> {
        // Under the lock: while there is a worker, its thread is not through, so whoever joins the
        // pool waits for this one as well.
        if self.running.add(1).is_err() {
            state.limits.fail_start();
            return None;
        }
        let tally = Arc::new(CachePadded::new(Tally::default()));
        let vacant = state.tallies.iter().position(Option::is_none);
        let number = vacant.unwrap_or(state.tallies.len());
        if vacant.is_none() {
            state.tallies.push(None);
        }
        state.tallies[number] = Some(Arc::clone(&tally));
        Some(Hired { number, tally })
    }

    /// A worker has been started and initialized.
    pub(super) fn ready(&self) {
        let mut state = self.lock();
        state.limits.end_start();
        // If it is one too many, it is now that one can go.
        self.review(&state);
    }

    /// A worker ends, because the pool does.
    pub(super) fn end(&self, number: usize) {
        let mut state = self.lock();
        state.limits.workers -= 1;
        state.forget(number);
    }

    /// A worker could not be started, or not initialized: there will be no more.
    pub(super) fn fail(&self, number: usize) {
        let mut state = self.lock();
        state.limits.fail_start();
        state.former.failed_starts += 1;
        state.forget(number);
    }

    /// Whether a worker that has been idle for long ends now.
    pub(super) fn retire(&self, number: usize, queue_is_empty: impl FnOnce() -> bool) -> bool {
        let mut state = self.lock();
        let ends = state.limits.retire(queue_is_empty);
        if ends {
            state.forget(number);
        }
        ends
    }

    /// Whether there are more workers than may be, at a glance.
    #[inline]
    pub(super) fn has_surplus(&self) -> bool {
        // ORDERING: Relaxed: the lock decides. Whoever is woken to look has got the nudge from the
        // queue, and sees what was stored before.
        self.surplus.load(Relaxed)
    }

    /// Whether the calling worker ends now, because it is one too many.
    pub(super) fn dismiss(&self, number: usize) -> bool {
        let mut state = self.lock();
        let ends = state.limits.dismiss();
        if ends {
            state.forget(number);
        }
        self.review(&state);
        ends
    }

    /// Sets how many workers there are to be, at least and at most.
    pub(super) fn resize(&self, change: impl FnOnce(&mut Limits)) {
        let mut state = self.lock();
        change(&mut state.limits);
        state.limits.barren = false;
        self.review(&state);
    }

    fn review(&self, state: &State) {
        // ORDERING: Relaxed, see `has_surplus`.
        self.surplus.store(state.limits.has_surplus(), Relaxed);
    }

    /// How long the calling worker may be idle; `None` if it is needed in any case.
    pub(super) fn patience(&self, keep_alive: Duration) -> Option<Duration> {
        let state = self.lock();
        (state.limits.workers > state.limits.min).then_some(keep_alive)
    }

    /// Counts on behalf of somebody who is no worker.
    pub(super) fn counted_outside<R>(&self, work: impl FnOnce(&Tally) -> R) -> R {
        let tally = Tally::default();
        let result = work(&tally);
        tally.report(&mut self.lock().former);
        result
    }

    pub(super) fn stats(&self, queued: usize) -> Stats {
        let now = self.lock();
        let mut stats = now.former;
        stats.workers = now.limits.workers;
        stats.idle = self.idle.count();
        stats.waiting = now.limits.waiting;
        stats.queued = queued;
        for tally in now.tallies.iter().flatten() {
            tally.report(&mut stats);
        }
        stats
    }

    /// Does `work` with the calling worker or helper on the list of those that wait until `probe` is
    /// over. `work` may ask what comes of that, and how many jobs are queued then. If the pool is
    /// stuck, the calling thread counts as one that does not wait from then on, and must not.
    pub(in crate::executor) fn while_waiting<R>(
        &self,
        part: Part,
        probe: &dyn Probe,
        work: impl FnOnce(&dyn Fn(&dyn Fn() -> usize) -> Verdict) -> R,
    ) -> R {
        /// Strikes the thread off the list, also if `work` panics.
        struct Entry<'a> {
            roster: &'a Roster,
            thread: ThreadId,
        }

        impl Drop for Entry<'_> {
            fn drop(&mut self) {
                let mut state = self.roster.lock();
                state.strike_off(self.thread);
                self.roster.review(&state);
            }
        }

        let thread = thread::current().id();
        let probe = erase(probe);
        {
            let mut state = self.lock();
            state.waiting.push(Waiting {
                thread,
                part,
                probe,
            });
            state.count_waiting();
        }
        let entry = Entry {
            roster: self,
            thread,
        };
        work(&|queued| {
            let mut state = entry.roster.lock();
            let stuck = state.stands_still();
            if (stuck || queued() > self.idle.count()) && state.limits.hire() {
                if let Some(hired) = self.enrol(&mut state) {
                    return Verdict::Start(hired);
                }
            }
            if stuck {
                // Under the same lock: of two that ask at a time, one is enough to go on.
                state.strike_off(thread);
                return Verdict::Stuck;
            }
            Verdict::Wait
        })
    }

    /// Somebody who is no worker is going to have tasks in hand.
    pub(super) fn outsider_comes(&self) {
        self.lock().outsiders += 1;
    }

    pub(super) fn outsider_goes(&self) {
        self.lock().outsiders -= 1;
    }

    /// A thread that is no worker is going to run a task.
    pub(in crate::executor) fn helper_comes(&self) {
        self.lock().helpers += 1;
    }

    pub(in crate::executor) fn helper_goes(&self) {
        self.lock().helpers -= 1;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether nothing that goes on in the pool can end any of the waits.
    fn stands_still(&self) -> bool {
        self.outsiders == 0
            && self.waiting.len() == self.limits.workers + self.helpers
            && !self.waiting.iter().any(Waiting::is_over)
    }

    fn strike_off(&mut self, thread: ThreadId) {
        self.waiting.retain(|waiting| waiting.thread != thread);
        self.count_waiting();
    }

    /// Helpers are not among those that spare workers stand in for.
    fn count_waiting(&mut self) {
        let workers = self.waiting.iter().filter(|one| one.part == Part::Works);
        self.limits.waiting = workers.count();
    }

    /// A worker has ended: keeps what it has counted.
    fn forget(&mut self, number: usize) {
        if let Some(tally) = self.tallies[number].take() {
            tally.report(&mut self.former);
        }
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
