//! [`Queue`]: a container, two event counts, a tally of unfinished items and a way to shut down.
//!
//! ```text
//!                      +---------------------------+
//!     put -------------|         container         |------------ get
//!      |  sleeps while +---------------------------+ sleeps while |
//!      +--- not_full                                  not_empty --+
//!                        tally: put and not yet task_done
//! ```
//!
//! Each operation first tries the container; only if that fails does it wait, by the event count
//! of its side, and after each success it notifies the other side. Which container, and how to
//! sleep, are type parameters: this file knows neither threads nor interrupts.
//!
//! To shut down is to close the container, which takes its place in the order of puts: an item is
//! either in before, and then somebody gets it, or its put fails and hands it back.

use core::fmt;
use core::time::Duration;

use crate::bounded::{Container, Nothing, Refused, Unbounded, WithCapacity};
use crate::error::{
    GetError, GetTimeoutError, PutError, PutTimeoutError, TooManyDone, TryGetError, TryPutError,
};
use crate::storage::Padded;
use crate::sync::AtomicU32;
use crate::wait::{Condition, EventCount, Park, Pause, Spin, TimedPark};

mod asynchronous;
mod batch;
mod lease;
mod shutdown;
mod tally;

pub use asynchronous::GetLease;
pub use batch::Unput;
pub use lease::Lease;
pub use shutdown::{Remaining, Shutdown};

pub use tally::Finished;

use tally::Tally;

/// A queue that waits: what Python calls `queue.Queue`.
///
/// `C` is the container it stands on, which decides capacity, order and progress: a
/// [`Fifo`](crate::bounded::Fifo) if interrupts, signal handlers or mortal processes take part, a
/// [`TwoLock`](crate::bounded::TwoLock) or a [`Ticket`](crate::bounded::Ticket) between threads. `P` is how to sleep; the default spins.
///
/// Each operation comes in the forms that its waiting can take: `try_put` never waits, `put` waits
/// for room, `put_timeout` and `put_deadline` give up. Waiting is busy at first and then asleep, as
/// the backend sees fit.
///
/// # Task accounting
///
/// Every item put counts as unfinished until a consumer says [`task_done`](Self::task_done), or
/// drops the [`Lease`] that it got the item by; [`join`](Self::join) waits until none is. A put pays
/// nothing for that, and programs that never ask need not report either: the count wraps around.
///
/// # Shutting down
///
/// After [`shutdown`](Self::shutdown) every put fails and hands the item back. With
/// [`Shutdown::Drain`] consumers get what is left and are then told; with [`Shutdown::Immediate`]
/// they are told at once and the caller gets what is left. Everybody who waits is woken.
///
/// # Progress
///
/// `try_put` and `try_get` have the progress of the container's push and pop, then wake at most
/// one sleeper. [`task_done`](Self::task_done) is lock-free. What waits is blocking.
///
/// # Where it may be used
///
/// `put`, `get`, `join` and their kin are for threads; what ends in `_async` is for tasks and needs
/// the backend [`Async`](crate::wait::Async). On a `Fifo` (and any other lock-free container) the
/// `try_` operations and `task_done` may be called in interrupt and signal handlers if the backend's
/// `unpark` may. All of these may meet at one queue. All of it works in loom models.
///
/// # At the bound
///
/// `try_put` gives the item back, `put` waits. How exact Full is, and what a stopped thread can do
/// to it, is said at the container.
///
/// # Wrap-around
///
/// Unfinished items are counted right up to 2^29. Beyond that, the odds are those of the container
/// and of [`EventCount`].
///
/// ```
/// use brigade_core::bounded::Ticket;
/// use brigade_core::{Queue, Shutdown};
///
/// static JOBS: Queue<Ticket<u32, 8>> = Queue::new(Ticket::new());
///
/// # extern crate std;
/// std::thread::scope(|scope| {
///     let worker = scope.spawn(|| JOBS.iter().sum::<u32>());
///     for job in 1..=100 {
///         JOBS.put(job).unwrap();
///     }
///     JOBS.shutdown(Shutdown::Drain);
///     assert_eq!(worker.join().unwrap(), 5050);
/// });
/// ```
pub struct Queue<C: Container, P: Park = Spin> {
    container: C,
    tally: Padded<Tally<P>>,
    waiting: Padded<Waiting<P>>,
}

