//! [`TwoLock`]: the fastest between threads: a ring with a lock at each end.
//!
//! ```text
//!     producers: [ lock | count | place | consumers' count, as last seen ]
//!     consumers: [ lock | count | place | producers' count, as last seen ]
//!
//!     values:     . . . c d e f g . . .
//!                       ^         ^
//!                  consumers'   producers' place
//! ```
//!
//! The producers take turns under one lock and the consumers under another, so at any moment there
//! is one of each, and between those two the ring is Lamport's: the producer publishes by its
//! count, the consumer by its own, and each remembers the other's count as long as that will do. An
//! operation is one atomic exchange, for the lock; everything else is plain loads and stores to
//! lines that this end has in its cache already, and a batch costs hardly more than one item.
//!
//! Nothing of the user's runs under a lock, so it is held for a few instructions. Whoever finds it
//! held does not queue up but reports [`Busy`](super::Refused::Busy) and tries again.
//!
//! The pieces are M. M. Michael and M. L. Scott's two-lock queue ("Simple, Fast, and Practical
//! Non-Blocking and Blocking Concurrent Queue Algorithms", PODC 1996), Leslie Lamport's ring, and
//! the remembered count known from several single-producer queues.

use core::fmt;
use core::mem::MaybeUninit;

use super::{Container, Drain, Nothing, Refused, Run, pop_paused, push_paused};
use crate::error::{PopError, PushError};
use crate::storage::{Inline, Padded, Storage};
use crate::sync::{
    AtomicU32,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
    UnsafeCell, array, const_fn,
};

/// The fastest queue between threads, `N` items of `T` inline.
///
/// Usable as a `static`; see [`RawTwoLock`] for its operations and guarantees.
///
/// ```
/// use brigade_core::bounded::TwoLock;
///
/// static JOBS: TwoLock<u32, 16> = TwoLock::new();
///
/// JOBS.push(7).unwrap();
/// assert_eq!(JOBS.pop(), Ok(7));
/// ```
pub type TwoLock<T, const N: usize> = RawTwoLock<T, Inline<Slot<T>, N>>;

/// The fastest queue between threads, with a capacity chosen at run time; see [`RawTwoLock`].
///
/// ```
/// use brigade_core::bounded::HeapTwoLock;
///
/// let queue = HeapTwoLock::with_capacity(100);
/// queue.push("first").unwrap();
/// assert_eq!(queue.len(), 1);
/// ```
#[cfg(feature = "alloc")]
pub type HeapTwoLock<T> = RawTwoLock<T, crate::storage::Heap<Slot<T>>>;

/// One slot: a value and nothing else.
pub struct Slot<T>(UnsafeCell<MaybeUninit<T>>);

impl<T> Slot<T> {
    const_fn! {
        const fn new() -> Self {
            Self(UnsafeCell::new(MaybeUninit::uninit()))
        }
    }
}

impl<T> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").finish_non_exhaustive()
    }
}

/// Nobody is at this end.
const FREE: u32 = 0;
/// Somebody has the turn.
const HELD: u32 = 1;
/// Nobody is at this end, nor ever will be: the ring is closed. Only for the producers' lock.
const CLOSED: u32 = 2;

/// What the producers, or the consumers, share under their lock.
struct End {
    lock: AtomicU32,
    /// How many items have passed this end, modulo 2^32. Written under the lock, read by the other
    /// end at any time.
    count: AtomicU32,
    /// The slot of the next item. Only touched under the lock.
    place: AtomicU32,
    /// The other end's count, as last seen. Only touched under the lock.
    seen: AtomicU32,
}

impl End {
    const_fn! {
        const fn new() -> Self {
            Self {
                lock: AtomicU32::new(FREE),
                count: AtomicU32::new(0),
                place: AtomicU32::new(0),
                seen: AtomicU32::new(0),
            }
        }
    }

