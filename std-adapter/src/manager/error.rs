//! [`Error`]: why an operation on an object of a manager's failed; [`PutError`] and [`ShutdownError`], with
//! the items.

use std::{error, fmt, io};

use super::protocol::Failure;

/// Why an operation on a [`Manager`](crate::Manager) or on one of its objects failed.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The time was up.
    Timeout,
    /// The queue was full.
    Full,
    /// The queue was empty.
    Empty,
    /// The queue was shut down: there will never be another item, or room for one.
    ShutDown,
    /// More was reported as done than this process had got.
    TooManyDone,
    /// The object was deleted, or the manager never had it.
    NoObject,
    /// Nothing was published under this name.
    NoName,
    /// Something was published under this name before.
    NameTaken,
    /// The object of this name or number is of another kind.
    WrongKind,
    /// The list has no such place.
    OutOfRange,
    /// This process does not hold that lock, permit or item: the connection was lost in between.
    NotHeld,
    /// The value, or the answer, is larger than the manager lets messages be.
    TooLarge,
    /// The manager has as many objects or names as it may.
    TooMany,
    /// The value could not be encoded.
    Encode(String),
    /// The bytes that were stored are no value of this type.
    Decode(String),
    /// The manager serves as many connections as it may.
    Busy,
    /// The other side does not know the key.
    WrongKey,
    /// What listens at this address runs as another user.
    OtherUser,
    /// There is no manager, or it has ended, or the connection was lost. Whether it did what it
    /// was asked for last is not known.
    Gone(io::Error),
    /// The manager did not answer, although its time was up. Whether it did what it was asked for is
    /// not known.
    Unresponsive,
    /// The other side does not say what a manager says.
    Protocol(&'static str),
    /// The manager could not be started.
    Start(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout => "the time was up",
            Self::Full => "the queue is full",
            Self::Empty => "the queue is empty",
            Self::ShutDown => "the queue was shut down",
            Self::TooManyDone => "more was reported as done than this process had got",
            Self::NoObject => "the manager has no such object, or it was deleted",
            Self::NoName => "nothing was published under this name",
            Self::NameTaken => "something else was published under this name",
            Self::WrongKind => "the manager's object is of another kind",
            Self::OutOfRange => "the list has no such place",
            Self::NotHeld => "this process does not hold it any more",
            Self::TooLarge => "the message is larger than the manager allows",
            Self::TooMany => "the manager has as many objects or names as it may",
            Self::Encode(why) => return write!(f, "the value could not be encoded: {why}"),
            Self::Decode(why) => return write!(f, "the value could not be decoded: {why}"),
            Self::Busy => "the manager serves as many connections as it may",
            Self::WrongKey => "the manager's key is another",
            Self::OtherUser => "the manager belongs to another user",
            Self::Gone(why) => return write!(f, "the manager is gone: {why}"),
            Self::Unresponsive => "the manager does not answer",
            Self::Protocol(what) => what,
            Self::Start(why) => return write!(f, "the manager could not be started: {why}"),
        })
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Gone(source) | Self::Start(source) => Some(source),
            _ => None,
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Timeout => Self::Timeout,
            Failure::ShutDown => Self::ShutDown,
            Failure::TooManyDone => Self::TooManyDone,
            Failure::NoObject => Self::NoObject,
            Failure::NoName => Self::NoName,
            Failure::NameTaken => Self::NameTaken,
            Failure::WrongKind => Self::WrongKind,
            Failure::OutOfRange => Self::OutOfRange,
            Failure::NotHeld => Self::NotHeld,
            Failure::TooLarge => Self::TooLarge,
            Failure::TooMany => Self::TooMany,
            Failure::Malformed => Self::Protocol("the manager could not read the request"),
        }
    }
}

/// A queue of a manager's did not take an item; here it is.
///
/// If the error is [`Error::Gone`] or [`Error::Unresponsive`], the item may have been put all the same:
/// only the answer is missing. Whoever puts it again may put it twice.
pub struct PutError<T> {
    /// The item.
    pub item: T,
    /// Why it was not taken.
    pub error: Error,
}

impl<T> fmt::Debug for PutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PutError").field(&self.error).finish()
    }
}

impl<T> fmt::Display for PutError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<T> error::Error for PutError<T> {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.error.source()
    }
}

impl<T> From<PutError<T>> for Error {
    fn from(error: PutError<T>) -> Self {
        error.error
    }
}

/// Not all that was left in a queue of a manager's when it was [shut down](super::Queue::shutdown) could be had;
/// here is what could.
///
/// Items that are no `T` are gone.
pub struct ShutdownError<T> {
    /// The items, in their order.
    pub items: Vec<T>,
    /// What went wrong first.
    pub error: Error,
}

impl<T> fmt::Debug for ShutdownError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShutdownError")
            .field("items", &self.items.len())
            .field("error", &self.error)
            .finish()
    }
}

impl<T> fmt::Display for ShutdownError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<T> error::Error for ShutdownError<T> {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.error.source()
    }
}

impl<T> From<ShutdownError<T>> for Error {
    fn from(error: ShutdownError<T>) -> Self {
        error.error
    }
}