/// The capacity from which waiting for a run is worth while.
const ROOMY: usize = 64;
/// The first step of waiting at a roomy queue.
const PATIENCE: u32 = 4;
/// How often to spin at any other: three microseconds in all, the price of falling asleep.
const SPINS: u32 = 30;

/// What is read by every operation and seldom written.
struct Waiting<P: Park> {
    not_empty: EventCount<P>,
    not_full: EventCount<P>,
    /// 1 after an immediate shutdown: what is left belongs to the one who shut down.
    immediate: AtomicU32,
}

impl<C: Container, P: Park> Queue<C, P> {
    crate::sync::const_fn! {
        /// A queue on this container, which must never have been used: every push it has seen counts
        /// as an unfinished item.
        #[must_use]
        pub const fn new(container: C) -> Self {
            Self {
                container,
                tally: Padded::new(Tally::new()),
                waiting: Padded::new(Waiting {
                    not_empty: EventCount::new(),
                    not_full: EventCount::new(),
                    immediate: AtomicU32::new(0),
                }),
            }
        }
    }

    /// An empty queue for `capacity` items.
    ///
    /// # Panics
    ///
    /// If the capacity is 0 or more than [`MAX_CAPACITY`](crate::storage::MAX_CAPACITY).
    #[must_use]
    pub fn bounded(capacity: usize) -> Self
    where
        C: WithCapacity,
    {
        Self::new(C::with_capacity(capacity))
    }

    /// An empty queue that grows without a bound: puts never wait.
    #[must_use]
    pub fn unbounded() -> Self
    where
        C: Unbounded,
    {
        Self::new(C::unbounded())
    }

    /// Puts an item if there is room now.
    ///
    /// Never sleeps; has the progress of the container's push.
    ///
    /// # Errors
    ///
    /// Gives the item back if the queue is full or was shut down.
    #[inline]
    pub fn try_put(&self, item: C::Item) -> Result<(), TryPutError<C::Item>> {
        match self.container.try_push(item) {
            Ok(()) => {
                self.waiting.not_empty.notify(1);
                Ok(())
            }
            Err(refused) => self.try_put_again(refused),
        }
    }

    /// What [`try_put`](Self::try_put) says to a refusal, after trying again where that helps.
    ///
    /// Apart, and cold, so that callers inline the way without one.
    #[cold]
    fn try_put_again(&self, mut refused: Refused<C::Item>) -> Result<(), TryPutError<C::Item>> {
        let mut pause = Pause::<P>::new();
        loop {
            let item = match refused {
                Refused::Busy(item) => item,
                Refused::Full(item) => return Err(TryPutError::Full(item)),
                Refused::Closed(item) => return Err(TryPutError::ShutDown(item)),
            };
            pause.step();
            match self.container.try_push(item) {
                Ok(()) => {
                    self.waiting.not_empty.notify(1);
                    return Ok(());
                }
                Err(again) => refused = again,
            }
        }
    }

    /// Puts an item, waiting for room if the queue is full. Blocks.
    ///
    /// # Errors
    ///
    /// Gives the item back if the queue was shut down, also while waiting.
    #[inline]
    pub fn put(&self, item: C::Item) -> Result<(), PutError<C::Item>> {
        match self.container.try_push(item) {
            Ok(()) => {
                self.waiting.not_empty.notify(1);
                Ok(())
            }
            Err(refused) => self.put_refused(refused),
        }
    }

