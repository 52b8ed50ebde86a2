//! Threads with names, results and an end: what Python's `threading` gives besides locks and events.
//!
//! | Python | here |
//! |---|---|
//! | `Thread(target=f, name="x")`, `start()` | [`Builder::new`]`().name("x").spawn(f)`, or [`spawn`] |
//! | `join(timeout)`, `is_alive()`, `name`, `ident` | [`JoinHandle`], which also has the result, or the panic |
//! | `daemon=True`, and the wait of the interpreter for the others | [`Builder::daemon`], and [`join_at_exit`] in `main` |
//! | `enumerate()`, `current_thread()`, `native_id` | [`enumerate`], [`std::thread::current`], [`Info::os_id`] |
//! | `Timer` | [`Timer`] |
//! | `while not stop.wait(period): work()` | [`repeat_until`], or a thread of its own by [`every`] |
//! | `Event`, `Semaphore`, `Barrier` | [`Event`](crate::Event), [`Semaphore`](crate::Semaphore), [`Barrier`](crate::Barrier) |
//! | `Lock` | [`std::sync::Mutex`], which holds what it protects |
//! | `RLock` | a `Mutex`, and functions that take `&mut` of what it protects instead of locking again; [`std::thread::scope`] and methods that borrow need no lock at all. If nothing else will do, `ReentrantMutex` of the crate `parking_lot` |
//! | `Condition` | [`std::sync::Condvar`] |
//! | `local()` | [`thread_local!`] |
//! | threads that borrow from the caller | [`std::thread::scope`], with the standard library's threads |
//!
//! # Names
//!
//! Every thread has a name: the one it is given, or one such as `thread-3`. It is the name
//! that [`std::thread::current`] tells, the one in messages of panics, the one that
//! `tracing-subscriber` prints when it is told [`with_thread_names`], and the one that the operating
//! system shows. Linux cuts it off there after 15 bytes, so put what differs first.
//!
//! [`with_thread_names`]: https://docs.rs/tracing-subscriber/latest/tracing_subscriber/fmt/struct.SubscriberBuilder.html#method.with_thread_names
//!
//! # Where it may be used
//!
//! In threads only: not in signal handlers, not in loom models. To start a thread takes
//! allocations and locks; the functions that wait say so.

#![forbid(unsafe_code)]

mod exit;
mod handle;
mod periodic;
mod registry;

use std::io;
use std::thread;
use std::time::Duration;

pub use exit::{ExitError, ExitGuard, join_at_exit};
pub use handle::{JoinError, JoinHandle};
pub use periodic::{Periodic, every, repeat_until};
pub use registry::Info;
pub(crate) use registry::enter_as_daemon;

use crate::executor::{Job, promised};
use crate::{Timer, panic};
use registry::{Listed, Name};

/// Starts a thread, which is given a name such as `thread-3`.
///
/// As [`Builder::spawn`].
///
/// # Errors
///
/// If the system cannot start it. The closure is dropped.
///
/// # Example
///
/// ```
/// let answer = brigade::thread::spawn(|| 6 * 7)?.join()?;
/// assert_eq!(answer, 42);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn spawn<F, T>(closure: F) -> io::Result<JoinHandle<T>>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    Builder::new().spawn(closure)
}

/// All threads that brigade has started and that have not ended, in the order in which they were
/// started: those of a [`Builder`], timers, and workers of pools once they have begun.
///
/// The main thread, and those that were started in other ways, are not among them. The answer may
/// be out of date before the caller sees it. Takes a lock, which starting and ending threads take
/// as well.
///
/// # Example
///
/// ```
/// use brigade::{Event, thread};
///
/// static GO: Event = Event::new();
///
/// let handle = thread::Builder::new().name("waiting").spawn(|| GO.wait())?;
/// assert!(thread::enumerate().iter().any(|thread| thread.name() == "waiting"));
/// GO.set();
/// let id = handle.id();
/// handle.join()?;
/// assert!(thread::enumerate().iter().all(|thread| thread.id() != id));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn enumerate() -> Vec<Info> {
    registry::live()
}

