//! [`Timer`]: a closure that is run later, unless it is cancelled before.
//!
//! The thread waits for an event until the time has come, and then runs the job that the timer's
//! owner may cancel. Which of the two was first is decided as for a queued task; the event only wakes
//! the thread, so that a cancelled timer ends at once.

#![forbid(unsafe_code)]

use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{fmt, io};

use crate::Event;
use crate::thread::{Builder, JoinError, JoinHandle};

/// Runs a closure after a delay, on a thread of its own, unless it is cancelled: what Python calls
/// `threading.Timer`.
///
/// Dropping the timer does not cancel it, as dropping a [`JoinHandle`] or a
/// [`Task`](crate::Task) does not: it is a handle of something that goes on. So
/// `Timer::start(delay, closure)?` may stand alone. A timer is no daemon: with
/// [`join_at_exit`](crate::thread::join_at_exit) the program waits until it has gone off, unless it
/// is made by a [`Builder`] as [`daemon`](Builder::daemon).
///
/// A thread for each is fine for a few. For many, have one thread work off a
/// [`PriorityQueue`](crate::PriorityQueue) of due times.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use brigade::Timer;
/// use brigade::thread::JoinError;
///
/// let soon = Timer::start(Duration::from_millis(1), || "gone off")?;
/// let late = Timer::start(Duration::from_secs(3600), || "never said")?;
/// assert_eq!(soon.join()?, "gone off");
/// assert!(late.cancel());
/// assert!(matches!(late.join(), Err(JoinError::Cancelled)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Timer<T = ()> {
    handle: JoinHandle<T>,
    cancelled: Arc<Event>,
}

impl<T: Send + 'static> Timer<T> {
    /// Runs `closure` after `delay`, counted from now. The thread gets a name such as `timer-3`; a
    /// [`Builder::timer`] can say otherwise.
    ///
    /// A delay too long for an [`Instant`] means that it never goes off by itself.
    ///
    /// # Errors
    ///
    /// If the system cannot start the thread. The closure is dropped.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    /// use brigade::Timer;
    ///
    /// Timer::start(Duration::from_millis(1), || println!("a little later"))?.join()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn start<F>(delay: Duration, closure: F) -> io::Result<Self>
    where
        F: FnOnce() -> T + Send + 'static,
    {
        Self::start_by(Builder::numbered("timer"), delay, closure)
    }

    pub(crate) fn start_by<F>(builder: Builder, delay: Duration, closure: F) -> io::Result<Self>
    where
        F: FnOnce() -> T + Send + 'static,
    {
        let due = Instant::now().checked_add(delay);
        let cancelled = Arc::new(Event::new());
        let wake = Arc::clone(&cancelled);
        let handle = builder.start(closure, move |job| {
            if let Some(due) = due {
                let _woken = wake.wait_deadline(due);
            } else {
                wake.wait();
            }
            // If it was cancelled there is nothing to run.
            job.run();
        })?;
        Ok(Self { handle, cancelled })
    }
}

impl<T> Timer<T> {
    /// Cancels the timer if it has not gone off, and says whether it did.
    ///
    /// After `true` the closure has been dropped, here, without having been run, and the thread
    /// ends. After `false` it has been run, is being run, or was cancelled before. Does not
    /// wait.
    ///
    /// # Panics
    ///
    /// If a destructor of the closure panics. The timer is cancelled all the same.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    /// use brigade::Timer;
    ///
    /// let reminder = Timer::start(Duration::from_secs(60), || println!("are you there?"))?;
    /// // ... an answer arrives
    /// assert!(reminder.cancel());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[allow(clippy::must_use_candidate, reason = "cancelling is often best effort")]
    pub fn cancel(&self) -> bool {
        /// Also if what is dropped panics.
        struct Wake<'a>(&'a Event);

        impl Drop for Wake<'_> {
            fn drop(&mut self) {
                self.0.set();
            }
        }

        let _wake = Wake(&self.cancelled);
        self.handle.cancel()
    }

    /// Waits until the timer has gone off and the closure is done, or until it is cancelled; takes
    /// the closure's result.
    ///
    /// Blocks.
    ///
    /// # Errors
    ///
    /// [`JoinError::Cancelled`] if it was cancelled, and otherwise as for [`JoinHandle::join`].
    pub fn join(self) -> Result<T, JoinError> {
        self.handle.join()
    }

    /// Like [`join`](Self::join), for `timeout` at most.
    ///
    /// # Errors
    ///
    /// Gives the timer back if it is not over in time; it goes on all the same.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    /// use brigade::Timer;
    ///
    /// let timer = Timer::start(Duration::from_secs(60), || ())?;
    /// let timer = timer.join_timeout(Duration::from_millis(1)).unwrap_err();
    /// timer.cancel();
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn join_timeout(self, timeout: Duration) -> Result<Result<T, JoinError>, Self> {
        let Self { handle, cancelled } = self;
        let again = |handle| Self { handle, cancelled };
        handle.join_timeout(timeout).map_err(again)
    }

    /// Like [`join`](Self::join), until `deadline` at the latest.
    ///
    /// # Errors
    ///
    /// Gives the timer back if it is not over in time; it goes on all the same.
    pub fn join_deadline(self, deadline: Instant) -> Result<Result<T, JoinError>, Self> {
        let Self { handle, cancelled } = self;
        let again = |handle| Self { handle, cancelled };
        handle.join_deadline(deadline).map_err(again)
    }

    /// Whether the timer is neither cancelled nor done with its closure. Never blocks.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.handle.is_alive()
    }

    /// What its thread is called. Never blocks.
    #[must_use]
    pub fn name(&self) -> &str {
        self.handle.name()
    }
}

impl<T> fmt::Debug for Timer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer")
            .field("name", &self.name())
            .field("alive", &self.is_alive())
            .finish_non_exhaustive()
    }
}
