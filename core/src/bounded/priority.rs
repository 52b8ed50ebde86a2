//! [`Priority`]: the smallest first, from a binary [heap](super::heap) under a lock.
//!
//! The lock is a type parameter ([`Lock`]); everything here happens under it.

use core::fmt;
use core::marker::PhantomData;

use super::heap::{Entry, Heap, Slot};
use super::{Container, Drain, Nothing, Refused, pop_paused, push_paused};
use crate::error::{PopError, PushError};
use crate::lock::{Held, Lock, SpinLock};
use crate::storage::{Inline, Storage};
use crate::sync::{
    AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
    array, const_fn,
};

/// A priority queue for any number of producers and consumers, `N` items of `T` inline.
///
/// The smallest item is popped first; wrap items in [`Reverse`](core::cmp::Reverse) to have the
/// largest. Equal ones come in the order in which they were pushed. Usable as a `static`; see
/// [`RawPriority`] for its operations and guarantees. `L` is the lock.
///
/// ```
/// use brigade_core::bounded::Priority;
///
/// static URGENT: Priority<(u8, &str), 8> = Priority::new();
///
/// URGENT.push((2, "log")).unwrap();
/// URGENT.push((1, "brake")).unwrap();
/// assert_eq!(URGENT.pop(), Ok((1, "brake")));
/// ```
///
/// In an interrupt handler too, with the feature `critical-section`:
///
/// ```
/// # #[cfg(feature = "critical-section")] {
/// use brigade_core::bounded::Priority;
/// use brigade_core::lock::CriticalSection;
///
/// static URGENT: Priority<u8, 8, CriticalSection> = Priority::new();
///
/// URGENT.push(2).unwrap();
/// assert_eq!(URGENT.pop(), Ok(2));
/// # }
/// ```
pub type Priority<T, const N: usize, L = SpinLock> = RawPriority<T, Inline<Slot<T>, N>, L>;

/// A priority queue whose capacity is chosen at run time; see [`RawPriority`].
///
/// ```
/// use brigade_core::bounded::HeapPriority;
///
/// let queue: HeapPriority<_> = HeapPriority::with_capacity(100);
/// for item in [3, 1, 2] {
///     queue.push(item).unwrap();
/// }
/// assert!(queue.drain().eq([1, 2, 3]));
/// ```
#[cfg(feature = "alloc")]
pub type HeapPriority<T, L = SpinLock> = RawPriority<T, crate::storage::Heap<Slot<T>>, L>;

/// A priority queue over any [storage](crate::storage) and [lock](crate::lock): see [`Priority`] and
/// `HeapPriority`.
///
/// # Progress
///
/// **Blocking.** An operation compares up to twice the logarithm of the number of items, under the
/// lock. If a thread is stopped there, all others wait for it, busily. The items' `Ord` must not use
/// the queue they are in: it would wait for itself.
///
/// # Where it may be used
///
/// On threads, in tasks, and, with the [`SpinLock`], in loom models. With the lock `CriticalSection`
/// (feature `critical-section`) also in interrupt handlers; interrupts are then masked for the length of an
/// operation, comparisons included. With the [`SpinLock`] not in those that can cut off another
/// operation on the same queue. Not in signal handlers.
///
/// # At the bound
///
/// `push` on a full queue gives the item back at once. Full and Empty are exact.
///
/// # Panics
///
/// If the items' comparison panics, so does the operation, and leaves the queue as it was: a pop
/// takes nothing; a push puts nothing in, and its item is dropped. If `Ord` contradicts itself,
/// items come out in any order, but all of them do.
///
/// # Wrap-around
///
/// Times of arrival are 32 bits wide and compared signed: two equal items come out in the order in
/// which they went in if less than 2^31 pushes lie between them. An item that stays inside for
/// longer may be overtaken by younger ones equal to it, and the order of those equal to it becomes
/// arbitrary. That is all.
///
/// # Source
///
/// The binary heap of J. W. J. Williams ("Algorithm 232: Heapsort", 1964), with an order of
/// arrival.
pub struct RawPriority<T, S: Storage<Slot<T>>, L: Lock> {
    lock: AtomicU32,
    /// This and the following are written under the lock and read at any time.
    len: AtomicU32,
    pushed: AtomicU32,
    closed: AtomicU32,
    storage: S,
    items: PhantomData<(T, fn() -> L)>,
}