    /// Takes the turn if the lock is free, or says what the lock is.
    #[inline(always)]
    fn try_lock(&self) -> Result<Turn<'_>, u32> {
        // ORDERING: Acquire pairs with the release in `Turn::drop`: the last turn at this end is
        // over. It also takes over what the other end did before a verdict in `still_at`. On
        // failure it pairs with `Turn::close`.
        match self.lock.compare_exchange(FREE, HELD, Acquire, Acquire) {
            Ok(_) => Ok(Turn {
                end: self,
                // ORDERING: Relaxed: only written under this lock.
                count: self.count.load(Relaxed),
            }),
            Err(state) => Err(state),
        }
    }

    /// The state of the lock, if nobody is at this end and its count is `count`.
    ///
    /// This is how the other end comes to an exact verdict, and an answer happens-before the next
    /// turn at this end.
    #[inline(always)]
    fn still_at(&self, count: u32) -> Option<u32> {
        // ORDERING: the acquire half pairs with the release in `Turn::drop`, so that the count
        // below is that of the last turn or a later one. The release half is for the next
        // `try_lock`, see there.
        let state = self.lock.fetch_add(0, AcqRel);
        // ORDERING: Relaxed: the lock has just been acquired.
        (state != HELD && self.count.load(Relaxed) == count).then_some(state)
    }
}

/// The turn at one end; the lock is held as long as it lives.
struct Turn<'a> {
    end: &'a End,
    /// How many items have passed this end before this turn.
    count: u32,
}

impl Turn<'_> {
    /// How many items this end may move: `room` more than it is ahead of the other end.
    ///
    /// Asks for the other end's count only if the remembered one is not enough for `want`.
    #[inline(always)]
    fn allowed(&self, other: &End, room: u32, want: u32) -> u32 {
        let ahead = |seen: u32| room.wrapping_sub(self.count.wrapping_sub(seen));
        // ORDERING: Relaxed, also below: only touched under this lock.
        let allowed = ahead(self.end.seen.load(Relaxed));
        if allowed >= want {
            return allowed;
        }
        // ORDERING: Acquire pairs with the release in `passed`: the other end is done with the
        // slots that it has counted.
        let seen = other.count.load(Acquire);
        self.end.seen.store(seen, Relaxed);
        ahead(seen)
    }

    /// The slot of the next item; moves on to the one after.
    #[inline(always)]
    fn claim_one<'s, E>(&self, slots: &'s [E]) -> &'s E {
        // ORDERING: Relaxed, also below: only touched under this lock.
        let place = self.end.place.load(Relaxed);
        let next = place + 1;
        let around = next as usize >= slots.len();
        self.end.place.store(if around { 0 } else { next }, Relaxed);
        &slots[place as usize]
    }

    /// The slots of the next `items` items, at most all, in two pieces where they reach around the
    /// end; moves on to those after.
    #[inline(always)]
    fn claim<'s, E>(&self, slots: &'s [E], items: u32) -> [&'s [E]; 2] {
        // ORDERING: Relaxed, also below: only touched under this lock.
        let place = self.end.place.load(Relaxed) as usize;
        let items = items as usize;
        let (before, from) = slots.split_at(place);
        let around = items.saturating_sub(from.len());
        let next = if items < from.len() {
            place + items
        } else {
            around
        };
        // It is less than the number of slots, which `Storage` bounds.
        #[allow(clippy::cast_possible_truncation)]
        self.end.place.store(next as u32, Relaxed);
        [&from[..items - around], &before[..around]]
    }

    /// Counts items as passed and ends the turn.
    #[inline(always)]
    fn passed(self, items: u32) {
        // ORDERING: publishes the slots to the load in `allowed`.
        self.end
            .count
            .store(self.count.wrapping_add(items), Release);
    }

    /// Ends the turn, and with it all turns at this end.
    fn close(self) {
        // ORDERING: Release pairs with `try_lock` and `still_at`.
        self.end.lock.store(CLOSED, Release);
        core::mem::forget(self);
    }
}

impl Drop for Turn<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        // ORDERING: Release pairs with `try_lock` and `still_at`.
        self.end.lock.store(FREE, Release);
    }
}

