//! [`ProcessPoolStats`]: what a pool has done so far, and is doing.

#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::executor::remote::Answer;
use crate::executor::task::TaskError;

/// Figures of a [`ProcessPool`](super::ProcessPool), taken while it works: each is right by itself, or
/// was a moment ago.
///
/// # Example
///
/// ```
/// let pool = brigade::ProcessPool::builder().workers(1).build()?;
/// pool.submit(|| 1)?.result()?;
/// let stats = pool.stats();
/// assert_eq!((stats.done, stats.panicked, stats.lost), (1, 0, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ProcessPoolStats {
    /// Worker processes that have not ended.
    pub workers: usize,
    /// Tasks that have been submitted and have not come to an end.
    pub outstanding: usize,
    /// Those of them that a worker has begun.
    pub running: usize,
    /// Tasks that came to a result.
    pub done: usize,
    /// Tasks that panicked.
    pub panicked: usize,
    /// Tasks whose argument or result could not travel.
    pub untransferred: usize,
    /// Tasks that ended with the loss of their worker.
    pub lost: usize,
    /// Tasks that took too long.
    pub late: usize,
    /// How often a task was run again because its worker was lost.
    pub retried: usize,
    /// Tasks that their owners have cancelled.
    pub cancelled: usize,
    /// Worker processes that were started, in all.
    pub started: usize,
    /// Worker processes that could not be started, or whose initializer failed.
    pub failed_starts: usize,
}

#[derive(Default)]
pub(super) struct Counts {
    done: AtomicUsize,
    panicked: AtomicUsize,
    untransferred: AtomicUsize,
    lost: AtomicUsize,
    late: AtomicUsize,
    retried: AtomicUsize,
    cancelled: AtomicUsize,
    started: AtomicUsize,
    failed_starts: AtomicUsize,
}

fn count(counter: &AtomicUsize) {
    // ORDERING: Relaxed: numbers that stand for themselves.
    counter.fetch_add(1, Relaxed);
}

impl Counts {
    /// A worker has answered.
    pub(super) fn finished(&self, answer: &Answer<'_>) {
        count(match answer {
            Answer::Value(_) => &self.done,
            Answer::Error(TaskError::Panicked(_)) => &self.panicked,
            Answer::Error(_) => &self.untransferred,
        });
    }

    pub(super) fn lost(&self) {
        count(&self.lost);
    }

    pub(super) fn late(&self) {
        count(&self.late);
    }

    pub(super) fn retried(&self) {
        count(&self.retried);
    }

    pub(super) fn cancelled(&self) {
        count(&self.cancelled);
    }

    pub(super) fn started(&self) {
        count(&self.started);
    }

    pub(super) fn failed_start(&self) {
        count(&self.failed_starts);
    }

    pub(super) fn report(&self) -> ProcessPoolStats {
        // ORDERING: Relaxed: as in `count`.
        let load = |counter: &AtomicUsize| counter.load(Relaxed);
        ProcessPoolStats {
            done: load(&self.done),
            panicked: load(&self.panicked),
            untransferred: load(&self.untransferred),
            lost: load(&self.lost),
            late: load(&self.late),
            retried: load(&self.retried),
            cancelled: load(&self.cancelled),
            started: load(&self.started),
            failed_starts: load(&self.failed_starts),
            ..ProcessPoolStats::default()
        }
    }
}
