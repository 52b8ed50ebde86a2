//! Processes that run one function: what Python calls `multiprocessing.Process`.
//!
//! | Python | here |
//! |---|---|
//! | `Process(target=f, args=(a,))`, `start()` | [`Process::start`]`(f, a)`, or a [`Builder`] |
//! | `join(timeout)`, `is_alive()`, `exitcode`, `pid`, `name` | [`Process`], which also has the result, or the panic |
//! | `terminate()`, `kill()`, `sentinel` | [`Process::terminate`], [`Process::kill`], the descriptor by [`AsFd`] |
//! | `daemon=True` | the default, also when the parent is killed; [`Builder::outlive_parent`] otherwise |
//! | `current_process()`, `parent_process()`, `active_children()` | [`current_name`], [`parent`], [`active_children`] |
//! | `if __name__ == "__main__":` | not needed |
//!
//! # How a function gets into another process
//!
//! The child is the same program, started anew. It enters before `main`, looks up the function by
//! its place in the program, decodes the argument, calls the function, writes its result down and exits
//! with code 0, having flushed the standard output. `main` does not run in it. (See [`init`] for who
//! wants that otherwise.)
//!
//! So the function captures nothing, and it finds nothing of what this process has done since it was
//! started: statics have their first values, no thread is there, no logger is set up. It gets the
//! environment, the working directory, and the standard streams. What it works on is its argument, for
//! which [`serde`] is used, and whatever in `shared` it holds.
//!
//! A large argument is best made of [`Bytes`](crate::shared::Bytes), which are there in the time of one copy, however
//! many processes get them. A `Vec<u8>` goes through serde byte by byte, which takes a few nanoseconds each.
//!
//! A closure that captures only values of no size counts as capturing nothing: they are made anew in the
//! child. Do not capture a value of no size that stands for something that was done in this process.
//!
//! # How a child ends
//!
//! When the function returns or panics; other threads of the child are cut off then, and so are its own
//! children. When this process ends, the child is killed by the system, wherever it is, also if this
//! process was killed itself, unless told otherwise by [`Builder::outlive_parent`]. Nothing remains of a
//! child, also if its [`Process`] was dropped.
//!
//! # Where it may be used
//!
//! On Linux 5.4 or later with `/proc`, in threads. Not in signal handlers, but for
//! [`Process::kill`] and [`Process::terminate`], which are one system call each; not in loom models.
//! After `fork` without `exec`, the children of before are those of the other process. A program
//! that is run by calling the dynamic linker (`ld.so program`), or in an emulator, is not the file that
//! the system knows as its executable, and its children end without a result.

mod builder;
mod child;
mod current;
mod enter;
mod error;
mod exit;
mod mail;
mod nursery;
pub(crate) mod ship;

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::os::fd::{AsFd, BorrowedFd};
use std::process::{ChildStderr, ChildStdin, ChildStdout};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use builder::Builder;
pub(crate) use child::Child;
pub use current::{Info, current_name, is_child, parent};
pub use enter::init;
pub use error::{JoinError, StartError};
pub use exit::Exit;

use crate::executor::Message;
use crate::sys::pidfd::Stop;
use mail::Answer;
use nursery::Started;

/// The children of this process that have not ended, in the order of their numbers: Python's
/// `active_children()`.
///
/// Those that were started by a [`Builder`]; what else the program starts is not among them. The answer may
/// be out of date before the caller sees it. Takes a lock for a moment.
///
/// # Example
///
/// ```
/// use brigade::{Process, process};
///
/// let child = Process::start(|()| -> () { loop { std::thread::park() } }, ())?;
/// let children = process::active_children();
/// assert!(children.iter().any(|info| info.pid() == child.pid()));
/// child.kill()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn active_children() -> Vec<Info> {
    nursery::active()
}

