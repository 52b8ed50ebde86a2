//! [`ThreadPool`]: threads that take closures from one queue.
//!
//! ```text
//!     submit --> [ Job | Job | Job ] --> worker 0: run
//!        |            queue          \-> worker 1: run
//!        v                                   |
//!      Task <----------- result -------------+
//! ```
//!
//! All waiting is the queue's: idle workers sleep in `get`, submitters wait in `put` while a
//! bounded queue is full, and shutting the queue down lets all of them go. `worker.rs` is a worker's
//! life, `staffing.rs` decides how many there are, and `roster.rs` keeps the list of them.

mod builder;
mod cancelled;
mod delayed;
mod error;
mod jobs;
mod outsider;
mod repeat;
mod roster;
mod scope;
mod staffing;
mod stats;
mod submit;
mod worker;

pub use builder::Builder;
pub use cancelled::Cancelled;
pub use error::{BuildError, SubmitError, SubmitTimeoutError, TrySubmitError};
pub use repeat::Repeat;
pub(super) use roster::Part;
pub use scope::{Scope, ScopedTask};
pub(super) use stats::Tally;
pub use stats::{Stats, Times};
pub(super) use worker::Shared;

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::self_wait::{self, WouldDeadlock};
use crate::Shutdown;
use error::Kind;
use jobs::Entry;
use outsider::Outsider;

/// Threads that run closures and hand back what comes of them.
///
/// What Python calls `concurrent.futures.ThreadPoolExecutor`. Workers are started by
/// [`Builder::build`] and end when the pool is [shut down](Self::shutdown) or dropped; their number
/// is fixed, unless the pool is [resized](Self::resize), [grows on
/// demand](Builder::grow_on_demand) or has [spare ones](Builder::spare_threads). Closures are
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
    /// drop(cancelled); // before joining: a task that runs may wait for one of these
    /// GO.set();
    /// pool.join()?;
    /// assert!(matches!(queued.result(), Err(TaskError::Cancelled)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[allow(
        clippy::must_use_candidate,
        reason = "nothing is handed back by a drain"
    )]
    pub fn shutdown(&self, how: Shutdown) -> Vec<Cancelled> {
        // From before the first leaves the queue.
        let outsider = Outsider::new(&self.shared);
        let handed_back = self.shared.jobs.shutdown(how);
        self.shared.forget_delayed();
        handed_back
            .filter_map(Entry::into_job)
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
        self.shared.roster.running.wait();
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
        let ended = self.shared.roster.running.wait_timeout(timeout);
        if ended {
            self.reap();
        }
        Ok(ended)
    }

    /// Sets how many workers there are.
    ///
    /// More are started now; fewer means that some end, each when it is through with its task. Does
    /// not wait for that. A pool that [grows on demand](Builder::grow_on_demand) may have so many
    /// from now on, and starts them when they are needed; its minimum becomes smaller if it has to.
    ///
    /// # Errors
    ///
    /// If the number is zero, or the system cannot start all the threads, or an initializer panics.
    /// The pool goes on with the workers that it has.
    ///
    /// # Example
    ///
    /// ```
    /// let pool = brigade::ThreadPool::builder().threads(1).build()?;
    /// pool.resize(3)?;
    /// assert_eq!((pool.threads(), pool.stats().workers), (3, 3));
    /// pool.resize(1)?;
    /// # Ok::<(), brigade::BuildError>(())
    /// ```
    pub fn resize(&self, threads: usize) -> Result<(), BuildError> {
        if threads == 0 {
            return Err(Kind::NoThreads.into());
        }
        let grows = self.shared.grows_on_demand;
        self.shared.roster.resize(|limits| {
            limits.max = threads;
            limits.min = if grows {
                limits.min.min(threads)
            } else {
                threads
            };
        });
        self.shared.nudge();
        if grows {
            self.shared.catch_up();
            return Ok(());
        }
        builder::start_all(&self.shared, || self.shared.roster.hire(|_| true))
    }

    /// What the pool has done so far, and is doing. Never blocks for long.
    ///
    /// # Example
    ///
    /// See [`Stats`].
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared.roster.stats(self.shared.jobs.len())
    }

    /// How many workers the pool was built with, or [resized](Self::resize) to; the most there may be
    /// if it [grows on demand](Builder::grow_on_demand).
    #[must_use]
    pub fn threads(&self) -> usize {
        self.shared.roster.max()
    }

    /// About how many closures wait for a worker, cancelled ones included.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.shared.jobs.len()
    }

    /// Collects threads whose work is over.
    fn reap(&self) {
        let ended = std::mem::take(&mut *self.shared.threads());
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
        if self_wait::belongs_to(self.shared.roster.pool()) {
            Err(WouldDeadlock)
        } else {
            Ok(())
        }
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
