//! What the operations answer when they cannot do what was asked. A failed put gives the item
//! back.

use core::error::Error;
use core::fmt;

use crate::bounded::{Nothing, Refused};

/// Gives every error of an operation on an item the same shape: a sentence, whatever the item is.
macro_rules! errors {
    ($($name:ident $(<$item:ident>)? { $($pattern:pat => $text:literal,)+ })+) => {$(
        impl$(<$item>)? fmt::Display for $name$(<$item>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $($pattern => $text,)+ })
            }
        }

        impl$(<$item>)? fmt::Debug for $name$(<$item>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl$(<$item>)? Error for $name$(<$item>)? {}
    )+};
}

/// A container did not take an item; here it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum PushError<T> {
    /// The container was full.
    Full(T),
    /// The container was closed.
    Closed(T),
}

/// A container gave no item.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum PopError {
    /// The container was empty.
    Empty,
    /// The container was closed and is empty: there will never be another item.
    Closed,
}

/// A queue did not take an item at once; here it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TryPutError<T> {
    /// The queue was full.
    Full(T),
    /// The queue was shut down.
    ShutDown(T),
}

/// The queue was shut down before it took the item; here it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PutError<T>(pub T);

/// A queue did not take an item in time; here it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum PutTimeoutError<T> {
    /// The queue was still full when the time was up.
    Timeout(T),
    /// The queue was shut down.
    ShutDown(T),
}

/// A queue gave no item at once.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum TryGetError {
    /// The queue was empty.
    Empty,
    /// The queue was shut down: there will never be another item.
    ShutDown,
}

/// The queue was shut down: there will never be another item.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct GetError;

/// A queue gave no item in time.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum GetTimeoutError {
    /// The queue was still empty when the time was up.
    Timeout,
    /// The queue was shut down: there will never be another item.
    ShutDown,
}

/// More was reported as done than had been begun. The count stays at zero.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TooManyDone;

/// More permits would be free than the semaphore's bound allows. None was added.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TooManyPermits;

/// The count would exceed `u32::MAX`. It stays as it was.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CountOverflow;

errors! {
    PushError<T> {
        Self::Full(_) => "the container is full",
        Self::Closed(_) => "the container is closed",
    }
    PopError {
        Self::Empty => "the container is empty",
        Self::Closed => "the container is closed and empty",
    }
    TryPutError<T> {
        Self::Full(_) => "the queue is full",
        Self::ShutDown(_) => "the queue was shut down",
    }
    PutError<T> {
        Self(_) => "the queue was shut down",
    }
    PutTimeoutError<T> {
        Self::Timeout(_) => "the queue was still full when the time was up",
        Self::ShutDown(_) => "the queue was shut down",
    }
    TryGetError {
        Self::Empty => "the queue is empty",
        Self::ShutDown => "the queue was shut down",
    }
    GetError {
        Self => "the queue was shut down",
    }
    GetTimeoutError {
        Self::Timeout => "the queue was still empty when the time was up",
        Self::ShutDown => "the queue was shut down",
    }
    TooManyDone {
        Self => "more was reported as done than had been begun",
    }
    TooManyPermits {
        Self => "more permits would be free than the semaphore's bound allows",
    }
    CountOverflow {
        Self => "the count would exceed 4294967295",
    }
}

impl<T> PushError<T> {
    /// The item that was not taken.
    pub fn into_inner(self) -> T {
        match self {
            Self::Full(item) | Self::Closed(item) => item,
        }
    }
}

impl<T> TryPutError<T> {
    /// The item that was not taken.
    pub fn into_inner(self) -> T {
        match self {
            Self::Full(item) | Self::ShutDown(item) => item,
        }
    }
}

impl<T> PutTimeoutError<T> {
    /// The item that was not taken.
    pub fn into_inner(self) -> T {
        match self {
            Self::Timeout(item) | Self::ShutDown(item) => item,
        }
    }
}

impl<T> From<PushError<T>> for Refused<T> {
    fn from(error: PushError<T>) -> Self {
        match error {
            PushError::Full(item) => Self::Full(item),
            PushError::Closed(item) => Self::Closed(item),
        }
    }
}

impl From<PopError> for Nothing {
    fn from(error: PopError) -> Self {
        match error {
            PopError::Empty => Self::Empty,
            PopError::Closed => Self::Closed,
        }
    }
}
