//! [`List`]: a list that a manager owns.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::super::protocol::ToList;
use super::{
    Bytes, Client, Create, Error, Proxy, Reply, Request, count, done, encode, kind, many, maybe,
    value,
};

/// A list that a manager owns: what Python calls `manager.list()`.
///
/// Made by [`Client::list`]. Values are passed by reference and encoded; nothing is consumed. Each
/// operation happens at once, as seen by all clients, and is done before it returns.
///
/// A value that was popped or removed is the client's from then on: if the client dies before it has read the
/// answer, or the value cannot be decoded, it is gone. A [`Queue`](super::Queue) takes such items back.
///
/// # Where it may be used
///
/// In threads: each operation is a message to the manager and its answer, and blocks for that long. Not
/// in signal handlers; in a task it blocks the executor's thread.
///
/// # Errors
///
/// All operations fail if the list was deleted, the manager is gone, or a message would be too large; those
/// that return values also if the bytes are none of the type. Those with an index fail with
/// [`Error::OutOfRange`] if the list has no such place.
///
/// # Example
///
/// ```
/// use brigade::Manager;
/// use brigade::manager::List;
///
/// let manager = Manager::start()?;
/// let names: List<String> = manager.list()?;
/// names.push(&"red".into())?;
/// names.extend(["green".into(), "blue".into()])?;
/// names.set(1, &"grey".into())?;
/// assert_eq!(names.to_vec()?, ["red", "grey", "blue"]);
/// assert!(names.get(3).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type List<T> = Proxy<kind::List<T>>;

impl Client {
    /// A new list without values.
    ///
    /// # Errors
    ///
    /// If the manager has as many objects as it may, or is gone.
    pub fn list<T: Serialize + DeserializeOwned>(&self) -> Result<List<T>, Error> {
        self.make(Create::List)
    }
}

#[allow(clippy::missing_errors_doc)] // They are said at the type.
impl<T: Serialize + DeserializeOwned> List<T> {
    fn ask<R>(
        &self,
        action: ToList<'_>,
        read: impl FnOnce(&Reply<'_>) -> Option<Result<R, Error>>,
    ) -> Result<R, Error> {
        self.client.call(&Request::List(self.id, action), read)
    }

    /// Adds a value at the end.
    pub fn push(&self, value: &T) -> Result<(), Error> {
        self.ask(ToList::Push(Bytes(&encode(value)?)), done)
    }

    /// Adds values at the end, next to each other. They travel in one message.
    pub fn extend(&self, values: impl IntoIterator<Item = T>) -> Result<(), Error> {
        let encoded = values.into_iter().map(|value| encode(&value));
        let encoded = encoded.collect::<Result<Vec<_>, _>>()?;
        let values = encoded.iter().map(|value| Bytes(value)).collect();
        self.ask(ToList::Extend(values), done)
    }

    /// Takes the last value out, if there is one.
    pub fn pop(&self) -> Result<Option<T>, Error> {
        self.ask(ToList::Pop, maybe)
    }

    /// The value at this place.
    pub fn get(&self, index: usize) -> Result<T, Error> {
        self.ask(ToList::Get(index as u64), value)
    }

    /// Sets the value at this place; returns the one before.
    pub fn set(&self, index: usize, new: &T) -> Result<T, Error> {
        self.ask(ToList::Set(index as u64, Bytes(&encode(new)?)), value)
    }

    /// Puts a value at this place, before those from there on.
    pub fn insert(&self, index: usize, value: &T) -> Result<(), Error> {
        self.ask(ToList::Insert(index as u64, Bytes(&encode(value)?)), done)
    }

    /// Takes the value at this place out.
    pub fn remove(&self, index: usize) -> Result<T, Error> {
        self.ask(ToList::Remove(index as u64), value)
    }

    /// How many values there are.
    pub fn len(&self) -> Result<usize, Error> {
        self.ask(ToList::Len, count)
    }

    /// Whether there are no values.
    pub fn is_empty(&self) -> Result<bool, Error> {
        Ok(self.len()? == 0)
    }

    /// All values. They travel in one message.
    pub fn to_vec(&self) -> Result<Vec<T>, Error> {
        self.ask(ToList::All, many)
    }

    /// Takes all values out.
    pub fn clear(&self) -> Result<(), Error> {
        self.ask(ToList::Clear, done)
    }
}