    #[cold]
    fn put_refused(&self, refused: Refused<C::Item>) -> Result<(), PutError<C::Item>> {
        match self.try_put_again(refused) {
            Ok(()) => Ok(()),
            Err(TryPutError::ShutDown(item)) => Err(PutError(item)),
            Err(TryPutError::Full(item)) => self
                .put_until(item, None)
                .map_err(|error| PutError(error.into_inner())),
        }
    }

    /// Puts an item, waiting for room if the queue is full. Blocks, for `timeout` at most (apart
    /// from the moment that a peer needs to finish its operation on the container).
    ///
    /// # Errors
    ///
    /// Gives the item back if there was no room in time, or if the queue was shut down.
    pub fn put_timeout(
        &self,
        item: C::Item,
        timeout: Duration,
    ) -> Result<(), PutTimeoutError<C::Item>>
    where
        P: TimedPark,
    {
        self.try_put(item).or_else(|error| match error {
            TryPutError::ShutDown(item) => Err(PutTimeoutError::ShutDown(item)),
            TryPutError::Full(item) => self.put_until(item, P::deadline_after(timeout)),
        })
    }

    /// Puts an item, waiting for room if the queue is full. Blocks, until `deadline` at most.
    ///
    /// # Errors
    ///
    /// Gives the item back if there was no room in time, or if the queue was shut down.
    pub fn put_deadline(
        &self,
        item: C::Item,
        deadline: P::Deadline,
    ) -> Result<(), PutTimeoutError<C::Item>> {
        self.put_until(item, Some(deadline))
    }

    fn put_until(
        &self,
        item: C::Item,
        deadline: Option<P::Deadline>,
    ) -> Result<(), PutTimeoutError<C::Item>> {
        let mut put = Put {
            queue: self,
            item: Some(item),
        };
        match self.waiting.not_full.wait(&mut put, deadline) {
            Some(result) => result.map_err(|PutError(item)| PutTimeoutError::ShutDown(item)),
            None => match put.item {
                Some(item) => Err(PutTimeoutError::Timeout(item)),
                None => Ok(()),
            },
        }
    }

    /// Gets an item if there is one now.
    ///
    /// Never sleeps; has the progress of the container's pop.
    ///
    /// # Errors
    ///
    /// If the queue is empty, or was shut down and is empty.
    #[inline]
    pub fn try_get(&self) -> Result<C::Item, TryGetError> {
        if self.is_immediate() {
            return Err(TryGetError::ShutDown);
        }
        match self.container.try_pop() {
            Ok(item) => {
                self.waiting.not_full.notify(1);
                Ok(item)
            }
            Err(nothing) => self.try_get_again(nothing),
        }
    }

    /// What [`try_get`](Self::try_get) says to a refusal, after trying again where that helps.
    #[cold]
    fn try_get_again(&self, mut nothing: Nothing) -> Result<C::Item, TryGetError> {
        let mut pause = Pause::<P>::new();
        loop {
            match nothing {
                Nothing::Busy => pause.step(),
                Nothing::Empty => return Err(TryGetError::Empty),
                Nothing::Closed => return Err(TryGetError::ShutDown),
            }
            if self.is_immediate() {
                return Err(TryGetError::ShutDown);
            }
            match self.container.try_pop() {
                Ok(item) => {
                    self.waiting.not_full.notify(1);
                    return Ok(item);
                }
                Err(again) => nothing = again,
            }
        }
    }

    /// Gets an item, waiting for one if the queue is empty. Blocks.
    ///
    /// # Errors
    ///
    /// If the queue was shut down and is empty, also while waiting.
    #[inline]
    pub fn get(&self) -> Result<C::Item, GetError> {
        if self.is_immediate() {
            return Err(GetError);
        }
        match self.container.try_pop() {
            Ok(item) => {
                self.waiting.not_full.notify(1);
                Ok(item)
            }
            Err(nothing) => self.get_nothing(nothing),
        }
    }

