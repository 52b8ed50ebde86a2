//! [`ThreadPool`]: a fixed number of threads that take closures from one [`Queue`].
//!
//! ```text
//!     submit --> [ Job | Job | Job ] --> worker 0: run
//!        |            Queue          \-> worker 1: run
//!        v                                   |
//!      Task <----------- result -------------+
//! ```
//!
//! All waiting is the queue's: idle workers sleep in `get`, submitters wait in `put` while a
//! bounded queue is full, and shutting the queue down lets all of them go.

mod builder;
mod cancelled;
mod delayed;
mod error;
mod repeat;
mod roster;
mod submit;
mod worker;

pub use builder::Builder;
pub use cancelled::Cancelled;
pub use error::{BuildError, SubmitError, SubmitTimeoutError, TrySubmitError};
pub use repeat::Repeat;
pub(super) use roster::Roster;

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::self_wait::{self, WouldDeadlock};
use crate::Shutdown;
use worker::Shared;

/// A fixed number of threads that run closures and hand back what comes of them.
///
/// What Python calls `concurrent.futures.ThreadPoolExecutor`. Workers are started by
/// [`Builder::build`] and end when the pool is [shut down](Self::shutdown) or dropped. Closures are
/// begun in the order in which they were submitted. One that panics ends as
/// [`TaskError::Panicked`](super::TaskError::Panicked), and its worker goes on.
///
/// A pool without work uses no processor time. A task costs one allocation (and its share of the
/// queue's).
///
/// Dropping the pool runs what is queued and waits for the workers to end. Only if it is dropped
/// by one of its own workers, at the end of the last task that held it, say, it does not wait; the
/// workers finish by themselves.
///
/// # Example
///
/// ```
/// use brigade::ThreadPool;
///
/// let pool = ThreadPool::builder().threads(4).name("square").build()?;
/// let tasks: Vec<_> = (0..10).map(|n| pool.submit(move || n * n)).collect::<Result<_, _>>()
///     ?;
/// let mut squares = Vec::new();
/// for task in tasks {
///     squares.push(task.result()?);
/// }
/// assert_eq!(squares, [0, 1, 4, 9, 16, 25, 36, 49, 64, 81]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ThreadPool {
    shared: Arc<Shared>,
    workers: Mutex<Vec<JoinHandle<()>>>,
    threads: usize,
}

impl ThreadPool {
    /// A pool with one worker per available processor and an unbounded queue.
    ///
    /// # Errors
    ///
    /// If the system cannot start the threads.
    ///
    /// # Example
    ///
    /// ```
    /// let pool = brigade::ThreadPool::new()?;
    /// assert!(pool.threads() >= 1);
    /// # Ok::<(), brigade::BuildError>(())
    /// ```
    pub fn new() -> Result<Self, BuildError> {
        Self::builder().build()
    }

    /// Chooses how many threads, their names and the bound of the queue.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Takes no further closures; lets the workers end when those that are queued
    /// ([`Shutdown::Drain`]), or those that are being run ([`Shutdown::Immediate`]), are done.
    ///
    /// Does not wait: [`join`](Self::join) does. Submitters that wait for room get their closures
    /// back. `Immediate` hands back what was queued, oldest first, to be run by the caller or
    /// dropped; `Drain` hands back nothing. May be called from any thread, also from a task, and
    /// more than once: `Immediate` after `Drain` cuts the draining short.
    ///
    /// # Example
    ///
    /// ```
    /// use brigade::{Event, Shutdown, TaskError, ThreadPool};
    ///
    /// static GO: Event = Event::new();
    ///
    /// let pool = ThreadPool::builder().threads(1).build()?;
    /// let running = pool.submit(|| GO.wait())?;
    /// let queued = pool.submit(|| 1)?;
    ///
    /// let cancelled = pool.shutdown(Shutdown::Immediate);
    /// GO.set();
    /// pool.join()?;
    /// drop(cancelled);
    /// assert!(matches!(queued.result(), Err(TaskError::Cancelled)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[allow(
        clippy::must_use_candidate,
        reason = "nothing is handed back by a drain"
    )]
    pub fn shutdown(&self, how: Shutdown) -> Vec<Cancelled> {
        // From before the first leaves the queue.
        let outsider = self.shared.roster.outsider();
        let handed_back = self.shared.queue.shutdown(how);
        self.shared.forget_delayed();
        handed_back
            .map(|job| Cancelled::new(job, outsider.clone()))
            .collect()
    }

    /// Waits until all workers have ended, which they do after a [shutdown](Self::shutdown).
    ///
    /// Blocks; without a shutdown, until somebody else makes one.
    ///
    /// # Errors
    ///
    /// If it is called by a task of the same pool, whose worker would wait for itself.
    ///
    /// # Example
    ///
    /// ```
    /// use brigade::{Shutdown, ThreadPool};
    ///
    /// let pool = ThreadPool::new()?;
    /// let task = pool.submit(|| 1)?;
    /// pool.shutdown(Shutdown::Drain);
    /// pool.join()?;
    /// assert!(task.is_done());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn join(&self) -> Result<(), WouldDeadlock> {
        self.refuse_own_worker()?;
        self.shared.running.wait();
        self.reap();
        Ok(())
    }

    /// Like [`join`](Self::join), for `timeout` at most; says whether all workers have ended.
    ///
    /// # Errors
    ///
    /// At once if it is called by a task of the same pool: its worker cannot end in time.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    /// use brigade::{Shutdown, ThreadPool};
    ///
    /// let pool = ThreadPool::new()?;
    /// assert!(!pool.join_timeout(Duration::from_millis(1))?);
    /// pool.shutdown(Shutdown::Drain);
    /// assert!(pool.join_timeout(Duration::from_secs(10))?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn join_timeout(&self, timeout: Duration) -> Result<bool, WouldDeadlock> {
        self.refuse_own_worker()?;
        let ended = self.shared.running.wait_timeout(timeout);
        if ended {
            self.reap();
        }
        Ok(ended)
    }

    /// How many workers the pool was built with.
    #[must_use]
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// About how many closures wait for a worker, cancelled ones included.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.shared.queue.len()
    }

    /// Collects threads whose work is over.
    fn reap(&self) {
        let ended = std::mem::take(&mut *self.workers());
        let here = thread::current().id();
        for worker in ended {
            // A worker is no worker any more when its thread's locals are dropped; but it is still
            // that thread.
            if worker.thread().id() != here {
                // Workers contain all panics.
                let _ = worker.join();
            }
        }
    }

    fn refuse_own_worker(&self) -> Result<(), WouldDeadlock> {
        if self_wait::own_pool() == Some(self.shared.roster.pool()) {
            Err(WouldDeadlock)
        } else {
            Ok(())
        }
    }

    fn workers(&self) -> std::sync::MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// Panics of closures stay in their tasks; nothing of the pool's is left half done.
impl UnwindSafe for ThreadPool {}
impl RefUnwindSafe for ThreadPool {}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        self.shutdown(Shutdown::Drain);
        // A worker does not wait for itself: the others finish without it.
        let _ = self.join();
    }
}

impl fmt::Debug for ThreadPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ThreadPool")
            .field("threads", &self.threads())
            .field("queued", &self.queued())
            .finish_non_exhaustive()
    }
}
