//! [`Task`]: the promise of a result, and what can come of it instead.

#![forbid(unsafe_code)]

use std::future::Future;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use std::{error, fmt};

use super::promise::Promise;
use super::self_wait::{self, PoolId, WouldDeadlock};
use super::worker_lost::WorkerLost;
use crate::Panic;

/// The result-to-be of a closure submitted to a pool.
///
/// Take the result by waiting for it ([`result`](Self::result),
/// [`result_timeout`](Self::result_timeout)) or by `.await`: a task is a [`Future`] that needs no
/// particular runtime. When a task is done, its closure and everything that the closure captured
/// have been dropped.
///
/// A task always ends: with the closure's value, as [`Panicked`](TaskError::Panicked), or as
/// [`Cancelled`](TaskError::Cancelled) if the closure was dropped before it was run. It does not
/// end while the closure runs on, and nothing can stop a closure from outside; give long ones an
/// [`CancelToken`](crate::CancelToken) to look at. (A process can be stopped, so for tasks of a pool of
/// processes there are more ways to end: see [`TaskError`].)
///
/// Dropping a task neither cancels it nor waits for it; the result is dropped when it comes.
///
/// Waiting for a task *inside another task of the same pool* takes up one worker. When all workers
/// wait like that, nobody is left to run what they wait for; so the last one does not wait, but gets
/// [`WouldDeadlock`](TaskError::WouldDeadlock). Waiting with a time-out, and `.await`, always go
/// ahead.
///
/// # Example
///
/// ```
/// use brigade::{TaskError, ThreadPool};
///
/// let pool = ThreadPool::new()?;
/// let sum = pool.submit(|| (1..=10).sum::<u32>())?;
/// let bad = pool.submit(|| "ten".parse::<u32>().unwrap())?;
///
/// assert_eq!(sum.result()?, 55);
/// assert!(matches!(bad.result(), Err(TaskError::Panicked(_))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "dropping a task drops its result; use `detach` to say that this is meant"]
pub struct Task<T> {
    pub(super) promise: Promise<T>,
    /// Who is to run it.
    pub(super) pool: PoolId,
}

impl<T> Task<T> {
    pub(super) fn new(promise: Promise<T>, pool: PoolId) -> Self {
        Self { promise, pool }
    }

    /// Waits for the result and takes it.
    ///
    /// Blocks until the task is done.
    ///
    /// # Errors
    ///
    /// [`TaskError::Panicked`] if the closure panicked, [`TaskError::Cancelled`] if it was never
    /// run, [`TaskError::Taken`] if the result was given out before, by polling.
    ///
    /// [`TaskError::WouldDeadlock`] in a task of the same pool, if all its workers would wait for the
    /// pool then. The task awaited is left to itself, as if [detached](Self::detach): it is run when
    /// a worker is free, and its result is dropped. To keep it, wait by
    /// [`result_timeout`](Self::result_timeout), which gives it back.
    ///
    /// # Example
    ///
    /// ```
    /// let pool = brigade::ThreadPool::new()?;
    /// let task = pool.submit(|| 6 * 7)?;
    /// assert_eq!(task.result()?, 42);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn result(self) -> Result<T, TaskError> {
        self.wait().map_err(|_| TaskError::WouldDeadlock)?
    }

    /// As [`result`](Self::result); gives the task back if the pool would wait for itself.
    fn wait(mut self) -> Result<Result<T, TaskError>, Self> {
        let promise = &self.promise;
        match self_wait::wait(self.pool, promise.probe(), |until| promise.wait(until)) {
            // It is done, so there is a result.
            Ok(()) => Ok(self.promise.take().unwrap_or(Err(TaskError::Taken))),
            Err(WouldDeadlock) => Err(self),
        }
    }

    /// As [`result`](Self::result), but what cannot be waited for is cancelled, if nobody has begun
    /// with it.
    pub(super) fn result_or_cancel(self) -> Result<T, TaskError> {
        self.wait().unwrap_or_else(Self::give_up)
    }

    /// The result of a task that cannot be waited for: cancels it, unless somebody has begun with it.
    pub(super) fn give_up(mut self) -> Result<T, TaskError> {
        let is_cancelled = self.cancel();
        let result = self.promise.take().filter(|_| !is_cancelled);
        result.unwrap_or(Err(TaskError::WouldDeadlock))
    }

    /// Waits for the result, for `timeout` at most, and takes it.
    ///
    /// The outer result says whether the task was done in time, the inner one how it went, as for
    /// [`result`](Self::result). Blocks, for `timeout` at most; with a time-out of zero, not at
    /// all.
    ///
    /// # Errors
    ///
    /// Gives the task back if it is not done in time; it goes on all the same.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    /// use brigade::{Event, ThreadPool};
    ///
    /// static GO: Event = Event::new();
    ///
    /// let pool = ThreadPool::new()?;
    /// let task = pool.submit(|| GO.wait())?;
    /// let task = task.result_timeout(Duration::from_millis(1)).unwrap_err();
    /// GO.set();
    /// task.result()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn result_timeout(self, timeout: Duration) -> Result<Result<T, TaskError>, Self> {
        match Instant::now().checked_add(timeout) {
            Some(deadline) => self.result_deadline(deadline),
            None => Ok(self.result()),
        }
    }

    /// Waits for the result, until `deadline` at the latest, and takes it: otherwise like
    /// [`result_timeout`](Self::result_timeout).
    ///
    /// # Errors
    ///
    /// Gives the task back if it is not done in time; it goes on all the same.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    ///
    /// let pool = brigade::ThreadPool::new()?;
    /// let soon = Instant::now() + Duration::from_secs(10);
    /// // Both together have until then.
    /// for task in [pool.submit(|| 1)?, pool.submit(|| 2)?] {
    ///     println!("{}", task.result_deadline(soon).map_err(|_| "too slow")??);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn result_deadline(mut self, deadline: Instant) -> Result<Result<T, TaskError>, Self> {
        self.promise.wait(Some(deadline));
        self.promise.take().ok_or(self)
    }

    /// Cancels the task if nobody has begun to run it, and says whether it did.
    ///
    /// After `true` the closure has been dropped, here, without having been run, and the result is
    /// [`TaskError::Cancelled`]. After `false` the task is done, being run, or was cancelled
    /// before. Does not wait for a running closure. The task's place in the pool's queue becomes
    /// free when a worker comes to it.
    ///
    /// A task of a pool of processes can be cancelled while it runs, too: after `true` its worker
    /// process, if one had begun with it, has been sent the signal that kills it.
    ///
    /// # Panics
    ///
    /// If a destructor of the closure panics. The task is cancelled all the same.
    ///
    /// # Example
    ///
    /// ```
    /// use brigade::{TaskError, ThreadPool};
    ///
    /// let pool = ThreadPool::new()?;
    /// let task = pool.submit(|| 1)?;
    /// if task.cancel() {
    ///     assert!(matches!(task.result(), Err(TaskError::Cancelled)));
    /// } else {
    ///     assert_eq!(task.result()?, 1);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[allow(clippy::must_use_candidate, reason = "cancelling is often best effort")]
    pub fn cancel(&self) -> bool {
        self.promise.cancel()
    }

    /// Whether [`result`](Self::result) would return at once. Never blocks.
    ///
    /// # Example
    ///
    /// ```
    /// let pool = brigade::ThreadPool::new()?;
    /// let task = pool.submit(|| ())?;
    /// while !task.is_done() {
    ///     std::thread::yield_now();
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.promise.is_done()
    }

    /// Drops the task and leaves its closure to be run all the same; the result is dropped when it
    /// comes. Never blocks.
    ///
    /// # Example
    ///
    /// ```
    /// let pool = brigade::ThreadPool::new()?;
    /// pool.submit(|| println!("in its own time"))?.detach();
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn detach(self) {}
}