    #[cold]
    fn get_nothing(&self, nothing: Nothing) -> Result<C::Item, GetError> {
        match self.try_get_again(nothing) {
            Ok(item) => Ok(item),
            Err(TryGetError::ShutDown) => Err(GetError),
            Err(TryGetError::Empty) => self.get_until(None).map_err(|_| GetError),
        }
    }

    /// Gets an item, waiting for one if the queue is empty. Blocks, for `timeout` at most (apart
    /// from the moment that a peer needs to finish its operation on the container).
    ///
    /// # Errors
    ///
    /// If no item came in time, or the queue was shut down and is empty.
    pub fn get_timeout(&self, timeout: Duration) -> Result<C::Item, GetTimeoutError>
    where
        P: TimedPark,
    {
        self.try_get().or_else(|error| match error {
            TryGetError::ShutDown => Err(GetTimeoutError::ShutDown),
            TryGetError::Empty => self.get_until(P::deadline_after(timeout)),
        })
    }

    /// Gets an item, waiting for one if the queue is empty. Blocks, until `deadline` at most.
    ///
    /// # Errors
    ///
    /// If no item came in time, or the queue was shut down and is empty.
    pub fn get_deadline(&self, deadline: P::Deadline) -> Result<C::Item, GetTimeoutError> {
        self.get_until(Some(deadline))
    }

    fn get_until(&self, deadline: Option<P::Deadline>) -> Result<C::Item, GetTimeoutError> {
        match self
            .waiting
            .not_empty
            .wait(&mut Get { queue: self }, deadline)
        {
            Some(result) => result.map_err(|GetError| GetTimeoutError::ShutDown),
            None => Err(GetTimeoutError::Timeout),
        }
    }

    /// Gets items until the queue is shut down and empty; waits for each.
    ///
    /// ```
    /// # use brigade_core::{Queue, Shutdown, bounded::Ticket};
    /// let queue: Queue<Ticket<char, 4>> = Queue::new(Ticket::new());
    /// queue.put('a').unwrap();
    /// queue.put('b').unwrap();
    /// queue.shutdown(Shutdown::Drain);
    /// assert!(queue.iter().eq(['a', 'b']));
    /// ```
    pub fn iter(&self) -> Iter<'_, C, P> {
        Iter { queue: self }
    }

    /// Reports one item as finished; the last one wakes those who [`join`](Self::join).
    ///
    /// # Errors
    ///
    /// [`TooManyDone`] if every item put has been reported already.
    pub fn task_done(&self) -> Result<(), TooManyDone> {
        self.tally.done(&self.container)
    }

    /// How many items were put and not yet reported as finished; right up to 2^29.
    #[must_use]
    pub fn unfinished(&self) -> u32 {
        self.tally.count(&self.container)
    }

    /// Waits until every item put has been reported as finished. Blocks.
    pub fn join(&self) {
        self.tally.wait(&self.container, None);
    }

    /// Waits until every item put has been reported as finished, or the time is up; says whether
    /// they have. Blocks, for `timeout` at most.
    #[must_use = "a time-out is reported by the return value alone"]
    pub fn join_timeout(&self, timeout: Duration) -> bool
    where
        P: TimedPark,
    {
        self.unfinished() == 0 || self.tally.wait(&self.container, P::deadline_after(timeout))
    }

    /// Waits until every item put has been reported as finished, or the deadline has passed; says
    /// whether they have. Blocks, until `deadline` at most.
    #[must_use = "a time-out is reported by the return value alone"]
    pub fn join_deadline(&self, deadline: P::Deadline) -> bool {
        self.tally.wait(&self.container, Some(deadline))
    }

    /// How long to wait before the first look.
    ///
    /// Whoever has caught up with the other side of a roomy queue lets it get ahead: then both
    /// work through runs of items out of their own caches. Going after every single item makes
    /// each of them travel alone, at three times the price.
    fn patience(&self) -> u32 {
        if self.is_roomy() { PATIENCE } else { 0 }
    }

    /// How often to spin before.
    ///
    /// In a queue of a few places both sides go step by step: the answer to a put or a get is the
    /// peer's next operation. To wait for it costs a fraction of a microsecond, to sleep ten times
    /// as much, or more.
    fn spins(&self) -> u32 {
        if self.is_roomy() { 0 } else { SPINS }
    }

    fn is_roomy(&self) -> bool {
        self.container.capacity() >= ROOMY
    }

    /// About how many items are inside; old news as soon as it is read.
    #[must_use]
    pub fn len(&self) -> usize {
        self.container.len()
    }

    /// Whether about nothing is inside. If it is empty, that may not be for long; if not and you
    /// are the only consumer, nobody else can change that.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.container.is_empty()
    }

    /// Whether about no further item fits. If it is full, that may not be for long; if not and you
    /// are the only producer, nobody else can change that.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.container.is_full()
    }

    /// The most items it holds; `usize::MAX` if only memory sets a bound.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.container.capacity()
    }
}

