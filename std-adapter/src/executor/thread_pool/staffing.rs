//! When a pool needs another worker, and when it has one too many: the decisions, without the threads.
//!
//! ```text
//!     submit:  put a job       ->  more queued than idle workers?  -- yes --> start one
//!     worker:  no job: rest    ->  sleep in the queue  ->  resume: more queued than idle? -- yes --+
//!                                                                                                  |
//!                                          start one <---------------------------------------------+
//! ```
//!
//! Whoever submits relies on the idle workers to take what is queued. A worker that stops being idle
//! lets down those who counted on it for a second job; so it does their looking again. Of the two, one
//! at least sees what the other did, as both go through the same word ([`Idle`]) after they have
//! changed the queue and before they look at it.
//!
//! How many workers there may be is under a lock of the pool's ([`Limits`]). An idle worker ends only
//! if it finds the queue empty under that lock, and a worker is started under it: so a job that comes
//! when the last idle worker is about to end is either seen by that worker, or finds room for another.
//! And it ends only if one stays that is through with its start: a start that is on may fail.

use brigade_core::sync::{
    AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
};

/// How many workers have nothing to do.
pub(crate) struct Idle(AtomicU32);

impl Idle {
    pub(crate) fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    /// A worker has found no job, and is going to wait for one.
    pub(crate) fn rest(&self) {
        // ORDERING: Relaxed: a submitter that sees this count relies on the worker's `get`, which comes
        // after, and looks into the queue by itself.
        self.0.fetch_add(1, Relaxed);
    }

    /// A worker waits no longer, with a job or without; whether more are queued than the idle ones
    /// will take.
    pub(crate) fn resume(&self, queued: impl FnOnce() -> usize) -> bool {
        // ORDERING: Acquire pairs with `too_few`: if a submitter has counted on us, we see what it has
        // queued.
        let idle = self.0.fetch_sub(1, Acquire).wrapping_sub(1);
        queued() > idle as usize
    }

    /// For whoever has queued a job: whether more are queued than the idle ones will take.
    pub(crate) fn too_few(&self, queued: impl FnOnce() -> usize) -> bool {
        // ORDERING: the Release pairs with `resume`, hence an update instead of a load.
        let idle = self.0.fetch_add(0, Release);
        queued() > idle as usize
    }

    /// About how many they are.
    pub(crate) fn count(&self) -> usize {
        // ORDERING: Relaxed: a number to look at.
        self.0.load(Relaxed) as usize
    }
}

/// How many workers there are, and may be. Under a lock.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    /// Those that have not ended; also those that are being started.
    pub(crate) workers: usize,
    /// Those of them that are being started, which may come to nothing.
    pub(crate) starting: usize,
    /// Those of them that wait for the pool itself.
    pub(crate) waiting: usize,
    /// So many are kept although they are idle.
    pub(crate) min: usize,
    /// So many may work at a time.
    pub(crate) max: usize,
    /// So many more may be there while as many wait.
    pub(crate) spares: usize,
    /// No more can be started: the last one failed to.
    pub(crate) barren: bool,
}

impl Limits {
    fn allowed(&self) -> usize {
        self.max.saturating_add(self.waiting.min(self.spares))
    }

    /// Counts another worker in, if there may be one. A pool without any is over, and stays so.
    pub(crate) fn hire(&mut self) -> bool {
        let may = self.workers > 0 && self.workers < self.allowed() && !self.barren;
        if may {
            self.begin_start();
        }
        may
    }

    /// Counts in a worker that is being started.
    pub(crate) fn begin_start(&mut self) {
        self.workers += 1;
        self.starting += 1;
    }

    /// It can take jobs now.
    pub(crate) fn end_start(&mut self) {
        self.starting -= 1;
    }

    /// It could not be started, and is counted out again.
    pub(crate) fn fail_start(&mut self) {
        self.starting -= 1;
        self.workers -= 1;
        self.barren = true;
    }

    /// Whether another one stays for the jobs to come if a worker ends.
    fn can_spare_one(&self) -> bool {
        self.workers > self.starting + self.waiting + 1
    }

    /// Whether there are more than may be. (If all others wait or are being started, one has to
    /// stay.)
    pub(crate) fn has_surplus(&self) -> bool {
        self.workers > self.allowed() && self.can_spare_one()
    }

    /// Counts out a worker that has been idle for long, if nothing speaks against it.
    pub(crate) fn retire(&mut self, queue_is_empty: impl FnOnce() -> bool) -> bool {
        let may = self.workers > self.min && self.can_spare_one() && queue_is_empty();
        if may {
            self.workers -= 1;
        }
        may
    }

    /// Counts a worker out if it is one too many.
    pub(crate) fn dismiss(&mut self) -> bool {
        let may = self.has_surplus();
        if may {
            self.workers -= 1;
        }
        may
    }
}
