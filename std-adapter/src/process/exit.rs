//! [`Exit`]: how a process ended.

#![forbid(unsafe_code)]

use std::fmt;

use signal_hook::low_level::signal_name;

use crate::sys::pidfd::Status;

/// How a process ended: what Python calls `exitcode`.
///
/// # Example
///
/// ```
/// use brigade::Process;
/// use brigade::process::{Exit, JoinError};
///
/// let child = Process::start(|code| -> () { std::process::exit(code) }, 3)?;
/// let Err(JoinError::Ended(exit)) = child.join() else { unreachable!() };
/// assert_eq!(exit, Exit::Code(3));
/// assert_eq!(exit.to_string(), "exited with code 3");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Exit {
    /// By itself, with this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// Something else in this program has waited for it, or has the system forget its children
    /// (`SIGCHLD` ignored), and so its status is lost.
    Unknown,
}

impl Exit {
    /// Whether it ended by itself, with code 0.
    #[must_use]
    pub fn is_success(self) -> bool {
        self == Self::Code(0)
    }

    /// The code, if it ended by itself.
    #[must_use]
    pub fn code(self) -> Option<i32> {
        match self {
            Self::Code(code) => Some(code),
            _ => None,
        }
    }

    /// The signal, if one ended it.
    #[must_use]
    pub fn signal(self) -> Option<i32> {
        match self {
            Self::Signal(signal) => Some(signal),
            _ => None,
        }
    }
}

impl From<Status> for Exit {
    fn from(status: Status) -> Self {
        match status {
            Status::Code(code) => Self::Code(code),
            Status::Signal(signal) => Self::Signal(signal),
            Status::Unknown => Self::Unknown,
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Code(code) => write!(f, "exited with code {code}"),
            Self::Signal(signal) => match signal_name(signal) {
                Some(name) => write!(f, "killed by {name}"),
                None => write!(f, "killed by signal {signal}"),
            },
            Self::Unknown => f.write_str("ended in an unknown way"),
        }
    }
}