/// Room for one item: what [`Queue::put_async`] waits for.
pub struct Put<'a, C: Container, P: Park> {
    queue: &'a Queue<C, P>,
    item: Option<C::Item>,
}

impl<C: Container, P: Park> Condition for Put<'_, C, P> {
    type Output = Result<(), PutError<C::Item>>;

    fn glance(&self) -> bool {
        !self.queue.container.is_full()
    }

    fn patience(&self) -> u32 {
        self.queue.patience()
    }

    fn spins(&self) -> u32 {
        self.queue.spins()
    }

    fn attempt(&mut self) -> Option<Self::Output> {
        let item = self.item.take()?;
        match self.queue.try_put(item) {
            Ok(()) => Some(Ok(())),
            Err(TryPutError::ShutDown(item)) => Some(Err(PutError(item))),
            Err(TryPutError::Full(item)) => {
                self.item = Some(item);
                None
            }
        }
    }

    fn more(&self) -> bool {
        !self.queue.container.confirm_full()
    }
}

/// An item: what [`Queue::get_async`] waits for.
pub struct Get<'a, C: Container, P: Park> {
    queue: &'a Queue<C, P>,
}

impl<C: Container, P: Park> Condition for Get<'_, C, P> {
    type Output = Result<C::Item, GetError>;

    fn glance(&self) -> bool {
        !self.queue.container.is_empty()
    }

    fn patience(&self) -> u32 {
        self.queue.patience()
    }

    fn spins(&self) -> u32 {
        self.queue.spins()
    }

    fn attempt(&mut self) -> Option<Self::Output> {
        match self.queue.try_get() {
            Ok(item) => Some(Ok(item)),
            Err(TryGetError::ShutDown) => Some(Err(GetError)),
            Err(TryGetError::Empty) => None,
        }
    }

    fn more(&self) -> bool {
        !self.queue.container.confirm_empty()
    }
}

/// Gets items until the queue is shut down: see [`Queue::iter`].
#[derive(Debug)]
pub struct Iter<'a, C: Container, P: Park> {
    queue: &'a Queue<C, P>,
}

impl<C: Container, P: Park> Iterator for Iter<'_, C, P> {
    type Item = C::Item;

    fn next(&mut self) -> Option<C::Item> {
        self.queue.get().ok()
    }
}

impl<'a, C: Container, P: Park> IntoIterator for &'a Queue<C, P> {
    type Item = C::Item;
    type IntoIter = Iter<'a, C, P>;

    fn into_iter(self) -> Iter<'a, C, P> {
        self.iter()
    }
}

impl<C: Container + Default, P: Park> Default for Queue<C, P> {
    fn default() -> Self {
        Self::new(C::default())
    }
}

impl<C: Container, P: Park> fmt::Debug for Queue<C, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .field("unfinished", &self.unfinished())
            .finish_non_exhaustive()
    }
}
