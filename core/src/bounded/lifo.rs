//! [`Lifo`]: strictly lock-free, last in, first out, from a ring and a stack of indices.
//!
//! ```text
//!            free ring                        filled stack
//!     push: takes an index  -- write value --> lays it on top
//!     pop:  appends it      <-- read value --- takes the one on top
//! ```
//!
//! It is [`Fifo`](super::Fifo) with a [stack](super::stack) in the place of one ring: an index has
//! one owner at a time, an operation that is stopped anywhere keeps one index from the others and
//! nothing else, and spare slots make up for that.
//!
//! The free indices stay in a ring, though a second stack would take a word less for each slot. A
//! stack would hand out the same few indices again and again. The ring hands out all of them in
//! turn, so that the top is seldom the same index when the same tag comes back.

use core::fmt;
use core::mem::MaybeUninit;

use super::ring::{Ring, Stop};
use super::stack::{Node, Stack, Top};
use super::{Container, Drain, Nothing, Refused};
use crate::error::{PopError, PushError};
use crate::lap::Lap;
use crate::storage::{Inline, Padded, Storage};
use crate::sync::{AtomicU32, Ordering::Relaxed, UnsafeCell, array, const_fn};

/// The spares a heap stack gets: enough for this many operations in flight at once.
#[cfg(feature = "alloc")]
const HEAP_SPARES: usize = 64;

/// A strictly lock-free stack for any number of threads, `N` items of `T` inline.
///
/// Usable as a `static`; see [`RawLifo`] for its operations and guarantees. `SPARE` is how many
/// operations may be in flight at once before Full may be spurious.
///
/// ```
/// use brigade_core::bounded::Lifo;
///
/// static BUFFERS: Lifo<u8, 4> = Lifo::new();
///
/// BUFFERS.push(1).unwrap();
/// BUFFERS.push(2).unwrap();
/// assert_eq!(BUFFERS.pop(), Ok(2));
/// ```
pub type Lifo<T, const N: usize, const SPARE: usize = 4> = RawLifo<T, Inline<Slot<T>, N, SPARE>>;

/// A strictly lock-free stack whose capacity is chosen at run time.
///
/// See [`RawLifo`] for its operations and guarantees. It has 64 spare slots.
///
/// ```
/// use brigade_core::bounded::HeapLifo;
///
/// let stack = HeapLifo::with_capacity(100);
/// stack.push("first").unwrap();
/// stack.push("second").unwrap();
/// assert_eq!(stack.pop(), Ok("second"));
/// ```
#[cfg(feature = "alloc")]
pub type HeapLifo<T> = RawLifo<T, crate::storage::Heap<Slot<T>>>;

/// One slot: an entry of the free ring, and what goes with the index of the slot: a node of the
/// stack and a value.
pub struct Slot<T> {
    free: AtomicU32,
    node: Node,
    value: UnsafeCell<MaybeUninit<T>>,
}