// SAFETY: items move in by `push` and out by `pop`, from any thread to any other; so sending them is
// all it takes. They are only compared under the lock, by one thread at a time.
unsafe impl<T: Send, S: Storage<Slot<T>>, L: Lock> Send for RawPriority<T, S, L> {}
// SAFETY: as above: sharing the queue lets others send items through it, and compare them one
// thread at a time, which takes no more.
unsafe impl<T: Send, S: Storage<Slot<T>>, L: Lock> Sync for RawPriority<T, S, L> {}

impl<T, const N: usize, L: Lock> Priority<T, N, L> {
    const_fn! {
        /// An empty queue. Does not compile for `N` of 0 or above 2^28.
        #[must_use]
        pub const fn new() -> Self {
            Self::empty(Inline::from_arrays(array![Slot::new(); N], []))
        }
    }
}

impl<T, const N: usize, L: Lock> Default for Priority<T, N, L> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(feature = "alloc")]
impl<T, L: Lock> HeapPriority<T, L> {
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

impl<T, S: Storage<Slot<T>>, L: Lock> RawPriority<T, S, L> {
    const_fn! {
        const fn empty(storage: S) -> Self {
            Self {
                lock: AtomicU32::new(0),
                len: AtomicU32::new(0),
                pushed: AtomicU32::new(0),
                closed: AtomicU32::new(0),
                storage,
                items: PhantomData,
            }
        }
    }

    /// Moves the count of an unused queue to `pushes` pushes before it wraps, so that tests reach
    /// the wrap at once.
    #[doc(hidden)]
    #[must_use]
    pub fn near_wrap(self, pushes: u32) -> Self {
        // ORDERING: Relaxed: the queue is ours alone.
        self.pushed.store(pushes.wrapping_neg(), Relaxed);
        self
    }

    /// Takes the lock if it is free.
    #[inline(always)]
    fn try_lock(&self) -> Option<Heap<'_, T, L>> {
        // SAFETY: all callers keep the heap, and with it the lock, in a local variable.
        let held = unsafe { Held::try_new(&self.lock) }?;
        // ORDERING: Relaxed: only written under the lock.
        let len = self.len.load(Relaxed) as usize;
        // SAFETY: the lock keeps all others away from the slots; `set_len` is called after each
        // change, so the first `len` are filled.
        Some(unsafe { Heap::new(self.storage.slots(), len, held) })
    }

    /// Notes how many are inside. Under the lock.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation)] // `Storage` bounds it by 2^28.
    fn set_len(&self, len: usize) {
        // ORDERING: Relaxed: who reads it without the lock gets an estimate.
        self.len.store(len as u32, Relaxed);
    }

    /// Lets no further item in; those inside can still be popped.
    ///
    /// A push that has not had the lock by then gets its item back, so whoever sees
    /// [`PopError::Closed`] knows that all is out. Closing twice is the same as once.
    ///
    /// Progress: blocking; waits, busily, for a peer in the middle of an operation.
    pub fn close(&self) {
        loop {
            if let Some(_held) = self.try_lock() {
                // ORDERING: Release pairs with `is_closed`.
                self.closed.store(1, Release);
                return;
            }
            crate::sync::pause();
        }
    }

    /// Whether [`close`](Self::close) was called. If it was, nobody can undo it.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        // ORDERING: Acquire pairs with the release in `close`.
        self.closed.load(Acquire) != 0
    }

    /// About how many items are inside: exact while no operation is under way, old news otherwise.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        // ORDERING: Relaxed: an estimate.
        self.len.load(Relaxed) as usize
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

impl<T: Ord, S: Storage<Slot<T>>, L: Lock> RawPriority<T, S, L> {
    /// Puts an item in.
    ///
    /// Progress: blocking; waits, busily, only for a peer in the middle of an operation.
    ///
    /// # Errors
    ///
    /// Gives the item back if the queue is full or was closed.
    ///
    /// # Panics
    ///
    /// If the items' comparison does.
    #[inline]
    pub fn push(&self, item: T) -> Result<(), PushError<T>> {
        push_paused(self, item)
    }

