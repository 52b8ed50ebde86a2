//! [`Cancelled`]: a closure that the pool will not run.

#![forbid(unsafe_code)]

use std::fmt;

use super::outsider::Outsider;
use crate::executor::work::Job;

/// A queued closure handed back by an immediate [shutdown](super::ThreadPool::shutdown).
///
/// Its task waits for what becomes of it: [run](Self::run) it, and the task gets the result; drop
/// it, and the task ends as [`TaskError::Cancelled`](crate::TaskError::Cancelled).
///
/// # Example
///
/// ```
/// use brigade::{Event, Shutdown, ThreadPool};
///
/// static GO: Event = Event::new();
///
/// let pool = ThreadPool::builder().threads(1).build()?;
/// let running = pool.submit(|| GO.wait())?;
/// let queued = pool.submit(|| 1)?;
/// let cancelled = pool.shutdown(Shutdown::Immediate);
/// GO.set();
/// // The pool will not do it; so do it here.
/// for task in cancelled {
///     task.run();
/// }
/// assert_eq!(queued.result()?, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "dropping it cancels the task"]
pub struct Cancelled {
    // In this order: it is in somebody's hands until it has been dropped.
    job: Job,
    outsider: Outsider,
}

impl Cancelled {
    pub(super) fn new(job: Job, outsider: Outsider) -> Self {
        Self { job, outsider }
    }

    /// Runs the closure on this thread after all, and gives its task the result.
    ///
    /// A panic of the closure goes to the task. Does nothing if the task was
    /// [cancelled](crate::Task::cancel) in the meantime.
    pub fn run(self) {
        let Self { job, outsider } = self;
        outsider.run(job);
    }
}

impl fmt::Debug for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cancelled").finish_non_exhaustive()
    }
}