/// A ring with a lock at each end over any [storage](crate::storage): see [`TwoLock`] and
/// `HeapTwoLock`.
///
/// # Progress
///
/// **Blocking.** If a thread is stopped during its turn, which lasts a few instructions, the others
/// at the same end wait for it, busily, and those at the other end as soon as they have to know
/// whether the ring is empty or full. So do not use it from an interrupt or signal handler that can
/// cut off another operation on the same ring: it would wait for ever. [`Fifo`](super::Fifo) has no such moment.
///
/// # Where it may be used
///
/// On threads, in tasks, which wait for a few instructions at most while no thread is stopped in its
/// turn, and in loom models. Not in interrupt and signal handlers.
///
/// # At the bound
///
/// `push` on a full queue gives the item back at once. Full and Empty are exact.
///
/// # Wrap-around
///
/// Counts are 32 bits wide and compared under a lock, where less than 2^32 lies between them: there
/// is nothing to go wrong.
///
/// # Source
///
/// Michael and Scott's two-lock queue (PODC 1996) on Lamport's ring; exact answers, closing and
/// batches are our additions.
pub struct RawTwoLock<T, S: Storage<Slot<T>>> {
    producers: Padded<End>,
    consumers: Padded<End>,
    storage: S,
    items: core::marker::PhantomData<T>,
}

// SAFETY: items move in by `push` and out by `pop`, from any thread to any other, and no reference
// to one inside is ever given out; so sending them is all it takes.
unsafe impl<T: Send, S: Storage<Slot<T>>> Send for RawTwoLock<T, S> {}
// SAFETY: as above: sharing the queue lets others send items through it, and nothing else.
unsafe impl<T: Send, S: Storage<Slot<T>>> Sync for RawTwoLock<T, S> {}

impl<T, const N: usize> TwoLock<T, N> {
    const_fn! {
        /// An empty queue. Does not compile for `N` of 0 or above 2^28.
        #[must_use]
        pub const fn new() -> Self {
            Self::empty(Inline::from_arrays(array![Slot::new(); N], []))
        }
    }
}

impl<T, const N: usize> Default for TwoLock<T, N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(feature = "alloc")]
impl<T> HeapTwoLock<T> {
    /// An empty queue for `capacity` items.
    ///
    /// # Panics
    ///
    /// If the capacity is 0 or more than [`MAX_CAPACITY`](crate::storage::MAX_CAPACITY).
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self::empty(crate::storage::Heap::new(capacity, 0, Slot::new))
    }
}

impl<T, S: Storage<Slot<T>>> RawTwoLock<T, S> {
    const_fn! {
        const fn empty(storage: S) -> Self {
            Self {
                producers: Padded::new(End::new()),
                consumers: Padded::new(End::new()),
                storage,
                items: core::marker::PhantomData,
            }
        }
    }

    /// Moves the counts of an unused queue to `items` items before they wrap, so that tests reach
    /// the wrap at once.
    #[doc(hidden)]
    #[must_use]
    pub fn near_wrap(self, items: u32) -> Self {
        for end in [&self.producers, &self.consumers] {
            // ORDERING: Relaxed: the queue is ours alone.
            end.count.store(items.wrapping_neg(), Relaxed);
            end.seen.store(items.wrapping_neg(), Relaxed);
        }
        self
    }

    /// The capacity, which `Storage` bounds by 2^28.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation)]
    fn most(&self) -> u32 {
        self.storage.capacity() as u32
    }

    /// Takes the producers' turn if there is room for an item, and says for how many.
    #[inline(always)]
    fn produce(&self, want: u32) -> Result<(Turn<'_>, u32), Refused<()>> {
        let turn = self.producers.try_lock().map_err(|state| match state {
            CLOSED => Refused::Closed(()),
            _ => Refused::Busy(()),
        })?;
        let room = turn.allowed(&self.consumers, self.most(), want);
        if room > 0 {
            Ok((turn, room.min(want)))
        } else {
            Err(self.no_room(&turn))
        }
    }

    /// Why the producers' turn found no room.
    #[cold]
    fn no_room(&self, turn: &Turn<'_>) -> Refused<()> {
        let full = turn.count.wrapping_sub(self.most());
        match self.consumers.still_at(full) {
            Some(_) => Refused::Full(()),
            None => Refused::Busy(()),
        }
    }

    /// Takes the consumers' turn if there is an item, and says how many there are.
    #[inline(always)]
    fn consume(&self, want: u32) -> Result<(Turn<'_>, u32), Nothing> {
        let turn = self.consumers.try_lock().map_err(|_| Nothing::Busy)?;
        let items = turn.allowed(&self.producers, 0, want);
        if items > 0 {
            Ok((turn, items.min(want)))
        } else {
            Err(self.no_item(&turn))
        }
    }

