//! [`Builder`]: chooses what a process is like, and starts it.

#![forbid(unsafe_code)]

use std::ffi::OsStr;
use std::fmt;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{self, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::enter::{self, OUTLIVES};
use super::mail::{self, Order};
use super::ship::ShippedFn;
use super::{Process, StartError, current, nursery};
use crate::executor::Message;
use crate::sys::process::guard;

/// How many processes may be above one another.
const DEEPEST: u32 = 16;

/// Chooses what a process is like, and starts it.
///
/// # Example
///
/// ```
/// use brigade::process;
///
/// let child = process::Builder::new()
///     .name("reader")
///     .env("LANG", "C")
///     .current_dir("/")
///     .start(|()| std::env::current_dir().unwrap(), ())?;
/// assert_eq!(child.name(), "reader");
/// assert_eq!(child.join()?, std::path::Path::new("/"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a builder starts nothing until `start`"]
pub struct Builder {
    command: Command,
    name: Option<String>,
    outlives: bool,
    ignore_interrupts: bool,
}

impl Builder {
    /// A process with a name such as `process-3`, that has the environment, working directory and
    /// standard streams of this one and dies with it.
    pub fn new() -> Self {
        Self {
            // The very program that runs, also if its file has been replaced meanwhile.
            command: Command::new("/proc/self/exe"),
            name: None,
            outlives: false,
            ignore_interrupts: false,
        }
    }

    /// What the process is called: by [`current_name`](super::current_name), `ps`, and the thread
    /// that runs the function, and thus in messages of panics. `ps -o comm` shows 15 bytes of it.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets a variable of its environment.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Takes a variable out of its environment.
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.command.env_remove(name);
        self
    }

    /// Has it inherit none of this process's environment, and forget what was set before.
    pub fn env_clear(mut self) -> Self {
        self.command.env_clear();
        self
    }

    /// Its working directory.
    pub fn current_dir(mut self, path: impl AsRef<Path>) -> Self {
        self.command.current_dir(path);
        self
    }

    /// Where it reads its standard input from. With [`Stdio::piped`], from
    /// [`Process::stdin`].
    pub fn stdin(mut self, stdin: impl Into<Stdio>) -> Self {
        self.command.stdin(stdin);
        self
    }

    /// Where its standard output goes. With [`Stdio::piped`], to [`Process::stdout`].
    pub fn stdout(mut self, stdout: impl Into<Stdio>) -> Self {
        self.command.stdout(stdout);
        self
    }

    /// Where its standard error goes. With [`Stdio::piped`], to [`Process::stderr`].
    pub fn stderr(mut self, stderr: impl Into<Stdio>) -> Self {
        self.command.stderr(stderr);
        self
    }

    /// Lets it go on when this process has ended, in whichever way. Without this, it is killed then.
    ///
    /// Python's processes that are no daemons are waited for at the end of the program. Call
    /// [`join`](Process::join) for that. If this process ends while the child is only starting, the child
    /// may find nothing to do, and says so on its standard error.
    pub fn outlive_parent(mut self) -> Self {
        self.outlives = true;
        self
    }

    /// Has it ignore `SIGINT`. A terminal sends that to all its foreground processes at Ctrl-C, this one
    /// and its children; a child ends by it, like any program. With this, it is for this process alone to
    /// decide what becomes of the child, once that has begun to run; in the part of a millisecond before,
    /// while the system starts it, an interrupt ends it. Programs that the child starts ignore it as well.
    pub fn ignore_interrupts(mut self) -> Self {
        self.ignore_interrupts = true;
        self
    }

    /// Starts the process, which calls `function` with `argument`.
    ///
    /// The function is a `fn` item or a closure that captures nothing; what it is to work on goes in
    /// as its argument. Another is refused when it is compiled. The argument is encoded here, and
    /// dropped.
    ///
    /// Blocks until the system has started the process, about a millisecond; not until it has got as far as
    /// the function.
    ///
    /// # Errors
    ///
    /// [`StartError`]: if the argument cannot be encoded, the system refuses, the name contains a zero
    /// byte, or this program has more rights than whoever started it.
    ///
    /// # Example
    ///
    /// ```
    /// use brigade::process;
    ///
    /// let child = process::Builder::new().start(|(a, b): (u32, u32)| a * b, (6, 7))?;
    /// assert_eq!(child.join()?, 42);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// ```compile_fail
    /// let offset = 1;
    /// // It captures `offset`: send that along in the argument.
    /// let child = brigade::Process::start(move |n: u32| n + offset, 2);
    /// ```
    pub fn start<F, A, R>(mut self, function: F, argument: A) -> Result<Process<R>, StartError>
    where
        F: Fn(A) -> R + Copy + Send + 'static,
        A: Message,
        R: Message,
    {
        guard::link();
        if guard::is_privileged() {
            return Err(StartError::Privileged);
        }
        if enter::is_unclaimed() {
            return Err(StartError::NotInitialized);
        }
        let depth = current::depth() + 1;
        if depth > DEEPEST {
            return Err(StartError::TooDeep(DEEPEST));
        }
        let function = ShippedFn::of(function).ok_or(StartError::NotInProgram)?;
        let name = self.name.unwrap_or_else(numbered);
        let order = Order {
            name: name.clone(),
            function: function.to_u64(),
            parent: current::current_name().to_owned(),
            depth,
            ignore_interrupts: self.ignore_interrupts,
        };
        let (letter, attachments) = mail::request(order, &argument)?;
        drop(argument);

        let mut claim = format!("{}:{}", process::id(), letter.as_raw_fd());
        if self.outlives {
            claim = claim + ":" + OUTLIVES;
        }
        self.command.env(guard::VARIABLE, claim).arg0(&name);
        let request = nursery::Request {
            command: self.command,
            name,
            letter,
            attachments,
        };
        let started = nursery::start(request).map_err(StartError::Os)?;
        Ok(Process::new(started))
    }
}

/// The next name for a process without one.
fn numbered() -> String {
    static LAST: AtomicU64 = AtomicU64::new(0);

    // ORDERING: a counter that orders nothing else.
    let number = LAST.fetch_add(1, Relaxed) + 1;
    format!("process-{number}")
}

impl Default for Builder {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("name", &self.name)
            .field("outlives_parent", &self.outlives)
            .field("ignore_interrupts", &self.ignore_interrupts)
            .finish_non_exhaustive()
    }
}
