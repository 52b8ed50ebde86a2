//! [`Spsc`]: the least and fastest of all, for one producer and one consumer: Lamport's ring.
//!
//! ```text
//!                head                tail
//!     slots:  . . [c] d  e  f  g  h  .  .
//!                  |                 |
//!     consumer: moves the head    producer: moves the tail
//!               reads the tail              reads the head
//! ```
//!
//! Each end has a cursor that nobody else writes, so it takes no more than loads and stores, and an
//! operation is a few instructions whatever the other end does. The producer publishes an item by
//! its cursor, the consumer room by its own. Cursors count to twice the number of slots before they
//! start again: that tells a full ring from an empty one, for any number of slots, with no slot left
//! over.
//!
//! A [`Producer`] or [`Consumer`] is the right to be at that end. It remembers how many items it
//! may move before it has to look at the other's cursor again, so as long as the ring is neither
//! full nor empty, each end works on cache lines of its own. A handle dropped leaves its end to
//! the next: by a flag for each end, which is all that is ever exchanged atomically.

mod consumer;
mod hold;
mod producer;
mod read_chunk;
mod write_chunk;

pub use consumer::{Consumer, Drain};
pub use producer::Producer;
pub use read_chunk::ReadChunk;
pub use write_chunk::WriteChunk;

use core::fmt;
use core::mem::MaybeUninit;

use self::hold::{Hold, most, steps};
use crate::storage::{Inline, Padded, Storage};
use crate::sync::{
    AtomicU32, CellSlice, LoadStoreU32,
    Ordering::{Acquire, Relaxed, Release},
    UnsafeCell, array, const_fn,
};

/// A wait-free queue for one producer and one consumer, `N` items of `T` inline.
///
/// Usable as a `static`; see [`RawSpsc`] for its operations and guarantees.
///
/// ```
/// use brigade_core::bounded::{Spsc, spsc::Producer};
///
/// static SAMPLES: Spsc<u16, 8> = Spsc::new();
///
/// fn interrupt(samples: &mut Producer<'_, u16>) {
///     // A full queue gives the sample back; this one does without it.
///     let _ = samples.push(1013);
/// }
///
/// let mut consumer = SAMPLES.consumer().expect("nobody else consumes");
/// interrupt(&mut SAMPLES.producer().expect("nobody else produces"));
/// assert_eq!(consumer.pop(), Ok(1013));
/// ```
pub type Spsc<T, const N: usize> = RawSpsc<T, Inline<Slot<T>, N>>;

/// A wait-free queue for one producer and one consumer whose capacity is chosen at run time.
///
/// See [`RawSpsc`] for its operations and guarantees.
///
/// ```
/// use brigade_core::bounded::HeapSpsc;
///
/// let mut queue = HeapSpsc::with_capacity(100);
/// let (mut producer, mut consumer) = queue.split();
/// std::thread::scope(|scope| {
///     scope.spawn(move || (1..=3).for_each(|item| producer.push(item).unwrap()));
///     while consumer.pop() != Ok(3) {}
/// });
/// ```
#[cfg(feature = "alloc")]
pub type HeapSpsc<T> = RawSpsc<T, crate::storage::Heap<Slot<T>>>;

/// One slot: a value and nothing else.
#[repr(transparent)]
pub struct Slot<T>(UnsafeCell<MaybeUninit<T>>);

impl<T> Slot<T> {
    const_fn! {
        const fn new() -> Self {
            Self(UnsafeCell::new(MaybeUninit::uninit()))
        }
    }

    /// Lends slots as one slice.
    ///
    /// # Safety
    ///
    /// - Nobody else touches the slots as long as the slice lives.
    #[inline(always)]
    unsafe fn lend(slots: &[Self]) -> CellSlice<'_, T> {
        let cells = core::ptr::from_ref(slots) as *const [UnsafeCell<MaybeUninit<T>>];
        // SAFETY: a slot is laid out like its cell.
        let cells = unsafe { &*cells };
        // SAFETY: the caller keeps everybody else away.
        unsafe { CellSlice::new(cells) }
    }
}

impl<T> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").finish_non_exhaustive()
    }
}

/// Nobody is at this end.
const FREE: u32 = 0;
/// A handle is.
const TAKEN: u32 = 1;

/// A mark in the producer's cursor: no further item will come. Cursors stay below 2^29.
const CLOSED: u32 = 1 << 31;