    /// Why the consumers' turn found no item.
    #[cold]
    fn no_item(&self, turn: &Turn<'_>) -> Nothing {
        match self.producers.still_at(turn.count) {
            Some(CLOSED) => Nothing::Closed,
            Some(_) => Nothing::Empty,
            None => Nothing::Busy,
        }
    }

    /// Puts an item into a slot.
    ///
    /// # Safety
    ///
    /// The slot was [claimed](Turn::claim) by the producers' turn, within the room that
    /// [`produce`](Self::produce) found, and nothing was put into it in this turn.
    #[inline(always)]
    unsafe fn write(slot: &Slot<T>, item: T) {
        // SAFETY: there was room, so the consumers are done with this slot (`allowed`); the other
        // producers wait for the turn to end.
        slot.0
            .with_mut(|place| unsafe { place.write(MaybeUninit::new(item)) });
    }

    /// Takes the item out of a slot.
    ///
    /// # Safety
    ///
    /// The slot was [claimed](Turn::claim) by the consumers' turn, within the items that
    /// [`consume`](Self::consume) found, and nothing was taken out of it in this turn.
    #[inline(always)]
    unsafe fn read(slot: &Slot<T>) -> T {
        // SAFETY: there was an item, so the producers have written this slot (`allowed`); the
        // other consumers wait for the turn to end, and the place has moved on, so it is read
        // once.
        slot.0.with(|place| unsafe { place.cast::<T>().read() })
    }

    /// Appends an item.
    ///
    /// Progress: blocking; waits, busily, only for a peer in the middle of an operation.
    ///
    /// # Errors
    ///
    /// Gives the item back if the queue is full or was closed.
    #[inline]
    pub fn push(&self, item: T) -> Result<(), PushError<T>> {
        push_paused(self, item)
    }

    /// Takes the oldest item.
    ///
    /// Progress: blocking; waits, busily, only for a peer in the middle of an operation.
    ///
    /// # Errors
    ///
    /// [`PopError::Empty`] if there is none now, [`PopError::Closed`] if there will never be one
    /// again.
    #[inline]
    pub fn pop(&self) -> Result<T, PopError> {
        pop_paused(self)
    }

    /// Takes items, the oldest first, until there is none at the moment; see [`Drain`].
    ///
    /// Progress: each item as [`pop`](Self::pop).
    pub fn drain(&self) -> Drain<'_, Self> {
        Drain::new(self)
    }

    /// Lets no further item in; those inside can still be popped.
    ///
    /// A push that has not had its turn by then gets its item back, so whoever sees
    /// [`PopError::Closed`] knows that all is out. Closing twice is the same as once.
    ///
    /// Progress: blocking; waits, busily, for a producer in the middle of an operation.
    pub fn close(&self) {
        loop {
            match self.producers.try_lock() {
                Ok(turn) => return turn.close(),
                Err(CLOSED) => return,
                Err(_) => crate::sync::pause(),
            }
        }
    }

    /// Whether [`close`](Self::close) was called. If it was, nobody can undo it.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        // ORDERING: Acquire pairs with `Turn::close`.
        self.producers.lock.load(Acquire) == CLOSED
    }

    /// About how many items are inside: exact while no operation is under way, old news otherwise.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        // ORDERING: Acquire pairs with the release in `passed`: who sees the consumers' count sees
        // a producers' count that is no less. Relaxed for that: an estimate.
        let consumed = self.consumers.count.load(Acquire);
        let produced = self.producers.count.load(Relaxed);
        (produced.wrapping_sub(consumed) as usize).min(self.capacity())
    }

    /// Whether nothing is inside. If it is, that may not be for long; if not and you are the only
    /// consumer, nobody else can change that.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether no further item fits. If so, that may not be for long; if not and you are the only
    /// producer, nobody else can change that.
    #[must_use]
    #[inline]
    pub fn is_full(&self) -> bool {
        self.len() == self.capacity()
    }

    /// The most items it holds.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.storage.capacity()
    }
}

impl<T, S: Storage<Slot<T>>> Container for RawTwoLock<T, S> {
    type Item = T;

