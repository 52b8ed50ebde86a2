//! [`WorkerLost`]: how the process ended that ran a task.

#![forbid(unsafe_code)]

use std::fmt;

/// The worker process that ran a task ended before the task did: which one, and how.
///
/// A task with a retry budget is run again first; this is then about the last worker that it took
/// along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerLost {
    worker: String,
    end: End,
    attempts: u32,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(brigade_processes),
    allow(dead_code, reason = "for pools of processes")
)]
pub(super) enum End {
    Exited(i32),
    /// By this signal, which has this name.
    Killed(i32, Option<&'static str>),
    /// Somebody else has waited for it.
    Unknown,
}

impl WorkerLost {
    #[cfg_attr(
        not(brigade_processes),
        allow(dead_code, reason = "for pools of processes")
    )]
    pub(super) fn new(worker: String, end: End, attempts: u32) -> Self {
        Self {
            worker,
            end,
            attempts,
        }
    }

    /// The worker's name, as the system shows it.
    #[must_use]
    pub fn worker(&self) -> &str {
        &self.worker
    }

    /// With which code it exited; `None` if a signal ended it.
    #[must_use]
    pub fn exit_code(&self) -> Option<i32> {
        match self.end {
            End::Exited(code) => Some(code),
            End::Killed(..) | End::Unknown => None,
        }
    }

    /// The number of the signal that ended it; `None` if it exited.
    #[must_use]
    pub fn signal(&self) -> Option<i32> {
        match self.end {
            End::Killed(signal, _) => Some(signal),
            End::Exited(_) | End::Unknown => None,
        }
    }

    /// How often the task was begun: once, and once more for each retry.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }
}

impl fmt::Display for WorkerLost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the worker process '{}' ", self.worker)?;
        match self.end {
            End::Exited(code) => write!(f, "exited with code {code}")?,
            End::Killed(_, Some(name)) => write!(f, "was killed by {name}")?,
            End::Killed(signal, None) => write!(f, "was killed by signal {signal}")?,
            End::Unknown => f.write_str("ended")?,
        }
        match self.attempts {
            0 | 1 => f.write_str(" during the task"),
            attempts => write!(f, " during the task, which was begun {attempts} times"),
        }
    }
}

impl std::error::Error for WorkerLost {}