/// What one end shows to the other, and leaves to its next handle.
struct End {
    /// The position of the next item to be moved, below twice the number of slots. Only the handle
    /// at this end writes it.
    cursor: LoadStoreU32,
    /// Whether there is a handle.
    taken: AtomicU32,
}

impl End {
    const_fn! {
        const fn new() -> Self {
            Self {
                cursor: LoadStoreU32::new(0),
                taken: AtomicU32::new(FREE),
            }
        }
    }
}

/// A wait-free queue for one producer and one consumer over any [storage](crate::storage): see
/// [`Spsc`] and `HeapSpsc`.
///
/// The queue itself only has room for the items. Who pushes needs its [`Producer`], who pops its
/// [`Consumer`], and there is at most one of each at a time: either for a while, by
/// [`producer`](Self::producer) and [`consumer`](Self::consumer), which take a shared reference
/// and so work on a `static`, or both for as long as you like, by [`split`](Self::split).
///
/// # Progress
///
/// Wait-free: every operation ends after the same few steps of its own, whatever the other end
/// does, also if that is stopped for ever in the middle of an operation. Pushing and popping only
/// load and store, so they are native on processors that can do no more, such as Cortex-M0. Only
/// taking an end and giving it back change a flag atomically.
///
/// # Where it may be used
///
/// Everywhere: in interrupt and signal handlers, on threads, in tasks, and in loom models.
/// One handle can be at each end, so an interrupt that cuts off the producer may consume, but it
/// may not produce as well; [`producer`](Self::producer) then answers `None`.
///
/// # At the bound
///
/// `push` on a full queue gives the item back at once. Full and Empty are exact as far as the
/// caller can know: every pop that happens-before a push has made its room, and every push that
/// happens-before a pop is found. Of what another processor did in the last moment, without any
/// other sign that it did, a store may still be on its way, since nothing here waits for it. And
/// unlike the answers of the other containers, these do not happen-before the success that ends
/// them. So this is no [`Container`](super::Container) for a [`Queue`](crate::Queue) to sleep on.
///
/// # Happens-before
///
/// What was done before a push happens-before the pop of that item; what was done before a pop,
/// before the push that uses its room; what was done through a handle or before it was dropped,
/// before what is done through the next handle at that end.
///
/// # Wrap-around
///
/// The cursors wrap at twice the number of slots, and nothing can go wrong: each end knows its own
/// cursor, and the other's last one, which can be outdated only in the direction that makes room or
/// items seem fewer. The two are never more than the number of slots apart.
///
/// # Source
///
/// Leslie Lamport, "Proving the Correctness of Multiprocess Programs" (1977). Remembering the
/// other's cursor is known from several rings; handing on the ends and closing are our additions.
pub struct RawSpsc<T, S: Storage<Slot<T>>> {
    /// The producer's end; its cursor is the tail.
    tail: Padded<End>,
    /// The consumer's end; its cursor is the head.
    head: Padded<End>,
    storage: S,
    items: core::marker::PhantomData<T>,
}

// SAFETY: items move in by one handle and out by another, which may be on any thread each; so
// sending them is all it takes. Only the one consumer can refer to those inside.
unsafe impl<T: Send, S: Storage<Slot<T>>> Send for RawSpsc<T, S> {}
// SAFETY: as above: sharing the queue lets others take an end of it, and send items through it.
unsafe impl<T: Send, S: Storage<Slot<T>>> Sync for RawSpsc<T, S> {}

impl<T, const N: usize> Spsc<T, N> {
    const_fn! {
        /// An empty queue.
        ///
        /// Does not compile for `N` of 0 or above 2^28.
        #[must_use]
        pub const fn new() -> Self {
            Self::empty(Inline::from_arrays(array![Slot::new(); N], []))
        }
    }
}

impl<T, const N: usize> Default for Spsc<T, N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(feature = "alloc")]
impl<T> HeapSpsc<T> {
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

impl<T, S: Storage<Slot<T>>> RawSpsc<T, S> {
    const_fn! {
        const fn empty(storage: S) -> Self {
            Self {
                tail: Padded::new(End::new()),
                head: Padded::new(End::new()),
                storage,
                items: core::marker::PhantomData,
            }
        }
    }

    /// Moves the cursors of an unused queue to `steps` steps before they wrap, so that tests reach
    /// the wrap at once.
    #[doc(hidden)]
    #[must_use]
    pub fn near_wrap(self, steps: u32) -> Self {
        let around = 2 * most(self.slots());
        let start = (around - steps) % around;
        // ORDERING: Relaxed: the queue is ours alone.
        self.tail.cursor.store(start, Relaxed);
        self.head.cursor.store(start, Relaxed);
        self
    }