/// Ready when the task is done, with what [`Task::result`] returns.
///
/// May be polled by different wakers, of which the last is woken. A future that has been ready
/// before is ready again, with [`TaskError::Taken`].
impl<T> Future for Task<T> {
    type Output = Result<T, TaskError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.get_mut().promise.poll(context.waker())
    }
}

// A panic elsewhere cannot leave a task half done.
impl<T> UnwindSafe for Task<T> {}
impl<T> RefUnwindSafe for Task<T> {}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task")
            .field("done", &self.is_done())
            .finish_non_exhaustive()
    }
}

/// Why a task has no result.
#[derive(Debug)]
#[non_exhaustive]
pub enum TaskError {
    /// The closure panicked.
    Panicked(Panic),
    /// The worker process that ran the task ended: it crashed, was killed, or the task called
    /// [`exit`](std::process::exit). No other task is affected.
    WorkerLost(WorkerLost),
    /// The task ran for longer than it may; its worker process was killed for it, and no
    /// instruction of the task runs any more.
    TimeLimit,
    /// The argument or the result could not be written or read on its way to another process, for
    /// the reason that is told.
    Transfer(String),
    /// The pool has no worker process and cannot start one, for the reason that is told.
    NoWorkers(String),
    /// The closure was dropped before it was run: by [`Task::cancel`], or by whoever received it
    /// from [`ThreadPool::shutdown`](super::ThreadPool::shutdown).
    Cancelled,
    /// The result was given out before, by polling the task as a future.
    Taken,
    /// The task cannot be waited for here: all workers of its pool would wait for the pool, and
    /// nobody would be left to run it.
    WouldDeadlock,
}

impl TaskError {
    /// For another item of the same chunk, which was lost for the same reason.
    pub(super) fn again(&self) -> Self {
        match self {
            Self::WouldDeadlock => Self::WouldDeadlock,
            Self::WorkerLost(lost) => Self::WorkerLost(lost.clone()),
            Self::TimeLimit => Self::TimeLimit,
            Self::Transfer(reason) => Self::Transfer(reason.clone()),
            Self::NoWorkers(reason) => Self::NoWorkers(reason.clone()),
            // A panic that was not the function's is told once.
            Self::Panicked(_) | Self::Cancelled | Self::Taken => Self::Cancelled,
        }
    }
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked(panic) => panic.fmt(f),
            Self::WorkerLost(lost) => lost.fmt(f),
            Self::TimeLimit => f.write_str("the task took longer than its time limit"),
            Self::Transfer(reason) => {
                write!(f, "the task's data could not travel: {reason}")
            }
            Self::NoWorkers(reason) => write!(f, "the pool has no workers: {reason}"),
            Self::Cancelled => f.write_str("the task was cancelled before it was run"),
            Self::Taken => f.write_str("the result of the task was taken before"),
            Self::WouldDeadlock => f.write_str("the pool would wait for itself"),
        }
    }
}

impl error::Error for TaskError {}
