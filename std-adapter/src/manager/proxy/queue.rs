//! [`Queue`]: a queue that a manager owns.

use std::fmt;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::super::error::{PutError, ShutdownError};
use super::super::protocol::{QueueState, ToQueue};
use super::lease::Lease;
use super::{
    Bytes, Client, Create, Error, Patience, Proxy, Reply, Request, at_once, done, encode,
    items as items_of, kind, until, value,
};
use crate::Shutdown;

/// A queue that a manager owns, first in, first out: what Python calls `manager.Queue()`.
///
/// Made by [`Client::queue`] or [`Client::bounded_queue`]. Items are encoded when they are put and decoded
/// when they are got; the types on both sides have to agree.
///
/// # What becomes of an item
///
/// [`get`](Self::get) delivers it at most once: from when the client has read it, it is the client's.
/// If the client dies, or gives up, before it has read the item, the item goes back to the front.
/// [`lease`](Self::lease) delivers it at least once: the manager keeps it until it is reported as finished,
/// and hands it out again if the client dies. A lease says [how often](Lease::attempts) that has happened.
///
/// Items that a dead client had got, and not reported by [`task_done`](Self::task_done), count as finished,
/// so that [`join`](Self::join) does not wait for them for ever. What a process has got, that process
/// has to report.
///
/// # Where it may be used
///
/// In threads: each operation is a message to the manager and its answer, and holds up nobody else. Not
/// in signal handlers; in a task it blocks the executor's thread. An untimed operation waits as long as the
/// manager lives, a timed one for ten seconds more at most, and so does what does not wait for items or room. A child by `fork` is another client.
///
/// # Example
///
/// ```
/// use brigade::{Manager, Shutdown};
///
/// let manager = Manager::start()?;
/// let jobs = manager.bounded_queue(100)?;
/// let workers: Vec<_> = (0..2)
///     .map(|_| {
///         let jobs = jobs.clone();
///         std::thread::spawn(move || jobs.iter().filter_map(Result::ok).sum::<u64>())
///     })
///     .collect();
/// for job in 1..=10 {
///     jobs.put(job)?;
/// }
/// jobs.shutdown(Shutdown::Drain)?;
/// let sum: u64 = workers.into_iter().map(|worker| worker.join().unwrap()).sum();
/// assert_eq!(sum, 55);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type Queue<T> = Proxy<kind::Queue<T>>;

impl Client {
    /// A new queue without a bound but the manager's memory.
    ///
    /// # Errors
    ///
    /// If the manager has as many objects as it may, or is gone.
    pub fn queue<T: Serialize + DeserializeOwned>(&self) -> Result<Queue<T>, Error> {
        self.make(Create::Queue(None))
    }

    /// A new queue with room for so many items. With room for none, no item can be put.
    ///
    /// # Errors
    ///
    /// If the manager has as many objects as it may, or is gone.
    pub fn bounded_queue<T>(&self, capacity: usize) -> Result<Queue<T>, Error>
    where
        T: Serialize + DeserializeOwned,
    {
        self.make(Create::Queue(Some(capacity as u64)))
    }
}

