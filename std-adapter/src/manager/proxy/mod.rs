//! [`Proxy`]: an object of a manager's, as seen from a process. What each kind of them does is in
//! a file of its own.

mod dict;
mod event;
pub mod kind;
mod lease;
mod list;
mod lock;
mod namespace;
mod queue;
mod value;

use std::fmt;
use std::marker::PhantomData;
use std::time::{Duration, Instant};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::client::Client;
use super::error::Error;
use super::key::{Address, Key};
use super::protocol::{self, Bytes, Create, Id, Patience, Reply, Request};

use kind::{Kind, kind_of};

pub use dict::Dict;
pub use event::Event;
pub use lease::Lease;
pub use list::List;
pub use lock::{Guard, Lock, Permit, Semaphore};
pub use namespace::Namespace;
pub use queue::{Iter, Queue};
pub use value::Value;

/// An object of a manager's, as seen from a process: a [`Queue`], a [`Dict`], a [`List`], a
/// [`Value`], a [`Namespace`], an [`Event`], a [`Lock`] or a [`Semaphore`].
///
/// A proxy is a name: the manager's address and key, and the object's number. Clones are the same object.
/// It is sent to another process by serde, as an argument or in a message, and is the same object there,
/// as long as the manager lives. Who has the proxy has the key, too: what serde writes has it in the clear, so
/// it does not belong into files or logs that others may read. `Debug` does not show it.
///
/// The object lives until the manager ends, or until it is [deleted](Self::delete); the manager does not
/// count proxies.
pub struct Proxy<K: Kind> {
    client: Client,
    id: Id,
    kind: PhantomData<fn() -> K>,
}

impl<K: Kind> Proxy<K> {
    fn new(client: &Client, id: Id) -> Self {
        Self {
            client: client.clone(),
            id,
            kind: PhantomData,
        }
    }

    /// The manager's client in this process.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Removes the object from the manager, for all. Who waits for it gets an error.
    ///
    /// # Errors
    ///
    /// If it was deleted before, or the manager is gone.
    pub fn delete(self) -> Result<(), Error> {
        self.client.call(&Request::Delete(self.id), done)
    }
}

impl<K: Kind> Clone for Proxy<K> {
    fn clone(&self) -> Self {
        Self::new(&self.client, self.id)
    }
}

impl<K: Kind> fmt::Debug for Proxy<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(match kind_of::<K>() {
            protocol::Kind::Queue => "Queue",
            protocol::Kind::Dict => "Dict",
            protocol::Kind::List => "List",
            protocol::Kind::Value => "Value",
            protocol::Kind::Namespace => "Namespace",
            protocol::Kind::Event => "Event",
            protocol::Kind::Lock => "Lock",
            protocol::Kind::Semaphore => "Semaphore",
        })
        .field("id", &self.id)
        .field("address", &self.client.address().as_str())
        .finish()
    }
}

/// Two proxies are equal if they are the same object.
impl<K: Kind> PartialEq for Proxy<K> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && self.client.address() == other.client.address()
    }
}

impl<K: Kind> Eq for Proxy<K> {}

impl<K: Kind> Serialize for Proxy<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.client.address(), self.client.key(), self.id).serialize(serializer)
    }
}

/// Does not connect.
impl<'de, K: Kind> Deserialize<'de> for Proxy<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (address, key, id) = <(Address, Key, Id)>::deserialize(deserializer)?;
        Ok(Self::new(&Client::of(address, key), id))
    }
}

impl Client {
    fn make<K: Kind>(&self, create: Create<'_>) -> Result<Proxy<K>, Error> {
        let id = self.create(create)?;
        Ok(Proxy::new(self, id))
    }

    /// Gives the object a name, under which every client of the manager [finds](Self::find) it.
    ///
    /// # Errors
    ///
    /// If the name is taken, the object is not this manager's or was deleted, there are as many names as
    /// there may be, or the manager is gone.
    pub fn publish<K: Kind>(&self, name: &str, proxy: &Proxy<K>) -> Result<(), Error> {
        if self.address() != proxy.client.address() {
            return Err(Error::NoObject);
        }
        let object = proxy.id;
        self.call(&Request::Publish { name, object }, done)
    }

    /// The object that was [published](Self::publish) under this name.
    ///
    /// The manager knows its kind, but not the types of what is in it: these are the caller's to know.
    ///
    /// # Errors
    ///
    /// If there is none, it is of another kind, or the manager is gone.
    pub fn find<K: Kind>(&self, name: &str) -> Result<Proxy<K>, Error> {
        let id = self.find_id(name, kind_of::<K>())?;
        Ok(Proxy::new(self, id))
    }
}

// What replies are read as.

fn done(reply: &Reply<'_>) -> Option<Result<(), Error>> {
    matches!(reply, Reply::Done).then_some(Ok(()))
}

fn flag(reply: &Reply<'_>) -> Option<Result<bool, Error>> {
    match reply {
        Reply::Flag(flag) => Some(Ok(*flag)),
        _ => None,
    }
}

fn count(reply: &Reply<'_>) -> Option<Result<usize, Error>> {
    match reply {
        Reply::Count(number) => Some(Ok(usize::try_from(*number).unwrap_or(usize::MAX))),
        _ => None,
    }
}

fn maybe<T: DeserializeOwned>(reply: &Reply<'_>) -> Option<Result<Option<T>, Error>> {
    match reply {
        Reply::Maybe(bytes) => Some(bytes.map(decode).transpose()),
        _ => None,
    }
}

/// There is always a value.
fn value<T: DeserializeOwned>(reply: &Reply<'_>) -> Option<Result<T, Error>> {
    match reply {
        Reply::Maybe(Some(bytes)) => Some(decode(*bytes)),
        _ => None,
    }
}

/// As [`many`], but one that cannot be decoded does not spoil the others.
fn items<T: DeserializeOwned>(reply: &Reply<'_>) -> Option<Result<Vec<Result<T, Error>>, Error>> {
    match reply {
        Reply::Many(values) => Some(Ok(values.iter().copied().map(decode).collect())),
        _ => None,
    }
}

fn many<T: DeserializeOwned>(reply: &Reply<'_>) -> Option<Result<Vec<T>, Error>> {
    match reply {
        Reply::Many(values) => Some(values.iter().copied().map(decode).collect()),
        _ => None,
    }
}

/// Keys with their values.
fn pairs<K: DeserializeOwned, V: DeserializeOwned>(
    reply: &Reply<'_>,
) -> Option<Result<Vec<(K, V)>, Error>> {
    let Reply::Many(parts) = reply else {
        return None;
    };
    let entry = |entry: &[Bytes<'_>]| Ok((decode(entry[0])?, decode(entry[1])?));
    let entries = parts.chunks_exact(2);
    entries
        .remainder()
        .is_empty()
        .then(|| entries.map(entry).collect())
}

/// What was asked for with no patience was not there.
fn at_once<T>(result: Result<T, Error>, otherwise: Error) -> Result<T, Error> {
    match result {
        Err(Error::Timeout) => Err(otherwise),
        other => other,
    }
}

fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Error> {
    postcard::to_extend(value, Vec::new()).map_err(|error| Error::Encode(error.to_string()))
}

fn decode<T: DeserializeOwned>(bytes: Bytes<'_>) -> Result<T, Error> {
    protocol::decode(bytes.0).map_err(|error| Error::Decode(error.to_string()))
}

/// The time until then; none if it is over.
fn until(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}
