//! [`Value`]: a value that a manager owns.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::super::protocol::ToValue;
use super::{
    Bytes, Client, Create, Error, Proxy, Reply, Request, decode, done, encode, flag, kind, value,
};

/// A value that a manager owns: what Python calls `manager.Value()`.
///
/// Made by [`Client::value`]. Values are passed by reference and encoded; nothing is consumed. Each
/// operation happens at once, as seen by all clients, and is done before it returns.
///
/// # Where it may be used
///
/// In threads: each operation is a message to the manager and its answer, and blocks for that long. Not
/// in signal handlers; in a task it blocks the executor's thread.
///
/// # Errors
///
/// All operations fail if the value was deleted, the manager is gone, or a message would be too large;
/// those that return it also if the bytes are none of the type.
///
/// # Example
///
/// ```
/// use brigade::Manager;
///
/// let manager = Manager::start()?;
/// let best = manager.value(&0_u32)?;
/// best.update(|best| best.max(17))?;
/// assert_eq!(best.get()?, 17);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type Value<T> = Proxy<kind::Value<T>>;

impl Client {
    /// A new value, which is this at first.
    ///
    /// # Errors
    ///
    /// If the manager has as many objects as it may, or is gone, or the value is too large or cannot be
    /// encoded.
    pub fn value<T: Serialize + DeserializeOwned>(&self, first: &T) -> Result<Value<T>, Error> {
        self.make(Create::Value(Bytes(&encode(first)?)))
    }
}

#[allow(clippy::missing_errors_doc)] // They are said at the type.
impl<T: Serialize + DeserializeOwned> Value<T> {
    fn ask<R>(
        &self,
        action: ToValue<'_>,
        read: impl FnOnce(&Reply<'_>) -> Option<Result<R, Error>>,
    ) -> Result<R, Error> {
        self.client.call(&Request::Value(self.id, action), read)
    }

    /// The value.
    pub fn get(&self) -> Result<T, Error> {
        self.ask(ToValue::Get, value)
    }

    /// Sets the value.
    pub fn set(&self, new: &T) -> Result<(), Error> {
        self.ask(ToValue::Set(Bytes(&encode(new)?)), done)
    }

    /// Changes the value by what it is; returns the new one.
    ///
    /// Nobody's change is lost: the value is changed only if it is still what `change` was given, and
    /// otherwise `change` is called again. So it may be called more than once. No lock is held
    /// meanwhile. Of all who try, one succeeds (lock-free).
    pub fn update(&self, mut change: impl FnMut(T) -> T) -> Result<T, Error> {
        loop {
            let old = self.ask(ToValue::Get, |reply| match reply {
                Reply::Maybe(Some(bytes)) => Some(Ok(bytes.0.to_vec())),
                _ => None,
            })?;
            let value = change(decode(Bytes(&old))?);
            let new = encode(&value)?;
            let replace = ToValue::Replace {
                old: Bytes(&old),
                new: Bytes(&new),
            };
            if self.ask(replace, flag)? {
                return Ok(value);
            }
        }
    }
}
