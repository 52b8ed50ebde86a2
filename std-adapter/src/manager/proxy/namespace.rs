//! [`Namespace`]: named values of any types, which a manager owns.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::super::protocol::ToDict;
use super::{Bytes, Client, Create, Error, Proxy, Reply, Request, encode, flag, kind, many, maybe};

/// Named values of any types, which a manager owns: what Python calls `manager.Namespace()`.
///
/// Made by [`Client::namespace`]. Who gets a value has to know its type. Each operation happens at once,
/// as seen by all clients, and is done before it returns.
///
/// # Where it may be used
///
/// In threads: each operation is a message to the manager and its answer, and blocks for that long. Not
/// in signal handlers; in a task it blocks the executor's thread.
///
/// # Errors
///
/// All operations fail if the namespace was deleted, the manager is gone, or a message would be too large;
/// [`get`](Self::get) also if the bytes are none of the type.
///
/// # Example
///
/// ```
/// use brigade::Manager;
///
/// let manager = Manager::start()?;
/// let settings = manager.namespace()?;
/// settings.set("depth", &3_u8)?;
/// settings.set("root", "/srv")?;
/// assert_eq!(settings.get::<String>("root")?.as_deref(), Some("/srv"));
/// assert_eq!(settings.get::<u8>("breadth")?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type Namespace = Proxy<kind::Namespace>;

impl Client {
    /// A new namespace without values.
    ///
    /// # Errors
    ///
    /// If the manager has as many objects as it may, or is gone.
    pub fn namespace(&self) -> Result<Namespace, Error> {
        self.make(Create::Namespace)
    }
}

#[allow(clippy::missing_errors_doc)] // They are said at the type.
impl Namespace {
    fn ask<R>(
        &self,
        action: ToDict<'_>,
        read: impl FnOnce(&Reply<'_>) -> Option<Result<R, Error>>,
    ) -> Result<R, Error> {
        self.client.call(&Request::Dict(self.id, action), read)
    }

    /// Sets the value of this name.
    pub fn set<T: Serialize + ?Sized>(&self, name: &str, value: &T) -> Result<(), Error> {
        let (name, value) = (encode(name)?, encode(value)?);
        let set = ToDict::Insert(Bytes(&name), Bytes(&value));
        self.ask(set, |reply| {
            matches!(reply, Reply::Maybe(_)).then_some(Ok(()))
        })
    }

    /// The value of this name.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Error> {
        self.ask(ToDict::Get(Bytes(&encode(name)?)), maybe)
    }

    /// Removes the value of this name; says whether there was one.
    pub fn remove(&self, name: &str) -> Result<bool, Error> {
        self.ask(ToDict::Remove(Bytes(&encode(name)?)), |reply| match reply {
            Reply::Maybe(value) => Some(Ok(value.is_some())),
            _ => None,
        })
    }

    /// Whether there is a value of this name.
    pub fn contains(&self, name: &str) -> Result<bool, Error> {
        self.ask(ToDict::Contains(Bytes(&encode(name)?)), flag)
    }

    /// All names.
    pub fn names(&self) -> Result<Vec<String>, Error> {
        self.ask(ToDict::Keys, many)
    }
}
