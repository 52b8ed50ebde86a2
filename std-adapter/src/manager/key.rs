//! [`Key`] and [`Address`]: what a client needs to reach a manager.

use std::fmt;
use std::io;

use serde::{Deserialize, Serialize};

use crate::sys::socket::random;

/// The secret that a manager and its clients share: 32 bytes.
///
/// Both sides prove that they know it; it is never sent over a manager's connection. It does travel in
/// each proxy, so that whoever gets a proxy can use it: hand proxies only to processes that may. Serialised, it
/// is its bytes in the clear; `Debug` shows none of them.
///
/// # Example
///
/// ```
/// use brigade::manager::Key;
///
/// let key = Key::random()?;
/// let same = Key::new(*key.as_bytes()); // read from a file that only this user may read, say
/// assert_eq!(key, same);
/// assert_eq!(format!("{key:?}"), "Key(..)");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Key([u8; 32]);

impl Key {
    /// The key of these bytes. They should be as good as random ones.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A key that nobody can guess.
    ///
    /// # Errors
    ///
    /// If the system has no random numbers to give.
    pub fn random() -> io::Result<Self> {
        random().map(Self)
    }

    /// The bytes, to hand to another process by a way of one's own.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Does not show the key.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(..)")
    }
}

/// Where a manager listens: the name of a Unix socket, in the abstract namespace.
///
/// It is no file: nothing is left behind when the manager ends, however it ends. The name is seen by all
/// processes of the same network namespace (`/proc/net/unix`), so a container with a network
/// of its own has its own names.
///
/// # Example
///
/// ```
/// use brigade::manager::Address;
///
/// let address = Address::new("photo-index");
/// assert_eq!(address.as_str(), "photo-index");
/// assert_ne!(Address::random()?, Address::random()?);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Address(String);

impl Address {
    /// The address of this name, which may be up to 107 bytes long.
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// An address that nobody else has.
    ///
    /// # Errors
    ///
    /// If the system has no random numbers to give.
    pub fn random() -> io::Result<Self> {
        let number = u128::from_ne_bytes(random()?);
        Ok(Self(format!("brigade-{number:032x}")))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
