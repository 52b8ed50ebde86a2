//! Submitting: how closures get into the queue, or back to whoever they came from.

#![forbid(unsafe_code)]

use std::time::{Duration, Instant};

use brigade_core::{PutError, PutTimeoutError, TryPutError};

use super::jobs::Entry;
use super::{SubmitError, SubmitTimeoutError, ThreadPool, TrySubmitError};
use crate::executor::promise::Promise;
use crate::executor::self_wait::{self, WouldDeadlock};
use crate::executor::task::Task;
use crate::executor::work::{self, Fresh};

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
        self.submit_entry(self.shared.entry(job), fresh)
    }

    /// Queues a closure with a priority: of those that wait, the smallest is begun first, and of
    /// equal ones the oldest. What was submitted in other ways has priority 0.
    ///
    /// Blocks while a bounded queue is full, whatever the priority.
    ///
    /// # Errors
    ///
    /// As for [`submit`](Self::submit).
    ///
    /// # Panics
    ///
    /// If the pool was built without [`priorities`](super::Builder::priorities).
    ///
    /// # Example
    ///
    /// ```
    /// use brigade::{Event, Queue, ThreadPool};
    ///
    /// static GO: Event = Event::new();
    /// static DONE: std::sync::LazyLock<Queue<&str>> = std::sync::LazyLock::new(Queue::unbounded);
    ///
    /// let pool = ThreadPool::builder().threads(1).priorities().build()?;
    /// pool.submit(|| GO.wait())?.detach();
    /// # while pool.stats().running == 0 { std::thread::yield_now(); }
    /// pool.submit_priority(2, || DONE.put("sweep"))?.detach();
    /// pool.submit_priority(-5, || DONE.put("put out the fire"))?.detach();
    /// pool.submit(|| DONE.put("cook"))?.detach();
    /// GO.set();
    /// drop(pool); // runs what is queued
    /// DONE.shutdown(brigade::Shutdown::Drain);
    /// assert!(DONE.iter().eq(["put out the fire", "cook", "sweep"]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn submit_priority<F, T>(
        &self,
        priority: i32,
        closure: F,
    ) -> Result<Task<T>, SubmitError<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        assert!(
            self.shared.by_priority,
            "the pool was built without `Builder::priorities`"
        );
        let (job, fresh) = work::new(closure);
        self.submit_entry(self.shared.entry_of(job, Some(priority)), fresh)
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
        match self.shared.jobs.try_put(self.shared.entry(job)) {
            Ok(()) => Ok(self.task(fresh)),
            Err(TryPutError::Full(entry)) => Err(TrySubmitError::Full(reclaim(fresh, entry))),
            Err(TryPutError::ShutDown(entry)) => {
                Err(TrySubmitError::ShutDown(reclaim(fresh, entry)))
            }
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
        match self
            .shared
            .jobs
            .put_deadline(self.shared.entry(job), deadline)
        {
            Ok(()) => Ok(self.task(fresh)),
            Err(PutTimeoutError::Timeout(entry)) => {
                Err(SubmitTimeoutError::Timeout(reclaim(fresh, entry)))
            }
            Err(PutTimeoutError::ShutDown(entry)) => {
                Err(SubmitTimeoutError::ShutDown(reclaim(fresh, entry)))
            }
        }
    }

    #[inline]
    fn submit_entry<F, T>(
        &self,
        entry: Entry,
        fresh: Fresh<F, T>,
    ) -> Result<Task<T>, SubmitError<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        match self.put(entry) {
            Ok(()) => Ok(self.task(fresh)),
            Err(SubmitError::ShutDown(entry)) => Err(SubmitError::ShutDown(reclaim(fresh, entry))),
            Err(SubmitError::WouldDeadlock(entry)) => {
                Err(SubmitError::WouldDeadlock(reclaim(fresh, entry)))
            }
        }
    }

    /// The job has been queued.
    #[inline]
    pub(super) fn task<F, T>(&self, fresh: Fresh<F, T>) -> Task<T> {
        self.shared.queued();
        Task::new(Promise::Here(fresh.promise()), self.shared.roster.pool())
    }

    /// Puts a job into the queue, waiting for room.
    #[inline]
    fn put(&self, entry: Entry) -> Result<(), SubmitError<Entry>> {
        match self.shared.jobs.try_put(entry) {
            Ok(()) => Ok(()),
            Err(TryPutError::ShutDown(entry)) => Err(SubmitError::ShutDown(entry)),
            Err(TryPutError::Full(entry)) => self.put_waiting(entry),
        }
    }

    #[cold]
    fn put_waiting(&self, entry: Entry) -> Result<(), SubmitError<Entry>> {
        let jobs = &self.shared.jobs;
        let mut unput = Some(entry);
        let waited = self_wait::wait(
            self.shared.roster.pool(),
            &|| !jobs.is_full() || jobs.is_shut_down(),
            |until| {
                let Some(entry) = unput.take() else {
                    return true;
                };
                let put = match until {
                    Some(deadline) => jobs.put_deadline(entry, deadline),
                    None => jobs
                        .put(entry)
                        .map_err(|PutError(entry)| PutTimeoutError::ShutDown(entry)),
                };
                let over = !matches!(put, Err(PutTimeoutError::Timeout(_)));
                unput = put.err().map(PutTimeoutError::into_inner);
                over
            },
        );
        match (unput, waited) {
            (None, _) => Ok(()),
            (Some(entry), Err(WouldDeadlock)) => Err(SubmitError::WouldDeadlock(entry)),
            (Some(entry), Ok(())) => Err(SubmitError::ShutDown(entry)),
        }
    }
}

/// The entry has come back: takes it apart.
fn reclaim<F, T>(fresh: Fresh<F, T>, entry: Entry) -> F {
    let job = entry.into_job().expect("what was submitted is a job");
    fresh.reclaim(job)
}
