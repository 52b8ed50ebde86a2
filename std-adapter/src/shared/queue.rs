//! [`Queue`]: a queue between processes, of anything that can be serialised.

#![forbid(unsafe_code)]

mod builder;
mod taken;

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, Instant};

use brigade_core::{Shutdown, TooManyDone};

use super::codec::{self, encode};
use super::corrupted::Corrupted;
use super::depot::{Depot, Hold, Ticket};
use super::participants::Owner;
use super::queue_error::{GetError, PutError};
use super::segment::{Contents, Room, Segment};
use super::travel::travels;
use crate::executor::Message;

pub use builder::Builder;
pub use taken::{Iter, Lease, Remaining};

/// A queue between processes: what Python calls `multiprocessing.Queue` and `JoinableQueue`.
///
/// First in, first out, with a bound. Any number of processes may be at either end. It is a handle: it can be
/// cloned, and passed to other processes like any argument. Items are serialised into memory that all
/// of them share, by [postcard](https://docs.rs/postcard); there is no feeder thread and no pipe: when a put
/// returns, the item is in the queue, and stays there when the process ends.
///
/// # When a process dies
///
/// A process that is killed within a put has put the item, or not; within a get, has taken it, or
/// left it. What it had [leased](Self::lease) is delivered again, before anything else, with
/// [`attempts`](Lease::attempts) one higher. What it [got](Self::get) and did not report counts as finished. The others
/// notice by themselves; nobody is left waiting, and nobody who was merely stopped loses anything.
///
/// So `get` delivers at most once, `lease` at least once.
///
/// # Large items, and the bound
///
/// The queue holds as many items as its [capacity](Self::capacity). An item that does not fit into a
/// [block](Builder::block_size) goes into pages, of which there is a [fixed amount](Builder::bytes), 64 MiB unless
/// asked for otherwise; memory that was never used costs nothing. While there are none left, or all blocks are
/// leased, the queue is full for the time being. An item that is larger than all pages together is
/// refused, and comes back.
///
/// # Progress
///
/// What begins with `try_` never waits and is lock-free, as long as the items fit into blocks; for larger
/// ones pages are looked for under a lock, which a process that is stopped there holds up. What waits is
/// blocking: busily for a moment, then asleep. Nothing here is for signal handlers: items are serialised by
/// their own code. Full and Empty are exact for items that fit into blocks while no more are leased than
/// [planned for](Builder::leases).
///
/// # What can be wrong with an item
///
/// Items that hold shared objects hold references; whoever puts such an item has to keep the object until
/// the item was taken, or the get fails. The types at both ends must be the same: that they have the same
/// program is taken for granted.
///
/// # Example
///
/// ```
/// use brigade::Shutdown;
/// use brigade::shared::Queue;
///
/// let jobs = Queue::bounded(16)?;
/// let worker = jobs.clone(); // or passed to another process
/// let worker = std::thread::spawn(move || {
///     let mut sum = 0;
///     // A lease is finished when it is dropped. If the process died, another would get it.
///     while let Ok(job) = worker.lease() {
///         sum += *job;
///     }
///     sum
/// });
/// for job in 1..=100_u32 {
///     jobs.put(job)?;
/// }
/// jobs.join()?; // waits until all of them are finished
/// jobs.shutdown(Shutdown::Drain);
/// assert_eq!(worker.join().unwrap(), 5050);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Queue<T: Message>(Segment<Items<T>>);

travels!(Queue<T: Message>);

/// The contents.
struct Items<T> {
    depot: Depot,
    of: PhantomData<fn(T) -> T>,
}

impl<T: Message> Contents for Items<T> {
    const KIND: u32 = 20;
    const NAME: &'static str = "queue";

    fn attach(room: &Arc<Room>) -> Option<Self> {
        let depot = Depot::attach(room)?;
        let of = PhantomData;
        Some(Self { depot, of })
    }

    fn recover(&self, dead: Owner) {
        self.depot.recover(dead);
    }
}

impl<T: Message> Queue<T> {
    /// A queue for up to `capacity` items.
    ///
    /// # Errors
    ///
    /// As [`Builder::build`].
    pub fn bounded(capacity: usize) -> io::Result<Self> {
        Self::builder().capacity(capacity).build()
    }

