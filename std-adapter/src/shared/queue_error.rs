//! What the queues between processes answer when they cannot do what was asked.

#![forbid(unsafe_code)]

use std::error::Error;
use std::fmt;

use super::depot::{Hold, Nothing};

/// Why a queue between processes did not take an item.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum PutFailure {
    /// There was no room, or not in time.
    Full,
    /// The queue was shut down.
    ShutDown,
    /// The item is longer than the queue can ever hold: it was made for less.
    TooLarge,
    /// The item cannot be serialised, for this reason.
    Encode(String),
    /// A process has written into the queue's memory where it should not.
    Corrupted,
}

/// A queue between processes did not take an item; here it is, and why.
#[derive(Clone, PartialEq, Eq)]
pub struct PutError<T> {
    /// The item.
    pub item: T,
    /// Why it was not taken.
    pub why: PutFailure,
}

/// A queue between processes gave no item.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum GetError {
    /// There was none, or not in time.
    Empty,
    /// The queue was shut down: there will never be another item.
    ShutDown,
    /// An item was taken that cannot be deserialised, for this reason; it is dropped. It may hold a shared
    /// object that has ceased to exist.
    Decode(String),
    /// A process has written into the queue's memory where it should not.
    Corrupted,
}

impl fmt::Display for PutFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("the queue is full"),
            Self::ShutDown => f.write_str("the queue was shut down"),
            Self::TooLarge => f.write_str("the item is larger than the queue's memory"),
            Self::Encode(why) => write!(f, "the item cannot be serialised: {why}"),
            Self::Corrupted => f.write_str("the queue is corrupted"),
        }
    }
}

impl<T> fmt::Display for PutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.why.fmt(f)
    }
}

impl<T> fmt::Debug for PutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PutError({self})")
    }
}

impl<T> Error for PutError<T> {}

impl<T> PutError<T> {
    /// The item that was not taken.
    pub fn into_inner(self) -> T {
        self.item
    }

    pub(super) fn new(item: T, hold: Hold) -> Self {
        let why = hold.into();
        Self { item, why }
    }
}

impl From<Hold> for PutFailure {
    fn from(hold: Hold) -> Self {
        match hold {
            Hold::Full | Hold::NoPages(_) | Hold::NoPlace => Self::Full,
            Hold::ShutDown => Self::ShutDown,
            Hold::TooLarge => Self::TooLarge,
            Hold::Encode(why) => Self::Encode(why),
            Hold::Corrupted => Self::Corrupted,
        }
    }
}

impl fmt::Display for GetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the queue is empty"),
            Self::ShutDown => f.write_str("the queue was shut down"),
            Self::Decode(why) => write!(f, "the item cannot be deserialised: {why}"),
            Self::Corrupted => f.write_str("the queue is corrupted"),
        }
    }
}

impl Error for GetError {}

impl From<Nothing> for GetError {
    fn from(nothing: Nothing) -> Self {
        match nothing {
            Nothing::Empty => Self::Empty,
            Nothing::ShutDown => Self::ShutDown,
            Nothing::Corrupted => Self::Corrupted,
        }
    }
}
