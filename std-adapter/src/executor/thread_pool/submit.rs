//! Submitting: how closures get into the queue, or back to whoever they came from.

#![forbid(unsafe_code)]

use std::time::{Duration, Instant};

use brigade_core::{PutError, PutTimeoutError, TryPutError};

use super::{SubmitError, SubmitTimeoutError, ThreadPool, TrySubmitError};
use crate::executor::self_wait;
use crate::executor::task::Task;
use crate::executor::work::{self, Fresh, Job};

impl ThreadPool {
    /// Queues a closure to be run by one of the workers.
    ///
    /// Blocks while a bounded queue is full.
    ///
    /// # Errors
    ///
    /// Gives the closure back if the pool is shut down, also while it waits; and in a task of the same
    /// pool if the queue is full and all workers would wait for the pool, so that nobody could make
    /// room.
    ///
    /// # Example
    ///
    /// ```
    /// use brigade::{Shutdown, SubmitError, ThreadPool};
    ///
    /// let pool = ThreadPool::new()?;
    /// let task = pool.submit(|| 1 + 1)?;
    /// assert_eq!(task.result()?, 2);
    ///
    /// pool.shutdown(Shutdown::Drain);
    /// let refused = pool.submit(|| 3).unwrap_err();
    /// assert!(matches!(refused, SubmitError::ShutDown(_)));
    /// assert_eq!(refused.into_inner()(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn submit<F, T>(&self, closure: F) -> Result<Task<T>, SubmitError<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (job, fresh) = work::new(closure);
        match self.put(job) {
            Ok(()) => Ok(self.task(fresh)),
            Err(SubmitError::ShutDown(job)) => Err(SubmitError::ShutDown(fresh.reclaim(job))),
            Err(SubmitError::WouldDeadlock(job)) => {
                Err(SubmitError::WouldDeadlock(fresh.reclaim(job)))
            }
        }
    }

    /// Queues a closure if there is room for it now. Never blocks.
    ///
    /// # Errors
    ///
    /// Gives the closure back if the queue is full or the pool is shut down.
    ///
    /// # Example
    ///
    /// ```
    /// use brigade::{Event, ThreadPool, TrySubmitError};
    ///
    /// static GO: Event = Event::new();
    ///
    /// let pool = ThreadPool::builder().threads(1).queue_bound(1).build()?;
    /// let blocker = pool.submit(|| GO.wait())?;
    /// // One task runs, one waits; the third or fourth finds no room.
    /// let full = (0..3).find_map(|n| pool.try_submit(move || n).err());
    /// assert!(matches!(full, Some(TrySubmitError::Full(_))));
    /// GO.set();
    /// blocker.result()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn try_submit<F, T>(&self, closure: F) -> Result<Task<T>, TrySubmitError<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (job, fresh) = work::new(closure);
        match self.shared.queue.try_put(job) {
            Ok(()) => Ok(self.task(fresh)),
            Err(TryPutError::Full(job)) => Err(TrySubmitError::Full(fresh.reclaim(job))),
            Err(TryPutError::ShutDown(job)) => Err(TrySubmitError::ShutDown(fresh.reclaim(job))),
        }
    }

    /// Queues a closure, waiting for room for `timeout` at most.
    ///
    /// # Errors
    ///
    /// Gives the closure back if the queue is still full then, or the pool is shut down.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let pool = brigade::ThreadPool::builder().queue_bound(1).build()?;
    /// let task = pool.submit_timeout(|| 1, Duration::from_secs(1))?;
    /// assert_eq!(task.result()?, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn submit_timeout<F, T>(
        &self,
        closure: F,
        timeout: Duration,
    ) -> Result<Task<T>, SubmitTimeoutError<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let Some(deadline) = Instant::now().checked_add(timeout) else {
            return self.submit(closure).map_err(|error| match error {
                SubmitError::ShutDown(closure) => SubmitTimeoutError::ShutDown(closure),
                SubmitError::WouldDeadlock(closure) => SubmitTimeoutError::WouldDeadlock(closure),
            });
        };
        let (job, fresh) = work::new(closure);
        match self.shared.queue.put_deadline(job, deadline) {
            Ok(()) => Ok(self.task(fresh)),
            Err(PutTimeoutError::Timeout(job)) => {
                Err(SubmitTimeoutError::Timeout(fresh.reclaim(job)))
            }
            Err(PutTimeoutError::ShutDown(job)) => {
                Err(SubmitTimeoutError::ShutDown(fresh.reclaim(job)))
            }
        }
    }

    pub(super) fn task<F, T>(&self, fresh: Fresh<F, T>) -> Task<T> {
        Task::new(fresh.promise(), self.shared.roster.pool())
    }

    /// Puts a job into the queue, waiting for room.
    #[inline]
    fn put(&self, job: Job) -> Result<(), SubmitError<Job>> {
        match self.shared.queue.try_put(job) {
            Ok(()) => Ok(()),
            Err(TryPutError::ShutDown(job)) => Err(SubmitError::ShutDown(job)),
            Err(TryPutError::Full(job)) => self.put_waiting(job),
        }
    }

    #[cold]
    fn put_waiting(&self, job: Job) -> Result<(), SubmitError<Job>> {
        let queue = &self.shared.queue;
        let mut job = Some(job);
        let mut shut_down = false;
        let waited = self_wait::wait(
            self.shared.roster.pool(),
            &|| !queue.is_full() || queue.is_shut_down(),
            |until| {
                let Some(this) = job.take() else { return true };
                let put = match until {
                    Some(deadline) => queue.put_deadline(this, deadline),
                    None => queue
                        .put(this)
                        .map_err(|PutError(job)| PutTimeoutError::ShutDown(job)),
                };
                shut_down = matches!(put, Err(PutTimeoutError::ShutDown(_)));
                let over = !matches!(put, Err(PutTimeoutError::Timeout(_)));
                job = put.err().map(PutTimeoutError::into_inner);
                over
            },
        );
        match (job, waited) {
            (None, _) => Ok(()),
            (Some(job), _) if shut_down => Err(SubmitError::ShutDown(job)),
            (Some(job), _) => Err(SubmitError::WouldDeadlock(job)),
        }
    }
}