    /// To say more about a queue before it is made.
    ///
    /// ```
    /// # use brigade::shared::Queue;
    /// let images: Queue<Vec<u8>> = Queue::<Vec<u8>>::builder()
    ///     .capacity(16)
    ///     .bytes(16 << 20)
    ///     .build()?;
    /// images.put(vec![0; 1 << 20])?;
    /// assert_eq!(images.get()?.len(), 1 << 20);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn builder() -> Builder {
        Builder::new()
    }

    fn depot(&self) -> &Depot {
        &self.0.depot
    }

    /// Puts an item if there is room now.
    ///
    /// Never waits; lock-free for items that fit into a block.
    ///
    /// # Errors
    ///
    /// Gives the item back, and says why.
    #[inline]
    pub fn try_put(&self, item: T) -> Result<(), PutError<T>> {
        self.attempt(&item)
            .map_err(|hold| PutError::new(item, hold))
    }

    fn attempt(&self, item: &T) -> Result<(), Hold> {
        let filling = self.depot().begin()?;
        encode(item, &filling, &self.depot().payloads())?;
        filling.commit()
    }

    /// Puts an item, waiting for room if the queue is full. Blocks.
    ///
    /// # Errors
    ///
    /// Gives the item back, and says why: the queue was shut down, also while waiting; the item is too
    /// large, or cannot be serialised.
    #[inline]
    pub fn put(&self, item: T) -> Result<(), PutError<T>> {
        self.put_until(item, None)
    }

    /// Puts an item, waiting for room for `timeout` at most. Blocks.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put), and if there was no room in time.
    pub fn put_timeout(&self, item: T, timeout: Duration) -> Result<(), PutError<T>> {
        // Too far for the clock is for ever.
        self.put_until(item, Instant::now().checked_add(timeout))
    }

    /// Puts an item, waiting for room until `deadline` at most. Blocks.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put), and if there was no room in time.
    pub fn put_deadline(&self, item: T, deadline: Instant) -> Result<(), PutError<T>> {
        self.put_until(item, Some(deadline))
    }

    #[inline]
    fn put_until(&self, item: T, deadline: Option<Instant>) -> Result<(), PutError<T>> {
        self.depot()
            .put_until(deadline, || self.attempt(&item))
            .map_err(|hold| PutError::new(item, hold))
    }

    /// Puts an item when there is room. Dropping the future drops the item, unless it was put. A thread of this
    /// process sleeps for the task.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put).
    pub async fn put_async(&self, item: T) -> Result<(), PutError<T>> {
        let put = self
            .depot()
            .put_async(Box::new(item), |item| self.attempt(item));
        put.await.map_err(|(item, hold)| PutError::new(*item, hold))
    }

    /// Puts items one after the other, waiting for room. Blocks.
    ///
    /// # Errors
    ///
    /// As [`put`](Self::put), for the first that was not put; those behind it are still in the iterator, if
    /// it was given `by_ref`.
    pub fn put_many(&self, items: impl IntoIterator<Item = T>) -> Result<(), PutError<T>> {
        items.into_iter().try_for_each(|item| self.put(item))
    }

    /// Gets an item if there is one now. Report it by [`task_done`](Self::task_done) if anybody
    /// [joins](Self::join).
    ///
    /// Never waits; lock-free.
    ///
    /// # Errors
    ///
    /// If there is none.
    #[inline]
    pub fn try_get(&self) -> Result<T, GetError> {
        self.depot()
            .take()
            .map_err(GetError::from)
            .and_then(item_of)
    }

    /// Gets an item, waiting for one if the queue is empty. Blocks.
    ///
    /// # Errors
    ///
    /// If the queue was shut down and is empty, also while waiting, or the item makes no sense.
    #[inline]
    pub fn get(&self) -> Result<T, GetError> {
        match self.try_get() {
            Err(GetError::Empty) => self.get_until(None),
            answer => answer,
        }
    }

    /// Gets an item, waiting for one for `timeout` at most. Blocks.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get), and if none came in time.
    pub fn get_timeout(&self, timeout: Duration) -> Result<T, GetError> {
        self.get_until(Instant::now().checked_add(timeout))
    }

    /// Gets an item, waiting for one until `deadline` at most. Blocks.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get), and if none came in time.
    pub fn get_deadline(&self, deadline: Instant) -> Result<T, GetError> {
        self.get_until(Some(deadline))
    }

    fn get_until(&self, deadline: Option<Instant>) -> Result<T, GetError> {
        item_of(self.depot().take_until(deadline)?)
    }

    /// Gets an item when there is one. Cancel-safe: dropping the future takes nothing. A thread of this process
    /// sleeps for the task.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub async fn get_async(&self) -> Result<T, GetError> {
        item_of(self.depot().take_async().await?)
    }

    /// Gets up to `most` items, waiting for the first; says how many. Blocks.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get), if there was none.
    pub fn get_many(&self, most: usize, into: &mut impl Extend<T>) -> Result<usize, GetError> {
        if most == 0 {
            return Ok(0);
        }
        into.extend([self.get()?]);
        let more = (1..most).map_while(|_| self.try_get().ok());
        let mut count = 1;
        into.extend(more.inspect(|_| count += 1));
        Ok(count)
    }

    /// Gets items until the queue is shut down and empty; waits for each.
    ///
    /// ```
    /// # use brigade::{Shutdown, shared::Queue};
    /// let queue = Queue::bounded(4)?;
    /// queue.put('a')?;
    /// queue.put('b')?;
    /// queue.shutdown(Shutdown::Drain);
    /// assert_eq!(queue.iter().collect::<Result<String, _>>()?, "ab");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn iter(&self) -> Iter<'_, T> {
        Iter::new(self)
    }

    /// Leases an item if there is one now: it is delivered again if this process dies before it has
    /// finished with it. Never waits; lock-free.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn try_lease(&self) -> Result<Lease<'_, T>, GetError> {
        self.depot()
            .take()
            .map_err(GetError::from)
            .and_then(lease_of)
    }

    /// Leases an item, waiting for one if the queue is empty. Blocks.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub fn lease(&self) -> Result<Lease<'_, T>, GetError> {
        self.lease_until(None)
    }

    /// Leases an item, waiting for one for `timeout` at most. Blocks.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get), and if none came in time.
    pub fn lease_timeout(&self, timeout: Duration) -> Result<Lease<'_, T>, GetError> {
        self.lease_until(Instant::now().checked_add(timeout))
    }

    /// Leases an item, waiting for one until `deadline` at most. Blocks.
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get), and if none came in time.
    pub fn lease_deadline(&self, deadline: Instant) -> Result<Lease<'_, T>, GetError> {
        self.lease_until(Some(deadline))
    }

    fn lease_until(&self, deadline: Option<Instant>) -> Result<Lease<'_, T>, GetError> {
        lease_of(self.depot().take_until(deadline)?)
    }

    /// Leases an item when there is one. Cancel-safe, as [`get_async`](Self::get_async).
    ///
    /// # Errors
    ///
    /// As [`get`](Self::get).
    pub async fn lease_async(&self) -> Result<Lease<'_, T>, GetError> {
        lease_of(self.depot().take_async().await?)
    }

    /// Reports one item as finished that this process has got. The last wakes those who [`join`](Self::join).
    ///
    /// # Errors
    ///
    /// [`TooManyDone`] if this process has got no other that it has not reported.
    pub fn task_done(&self) -> Result<(), TooManyDone> {
        self.depot().report().then_some(()).ok_or(TooManyDone)
    }

    /// Waits until every item put has been finished: its lease dropped, or reported by who got it. Blocks.
    ///
    /// # Errors
    ///
    /// [`Corrupted`] if a process has written into the queue's memory where it should not.
    pub fn join(&self) -> Result<(), Corrupted> {
        self.depot().join_until(None).map(drop)
    }

    /// Waits for that, for `timeout` at most; says whether it is so. Blocks.
    ///
    /// # Errors
    ///
    /// As [`join`](Self::join).
    pub fn join_timeout(&self, timeout: Duration) -> Result<bool, Corrupted> {
        self.depot().join_until(Instant::now().checked_add(timeout))
    }

    /// Waits for that, until `deadline` at most; says whether it is so. Blocks.
    ///
    /// # Errors
    ///
    /// As [`join`](Self::join).
    pub fn join_deadline(&self, deadline: Instant) -> Result<bool, Corrupted> {
        self.depot().join_until(Some(deadline))
    }

    /// Waits for that. Cancel-safe.
    ///
    /// # Errors
    ///
    /// As [`join`](Self::join).
    pub async fn join_async(&self) -> Result<(), Corrupted> {
        self.depot().join_async().await
    }

    /// Lets no put succeed any more, in any process, and wakes all who wait.
    ///
    /// With [`Shutdown::Drain`] consumers get what is left and are then told; what a process had leased that
    /// dies after that is there for whoever asks again. With [`Shutdown::Immediate`] they are told at
    /// once, and what is left is in the iterator that is returned, for whoever takes it out.
    /// Never waits.
    #[allow(
        clippy::must_use_candidate,
        reason = "the rest is often nobody's concern"
    )]
    pub fn shutdown(&self, how: Shutdown) -> Remaining<'_, T> {
        let immediate = how == Shutdown::Immediate;
        let closed = self.depot().shut_down(immediate);
        Remaining::new(self, immediate && closed.is_ok())
    }

    /// Whether it was shut down, or is corrupted.
    #[must_use]
    pub fn is_shut_down(&self) -> bool {
        self.depot().is_shut_down().unwrap_or(true)
    }

    /// About how many items wait, those that were put back or died with not among them; old news as soon as it
    /// is read.
    #[must_use]
    pub fn len(&self) -> usize {
        self.depot().len().unwrap_or(0)
    }

    /// Whether about nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether about no further item fits.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.len() == self.capacity()
    }

    /// The most items it holds.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.depot().capacity()
    }
}

fn item_of<T: Message>(ticket: Ticket<'_>) -> Result<T, GetError> {
    // The block is free before the item's own code runs.
    codec::copy(ticket, Ticket::count).map(|(item, ())| item)
}

fn lease_of<T: Message>(ticket: Ticket<'_>) -> Result<Lease<'_, T>, GetError> {
    codec::copy(ticket, Ticket::keep).map(|(item, ticket)| Lease::new(item, ticket))
}

impl<T: Message> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Message> fmt::Debug for Queue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .finish_non_exhaustive()
    }
}

impl<'a, T: Message> IntoIterator for &'a Queue<T> {
    type Item = Result<T, GetError>;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}