    /// Takes the smallest item; of equal ones, the oldest.
    ///
    /// Progress: blocking; waits, busily, only for a peer in the middle of an operation.
    ///
    /// # Errors
    ///
    /// [`PopError::Empty`] if there is none now, [`PopError::Closed`] if there will never be one
    /// again.
    ///
    /// # Panics
    ///
    /// If the items' comparison does.
    #[inline]
    pub fn pop(&self) -> Result<T, PopError> {
        pop_paused(self)
    }

    /// Takes items, the smallest first, until there is none at the moment; see [`Drain`].
    ///
    /// Progress: each item as [`pop`](Self::pop).
    pub fn drain(&self) -> Drain<'_, Self> {
        Drain::new(self)
    }
}

impl<T: Ord, S: Storage<Slot<T>>, L: Lock> Container for RawPriority<T, S, L> {
    type Item = T;

    #[inline]
    fn try_push(&self, item: T) -> Result<(), Refused<T>> {
        // Declared before the lock is taken: if a comparison panics, the item is dropped after the
        // lock is released.
        let mut entry = Entry { item, arrival: 0 };
        let Some(mut heap) = self.try_lock() else {
            return Err(Refused::Busy(entry.item));
        };
        // ORDERING: Relaxed, also below: only written under the lock.
        if self.closed.load(Relaxed) != 0 {
            return Err(Refused::Closed(entry.item));
        }
        if heap.len() == self.capacity() {
            return Err(Refused::Full(entry.item));
        }
        let arrival = self.pushed.load(Relaxed);
        entry.arrival = arrival;
        let place = heap.place_of(&entry);
        // From here on nothing panics.
        heap.insert(entry, place);
        self.set_len(heap.len());
        // ORDERING: Relaxed: see `pushed`.
        self.pushed.store(arrival.wrapping_add(1), Relaxed);
        Ok(())
    }

    #[inline]
    fn try_pop(&self) -> Result<T, Nothing> {
        let mut heap = self.try_lock().ok_or(Nothing::Busy)?;
        if let Some(entry) = heap.pop() {
            self.set_len(heap.len());
            return Ok(entry.item);
        }
        // ORDERING: Relaxed: only written under the lock.
        Err(match self.closed.load(Relaxed) {
            0 => Nothing::Empty,
            _ => Nothing::Closed,
        })
    }

    fn close(&self) {
        self.close();
    }

    fn is_closed(&self) -> bool {
        self.is_closed()
    }

    #[inline]
    fn pushed(&self) -> u32 {
        // ORDERING: Relaxed: a number. Who has got an item has acquired the lock after its push.
        self.pushed.load(Relaxed)
    }

    fn after(&self, pushed: u32) -> u32 {
        pushed.wrapping_add(1)
    }

    fn between(&self, from: u32, to: u32) -> u32 {
        to.wrapping_sub(from)
    }

    /// By the lock: a verdict releases it, and the next success acquires it.
    fn confirm_empty(&self) -> bool {
        self.try_lock().is_some_and(|heap| heap.len() == 0)
    }

    /// As above.
    fn confirm_full(&self) -> bool {
        self.try_lock()
            .is_some_and(|heap| heap.len() == self.capacity())
    }

    fn len(&self) -> usize {
        self.len()
    }

    fn capacity(&self) -> usize {
        self.capacity()
    }
}

#[cfg(feature = "alloc")]
impl<T: Ord, L: Lock> super::WithCapacity for HeapPriority<T, L> {
    fn with_capacity(capacity: usize) -> Self {
        HeapPriority::with_capacity(capacity)
    }
}

impl<T, S: Storage<Slot<T>>, L: Lock> Drop for RawPriority<T, S, L> {
    fn drop(&mut self) {
        if core::mem::needs_drop::<T>() {
            // Not by `pop`, whose comparisons might panic.
            let filled = &self.storage.slots()[..self.len()];
            // SAFETY: the queue is ours alone, and the first `len` slots are filled. Each is read
            // once.
            super::finish(filled.iter().map(|slot| unsafe { slot.read() }));
        }
    }
}

impl<T, S: Storage<Slot<T>>, L: Lock> fmt::Debug for RawPriority<T, S, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Priority")
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .field("closed", &self.is_closed())
            .finish()
    }
}
