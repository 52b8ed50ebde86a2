//! What client and server say to each other: one request, one reply.
//!
//! Values, keys and items are [`Bytes`] here: only the proxies know the types that they encode.
//! What waits carries its patience: `None` for as long as it takes, zero for not at all.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A number that the server gives to an object, and never twice.
pub(super) type Id = u64;

/// How long the server may wait before it answers; `None` for as long as it takes.
pub(super) type Patience = Option<Duration>;

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Request<'a> {
    Create(#[serde(borrow)] Create<'a>),
    Delete(Id),
    Publish { name: &'a str, object: Id },
    Find { name: &'a str },
    Queue(Id, #[serde(borrow)] ToQueue<'a>),
    Dict(Id, #[serde(borrow)] ToDict<'a>),
    List(Id, #[serde(borrow)] ToList<'a>),
    Value(Id, #[serde(borrow)] ToValue<'a>),
    Event(Id, ToEvent),
    Permits(Id, ToPermits),
}

impl Request<'_> {
    /// How long the server may wait before it answers; zero for what does not wait.
    pub(super) fn patience(&self) -> Patience {
        match self {
            Request::Queue(
                _,
                ToQueue::Put(_, patience)
                | ToQueue::Get(patience)
                | ToQueue::Lease(patience)
                | ToQueue::Join(patience),
            )
            | Request::Event(_, ToEvent::Wait(patience))
            | Request::Permits(_, ToPermits::Take(patience)) => *patience,
            _ => Some(Duration::ZERO),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Create<'a> {
    /// With room for so many; without a bound if there is none.
    Queue(Option<u64>),
    Dict,
    List,
    Value(#[serde(borrow)] Bytes<'a>),
    Namespace,
    Event,
    Lock,
    Semaphore(u32),
}

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    Queue,
    Dict,
    List,
    Value,
    Namespace,
    Event,
    Lock,
    Semaphore,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum ToQueue<'a> {
    Put(#[serde(borrow)] Bytes<'a>, Patience),
    Get(Patience),
    Lease(Patience),
    /// A leased item is finished.
    Finish(u64),
    /// A leased item is for somebody else.
    PutBack(u64),
    /// A leased item could not be read: for somebody else, after the rest.
    Reject(u64),
    TaskDone,
    Join(Patience),
    /// No more puts.
    Drain,
    /// No more gets either; takes out what is left, as much as fits into one reply.
    Close,
    State,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum ToDict<'a> {
    Insert(#[serde(borrow)] Bytes<'a>, Bytes<'a>),
    Get(Bytes<'a>),
    Remove(Bytes<'a>),
    Contains(Bytes<'a>),
    /// Changes the entry to `new` if it is `old`; `None` is no entry.
    Replace {
        key: Bytes<'a>,
        old: Option<Bytes<'a>>,
        new: Option<Bytes<'a>>,
    },
    /// Takes any entry out.
    Pop,
    Len,
    Keys,
    Entries,
    Clear,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum ToList<'a> {
    Push(#[serde(borrow)] Bytes<'a>),
    Extend(Vec<Bytes<'a>>),
    Pop,
    Get(u64),
    Set(u64, Bytes<'a>),
    Insert(u64, Bytes<'a>),
    Remove(u64),
    Len,
    All,
    Clear,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum ToValue<'a> {
    Get,
    Set(#[serde(borrow)] Bytes<'a>),
    /// Changes the value to `new` if it is `old`.
    Replace {
        old: Bytes<'a>,
        new: Bytes<'a>,
    },
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum ToEvent {
    Set,
    Clear,
    IsSet,
    Wait(Patience),
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum ToPermits {
    Take(Patience),
    Return(u64),
    Free,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Reply<'a> {
    Done,
    Failed(Failure),
    Object(Id, Kind),
    Flag(bool),
    Count(u64),
    /// A value, an entry or an item, if there is one.
    Maybe(#[serde(borrow)] Option<Bytes<'a>>),
    /// Items, values or keys; of a dictionary's entries, each key before its value.
    Many(Vec<Bytes<'a>>),
    /// An item, with the number to report it by, and how often it was handed out before.
    Leased(u64, u32, Bytes<'a>),
    /// A permit, with the number to return it by; whether one who held it died.
    Permit(u64, bool),
    Queue(QueueState),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct QueueState {
    pub(super) len: u64,
    pub(super) capacity: Option<u64>,
    pub(super) unfinished: u64,
    pub(super) shut_down: bool,
}

/// Why the server did not do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Failure {
    /// The time was up.
    Timeout,
    /// The queue was shut down.
    ShutDown,
    TooManyDone,
    /// The object was deleted, or there never was one.
    NoObject,
    /// Nothing was published under this name.
    NoName,
    /// Something else was published under this name.
    NameTaken,
    /// The object is of another kind.
    WrongKind,
    /// The list has no such place.
    OutOfRange,
    /// Whoever asks does not hold that.
    NotHeld,
    /// The request, or the reply, is larger than messages may be.
    TooLarge,
    /// There are as many objects, or names, as there may be.
    TooMany,
    /// The request made no sense.
    Malformed,
}

/// Bytes on their way, without a copy where they are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl fmt::Debug for Bytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Bytes<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Deserialize::deserialize(deserializer).map(Bytes)
    }
}

/// Reads a message that takes up all of the bytes.
pub(super) fn decode<'a, T: de::Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, postcard::Error> {
    match postcard::take_from_bytes(bytes)? {
        (message, []) => Ok(message),
        _ => Err(postcard::Error::DeserializeBadEncoding),
    }
}
