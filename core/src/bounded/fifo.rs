//! [`Fifo`]: strictly lock-free, from two rings of indices.
//!
//! ```text
//!            free ring                        filled ring
//!     push: takes an index  -- write value --> appends it
//!     pop:  appends it      <-- read value --- takes an index
//! ```
//!
//! An index belongs to exactly one owner at a time: a ring, or the operation that took it out and
//! is now alone with the value behind it. Both rings are lock-free ([`ring`](super::ring)), so an
//! operation that is stopped anywhere keeps one index from the others and nothing else. That is
//! why there are more slots than items: each operation in flight may hold one, and as long as
//! there are no more of them than spares, one is left for the item that still fits. Whether it
//! fits is decided in the filled ring alone, when the index is appended.

use core::fmt;
use core::mem::MaybeUninit;

use super::ring::{Ring, Stop};
use super::{Container, Drain, Nothing, Refused};
use crate::error::{PopError, PushError};
use crate::lap::Lap;
use crate::storage::{Inline, Padded, Storage};
use crate::sync::{AtomicU32, Ordering::Relaxed, UnsafeCell, array, const_fn};

/// The spares a heap queue gets: enough for this many operations in flight at once.
#[cfg(feature = "alloc")]
const HEAP_SPARES: usize = 64;

/// A strictly lock-free queue for any number of producers and consumers, `N` items of `T` inline.
///
/// Usable as a `static`; see [`RawFifo`] for its operations and guarantees. `SPARE` is how many
/// operations may be in flight at once before Full may be spurious.
///
/// ```
/// use brigade_core::bounded::Fifo;
///
/// static READINGS: Fifo<u16, 8> = Fifo::new();
///
/// READINGS.push(1013).unwrap();
/// assert_eq!(READINGS.pop(), Ok(1013));
/// ```
pub type Fifo<T, const N: usize, const SPARE: usize = 4> = RawFifo<T, Inline<Slot<T>, N, SPARE>>;

/// A strictly lock-free queue whose capacity is chosen at run time.
///
/// See [`RawFifo`] for its operations and guarantees. It has 64 spare slots.
///
/// ```
/// use brigade_core::bounded::HeapFifo;
///
/// let queue = HeapFifo::with_capacity(100);
/// queue.push("first").unwrap();
/// assert_eq!(queue.len(), 1);
/// ```
#[cfg(feature = "alloc")]
pub type HeapFifo<T> = RawFifo<T, crate::storage::Heap<Slot<T>>>;

/// One slot: an entry of either ring, and a value that goes with neither of them but with its own
/// place.
pub struct Slot<T> {
    free: AtomicU32,
    filled: AtomicU32,
    value: UnsafeCell<MaybeUninit<T>>,
}

impl<T> Slot<T> {
    const_fn! {
        const fn new() -> Self {
            Self {
                free: AtomicU32::new(0),
                filled: AtomicU32::new(0),
                value: UnsafeCell::new(MaybeUninit::uninit()),
            }
        }
    }
}

impl<T> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").finish_non_exhaustive()
    }
}

/// A strictly lock-free queue over any [storage](crate::storage): see [`Fifo`] and `HeapFifo`.
///
/// # Progress
///
/// Lock-free: whatever happens to the other threads, interrupts or signal handlers that use the
/// queue, also if they are stopped for ever in the middle of an operation, an operation completes
/// in a bounded number of its own steps unless another one completes. Nothing ever waits.
///
/// # Where it may be used
///
/// Everywhere, every operation: in interrupt and signal handlers, also those that cut off another
/// operation on the same queue, on threads, in tasks, and in loom models.
///
/// # At the bound
///
/// `push` on a full queue gives the item back at once. Full and Empty are exact while no more operations are in flight than there are spare slots.
/// Beyond that `push` may say Full although there is room; nothing else changes.
///
/// # Wrap-around
///
/// Cursors are 32 bits wide and begin anew after 2^30 to 2^31 operations (the power depends on the
/// capacity). An operation that is stopped between two of its steps while that many others pass may
/// take an old lap for the present one when it goes on; the chance is one in the number of laps that
/// fit in a cursor, 2^20 at a capacity of 1000. Then items can be lost or a push go on for ever. So
/// do not stop an operation for minutes on a busy queue and let it go on; stopping it for good is
/// fine.
///
/// # Source
///
/// Ruslan Nikolaev, "A Scalable, Portable, and Memory-Efficient Lock-Free FIFO Queue" (DISC 2019),
/// the form called NCQ; the spare slots, the exact answers and closing are our additions.
pub struct RawFifo<T, S: Storage<Slot<T>>> {
    free_head: Padded<AtomicU32>,
    free_tail: Padded<AtomicU32>,
    filled_head: Padded<AtomicU32>,
    filled_tail: Padded<AtomicU32>,
    storage: S,
    items: core::marker::PhantomData<T>,
}

