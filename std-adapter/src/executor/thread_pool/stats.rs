//! [`Stats`]: what a pool has done so far, and is doing.
//!
//! Each worker counts for itself, on a cache line of its own, with plain loads and stores; whoever
//! asks adds up. What workers counted that have ended is kept in one more count.

#![forbid(unsafe_code)]

use std::sync::atomic::{
    AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Figures of a [`ThreadPool`](super::ThreadPool), taken while it works: each is right by itself, or
/// was a moment ago.
///
/// Counts of tasks are of the width of a pointer; on targets of 32 bits they wrap around.
///
/// # Example
///
/// ```
/// let pool = brigade::ThreadPool::builder().threads(2).build()?;
/// for task in [pool.submit(|| 1)?, pool.submit(|| 2)?] {
///     task.result()?;
/// }
/// let stats = pool.stats();
/// assert_eq!((stats.workers, stats.done, stats.panicked), (2, 2, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Workers that have not ended.
    pub workers: usize,
    /// Workers that have nothing to do.
    pub idle: usize,
    /// Workers that wait for the pool itself.
    pub waiting: usize,
    /// Tasks in the queue, cancelled ones included.
    pub queued: usize,
    /// Tasks that are being run.
    pub running: usize,
    /// Tasks that came to a result. Scoped tasks and runs of [`submit_every`] count here also if they
    /// panic; of a map, its chunks are counted, whatever came of their items.
    ///
    /// [`submit_every`]: super::ThreadPool::submit_every
    pub done: usize,
    /// Other tasks that panicked.
    pub panicked: usize,
    /// Tasks whose turn came and that were not there to be run any more: cancelled, or run by the
    /// thread that waited for their scope.
    pub skipped: usize,
    /// Workers that could not be started, or whose initializer panicked.
    pub failed_starts: usize,
    /// How long tasks waited in the queue; zero unless the pool
    /// [measures time](super::Builder::measure_time).
    pub waited: Times,
    /// How long they ran; zero unless the pool measures time.
    pub ran: Times,
}

/// Durations of tasks, of those that have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Times {
    /// How many.
    pub count: u32,
    /// All together.
    pub total: Duration,
    /// The longest.
    pub max: Duration,
}

impl Times {
    /// The average; zero if there are none.
    #[must_use]
    pub fn mean(&self) -> Duration {
        self.total.checked_div(self.count).unwrap_or_default()
    }

    fn add(&mut self, one: Duration) {
        self.merge(&Self {
            count: 1,
            total: one,
            max: one,
        });
    }

    fn merge(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        self.total = self.total.saturating_add(other.total);
        self.max = self.max.max(other.max);
    }
}

/// What one worker counts. Only that worker changes it.
#[derive(Default)]
pub(in crate::executor) struct Tally {
    begun: AtomicUsize,
    done: AtomicUsize,
    panicked: AtomicUsize,
    skipped: AtomicUsize,
    /// How long tasks waited and ran. Used only if the pool measures time; then the worker takes
    /// the lock, which is nearly always free, once for each task.
    times: Mutex<(Times, Times)>,
}

impl Tally {
    /// A task is about to be run.
    #[inline]
    pub(in crate::executor) fn begin(&self) {
        count(&self.begun);
    }

    /// It has been run, and its owner does not know it yet.
    #[inline]
    pub(in crate::executor) fn end(&self, panicked: bool) {
        count(if panicked { &self.panicked } else { &self.done });
    }

    /// It was not there to be run any more.
    pub(in crate::executor) fn skip(&self) {
        count(&self.skipped);
    }

    /// How long a task waited and ran.
    pub(in crate::executor) fn time(&self, waited: Duration, ran: Duration) {
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        times.0.add(waited);
        times.1.add(ran);
    }

    /// Adds what was counted so far to `stats`.
    pub(super) fn report(&self, stats: &mut Stats) {
        // ORDERING: Acquire pairs with `count`: the ends are read first, so that each comes with its
        // beginning.
        let (done, panicked) = (self.done.load(Acquire), self.panicked.load(Acquire));
        // ORDERING: as just said.
        let begun = self.begun.load(Acquire);
        stats.running += begun.wrapping_sub(done.wrapping_add(panicked));
        stats.done = stats.done.wrapping_add(done);
        stats.panicked = stats.panicked.wrapping_add(panicked);
        // ORDERING: Relaxed: a number that stands for itself.
        stats.skipped = stats.skipped.wrapping_add(self.skipped.load(Relaxed));
        let times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        stats.waited.merge(&times.0);
        stats.ran.merge(&times.1);
    }
}

/// One more. Only one thread counts, so that no update is needed.
#[inline]
fn count(counter: &AtomicUsize) {
    // ORDERING: the load is Relaxed as the count is our own; the store's Release pairs with `report`.
    let now = counter.load(Relaxed).wrapping_add(1);
    counter.store(now, Release);
}
