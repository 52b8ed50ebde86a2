//! [`JoinHandle`]: how one waits for a thread, and what comes of it.
//!
//! A thread's result is handed over in the same way as a task's: the thread has the job, the
//! handle the promise.

#![forbid(unsafe_code)]

use std::future::Future;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};
use std::{error, fmt};

use crate::executor::Promise;
use crate::{Panic, TaskError};

/// A thread that was started by [`spawn`](super::spawn) or a [`Builder`](super::Builder), to wait for.
///
/// Dropping it lets the thread go on by itself. Whether the program waits for it in the end is said
/// by [`daemon`](super::Builder::daemon) and [`join_at_exit`](super::join_at_exit). It is also a
/// [`Future`], for any runtime.
///
/// # Example
///
/// ```
/// use brigade::thread;
///
/// let handle = thread::Builder::new().name("adder").spawn(|| 1 + 1)?;
/// assert_eq!(handle.name(), "adder");
/// assert_eq!(handle.join()?, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct JoinHandle<T> {
    promise: Promise<T>,
    thread: thread::JoinHandle<()>,
}

impl<T> JoinHandle<T> {
    pub(crate) fn new(promise: Promise<T>, thread: thread::JoinHandle<()>) -> Self {
        Self { promise, thread }
    }

    /// Waits for the thread to end, and takes its result.
    ///
    /// Blocks until the system's thread is gone, which has by then dropped its thread-local values
    /// as well.
    ///
    /// # Errors
    ///
    /// [`JoinError::Panicked`] if the thread panicked, [`JoinError::WouldDeadlock`] at once if the
    /// calling thread is the one it would wait for, [`JoinError::Taken`] if the result was given out
    /// before, by polling.
    ///
    /// Two threads that join each other are not noticed.
    ///
    /// # Example
    ///
    /// ```
    /// use brigade::thread::{self, JoinError};
    ///
    /// let handle = thread::Builder::new().name("gloomy").spawn(|| panic!("no more"))?;
    /// let Err(JoinError::Panicked(panic)) = handle.join() else { unreachable!() };
    /// assert_eq!((panic.message(), panic.thread()), ("no more", Some("gloomy")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn join(mut self) -> Result<T, JoinError> {
        if self.is_current() {
            return Err(JoinError::WouldDeadlock);
        }
        // All panics are in the promise.
        let _ = self.thread.join();
        result(self.promise.take())
    }

    /// Waits for the thread's result, for `timeout` at most, and takes it.
    ///
    /// The outer result says whether it was there in time, the inner one how it went, as for
    /// [`join`](Self::join). Blocks, for `timeout` at most; so, unlike `join`, it does not wait for
    /// the destructors of thread-local values, and the thread may be
    /// [listed](super::enumerate) for a moment longer.
    ///
    /// # Errors
    ///
    /// Gives the handle back if the result is not there in time; the thread goes on all the same.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    /// use brigade::{Event, thread};
    ///
    /// static GO: Event = Event::new();
    ///
    /// let handle = thread::spawn(|| GO.wait())?;
    /// let handle = handle.join_timeout(Duration::from_millis(1)).unwrap_err();
    /// assert!(handle.is_alive());
    /// GO.set();
    /// handle.join()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn join_timeout(self, timeout: Duration) -> Result<Result<T, JoinError>, Self> {
        match Instant::now().checked_add(timeout) {
            Some(deadline) => self.join_deadline(deadline),
            None => Ok(self.join()),
        }
    }

    /// Waits for the thread's result, until `deadline` at the latest: otherwise like
    /// [`join_timeout`](Self::join_timeout).
    ///
    /// # Errors
    ///
    /// Gives the handle back if the result is not there in time; the thread goes on all the same.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::{Duration, Instant};
    /// use brigade::thread;
    ///
    /// let soon = Instant::now() + Duration::from_secs(10);
    /// // Both together have until then.
    /// for handle in [thread::spawn(|| 1)?, thread::spawn(|| 2)?] {
    ///     println!("{}", handle.join_deadline(soon).map_err(|_| "too slow")??);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn join_deadline(mut self, deadline: Instant) -> Result<Result<T, JoinError>, Self> {
        if self.is_current() {
            return Ok(Err(JoinError::WouldDeadlock));
        }
        if self.promise.wait(Some(deadline)) {
            Ok(result(self.promise.take()))
        } else {
            Err(self)
        }
    }

    /// Whether the thread has no result yet. Never blocks.
    ///
    /// After `false`, [`join`](Self::join) waits at most for the destructors of thread-local values.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        !self.promise.is_done()
    }

    /// What the thread is called. Never blocks.
    #[must_use]
    pub fn name(&self) -> &str {
        // A builder names all of its threads.
        self.thread.thread().name().unwrap_or_default()
    }

    /// The standard library's number for the thread. Never blocks.
    #[must_use]
    pub fn id(&self) -> ThreadId {
        self.thread.thread().id()
    }

    fn is_current(&self) -> bool {
        self.id() == thread::current().id()
    }

    /// Drops the closure if it has not been begun with; says whether it did.
    pub(crate) fn cancel(&self) -> bool {
        self.promise.cancel()
    }
}

fn result<T>(taken: Option<Result<T, TaskError>>) -> Result<T, JoinError> {
    match taken {
        Some(Ok(value)) => Ok(value),
        Some(Err(TaskError::Panicked(panic))) => Err(JoinError::Panicked(panic)),
        Some(Err(TaskError::Cancelled)) => Err(JoinError::Cancelled),
        Some(Err(_)) | None => Err(JoinError::Taken),
    }
}

/// Ready when the thread has a result, with what [`JoinHandle::join_timeout`] returns within.
///
/// May be polled by different wakers, of which the last is woken. A future that has been ready
/// before is ready again, with [`JoinError::Taken`]. Awaited by its own thread, it is never ready.
impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.get_mut()
            .promise
            .poll(context.waker())
            .map(|taken| result(Some(taken)))
    }
}

// A panic elsewhere cannot leave a handle half done.
impl<T> UnwindSafe for JoinHandle<T> {}
impl<T> RefUnwindSafe for JoinHandle<T> {}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle")
            .field("name", &self.name())
            .field("alive", &self.is_alive())
            .finish_non_exhaustive()
    }
}

/// Why a thread has no result.
#[derive(Debug)]
#[non_exhaustive]
pub enum JoinError {
    /// The thread panicked.
    Panicked(Panic),
    /// The [`Timer`](crate::Timer) was cancelled before it went off. Does not happen to other
    /// threads.
    Cancelled,
    /// The result was given out before, by polling the handle as a future.
    Taken,
    /// A thread would wait for its own end.
    WouldDeadlock,
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked(panic) => panic.fmt(f),
            Self::Cancelled => f.write_str("the timer was cancelled before it went off"),
            Self::Taken => f.write_str("the result of the thread was taken before"),
            Self::WouldDeadlock => f.write_str("a thread cannot wait for its own end"),
        }
    }
}

impl error::Error for JoinError {}
