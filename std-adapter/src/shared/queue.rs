//! [`Queue`]: a queue between processes, of anything that can be serialised.

#![forbid(unsafe_code)]

mod builder;
pub(super) mod ends;
mod taken;

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

use ends::ends;

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
/// A process that is *stopped* holds up nobody who is awake. Of those asleep, one may miss what it was to be
/// told: if the stopped process has put an item and not yet told anybody, or is the one that was told.
/// The next who puts or takes makes up for it, or the stopped process when it goes on or dies; nothing
/// else does.
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
/// [planned for](Builder::leases), except that Empty may miss what is put back at that very moment.
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
ends!(Queue<T: Message>, Lease);

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
    /// let images = Queue::<Vec<u8>>::builder()
    ///     .capacity(16)
    ///     .bytes(16 << 20)
    ///     .build()?;
    /// images.put(vec![0; 1 << 20])?;
    /// assert_eq!(images.get()?.len(), 1 << 20);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn builder() -> Builder<T> {
        Builder::new()
    }

    #[inline]
    fn depot(&self) -> &Depot {
        &self.0.depot
    }

    #[inline]
    fn attempt(&self, item: &T) -> Result<(), Hold> {
        let mut small = [0; codec::SMALL];
        match codec::encode_small(item, &mut small, &self.depot().payloads())? {
            Some(bytes) => self.depot().put_bytes(bytes),
            None => self.attempt_large(item),
        }
    }

    fn attempt_large(&self, item: &T) -> Result<(), Hold> {
        let payloads = self.depot().payloads();
        let filling = self.depot().begin().or_else(|hold| {
            if hold == Hold::Full {
                // Waiting would be of no use to one that never fits.
                codec::check(item, &payloads)?;
            }
            Err(hold)
        })?;
        encode(item, &filling, &payloads)?;
        filling.commit()
    }

    #[inline]
    fn item_of(ticket: Ticket<'_>) -> Result<T, GetError> {
        // The block is free before the item's own code runs.
        let (item, counted) = codec::copy(ticket, Ticket::count)?;
        counted.keep();
        Ok(item)
    }

    fn lease_of(ticket: Ticket<'_>) -> Result<Lease<'_, T>, GetError> {
        codec::copy(ticket, Ticket::keep).map(|(item, ticket)| Lease::new(item, ticket))
    }
}

impl<T: Message> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}