impl<T: Serialize + DeserializeOwned> Queue<T> {
    fn ask<R>(
        &self,
        action: ToQueue<'_>,
        read: impl FnOnce(&Reply<'_>) -> Option<Result<R, Error>>,
    ) -> Result<R, Error> {
        self.client.call(&Request::Queue(self.id, action), read)
    }

    /// Puts an item, waiting for room if the queue is full. Blocks.
    ///
    /// # Errors
    ///
    /// If the queue was shut down, the item is too large or cannot be encoded, or the manager is gone. The
    /// error has the item; after [`Error::Gone`] and [`Error::Unresponsive`] it may be in the queue as well.
    pub fn put(&self, item: T) -> Result<(), PutError<T>> {
        self.put_within(item, None)
    }

    /// Puts an item if there is room.
    ///
    /// # Errors
    ///
    /// [`Error::Full`], and those of [`put`](Self::put).
    pub fn try_put(&self, item: T) -> Result<(), PutError<T>> {
        self.put_within(item, Some(Duration::ZERO))
            .map_err(|error| PutError {
                error: match error.error {
                    Error::Timeout => Error::Full,
                    other => other,
                },
                ..error
            })
    }

    /// Puts an item, waiting for room for so long at most. Blocks.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`], and those of [`put`](Self::put).
    pub fn put_timeout(&self, item: T, timeout: Duration) -> Result<(), PutError<T>> {
        self.put_within(item, Some(timeout))
    }

    /// Puts an item, waiting for room until then at most. Blocks.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`], and those of [`put`](Self::put).
    pub fn put_deadline(&self, item: T, deadline: Instant) -> Result<(), PutError<T>> {
        self.put_timeout(item, until(deadline))
    }

    fn put_within(&self, item: T, patience: Patience) -> Result<(), PutError<T>> {
        let put = |bytes: Vec<u8>| self.ask(ToQueue::Put(Bytes(&bytes), patience), done);
        match encode(&item).and_then(put) {
            Ok(()) => Ok(()),
            Err(error) => Err(PutError { item, error }),
        }
    }

    /// Gets the next item, waiting for one if the queue is empty. Blocks.
    ///
    /// # Errors
    ///
    /// If the queue was shut down and is empty, the item is not a `T` (it is gone then), or the manager is
    /// gone.
    pub fn get(&self) -> Result<T, Error> {
        self.ask(ToQueue::Get(None), value)
    }

    /// Gets the next item if there is one.
    ///
    /// # Errors
    ///
    /// [`Error::Empty`], and those of [`get`](Self::get).
    pub fn try_get(&self) -> Result<T, Error> {
        at_once(self.get_timeout(Duration::ZERO), Error::Empty)
    }

    /// Gets the next item, waiting for one for so long at most. Blocks.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`], and those of [`get`](Self::get).
    pub fn get_timeout(&self, timeout: Duration) -> Result<T, Error> {
        self.ask(ToQueue::Get(Some(timeout)), value)
    }

    /// Gets the next item, waiting for one until then at most. Blocks.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`], and those of [`get`](Self::get).
    pub fn get_deadline(&self, deadline: Instant) -> Result<T, Error> {
        self.get_timeout(until(deadline))
    }

    /// Gets items until the queue is shut down and empty: see [`Iter`].
    #[must_use]
    pub fn iter(&self) -> Iter<'_, T> {
        Iter {
            queue: self,
            over: false,
        }
    }

    /// Gets the next item as a lease, waiting for one if the queue is empty. Blocks.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Self::get). An item that is not a `T` goes to the end of the queue, with one
    /// [attempt](Lease::attempts) more.
    pub fn lease(&self) -> Result<Lease<T>, Error> {
        self.lease_within(None)
    }

    /// Gets the next item as a lease if there is one.
    ///
    /// # Errors
    ///
    /// [`Error::Empty`], and those of [`lease`](Self::lease).
    pub fn try_lease(&self) -> Result<Lease<T>, Error> {
        at_once(self.lease_within(Some(Duration::ZERO)), Error::Empty)
    }

    /// Gets the next item as a lease, waiting for one for so long at most. Blocks.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`], and those of [`lease`](Self::lease).
    pub fn lease_timeout(&self, timeout: Duration) -> Result<Lease<T>, Error> {
        self.lease_within(Some(timeout))
    }

    /// Gets the next item as a lease, waiting for one until then at most. Blocks.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`], and those of [`lease`](Self::lease).
    pub fn lease_deadline(&self, deadline: Instant) -> Result<Lease<T>, Error> {
        self.lease_timeout(until(deadline))
    }

    fn lease_within(&self, patience: Patience) -> Result<Lease<T>, Error> {
        Lease::take(self, patience)
    }

    /// Reports an item that this process got as finished.
    ///
    /// # Errors
    ///
    /// If this process has reported as many as it got, or the manager is gone.
    pub fn task_done(&self) -> Result<(), Error> {
        self.ask(ToQueue::TaskDone, done)
    }

    /// Waits until every item put is finished. Blocks.
    ///
    /// # Errors
    ///
    /// If the queue is deleted, or the manager is gone.
    pub fn join(&self) -> Result<(), Error> {
        self.ask(ToQueue::Join(None), done)
    }

    /// Waits until every item put is finished, for so long at most. Blocks.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`], and those of [`join`](Self::join).
    pub fn join_timeout(&self, timeout: Duration) -> Result<(), Error> {
        self.ask(ToQueue::Join(Some(timeout)), done)
    }