/// A process that runs a function, to wait for.
///
/// Dropping it lets the process go on by itself; its result is dropped, and nothing is left of it when it
/// has ended. It dies with this process in any case, unless told
/// [otherwise](Builder::outlive_parent).
///
/// # Example
///
/// ```
/// use brigade::Process;
///
/// let child = Process::start(|words: Vec<String>| words.join(" "), vec!["good".into(), "day".into()])?;
/// assert_eq!(child.join()?, "good day");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Process<R> {
    started: Started,
    result: PhantomData<fn() -> R>,
}

impl<R: Message> Process<R> {
    /// Starts a process that calls `function` with `argument`, under a name such as `process-3`.
    ///
    /// As [`Builder::start`].
    ///
    /// # Errors
    ///
    /// As for [`Builder::start`].
    ///
    /// # Example
    ///
    /// ```
    /// use brigade::Process;
    ///
    /// assert_eq!(Process::start(|n: u64| n + 1, 41)?.join()?, 42);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn start<F, A>(function: F, argument: A) -> Result<Self, StartError>
    where
        F: Fn(A) -> R + Copy + Send + 'static,
        A: Message,
    {
        Builder::new().start(function, argument)
    }

    /// Waits for the process to end, and takes its result.
    ///
    /// Blocks until nothing is left of the process; so an object of [`shared`](crate::shared) in its result
    /// has to be one that this process has, too: those that the child has made are gone with it. A child that waits for something from this process,
    /// such as the end of its input, has to get it first: drop its [`stdin`](Self::stdin).
    ///
    /// # Errors
    ///
    /// [`JoinError`]: if the function panicked, or the process ended before it had a result, or that has a
    /// shared object in it that is gone.
    ///
    /// # Example
    ///
    /// ```
    /// use brigade::process::{Builder, JoinError};
    ///
    /// let child = Builder::new().name("gloomy").start(|()| -> () { panic!("no more") }, ())?;
    /// let Err(JoinError::Panicked(panic)) = child.join() else { unreachable!() };
    /// assert_eq!((panic.message(), panic.thread()), ("no more", Some("gloomy")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn join(self) -> Result<R, JoinError> {
        self.child().wait(None);
        self.result()
    }

    /// Waits for the process to end, for `timeout` at most, and takes its result.
    ///
    /// The outer result says whether it ended in time, the inner one how it went, as for
    /// [`join`](Self::join). Blocks, for `timeout` at most.
    ///
    /// # Errors
    ///
    /// Gives the process back if it has not ended in time; it goes on all the same.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    /// use brigade::Process;
    ///
    /// let child = Process::start(|()| -> () { loop { std::thread::park() } }, ())?;
    /// let child = child.join_timeout(Duration::from_millis(1)).unwrap_err();
    /// child.kill()?;
    /// assert!(child.join().is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn join_timeout(self, timeout: Duration) -> Result<Result<R, JoinError>, Self> {
        match Instant::now().checked_add(timeout) {
            Some(deadline) => self.join_deadline(deadline),
            None => Ok(self.join()),
        }
    }

    /// Waits for the process to end, until `deadline` at the latest: otherwise like
    /// [`join_timeout`](Self::join_timeout).
    ///
    /// # Errors
    ///
    /// Gives the process back if it has not ended in time; it goes on all the same.
    pub fn join_deadline(self, deadline: Instant) -> Result<Result<R, JoinError>, Self> {
        if self.child().wait(Some(deadline)) {
            Ok(self.result())
        } else {
            Err(self)
        }
    }

    /// Waits for the process to end, as a task of any runtime, and takes its result.
    ///
    /// Dropping the future lets the process go on, as dropping the `Process` does.
    ///
    /// # Errors
    ///
    /// As for [`join`](Self::join).
    pub async fn join_async(self) -> Result<R, JoinError> {
        self.child().told().wait_async().await;
        self.result()
    }

    /// That of a process that has ended.
    fn result(&self) -> Result<R, JoinError> {
        let child = self.child();
        match Answer::read(&child.letter) {
            Ok(Some(Answer::Returned(result))) => Ok(result),
            Ok(Some(Answer::Panicked(panic))) => Err(JoinError::Panicked(panic)),
            Ok(Some(Answer::Argument(reason))) => Err(JoinError::Argument(reason)),
            Ok(Some(Answer::Result(reason))) => Err(JoinError::Result(reason)),
            Ok(Some(Answer::OtherProgram)) => Err(JoinError::OtherProgram),
            Ok(None) => Err(JoinError::Ended(child.exit().unwrap_or(Exit::Unknown))),
            Err(error) => Err(JoinError::Os(error)),
        }
    }
}