// SAFETY: items move in by `push` and out by `pop`, from any thread to any other, and no reference
// to one inside is ever given out; so sending them is all it takes.
unsafe impl<T: Send, S: Storage<Slot<T>>> Send for RawFifo<T, S> {}
// SAFETY: as above: sharing the queue lets others send items through it, and nothing else.
unsafe impl<T: Send, S: Storage<Slot<T>>> Sync for RawFifo<T, S> {}

impl<T, const N: usize, const SPARE: usize> Fifo<T, N, SPARE> {
    const_fn! {
        /// An empty queue.
        ///
        /// Does not compile for `N` of 0 or above 2^28, or `SPARE` of 0 or above 2^16.
        #[must_use]
        pub const fn new() -> Self {
            const { assert!(SPARE >= 1, "a Fifo needs at least one spare slot") };
            let storage = Inline::from_arrays(array![Slot::new(); N], array![Slot::new(); SPARE]);
            Self::empty(storage, Lap::of(N + SPARE))
        }
    }
}

impl<T, const N: usize, const SPARE: usize> Default for Fifo<T, N, SPARE> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(feature = "alloc")]
impl<T> HeapFifo<T> {
    /// An empty queue for `capacity` items.
    ///
    /// # Panics
    ///
    /// If the capacity is 0 or more than [`MAX_CAPACITY`](crate::storage::MAX_CAPACITY).
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        let storage = crate::storage::Heap::new(capacity, HEAP_SPARES, Slot::new);
        Self::empty(storage, Lap::of(capacity + HEAP_SPARES))
    }
}

impl<T, S: Storage<Slot<T>>> RawFifo<T, S> {
    const_fn! {
        /// An empty queue on a storage whose entries are all zero.
        ///
        /// Zero entries are lap 0. In the filled ring both cursors start at lap 1: every slot is
        /// free. In the free ring the tail does too, but the head starts at lap 0: the ring is
        /// full, and an entry of zero means "the index of my own slot". So nothing has to be
        /// written, and this can be done at compile time.
        const fn empty(storage: S, lap: Lap) -> Self {
            Self {
                free_head: Padded::new(AtomicU32::new(0)),
                free_tail: Padded::new(AtomicU32::new(lap.one())),
                filled_head: Padded::new(AtomicU32::new(lap.one())),
                filled_tail: Padded::new(AtomicU32::new(lap.one())),
                storage,
                items: core::marker::PhantomData,
            }
        }
    }

    /// Moves the cursors of an unused queue to `laps` laps before they wrap, so that tests reach
    /// the wrap at once.
    #[doc(hidden)]
    #[must_use]
    pub fn near_wrap(self, laps: u32) -> Self {
        let lap = self.lap();
        let filled = lap.one().wrapping_mul(laps + 1).wrapping_neg();
        let start = filled.wrapping_add(lap.one());
        for slot in self.storage.slots() {
            // ORDERING: Relaxed: the queue is ours alone.
            slot.free.store(filled, Relaxed);
            slot.filled.store(filled, Relaxed);
        }
        // ORDERING: as above.
        self.free_head.store(filled, Relaxed);
        self.free_tail.store(start, Relaxed);
        self.filled_head.store(start, Relaxed);
        self.filled_tail.store(start, Relaxed);
        self
    }

    #[inline(always)]
    fn lap(&self) -> Lap {
        self.storage.lap()
    }

    /// The capacity, which `Storage` bounds by 2^28.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation)]
    fn most(&self) -> u32 {
        self.storage.capacity() as u32
    }

    #[inline(always)]
    fn slot(&self, index: u32) -> &Slot<T> {
        &self.storage.slots()[index as usize]
    }