    /// Waits until every item put is finished, until then at most. Blocks.
    ///
    /// # Errors
    ///
    /// [`Error::Timeout`], and those of [`join`](Self::join).
    pub fn join_deadline(&self, deadline: Instant) -> Result<(), Error> {
        self.join_timeout(until(deadline))
    }

    /// Lets no further item in, and wakes all who wait.
    ///
    /// Returns what this call takes out: nothing for [`Shutdown::Drain`], which leaves the items to who gets
    /// them; all that is left for [`Shutdown::Immediate`], after which nobody gets any. They count as
    /// finished. Items that are leased are not among them. One that comes back is, after `Drain`, there for
    /// whoever asks again: consumers who saw the queue empty may have gone. After `Immediate` it is taken
    /// out by the next such call, and [`join`](Self::join) does not wait for it.
    ///
    /// # Errors
    ///
    /// If an item is not a `T`, or the manager is gone. The error has the items that could be had.
    pub fn shutdown(&self, how: Shutdown) -> Result<Vec<T>, ShutdownError<T>> {
        let mut items = Vec::new();
        if how == Shutdown::Drain {
            return match self.ask(ToQueue::Drain, done) {
                Ok(()) => Ok(items),
                Err(error) => Err(ShutdownError { items, error }),
            };
        }
        let mut first_error = None;
        // As much as fits into a message comes at a time.
        loop {
            match self.ask(ToQueue::Close, items_of) {
                Ok(some) if some.is_empty() => break,
                Ok(some) => {
                    for item in some {
                        match item {
                            Ok(item) => items.push(item),
                            Err(error) => {
                                first_error.get_or_insert(error);
                            }
                        }
                    }
                }
                Err(error) => {
                    first_error.get_or_insert(error);
                    break;
                }
            }
        }
        match first_error {
            None => Ok(items),
            Some(error) => Err(ShutdownError { items, error }),
        }
    }

    /// Whether the queue was shut down.
    ///
    /// # Errors
    ///
    /// If the queue was deleted, or the manager is gone.
    pub fn is_shut_down(&self) -> Result<bool, Error> {
        Ok(self.state()?.shut_down)
    }

    /// How many items are inside.
    ///
    /// # Errors
    ///
    /// If the queue was deleted, or the manager is gone.
    pub fn len(&self) -> Result<usize, Error> {
        Ok(to_size(self.state()?.len))
    }

    /// Whether no item is inside.
    ///
    /// # Errors
    ///
    /// If the queue was deleted, or the manager is gone.
    pub fn is_empty(&self) -> Result<bool, Error> {
        Ok(self.state()?.len == 0)
    }

    /// Whether there is no room.
    ///
    /// # Errors
    ///
    /// If the queue was deleted, or the manager is gone.
    pub fn is_full(&self) -> Result<bool, Error> {
        let state = self.state()?;
        Ok(state.capacity.is_some_and(|capacity| state.len >= capacity))
    }

    /// For how many items there is room in all: `usize::MAX` without a bound.
    ///
    /// # Errors
    ///
    /// If the queue was deleted, or the manager is gone.
    pub fn capacity(&self) -> Result<usize, Error> {
        Ok(self.state()?.capacity.map_or(usize::MAX, to_size))
    }

    /// How many items were put and are not finished. After an immediate shutdown those that are inside do not
    /// count: nobody gets them.
    ///
    /// # Errors
    ///
    /// If the queue was deleted, or the manager is gone.
    pub fn unfinished(&self) -> Result<usize, Error> {
        Ok(to_size(self.state()?.unfinished))
    }

    fn state(&self) -> Result<QueueState, Error> {
        self.ask(ToQueue::State, |reply| match reply {
            Reply::Queue(state) => Some(Ok(*state)),
            _ => None,
        })
    }
}

fn to_size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Items of a queue until it is shut down and empty; waits for each. An error is the last.
pub struct Iter<'a, T> {
    queue: &'a Queue<T>,
    over: bool,
}

impl<T: Serialize + DeserializeOwned> Iterator for Iter<'_, T> {
    type Item = Result<T, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let item = self.queue.get();
        self.over = item.is_err();
        match item {
            Err(Error::ShutDown) => None,
            other => Some(other),
        }
    }
}

impl<'a, T: Serialize + DeserializeOwned> IntoIterator for &'a Queue<T> {
    type Item = Result<T, Error>;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

impl<T> fmt::Debug for Iter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Iter").field(self.queue).finish()
    }
}