impl<R> Process<R> {
    fn new(started: Started) -> Self {
        Self {
            started,
            result: PhantomData,
        }
    }

    /// The process without its result.
    pub(crate) fn child(&self) -> &Arc<Child> {
        &self.started.child
    }

    /// What the process is called. Never blocks.
    #[must_use]
    pub fn name(&self) -> &str {
        self.child().name()
    }

    /// The system's number for the process. Never blocks.
    ///
    /// When the process has ended, others may get the number; so send signals by
    /// [`terminate`](Self::terminate) and [`kill`](Self::kill), or by the descriptor
    /// ([`as_fd`](AsFd::as_fd)), which is its for ever.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child().pid()
    }

    /// Whether the process has not ended. Never blocks.
    ///
    /// After `false`, [`join`](Self::join) does not wait.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        !self.child().has_ended()
    }

    /// How the process ended, if it has. Never blocks.
    ///
    /// A function that returned leaves code 0, one that panicked 101. A process that was killed after it had
    /// its result has both.
    ///
    /// # Example
    ///
    /// ```
    /// use brigade::Process;
    /// use brigade::process::Exit;
    ///
    /// let child = Process::start(|()| -> () { loop { std::thread::park() } }, ())?;
    /// assert_eq!(child.exit(), None);
    /// child.kill()?;
    /// while child.is_alive() {
    ///     std::thread::yield_now();
    /// }
    /// assert_eq!(child.exit(), Some(Exit::Signal(9)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn exit(&self) -> Option<Exit> {
        self.child().exit()
    }

    /// Asks the process to end, by `SIGTERM`, which kills it unless it has a handler for that. Does
    /// nothing if it has ended.
    ///
    /// Does not wait: [`join`](Self::join) does. Its own children die with it.
    ///
    /// # Errors
    ///
    /// If the system refuses, because the process has changed its user.
    pub fn terminate(&self) -> io::Result<()> {
        self.child().stop(Stop::Terminate)
    }

    /// Kills the process, by `SIGKILL`. Does nothing if it has ended.
    ///
    /// Does not wait: [`join`](Self::join) does. Its own children die with it.
    ///
    /// # Errors
    ///
    /// If the system refuses, because the process has changed its user.
    pub fn kill(&self) -> io::Result<()> {
        self.child().stop(Stop::Kill)
    }

    /// Its standard input, if that is a [pipe](std::process::Stdio::piped) and this end of it has not been taken.
    pub fn stdin(&mut self) -> &mut Option<ChildStdin> {
        &mut self.started.stdin
    }

    /// Its standard output, if that is a [pipe](std::process::Stdio::piped) and this end of it has not been taken.
    pub fn stdout(&mut self) -> &mut Option<ChildStdout> {
        &mut self.started.stdout
    }

    /// Its standard error, if that is a [pipe](std::process::Stdio::piped) and this end of it has not been taken.
    pub fn stderr(&mut self) -> &mut Option<ChildStderr> {
        &mut self.started.stderr
    }
}

/// The process's descriptor, which polls as readable when the process has ended. Python's `sentinel`.
impl<R> AsFd for Process<R> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.child().as_fd()
    }
}

impl<R> fmt::Debug for Process<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Process")
            .field("name", &self.name())
            .field("pid", &self.pid())
            .field("exit", &self.exit())
            .finish_non_exhaustive()
    }
}
