//! [`join_at_exit`]: the end of main waits for threads.

#![forbid(unsafe_code)]

use std::time::{Duration, Instant};
use std::{error, fmt};

use super::registry::{self, Info};

/// Has the caller, which is `main` as a rule, wait in the end for all threads that are no
/// [daemons](super::Builder::daemon).
///
/// A Rust program ends with its `main`, and other threads are cut off wherever they are. With this
/// guard at the top of `main` it is as in Python: threads are waited for, except daemons.
///
/// It is about threads that were started by [`spawn`](super::spawn), a [`Builder`](super::Builder)
/// or as a [`Timer`](crate::Timer), before the guard was made or after, also those that are started
/// while it waits. The workers of a [`ThreadPool`](crate::ThreadPool) are daemons in this respect: it
/// is the pool that waits for them, when it is dropped.
///
/// # Example
///
/// ```
/// use brigade::thread;
///
/// fn main() -> std::io::Result<()> {
///     let _threads = thread::join_at_exit();
///     thread::spawn(|| println!("this is printed, whatever main does"))?;
///     thread::Builder::new().daemon().spawn(|| println!("this, perhaps"))?;
///     Ok(())
/// }
/// ```
pub fn join_at_exit() -> ExitGuard {
    ExitGuard { _private: () }
}

/// Waits, when it is dropped, for all threads that are no daemons: from [`join_at_exit`].
///
/// - **Panics.** It waits also if it is dropped because `main` panics, as Python does after an
///   exception; the message has been printed by then.
/// - **More than one.** Each waits for itself, and there is nothing left for the second.
/// - **In a thread that it would wait for** it does not wait when it is dropped; [`join`](Self::join)
///   and its kin return an error.
/// - [`std::process::exit`] and signals end the program without dropping anything.
/// - **Thread-local values** are dropped after a thread's work, which is what is waited for. A
///   [`JoinHandle::join`](super::JoinHandle::join) waits for them too.
///
/// Drop guards and pools that the threads need *after* it, that is, declare them before.
#[derive(Debug)]
#[must_use = "dropping the guard waits for the threads at once"]
pub struct ExitGuard {
    _private: (),
}

impl ExitGuard {
    /// Waits for all threads that are no daemons.
    ///
    /// Blocks until they have ended.
    ///
    /// # Errors
    ///
    /// [`ExitError::WouldDeadlock`] at once if the calling thread is one of them.
    ///
    /// # Example
    ///
    /// ```
    /// use brigade::thread;
    ///
    /// let threads = thread::join_at_exit();
    /// let handle = thread::spawn(|| 1)?;
    /// threads.join()?;
    /// assert!(!handle.is_alive());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn join(self) -> Result<(), ExitError> {
        self.wait(None)
    }

    /// Waits for all threads that are no daemons, for `timeout` at most.
    ///
    /// Blocks, for `timeout` at most, and never afterwards: the guard is gone, and if `main` returns
    /// now, the threads that are left are cut off.
    ///
    /// # Errors
    ///
    /// [`ExitError::StillAlive`] with those that have not ended in time,
    /// [`ExitError::WouldDeadlock`] at once if the calling thread is one of them.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    /// use brigade::{Event, thread};
    ///
    /// static NEVER: Event = Event::new();
    ///
    /// let threads = thread::join_at_exit();
    /// thread::Builder::new().name("stuck").spawn(|| NEVER.wait())?;
    /// if let Err(error) = threads.join_timeout(Duration::from_millis(10)) {
    ///     // threads are still alive: stuck
    ///     eprintln!("{error}");
    ///     # assert_eq!(error.to_string(), "threads are still alive: stuck");
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn join_timeout(self, timeout: Duration) -> Result<(), ExitError> {
        self.wait(Instant::now().checked_add(timeout))
    }

    /// Waits for all threads that are no daemons, until `deadline` at the latest: otherwise like
    /// [`join_timeout`](Self::join_timeout).
    ///
    /// # Errors
    ///
    /// As for [`join_timeout`](Self::join_timeout).
    pub fn join_deadline(self, deadline: Instant) -> Result<(), ExitError> {
        self.wait(Some(deadline))
    }

    fn wait(self, deadline: Option<Instant>) -> Result<(), ExitError> {
        // What its destructor would do is done here.
        std::mem::forget(self);
        if registry::is_own_thread_joined_at_exit() {
            Err(ExitError::WouldDeadlock)
        } else if registry::wait_for_exit(deadline) {
            Ok(())
        } else {
            Err(ExitError::StillAlive(registry::joined_at_exit()))
        }
    }
}

impl Drop for ExitGuard {
    fn drop(&mut self) {
        if !registry::is_own_thread_joined_at_exit() {
            registry::wait_for_exit(None);
        }
    }
}

/// Why an [`ExitGuard`] did not wait for all threads.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExitError {
    /// These had not ended when the time was up.
    StillAlive(Vec<Info>),
    /// A thread would wait for its own end.
    WouldDeadlock,
}

impl fmt::Display for ExitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StillAlive(threads) => {
                f.write_str("threads are still alive")?;
                for (n, thread) in threads.iter().enumerate() {
                    f.write_str(if n == 0 { ": " } else { ", " })?;
                    f.write_str(thread.name())?;
                }
                Ok(())
            }
            Self::WouldDeadlock => f.write_str("a thread cannot wait for its own end"),
        }
    }
}

impl error::Error for ExitError {}