    /// The slots, without spares.
    #[inline(always)]
    fn slots(&self) -> &[Slot<T>] {
        &self.storage.slots()[..self.storage.capacity()]
    }

    /// Takes the producers' end, or answers `None` if somebody is there.
    ///
    /// It is free again when the handle is dropped; if that is forgotten
    /// ([`mem::forget`](core::mem::forget)), it stays taken, which harms nobody else. So an
    /// interrupt handler and the main program can take turns, or each keep the handle of one end.
    ///
    /// Progress: wait-free where the processor has an atomic exchange; never waits.
    ///
    /// ```
    /// use brigade_core::bounded::Spsc;
    ///
    /// static QUEUE: Spsc<u8, 4> = Spsc::new();
    ///
    /// let mut producer = QUEUE.producer().unwrap();
    /// producer.push(1).unwrap();
    /// assert!(QUEUE.producer().is_none());
    /// drop(producer);
    /// QUEUE.producer().unwrap().push(2).unwrap();
    /// assert_eq!(QUEUE.len(), 2);
    /// ```
    #[inline]
    pub fn producer(&self) -> Option<Producer<'_, T>> {
        Hold::claim(&self.tail, &self.head, self.slots()).map(Producer)
    }

    /// Takes the consumers' end, or answers `None` if somebody is there.
    ///
    /// As for [`producer`](Self::producer).
    #[inline]
    pub fn consumer(&self) -> Option<Consumer<'_, T>> {
        Hold::claim(&self.head, &self.tail, self.slots()).map(Consumer)
    }

    /// Takes both ends.
    ///
    /// It cannot fail, because nobody else can use the queue meanwhile: not even a handle that was
    /// forgotten is in the way.
    ///
    /// ```
    /// use brigade_core::bounded::Spsc;
    ///
    /// let mut queue = Spsc::<_, 2>::new();
    /// let (mut producer, mut consumer) = queue.split();
    /// producer.push("first").unwrap();
    /// assert_eq!(consumer.pop(), Ok("first"));
    /// ```
    #[inline]
    pub fn split(&mut self) -> (Producer<'_, T>, Consumer<'_, T>) {
        // ORDERING: Relaxed: the queue is ours alone; whoever gets a handle, gets it from us.
        self.tail.taken.store(TAKEN, Relaxed);
        self.head.taken.store(TAKEN, Relaxed);
        (
            Producer(Hold::new(&self.tail, &self.head, self.slots())),
            Consumer(Hold::new(&self.head, &self.tail, self.slots())),
        )
    }

    /// Whether the producer [closed](Producer::close) the queue. If it did, nobody can undo it.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        // ORDERING: Acquire pairs with `Producer::close`.
        self.tail.cursor.load(Acquire) & CLOSED != 0
    }

    /// How many items are inside: for the producer that many or fewer, for the consumer that many
    /// or more. For anybody else it is right while no operation is under way, and a guess
    /// otherwise.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        // ORDERING: Acquire pairs with the release in `Hold::pass`: who sees the head sees a tail
        // that is no less. Relaxed for that: an estimate.
        let head = self.head.cursor.load(Acquire);
        let tail = self.tail.cursor.load(Relaxed);
        let slots = self.slots();
        (steps(head, tail & !CLOSED, most(slots)) as usize).min(slots.len())
    }

    /// Whether nothing is inside, by [`len`](Self::len). If it is, that may not be for long; if not
    /// and you are the consumer, nobody else can change that.
    #[must_use]
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether no further item fits, by [`len`](Self::len). If so, that may not be for long; if not
    /// and you are the producer, nobody else can change that.
    #[must_use]
    #[inline]
    pub fn is_full(&self) -> bool {
        self.len() == self.capacity()
    }

    /// The most items it holds.
    #[must_use]
    #[inline]
    pub fn capacity(&self) -> usize {
        self.storage.capacity()
    }
}

impl<T, S: Storage<Slot<T>>> Drop for RawSpsc<T, S> {
    fn drop(&mut self) {
        if core::mem::needs_drop::<T>() {
            let (_, mut consumer) = self.split();
            super::finish(core::iter::from_fn(|| consumer.pop().ok()));
        }
    }
}

impl<T, S: Storage<Slot<T>>> fmt::Debug for RawSpsc<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spsc")
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .field("closed", &self.is_closed())
            .finish()
    }
}
