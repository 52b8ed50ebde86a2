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

#![forbid(unsafe_code)]

mod builder;
mod error;

pub use builder::Builder;
pub use error::{BuildError, SubmitError, SubmitTimeoutError, TrySubmitError};

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use brigade_core::{PutError, PutTimeoutError, TryPutError};

use super::task::Task;
use super::work::{self, Job};
use crate::{JoinCounter, Queue, Shutdown};

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

/// What the workers and the pool's owner have in common.
struct Shared {
    queue: Queue<Job>,
    /// The workers that have not ended.
    running: JoinCounter,
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

    /// Queues a closure to be run by one of the workers.
    ///
    /// Blocks while a bounded queue is full. Called by the pool's own tasks, it can then wait for
    /// room that only the caller could make: use [`try_submit`](Self::try_submit) there.
    ///
    /// # Errors
    ///
    /// Gives the closure back if the pool is shut down, also while it waits.
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
    /// let SubmitError::ShutDown(closure) = pool.submit(|| 3).unwrap_err();
    /// assert_eq!(closure(), 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn submit<F, T>(&self, closure: F) -> Result<Task<T>, SubmitError<F>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        let (job, fresh) = work::new(closure);
        match self.shared.queue.put(job) {
            Ok(()) => Ok(Task::new(fresh.promise())),
            Err(PutError(job)) => Err(SubmitError::ShutDown(fresh.reclaim(job))),
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
            Ok(()) => Ok(Task::new(fresh.promise())),
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
        let (job, fresh) = work::new(closure);
        match self.shared.queue.put_timeout(job, timeout) {
            Ok(()) => Ok(Task::new(fresh.promise())),
            Err(PutTimeoutError::Timeout(job)) => {
                Err(SubmitTimeoutError::Timeout(fresh.reclaim(job)))
            }
            Err(PutTimeoutError::ShutDown(job)) => {
                Err(SubmitTimeoutError::ShutDown(fresh.reclaim(job)))
            }
        }
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
    /// pool.join();
    /// drop(cancelled);
    /// assert!(matches!(queued.result(), Err(TaskError::Cancelled)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[allow(
        clippy::must_use_candidate,
        reason = "nothing is handed back by a drain"
    )]
    pub fn shutdown(&self, how: Shutdown) -> Vec<Cancelled> {
        self.shared.queue.shutdown(how).map(Cancelled).collect()
    }

    /// Waits until all workers have ended, which they do after a [shutdown](Self::shutdown).
    ///
    /// Blocks; without a shutdown, until somebody else makes one.
    ///
    /// # Panics
    ///
    /// If it is called by one of the pool's own workers, which would wait for itself.
    ///
    /// # Example
    ///
    /// ```
    /// use brigade::{Shutdown, ThreadPool};
    ///
    /// let pool = ThreadPool::new()?;
    /// let task = pool.submit(|| 1)?;
    /// pool.shutdown(Shutdown::Drain);
    /// pool.join();
    /// assert!(task.is_done());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn join(&self) {
        self.refuse_own_worker();
        self.shared.running.wait();
        self.reap();
    }

    /// Like [`join`](Self::join), for `timeout` at most; says whether all workers have ended.
    ///
    /// # Panics
    ///
    /// If it is called by one of the pool's own workers.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    /// use brigade::{Shutdown, ThreadPool};
    ///
    /// let pool = ThreadPool::new()?;
    /// assert!(!pool.join_timeout(Duration::from_millis(1)));
    /// pool.shutdown(Shutdown::Drain);
    /// assert!(pool.join_timeout(Duration::from_secs(10)));
    /// # Ok::<(), brigade::BuildError>(())
    /// ```
    #[must_use = "a time-out is reported by the return value alone"]
    pub fn join_timeout(&self, timeout: Duration) -> bool {
        self.refuse_own_worker();
        let ended = self.shared.running.wait_timeout(timeout);
        if ended {
            self.reap();
        }
        ended
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
        for worker in ended {
            // Workers contain all panics.
            let _ = worker.join();
        }
    }

    fn refuse_own_worker(&self) {
        assert!(
            !self.is_own_worker(),
            "a worker cannot wait for its own pool to end"
        );
    }

    fn is_own_worker(&self) -> bool {
        let here = thread::current().id();
        self.workers()
            .iter()
            .any(|worker| worker.thread().id() == here)
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
        if !self.is_own_worker() {
            self.join();
        }
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

/// What a worker does all its life.
fn work(shared: &Shared) {
    struct Leave<'a>(&'a JoinCounter);

    impl Drop for Leave<'_> {
        fn drop(&mut self) {
            let _ = self.0.done();
        }
    }

    let _leave = Leave(&shared.running);
    while let Ok(job) = shared.queue.get() {
        job.run();
    }
}

/// A queued closure handed back by an immediate [shutdown](ThreadPool::shutdown).
///
/// Its task waits for what becomes of it: [run](Self::run) it, and the task gets the result; drop
/// it, and the task ends as [`TaskError::Cancelled`](super::TaskError::Cancelled).
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
#[derive(Debug)]
#[must_use = "dropping it cancels the task"]
pub struct Cancelled(Job);

impl Cancelled {
    /// Runs the closure on this thread after all, and gives its task the result.
    ///
    /// A panic of the closure goes to the task. Does nothing if the task was
    /// [cancelled](Task::cancel) in the meantime.
    pub fn run(self) {
        self.0.run();
    }
}