/// Chooses what a thread is like, and starts it.
///
/// # Example
///
/// ```
/// use brigade::thread;
///
/// let handle = thread::Builder::new()
///     .name("reader")
///     .stack_size(64 * 1024)
///     .daemon()
///     .spawn(|| std::thread::current().name().map(String::from))?;
/// assert_eq!(handle.join()?.as_deref(), Some("reader"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a builder starts nothing until `spawn`"]
pub struct Builder {
    name: Option<String>,
    /// What a thread without a name is called, with a number behind it.
    kind: &'static str,
    stack_size: Option<usize>,
    daemon: bool,
}

impl Builder {
    /// A thread with a name such as `thread-3`, that is joined at exit.
    pub fn new() -> Self {
        Self::numbered("thread")
    }

    pub(crate) fn numbered(kind: &'static str) -> Self {
        Self {
            name: None,
            kind,
            stack_size: None,
            daemon: false,
        }
    }

    /// What the thread is called: see [Names](self#names).
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// How much stack the thread has, in bytes; what the standard library chooses if not said.
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.stack_size = Some(bytes);
        self
    }

    /// Lets the program end while the thread runs: [`join_at_exit`] does not wait for it.
    ///
    /// It is then cut off wherever it is, without a chance to tidy up.
    pub fn daemon(mut self) -> Self {
        self.daemon = true;
        self
    }

    /// Starts the thread.
    ///
    /// The thread ends when the closure returns or panics, and the [`JoinHandle`] tells which.
    ///
    /// # Errors
    ///
    /// If the name contains a zero byte ([`InvalidInput`](io::ErrorKind::InvalidInput)), or the
    /// system cannot start the thread. The closure is dropped.
    ///
    /// # Example
    ///
    /// ```
    /// use brigade::thread;
    ///
    /// assert!(thread::Builder::new().name("\0").spawn(|| ()).is_err());
    /// ```
    pub fn spawn<F, T>(self, closure: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        self.start(closure, Job::run)
    }

    /// Starts a thread that does `work` once every `period`, in the way of [`repeat_until`], until it
    /// is told to stop by the [`Periodic`].
    ///
    /// # Errors
    ///
    /// As for [`spawn`](Self::spawn).
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    /// use brigade::thread;
    ///
    /// let heartbeat = thread::Builder::new()
    ///     .name("heartbeat")
    ///     .every(Duration::from_secs(1), || println!("still here"))?;
    /// // ... work; dropping it stops the thread and waits for it.
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn every<F>(self, period: Duration, work: F) -> io::Result<Periodic>
    where
        F: FnMut() + Send + 'static,
    {
        Periodic::start(self, period, work)
    }

    /// Starts a thread that runs the closure after `delay`, unless the [`Timer`] is cancelled.
    ///
    /// # Errors
    ///
    /// As for [`spawn`](Self::spawn).
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    /// use brigade::thread;
    ///
    /// let timer = thread::Builder::new()
    ///     .name("alarm")
    ///     .daemon() // the program may end before
    ///     .timer(Duration::from_secs(60), || println!("a minute has passed"))?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn timer<F, T>(self, delay: Duration, closure: F) -> io::Result<Timer<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        Timer::start_by(self, delay, closure)
    }

    /// Starts a thread that gets the closure as a job, to be run by `body` or dropped.
    pub(crate) fn start<F, T>(
        self,
        closure: F,
        body: impl FnOnce(Job) + Send + 'static,
    ) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        if self.name.as_ref().is_some_and(|name| name.contains('\0')) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the name of a thread cannot contain a zero byte",
            ));
        }
        panic::note_locations();
        let name = self.name.map_or(Name::Numbered(self.kind), Name::Given);
        let listed = Listed::announce(name, self.daemon);
        let number = listed.number();
        let mut builder = thread::Builder::new().name(listed.name().into());
        if let Some(bytes) = self.stack_size {
            builder = builder.stack_size(bytes);
        }
        let (job, promise) = promised(closure);
        let thread = builder.spawn(move || {
            listed.begin();
            body(job);
            // The last thing: whoever waits for the thread to end is waiting for this.
            drop(listed);
        })?;
        registry::started(number, thread.thread().id());
        Ok(JoinHandle::new(promise, thread))
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}
