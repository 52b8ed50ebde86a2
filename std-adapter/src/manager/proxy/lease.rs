//! [`Lease`]: an item of a queue in hand.

use std::fmt;
use std::ops::{Deref, DerefMut};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::super::handshake::Session;
use super::super::protocol::ToQueue;
use super::{Bytes, Error, Patience, Queue, Reply, Request, decode};

/// An item of a [`Queue`] in hand, which the manager keeps until it is finished.
///
/// Dropping it, also because of a panic, reports the item as finished. If the process dies, the item goes
/// back to the front of the queue. It may be dropped in any thread.
pub struct Lease<T: Serialize + DeserializeOwned> {
    queue: Queue<T>,
    /// By which the item is returned; none if it was.
    number: Option<u64>,
    session: Session,
    attempts: u32,
    /// Empty only before the item is read, and while the lease is used up.
    item: Option<T>,
}

impl<T: Serialize + DeserializeOwned> Lease<T> {
    pub(super) fn take(queue: &Queue<T>, patience: Patience) -> Result<Self, Error> {
        let request = Request::Queue(queue.id, ToQueue::Lease(patience));
        let (leased, session) = queue.client.take(&request, |reply| match reply {
            Reply::Leased(number, attempts, bytes) => {
                Some(Ok((*number, *attempts, bytes.0.to_vec())))
            }
            _ => None,
        })?;
        let (number, attempts, bytes) = leased;
        // If reading the item fails, or panics, the lease is dropped without it.
        let mut lease = Self {
            queue: queue.clone(),
            number: Some(number),
            session,
            attempts,
            item: None,
        };
        lease.item = Some(decode(Bytes(&bytes))?);
        Ok(lease)
    }

    /// How many clients have died with this item in hand, or could not decode it. Beyond `u32::MAX` it stays there.
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Reports the item as finished and hands it out.
    ///
    /// # Errors
    ///
    /// If the connection was lost since, so that the item is another's by now, or the manager is gone.
    pub fn finish(mut self) -> Result<T, Error> {
        self.give_back(ToQueue::Finish)?;
        match self.item.take() {
            Some(item) => Ok(item),
            None => unreachable!("only operations that use up the lease empty it"),
        }
    }

    /// Returns the item to the front of the queue, for somebody else, also if the queue is full or was shut
    /// down. What was changed in it stays here.
    ///
    /// # Errors
    ///
    /// If the connection was lost since, so that the item is another's by now, or the manager is gone.
    pub fn put_back(mut self) -> Result<(), Error> {
        self.give_back(ToQueue::PutBack)
    }

    fn give_back(&mut self, how: fn(u64) -> ToQueue<'static>) -> Result<(), Error> {
        match self.number.take() {
            Some(number) => {
                let request = Request::Queue(self.queue.id, how(number));
                self.queue.client.give_back(&request, self.session)
            }
            None => Ok(()),
        }
    }
}

impl<T: Serialize + DeserializeOwned> Deref for Lease<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match &self.item {
            Some(item) => item,
            None => unreachable!("only operations that use up the lease empty it"),
        }
    }
}

impl<T: Serialize + DeserializeOwned> DerefMut for Lease<T> {
    fn deref_mut(&mut self) -> &mut T {
        match &mut self.item {
            Some(item) => item,
            None => unreachable!("only operations that use up the lease empty it"),
        }
    }
}

impl<T: Serialize + DeserializeOwned> Drop for Lease<T> {
    fn drop(&mut self) {
        let how = match self.item {
            Some(_) => ToQueue::Finish,
            None => ToQueue::Reject,
        };
        // If it fails, the manager takes the item back.
        let _ = self.give_back(how);
    }
}

impl<T: Serialize + DeserializeOwned + fmt::Debug> fmt::Debug for Lease<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lease")
            .field("item", &self.item)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}