    #[inline(always)]
    fn free<'a>(&'a self) -> Ring<'a, impl Fn(u32) -> &'a AtomicU32> {
        Ring {
            lap: self.lap(),
            head: &self.free_head,
            tail: &self.free_tail,
            entry: move |index| &self.slot(index).free,
        }
    }

    #[inline(always)]
    fn filled<'a>(&'a self) -> Ring<'a, impl Fn(u32) -> &'a AtomicU32> {
        Ring {
            lap: self.lap(),
            head: &self.filled_head,
            tail: &self.filled_tail,
            entry: move |index| &self.slot(index).filled,
        }
    }

    /// Gives an index back. There are never more indices than slots, so there is room.
    ///
    /// Where flash is scarce, push and pop share one copy.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    fn release(&self, index: u32) {
        // The free ring is never closed.
        let _ = self.free().push(index, |_| true);
    }

    /// Appends an item.
    ///
    /// Progress: lock-free; never waits.
    ///
    /// # Errors
    ///
    /// Gives the item back if the queue is full or was closed.
    #[inline]
    pub fn push(&self, item: T) -> Result<(), PushError<T>> {
        let filled = self.filled();
        // A glance before an index is taken: a full queue is left alone.
        if filled.is_full(self.most()) {
            return Err(self.refuse(item));
        }
        let Ok(index) = self.free().pop() else {
            // More operations are in flight than there are spares.
            return Err(self.refuse(item));
        };
        let value = &self.slot(index).value;
        // SAFETY: the index came out of the free ring, so until we hand it on no other operation
        // touches this slot; what it held was moved out by the pop that freed it.
        value.with_mut(|place| unsafe { place.write(MaybeUninit::new(item)) });
        filled
            .push(index, |tail| filled.has_room(tail, self.most()))
            .map_err(|stop| {
                // SAFETY: the index is still ours, and the item is what we wrote above.
                let item = value.with(|place| unsafe { place.cast::<T>().read() });
                self.release(index);
                match stop {
                    Stop::Now => PushError::Full(item),
                    Stop::ForEver => PushError::Closed(item),
                }
            })
    }

    #[cold]
    fn refuse(&self, item: T) -> PushError<T> {
        if self.is_closed() {
            PushError::Closed(item)
        } else {
            PushError::Full(item)
        }
    }

    /// Takes the oldest item.
    ///
    /// Progress: lock-free; never waits.
    ///
    /// # Errors
    ///
    /// [`PopError::Empty`] if there is none now, [`PopError::Closed`] if there will never be one
    /// again.
    #[inline]
    pub fn pop(&self) -> Result<T, PopError> {
        match self.filled().pop() {
            Ok(index) => {
                let value = &self.slot(index).value;
                // SAFETY: the index came out of the filled ring, so the push that appended it has
                // written the value and nobody else touches the slot until we free it; reading it
                // out happens once because the index is taken once.
                let item = value.with(|place| unsafe { place.cast::<T>().read() });
                self.release(index);
                Ok(item)
            }
            Err(Stop::Now) => Err(PopError::Empty),
            Err(Stop::ForEver) => Err(PopError::Closed),
        }
    }

    /// Takes items, the oldest first, until there is none at the moment; see [`Drain`].
    ///
    /// Progress: each item as [`pop`](Self::pop).
    pub fn drain(&self) -> Drain<'_, Self> {
        Drain::new(self)
    }

    /// Lets no further item in; those inside can still be popped.
    ///
    /// A push that has not committed by then gets its item back, so whoever sees
    /// [`PopError::Closed`] knows that all is out. Closing twice is the same as once.
    ///
    /// Progress: lock-free; never waits.
    pub fn close(&self) {
        self.filled().close();
    }

    /// Whether [`close`](Self::close) was called. If it was, nobody can undo it.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.filled().is_closed()
    }

    /// About how many items are inside: exact while no operation is under way, old news otherwise.
    #[must_use]
    pub fn len(&self) -> usize {
        (self.filled().len() as usize).min(self.capacity())
    }

    /// Whether nothing is inside. If it is, that may not be for long; if not and you are the only
    /// consumer, nobody else can change that.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether no further item fits. If so, that may not be for long; if not and you are the only
    /// producer, nobody else can change that.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.len() == self.capacity()
    }

    /// The most items it holds.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.storage.capacity()
    }
}

impl<T, S: Storage<Slot<T>>> Container for RawFifo<T, S> {
    type Item = T;

    #[inline]
    fn try_push(&self, item: T) -> Result<(), Refused<T>> {
        self.push(item).map_err(Refused::from)
    }

    #[inline]
    fn try_pop(&self) -> Result<T, Nothing> {
        self.pop().map_err(Nothing::from)
    }

    fn close(&self) {
        self.close();
    }

    fn is_closed(&self) -> bool {
        self.is_closed()
    }

    #[inline]
    fn pushed(&self) -> u32 {
        // The ring starts on lap 1, the count at 0.
        self.filled().true_tail().wrapping_sub(self.lap().one())
    }

    fn after(&self, pushed: u32) -> u32 {
        self.lap().next(pushed)
    }

    fn between(&self, from: u32, to: u32) -> u32 {
        self.lap().steps(from, to)
    }

    fn confirm_empty(&self) -> bool {
        self.filled().front().is_err()
    }

    fn confirm_full(&self) -> bool {
        self.filled().is_full(self.most())
    }

    fn len(&self) -> usize {
        self.len()
    }

    fn capacity(&self) -> usize {
        self.capacity()
    }
}

#[cfg(feature = "alloc")]
impl<T> super::WithCapacity for HeapFifo<T> {
    fn with_capacity(capacity: usize) -> Self {
        HeapFifo::with_capacity(capacity)
    }
}

impl<T, S: Storage<Slot<T>>> Drop for RawFifo<T, S> {
    fn drop(&mut self) {
        if core::mem::needs_drop::<T>() {
            super::finish(self.drain());
        }
    }
}

impl<T, S: Storage<Slot<T>>> fmt::Debug for RawFifo<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fifo")
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .field("closed", &self.is_closed())
            .finish()
    }
}
