//! [`Message`]: what can travel to where a function is run, and back.

#![forbid(unsafe_code)]

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Arguments and results that any [`Executor`](super::Executor) can carry, also to other processes
/// and machines: everything that [`serde`] can write and read again, and that borrows nothing.
///
/// It is not to be implemented: it is there for all such types. A type of one's own becomes one by
/// `#[derive(Serialize, Deserialize)]`.
pub trait Message: Serialize + DeserializeOwned + Send + 'static {}

impl<T: Serialize + DeserializeOwned + Send + 'static> Message for T {}
