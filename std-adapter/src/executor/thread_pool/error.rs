//! What can go wrong with a pool. A closure that was not taken is always given back.

use std::error::Error;
use std::{fmt, io};

use crate::Panic;

/// Why a pool could not be built.
///
/// Converts into an [`io::Error`] for functions that return one.
#[derive(Debug)]
pub struct BuildError {
    kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    NoThreads,
    FewerThanLeast {
        min: usize,
        max: usize,
    },
    NoQueue,
    QueueTooLong(usize),
    Name,
    Start {
        number: usize,
        source: io::Error,
    },
    Initializer {
        number: usize,
        source: Panic,
    },
    /// One of processes, for this reason.
    #[cfg_attr(
        not(brigade_processes),
        allow(dead_code, reason = "for pools of processes")
    )]
    Processes {
        reason: String,
        source: Option<Box<dyn Error + Send + Sync>>,
    },
}

impl BuildError {
    /// Of a pool of processes.
    #[cfg_attr(
        not(brigade_processes),
        allow(dead_code, reason = "for pools of processes")
    )]
    pub(in crate::executor) fn of_processes(
        reason: impl Into<String>,
        source: Option<Box<dyn Error + Send + Sync>>,
    ) -> Self {
        let reason = reason.into();
        Kind::Processes { reason, source }.into()
    }
}

impl From<Kind> for BuildError {
    fn from(kind: Kind) -> Self {
        Self { kind }
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::NoThreads => f.write_str("a thread pool needs at least one thread"),
            Kind::FewerThanLeast { min, max } => {
                write!(
                    f,
                    "a thread pool cannot have {min} threads at least and {max} at most"
                )
            }
            Kind::NoQueue => f.write_str("a thread pool's queue must have room for at least one"),
            Kind::QueueTooLong(bound) => {
                write!(f, "a bounded queue holds at most 2^28 items, not {bound}")
            }
            Kind::Name => f.write_str("the name of a thread cannot contain a zero byte"),
            Kind::Start { number, .. } => write!(f, "cannot start thread number {number}"),
            Kind::Initializer { number, .. } => {
                write!(f, "the initializer of thread number {number} panicked")
            }
            Kind::Processes { reason, .. } => f.write_str(reason),
        }
    }
}

impl Error for BuildError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.kind {
            Kind::Start { source, .. } => Some(source),
            Kind::Initializer { source, .. } => Some(source),
            Kind::Processes { source, .. } => source
                .as_ref()
                .map(|source| &**source as &(dyn Error + 'static)),
            _ => None,
        }
    }
}

impl From<BuildError> for io::Error {
    fn from(error: BuildError) -> Self {
        match error.kind {
            Kind::Start { source, .. } => source,
            Kind::Initializer { .. } | Kind::Processes { .. } => io::Error::other(error),
            _ => io::Error::new(io::ErrorKind::InvalidInput, error),
        }
    }
}

/// The pool did not take a closure; here it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum SubmitError<F> {
    /// The pool was shut down.
    ShutDown(F),
    /// The queue is full, and all workers of the pool would wait for the pool: nobody would be left
    /// to make room. Only a task of the same pool is told that.
    WouldDeadlock(F),
}

/// The pool did not take a closure at once; here it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TrySubmitError<F> {
    /// The queue was full.
    Full(F),
    /// The pool was shut down.
    ShutDown(F),
}

/// The pool did not take a closure in time; here it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum SubmitTimeoutError<F> {
    /// The queue was still full when the time was up.
    Timeout(F),
    /// The pool was shut down.
    ShutDown(F),
    /// As for [`SubmitError::WouldDeadlock`]; only if the time-out is too long for the clock, that
    /// is to say for ever.
    WouldDeadlock(F),
}

macro_rules! errors {
    ($($name:ident { $($variant:ident => $text:literal,)+ })+) => {$(
        impl<F> $name<F> {
            /// The closure that was not taken.
            pub fn into_inner(self) -> F {
                match self { $(Self::$variant(closure) => closure,)+ }
            }
        }

        impl<F> fmt::Display for $name<F> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant(_) => $text,)+ })
            }
        }

        // Not derived: closures have no `Debug`.
        impl<F> fmt::Debug for $name<F> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant(_) => stringify!($variant),)+ })
            }
        }

        impl<F> Error for $name<F> {}
    )+};
}

errors! {
    SubmitError {
        ShutDown => "the pool was shut down",
        WouldDeadlock => "the pool would wait for itself",
    }
    TrySubmitError {
        Full => "the pool's queue is full",
        ShutDown => "the pool was shut down",
    }
    SubmitTimeoutError {
        Timeout => "the pool's queue was still full when the time was up",
        ShutDown => "the pool was shut down",
        WouldDeadlock => "the pool would wait for itself",
    }
}
