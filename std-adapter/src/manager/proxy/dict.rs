//! [`Dict`]: a dictionary that a manager owns.

use std::borrow::Borrow;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::super::protocol::ToDict;
use super::{
    Bytes, Client, Create, Error, Proxy, Reply, Request, count, decode, done, encode, flag, kind,
    many, maybe, pairs,
};

/// A dictionary that a manager owns: what Python calls `manager.dict()`.
///
/// Made by [`Client::dict`]. Two keys are the same if their encodings are: so `0.0` and `-0.0` are two,
/// and a key type whose equal values can differ inside, such as a `HashMap`, will not do. Keys and
/// values are passed by reference and encoded; nothing is consumed. The order of entries is arbitrary.
///
/// Each operation happens at once, as seen by all clients, and is done before it returns.
/// [`update`](Self::update) is how to change an entry by what it was.
///
/// A value that was removed or popped is the client's from then on: if the client dies before it has read the
/// answer, or the value cannot be decoded, it is gone. A [`Queue`](super::Queue) takes such items back.
///
/// # Where it may be used
///
/// In threads: each operation is a message to the manager and its answer, and blocks for that long. Not
/// in signal handlers; in a task it blocks the executor's thread.
///
/// # Errors
///
/// All operations fail if the dictionary was deleted, the manager is gone, or a message would be too large;
/// those that return keys or values also if the bytes are none of the type.
///
/// # Example
///
/// ```
/// use brigade::Manager;
/// use brigade::manager::Dict;
///
/// let manager = Manager::start()?;
/// let words: Dict<String, u32> = manager.dict()?;
/// for word in ["red", "green", "red"] {
///     words.update(word, |count| Some(count.unwrap_or(0) + 1))?;
/// }
/// assert_eq!(words.get("red")?, Some(2));
/// assert_eq!(words.len()?, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type Dict<K, V> = Proxy<kind::Dict<K, V>>;

impl Client {
    /// A new dictionary without entries.
    ///
    /// # Errors
    ///
    /// If the manager has as many objects as it may, or is gone.
    pub fn dict<K, V>(&self) -> Result<Dict<K, V>, Error>
    where
        K: Serialize + DeserializeOwned,
        V: Serialize + DeserializeOwned,
    {
        self.make(Create::Dict)
    }
}

#[allow(clippy::missing_errors_doc)] // They are said at the type.
impl<K, V> Dict<K, V>
where
    K: Serialize + DeserializeOwned,
    V: Serialize + DeserializeOwned,
{
    fn ask<R>(
        &self,
        action: ToDict<'_>,
        read: impl FnOnce(&Reply<'_>) -> Option<Result<R, Error>>,
    ) -> Result<R, Error> {
        self.client.call(&Request::Dict(self.id, action), read)
    }

    /// Sets the value of the key; returns the one before.
    pub fn insert<Q>(&self, key: &Q, value: &V) -> Result<Option<V>, Error>
    where
        K: Borrow<Q>,
        Q: Serialize + ?Sized,
    {
        let (key, value) = (encode(key)?, encode(value)?);
        self.ask(ToDict::Insert(Bytes(&key), Bytes(&value)), maybe)
    }

    /// The value of the key.
    pub fn get<Q>(&self, key: &Q) -> Result<Option<V>, Error>
    where
        K: Borrow<Q>,
        Q: Serialize + ?Sized,
    {
        self.ask(ToDict::Get(Bytes(&encode(key)?)), maybe)
    }

    /// Takes the entry of the key out; returns its value.
    pub fn remove<Q>(&self, key: &Q) -> Result<Option<V>, Error>
    where
        K: Borrow<Q>,
        Q: Serialize + ?Sized,
    {
        self.ask(ToDict::Remove(Bytes(&encode(key)?)), maybe)
    }

    /// Whether there is an entry of the key.
    pub fn contains_key<Q>(&self, key: &Q) -> Result<bool, Error>
    where
        K: Borrow<Q>,
        Q: Serialize + ?Sized,
    {
        self.ask(ToDict::Contains(Bytes(&encode(key)?)), flag)
    }

    /// Changes the entry of the key by what it is; returns the new value. `None` is no entry.
    ///
    /// Nobody's change is lost: the entry is changed only if it is still what `change` was given, and
    /// otherwise `change` is called again. So it may be called more than once. No lock is held
    /// meanwhile. Of all who try, one succeeds (lock-free).
    pub fn update<Q>(
        &self,
        key: &Q,
        mut change: impl FnMut(Option<V>) -> Option<V>,
    ) -> Result<Option<V>, Error>
    where
        K: Borrow<Q>,
        Q: Serialize + ?Sized,
    {
        let key = encode(key)?;
        loop {
            let old = self.ask(ToDict::Get(Bytes(&key)), |reply| match reply {
                Reply::Maybe(bytes) => Some(Ok(bytes.map(|bytes| bytes.0.to_vec()))),
                _ => None,
            })?;
            let value = old.as_deref().map(|old| decode(Bytes(old))).transpose()?;
            let value = change(value);
            let new = value.as_ref().map(encode).transpose()?;
            let replace = ToDict::Replace {
                key: Bytes(&key),
                old: old.as_deref().map(Bytes),
                new: new.as_deref().map(Bytes),
            };
            if self.ask(replace, flag)? {
                return Ok(value);
            }
        }
    }

    /// Takes some entry out: what Python calls `popitem`. `None` if there is none.
    pub fn pop(&self) -> Result<Option<(K, V)>, Error> {
        Ok(self.ask(ToDict::Pop, pairs)?.pop())
    }

    /// How many entries there are.
    pub fn len(&self) -> Result<usize, Error> {
        self.ask(ToDict::Len, count)
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> Result<bool, Error> {
        Ok(self.len()? == 0)
    }

    /// All keys. They travel in one message.
    pub fn keys(&self) -> Result<Vec<K>, Error> {
        self.ask(ToDict::Keys, many)
    }

    /// All entries. They travel in one message.
    pub fn items(&self) -> Result<Vec<(K, V)>, Error> {
        self.ask(ToDict::Entries, pairs)
    }

    /// Takes all entries out.
    pub fn clear(&self) -> Result<(), Error> {
        self.ask(ToDict::Clear, done)
    }
}
