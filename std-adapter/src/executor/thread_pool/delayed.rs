//! Submitting for later: [`ThreadPool::submit_after`].

#![forbid(unsafe_code)]

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use brigade_core::TryPutError;

use super::worker::Shared;
use super::{SubmitError, ThreadPool};
use crate::executor::delay::{self, Action};
use crate::executor::task::Task;
use crate::executor::work::{self, Job};

/// What stands for a time that the clock does not reach.
const AGES: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

impl ThreadPool {
    /// Queues a closure when `delay` has passed, to be run by the next free worker.
    ///
    /// What Python calls `threading.Timer`, on a pool. Never blocks. The time is kept by one thread
    /// of the process, `brigade-delay`, which sleeps until something is due, and ends a few seconds
    /// after the last. Should a bounded queue be full then, the closure is offered again every
    /// millisecond.
    ///
    /// The task can be waited for, cancelled and awaited as any other. It ends as
    /// [`Cancelled`](crate::TaskError::Cancelled) when the pool is shut down, in whatever way, or
    /// dropped before the closure is due: what is not due yet is not drained.
    ///
    /// A delay that is too long for the clock is thirty years.
    ///
    /// # Errors
    ///
    /// Gives the closure back if the pool is shut down.
    ///
    /// # Panics
    ///
    /// If the system cannot start the thread that keeps the time.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// let pool = brigade::ThreadPool::new()?;
    /// let begun = Instant::now();
    /// let task = pool.submit_after(Duration::from_millis(5), Instant::now)?;
    /// assert!(task.result()? - begun >= Duration::from_millis(5));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn submit_after<F, T>(&self, delay: Duration, closure: F) -> Result<Task<T>, SubmitError<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        if self.shared.is_shut_down() {
            return Err(SubmitError::ShutDown(closure));
        }
        let (job, fresh) = work::new(closure);
        self.shared
            .at(after(Instant::now(), delay), Offer::new(&self.shared, job));
        Ok(self.task(fresh))
    }
}

/// The time so much later.
pub(super) fn after(time: Instant, delay: Duration) -> Instant {
    time.checked_add(delay).unwrap_or_else(|| time + AGES)
}

impl Shared {
    /// Has an action done later, unless the pool is shut down first.
    pub(super) fn at(self: &Arc<Self>, due: Instant, action: impl Action + 'static) {
        delay::at(due, self.as_owner(), Box::new(action));
        // It may have been shut down before it knew of this.
        if self.is_shut_down() {
            self.forget_delayed();
        }
    }

    /// The pool is shut down: drops what is not due yet.
    pub(super) fn forget_delayed(self: &Arc<Self>) {
        delay::forget(self.as_owner());
    }

    fn as_owner(self: &Arc<Self>) -> usize {
        Arc::as_ptr(self).addr()
    }

    pub(super) fn is_shut_down(&self) -> bool {
        self.jobs.is_shut_down()
    }
}

/// Puts a job into the queue.
pub(super) struct Offer {
    pool: Weak<Shared>,
    job: Job,
}

impl Offer {
    pub(super) fn new(pool: &Arc<Shared>, job: Job) -> Self {
        Self {
            pool: Arc::downgrade(pool),
            job,
        }
    }
}

impl Action for Offer {
    fn act(self: Box<Self>) -> Option<Box<dyn Action>> {
        let Self { pool, job } = *self;
        let shared = pool.upgrade()?;
        match shared.jobs.try_put(shared.entry(job)) {
            Ok(()) => {
                shared.queued();
                None
            }
            Err(TryPutError::ShutDown(_)) => None,
            Err(TryPutError::Full(entry)) => {
                let job = entry.into_job()?;
                Some(Box::new(Self { pool, job }))
            }
        }
    }
}