impl<T> Slot<T> {
    const_fn! {
        const fn new() -> Self {
            Self {
                free: AtomicU32::new(0),
                node: Node::new(),
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

/// A strictly lock-free stack over any [storage](crate::storage): see [`Lifo`] and `HeapLifo`.
///
/// # Progress
///
/// Lock-free: whatever happens to the other threads, interrupts or signal handlers that use the
/// stack, also if they are stopped for ever in the middle of an operation, an operation completes
/// in a bounded number of its own steps unless another one completes. Nothing ever waits.
///
/// # Where it may be used
///
/// Everywhere, every operation: in interrupt and signal handlers, also those that cut off another
/// operation on the same stack, on threads, in tasks, and in loom models.
///
/// # At the bound
///
/// `push` on a full stack gives the item back at once. Full and Empty are exact while no more
/// operations are in flight than there are spare slots. Beyond that `push` may say Full although
/// there is room; nothing else changes.
///
/// # Wrap-around
///
/// The top has a tag that counts pushes and begins anew after **P** of them: 2^27 with 8 to 15
/// slots, spares included, 2^20 with 1024 to 2047, half as many with each power of two. A pop that
/// is stopped between two of its steps while at least P pushes pass goes wrong, when it goes on, if
/// their number is a multiple of P *and* the index on top is the same as before *and* another lies
/// below it. As indices are handed out in turn, that is about one chance in P times the number of
/// slots, 2^30 to 2^31, each time a pop is stopped for so long; for a program whose pattern of
/// pushes and pops keeps step with the tag it may be up to one in P. Then items can be lost or come
/// out twice. So take a [`Fifo`](super::Fifo), which begins anew after 2^30 operations, if you can
/// do without the order and P is small; stopping an operation for good is fine. The free ring is
/// that of `Fifo`.
///
/// # Source
///
/// R. Kent Treiber's stack ("Systems Programming: Coping with Parallelism", IBM RJ 5118, 1986), on
/// indices with a tag. Free slots are in the ring that [`RawFifo`](super::RawFifo) is made of.
/// The spare slots, the exact answers and closing are our additions.
pub struct RawLifo<T, S: Storage<Slot<T>>> {
    free_head: Padded<AtomicU32>,
    free_tail: Padded<AtomicU32>,
    filled: Padded<Top>,
    storage: S,
    items: core::marker::PhantomData<T>,
}

// SAFETY: items move in by `push` and out by `pop`, from any thread to any other, and no reference
// to one inside is ever given out; so sending them is all it takes.
unsafe impl<T: Send, S: Storage<Slot<T>>> Send for RawLifo<T, S> {}
// SAFETY: as above: sharing the stack lets others send items through it, and nothing else.
unsafe impl<T: Send, S: Storage<Slot<T>>> Sync for RawLifo<T, S> {}

impl<T, const N: usize, const SPARE: usize> Lifo<T, N, SPARE> {
    const_fn! {
        /// An empty stack.
        ///
        /// Does not compile for `N` of 0 or above 2^28, or `SPARE` of 0 or above 2^16.
        #[must_use]
        pub const fn new() -> Self {
            const { assert!(SPARE >= 1, "a Lifo needs at least one spare slot") };
            let storage = Inline::from_arrays(array![Slot::new(); N], array![Slot::new(); SPARE]);
            Self::empty(storage, Lap::of(N + SPARE))
        }
    }
}

impl<T, const N: usize, const SPARE: usize> Default for Lifo<T, N, SPARE> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(feature = "alloc")]
impl<T> HeapLifo<T> {
    /// An empty stack for `capacity` items.
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

impl<T, S: Storage<Slot<T>>> RawLifo<T, S> {
    const_fn! {
        /// An empty stack on a storage whose entries are all zero: nothing has to be written, so
        /// this can be done at compile time. How the free ring starts is told in `Fifo`.
        const fn empty(storage: S, lap: Lap) -> Self {
            Self {
                free_head: Padded::new(AtomicU32::new(0)),
                free_tail: Padded::new(AtomicU32::new(lap.one())),
                filled: Padded::new(Top::new()),
                storage,
                items: core::marker::PhantomData,
            }
        }
    }

    /// Moves the tag and the count of an unused stack to `pushes` pushes before they wrap, and the
    /// free ring to its last lap, so that tests reach the wrap at once.
    #[doc(hidden)]
    #[must_use]
    pub fn near_wrap(self, pushes: u32) -> Self {
        let lap = self.storage.lap();
        self.filled.near_wrap(lap, pushes);
        let last = lap.one().wrapping_neg();
        for slot in self.storage.slots() {
            // ORDERING: Relaxed: the stack is ours alone.
            slot.free.store(last, Relaxed);
        }
        // ORDERING: as above.
        self.free_head.store(last, Relaxed);
        self.free_tail.store(0, Relaxed);
        self
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
            lap: self.storage.lap(),
            head: &self.free_head,
            tail: &self.free_tail,
            entry: move |index| &self.slot(index).free,
        }
    }

    #[inline(always)]
    fn filled<'a>(&'a self) -> Stack<'a, impl Fn(u32) -> &'a Node> {
        Stack {
            lap: self.storage.lap(),
            top: &self.filled,
            node: move |index| &self.slot(index).node,
        }
    }

    /// Gives an index back. There are never more indices than slots, so there is room.
    #[inline(always)]
    fn release(&self, index: u32) {
        // The free ring is never closed.
        let _ = self.free().push(index, |_| true);
    }

    /// Lays an item on top.
    ///
    /// Progress: lock-free; never waits.
    ///
    /// # Errors
    ///
    /// Gives the item back if the stack is full or was closed.
    #[inline]
    pub fn push(&self, item: T) -> Result<(), PushError<T>> {
        let filled = self.filled();
        // A glance before an index is taken: a full stack is left alone.
        if filled.is_full(self.most()) {
            return Err(self.refuse(item));
        }
        let Ok(index) = self.free().pop() else {
            // More operations are in flight than there are spares.
            return Err(self.refuse(item));
        };
        let value = &self.slot(index).value;
        // SAFETY: the index came out of the free ring, so until we hand it on no other operation
        // touches this value; what it held was moved out by the pop that freed it.
        value.with_mut(|place| unsafe { place.write(MaybeUninit::new(item)) });
        filled.push(index, self.most()).map_err(|stop| {
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

    /// Takes the newest item.
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
                // SAFETY: the index came off the stack, so the push that laid it there has written
                // the value and nobody else touches it until we free it; reading it out happens
                // once because the index is taken once.
                let item = value.with(|place| unsafe { place.cast::<T>().read() });
                self.release(index);
                Ok(item)
            }
            Err(Stop::Now) => Err(PopError::Empty),
            Err(Stop::ForEver) => Err(PopError::Closed),
        }
    }

    /// Takes items, the newest first, until there is none at the moment; see [`Drain`].
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
    /// Progress: lock-free, and wait-free where the processor has an atomic "or"; never waits.
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
        self.filled().len() as usize
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

impl<T, S: Storage<Slot<T>>> Container for RawLifo<T, S> {
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
        self.filled().pushed()
    }

    fn after(&self, pushed: u32) -> u32 {
        pushed.wrapping_add(1)
    }

    fn between(&self, from: u32, to: u32) -> u32 {
        to.wrapping_sub(from)
    }

    fn confirm_empty(&self) -> bool {
        self.filled().is_empty()
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
impl<T> super::WithCapacity for HeapLifo<T> {
    fn with_capacity(capacity: usize) -> Self {
        HeapLifo::with_capacity(capacity)
    }
}

impl<T, S: Storage<Slot<T>>> Drop for RawLifo<T, S> {
    fn drop(&mut self) {
        if core::mem::needs_drop::<T>() {
            super::finish(self.drain());
        }
    }
}

impl<T, S: Storage<Slot<T>>> fmt::Debug for RawLifo<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lifo")
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .field("closed", &self.is_closed())
            .finish()
    }
}
