//! Why a process could not be started, or has no result.

#![forbid(unsafe_code)]

use std::{error, fmt, io};

use super::Exit;
use super::mail::Unwritten;
use crate::Panic;

/// Why a process could not be started.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The argument cannot be encoded, for this reason.
    Argument(String),
    /// The function is part of a library that is loaded beside the program, or the program was linked
    /// in a way (`relro-level=off`) in which functions cannot be found again.
    NotInProgram,
    /// The process that would start it is itself a child of a child and so on, this many times. It
    /// looks as if a function started itself for ever.
    TooDeep(u32),
    /// The process that would start it was started as such itself, and has come to `main` without a
    /// call of [`init`](super::init), or is in the middle of what runs before `main`.
    NotInitialized,
    /// This program has more rights than whoever started it, by a set-user-ID bit, a set-group-ID bit or
    /// capabilities of its file. A child would have to believe its environment, and it must not.
    Privileged,
    /// The system refused.
    Os(io::Error),
}

impl From<Unwritten> for StartError {
    fn from(error: Unwritten) -> Self {
        match error {
            Unwritten::Argument(reason) => Self::Argument(reason),
            Unwritten::Os(error) => Self::Os(error),
        }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argument(reason) => write!(f, "the argument cannot be encoded: {reason}"),
            Self::NotInProgram => f.write_str(
                "the function is not part of the program itself, or the program was linked without relro",
            ),
            Self::TooDeep(depth) => write!(
                f,
                "processes have started processes {depth} times over: does a function start itself?"
            ),
            Self::NotInitialized => f.write_str(
                "this process was started to run a function, but has not called `brigade::process::init`",
            ),
            Self::Privileged => f.write_str(
                "a program with more rights than whoever started it (set-user-ID) starts no processes",
            ),
            Self::Os(error) => write!(f, "the process cannot be started: {error}"),
        }
    }
}

impl error::Error for StartError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Os(error) => Some(error),
            _ => None,
        }
    }
}

/// Why a process has no result.
#[derive(Debug)]
#[non_exhaustive]
pub enum JoinError {
    /// The function panicked, or what decodes its argument or encodes its result.
    Panicked(Panic),
    /// It ended before it had a result: it was killed, or has called [`std::process::exit`].
    Ended(Exit),
    /// The child could not decode the argument, for this reason. The function was not called.
    Argument(String),
    /// The child could not encode the result, or this process not decode it, for this reason.
    Result(String),
    /// The child runs another program than this process.
    OtherProgram,
    /// The child's answer could not be read.
    Os(io::Error),
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked(panic) => panic.fmt(f),
            Self::Ended(exit) => write!(f, "the process {exit} before it had a result"),
            Self::Argument(reason) => write!(f, "the argument cannot be decoded: {reason}"),
            Self::Result(reason) => {
                write!(f, "the result cannot be encoded or decoded: {reason}")
            }
            Self::OtherProgram => {
                f.write_str("the child runs another program: its build id differs")
            }
            Self::Os(error) => write!(f, "the answer cannot be read: {error}"),
        }
    }
}

impl error::Error for JoinError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Panicked(panic) => Some(panic),
            Self::Os(error) => Some(error),
            _ => None,
        }
    }
}