    #[inline]
    fn try_push(&self, item: T) -> Result<(), Refused<T>> {
        match self.produce(1) {
            Ok((turn, _)) => {
                let slot = turn.claim_one(self.storage.slots());
                // SAFETY: claimed by the producers, with room for one.
                unsafe { Self::write(slot, item) };
                turn.passed(1);
                Ok(())
            }
            Err(Refused::Full(())) => Err(Refused::Full(item)),
            Err(Refused::Closed(())) => Err(Refused::Closed(item)),
            Err(Refused::Busy(())) => Err(Refused::Busy(item)),
        }
    }

    #[inline]
    fn try_pop(&self) -> Result<T, Nothing> {
        let (turn, _) = self.consume(1)?;
        let slot = turn.claim_one(self.storage.slots());
        // SAFETY: claimed by the consumers, with an item inside.
        let item = unsafe { Self::read(slot) };
        turn.passed(1);
        Ok(item)
    }

    fn try_push_many(&self, items: &mut Run<T>) -> Result<usize, Refused<()>> {
        if items.len() == 0 {
            return Ok(0);
        }
        let (turn, room) = self.produce(u32::try_from(items.len()).unwrap_or(u32::MAX))?;
        for slots in turn.claim(self.storage.slots(), room) {
            for (slot, item) in slots.iter().zip(items.take_front(slots.len())) {
                // SAFETY: claimed by the producers, with room for as many.
                unsafe { Self::write(slot, item) };
            }
        }
        turn.passed(room);
        Ok(room as usize)
    }

    fn try_pop_many(&self, most: usize, into: &mut impl Extend<T>) -> Result<usize, Nothing> {
        let mut popped = 0;
        while popped < most {
            let want = Run::<T>::LENGTH.min(most - popped);
            let (turn, items) = match self.consume(u32::try_from(want).unwrap_or(u32::MAX)) {
                Ok(consume) => consume,
                Err(nothing) if popped == 0 => return Err(nothing),
                Err(_) => break,
            };
            // Through the stack, as the collection is the user's and must not run under the lock.
            let mut run = Run::new();
            for slots in turn.claim(self.storage.slots(), items) {
                // SAFETY: claimed by the consumers, with an item inside.
                run.fill(slots.iter().map(|slot| unsafe { Self::read(slot) }));
            }
            turn.passed(items);
            run.move_into(into);
            popped += items as usize;
            if (items as usize) < want {
                break;
            }
        }
        Ok(popped)
    }

    fn close(&self) {
        self.close();
    }

    fn is_closed(&self) -> bool {
        self.is_closed()
    }

    #[inline]
    fn pushed(&self) -> u32 {
        // ORDERING: Relaxed: a number. Who has got an item has acquired the count of its push.
        self.producers.count.load(Relaxed)
    }

    fn after(&self, pushed: u32) -> u32 {
        pushed.wrapping_add(1)
    }

    fn between(&self, from: u32, to: u32) -> u32 {
        to.wrapping_sub(from)
    }

    fn confirm_empty(&self) -> bool {
        // ORDERING: Relaxed: a count that is older than it seems only makes the answer "no".
        self.producers
            .still_at(self.consumers.count.load(Relaxed))
            .is_some()
    }

    fn confirm_full(&self) -> bool {
        // ORDERING: Relaxed: as above.
        let produced = self.producers.count.load(Relaxed);
        self.consumers
            .still_at(produced.wrapping_sub(self.most()))
            .is_some()
    }

    #[inline]
    fn len(&self) -> usize {
        self.len()
    }

    fn capacity(&self) -> usize {
        self.capacity()
    }
}

#[cfg(feature = "alloc")]
impl<T> super::WithCapacity for HeapTwoLock<T> {
    fn with_capacity(capacity: usize) -> Self {
        HeapTwoLock::with_capacity(capacity)
    }
}

impl<T, S: Storage<Slot<T>>> Drop for RawTwoLock<T, S> {
    fn drop(&mut self) {
        if core::mem::needs_drop::<T>() {
            super::finish(self.drain());
        }
    }
}

impl<T, S: Storage<Slot<T>>> fmt::Debug for RawTwoLock<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TwoLock")
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .field("closed", &self.is_closed())
            .finish()
    }
}
