//! [`Ticket`]: fast, but not lock-free: a ring with a sequence number in each slot.
//!
//! ```text
//!     slot:   | sequence | value |
//!
//!     sequence = lap L          free, for the push that draws the ticket (L, slot)
//!              = lap L + 1      (the lap in the upper bits, 1 in the lowest): holds that push's item
//!              = lap L+1        popped: free for the next lap
//! ```
//!
//! An operation draws a ticket by moving the tail (or head) on, works on the slot of that ticket
//! alone, and publishes by the sequence number. One compare-and-swap and one store: that is why it
//! is fast. Between the two, whoever comes to the same slot has to wait: that is why it is not
//! lock-free.
//!
//! Dmitry Vyukov published the algorithm ("Bounded MPMC queue", 1024cores.net) for sizes that are
//! powers of two. The cursors here ([`Lap`]) serve any size, the answers Full and Empty
//! are exact, the flag in the tail's cursor closes the ring in the order of pushes, and a run of
//! slots can be claimed by one ticket draw.

use core::fmt;
use core::mem::MaybeUninit;

use super::{Container, Drain, Nothing, Refused, Run, pop_paused, push_paused};
use crate::error::{PopError, PushError};
use crate::lap::Lap;
use crate::storage::{Inline, Padded, Storage};
use crate::sync::{
    AtomicU32,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
    UnsafeCell, array, const_fn,
};

/// A fast queue for any number of producers and consumers, `N` items of `T` inline.
///
/// Usable as a `static`; see [`RawTicket`] for its operations and guarantees.
///
/// ```
/// use brigade_core::bounded::Ticket;
///
/// static JOBS: Ticket<u32, 16> = Ticket::new();
///
/// JOBS.push(7).unwrap();
/// assert_eq!(JOBS.pop(), Ok(7));
/// ```
pub type Ticket<T, const N: usize> = RawTicket<T, Inline<Slot<T>, N>>;

/// A fast queue whose capacity is chosen at run time; see [`RawTicket`].
///
/// ```
/// use brigade_core::bounded::HeapTicket;
///
/// let queue = HeapTicket::with_capacity(100);
/// queue.push("first").unwrap();
/// assert_eq!(queue.len(), 1);
/// ```
#[cfg(feature = "alloc")]
pub type HeapTicket<T> = RawTicket<T, crate::storage::Heap<Slot<T>>>;

/// One slot: a sequence number that says whose turn it is, and the value.
pub struct Slot<T> {
    sequence: AtomicU32,
    value: UnsafeCell<MaybeUninit<T>>,
}

impl<T> Slot<T> {
    const_fn! {
        const fn new() -> Self {
            Self {
                sequence: AtomicU32::new(0),
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

/// A ticket ring over any [storage](crate::storage): see [`Ticket`] and `HeapTicket`.
///
/// # Progress
///
/// **Blocking.** An operation draws a ticket and then serves it; if its thread is stopped in
/// between, every operation that comes to the same slot waits for it, busily. So do not use it
/// from an interrupt or signal handler that can cut off another operation on the same ring: it
/// would wait for ever. [`Fifo`](super::Fifo) has no such moment.
///
/// As long as nobody is stopped there, some operation always completes.
///
/// # Where it may be used
///
/// On threads, in tasks, which wait for a few instructions at most while no thread is stopped there,
/// and in loom models. Not in interrupt and signal handlers.
///
/// # At the bound
///
/// `push` on a full queue gives the item back at once. Full and Empty are exact.
///
/// # Wrap-around
///
/// Cursors are 32 bits wide. An operation that is stopped just before it draws its ticket while
/// exactly a multiple of 2^30 to 2^31 others pass (the power depends on the capacity) may draw a
/// ticket that is not its own.
///
/// # Source
///
/// Dmitry Vyukov, "Bounded MPMC queue" (1024cores.net); any capacity, exact answers, closing and
/// batches are our additions.
pub struct RawTicket<T, S: Storage<Slot<T>>> {
    head: Padded<AtomicU32>,
    /// Its flag is set when the ring is closed.
    tail: Padded<AtomicU32>,
    storage: S,
    items: core::marker::PhantomData<T>,
}

// SAFETY: items move in by `push` and out by `pop`, from any thread to any other, and no reference
// to one inside is ever given out; so sending them is all it takes.
unsafe impl<T: Send, S: Storage<Slot<T>>> Send for RawTicket<T, S> {}
// SAFETY: as above: sharing the queue lets others send items through it, and nothing else.
unsafe impl<T: Send, S: Storage<Slot<T>>> Sync for RawTicket<T, S> {}

impl<T, const N: usize> Ticket<T, N> {
    const_fn! {
        /// An empty queue. Does not compile for `N` of 0 or above 2^28.
        #[must_use]
        pub const fn new() -> Self {
            Self::empty(Inline::from_arrays(array![Slot::new(); N], []))
        }
    }
}

impl<T, const N: usize> Default for Ticket<T, N> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(feature = "alloc")]
impl<T> HeapTicket<T> {
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

impl<T, S: Storage<Slot<T>>> RawTicket<T, S> {
    const_fn! {
        /// An empty queue on a storage whose sequence numbers are all zero: lap 0, free.
        const fn empty(storage: S) -> Self {
            Self {
                head: Padded::new(AtomicU32::new(0)),
                tail: Padded::new(AtomicU32::new(0)),
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
        let start = self.lap().one().wrapping_mul(laps).wrapping_neg();
        for slot in self.storage.slots() {
            // ORDERING: Relaxed: the queue is ours alone.
            slot.sequence.store(start, Relaxed);
        }
        // ORDERING: as above.
        self.head.store(start, Relaxed);
        self.tail.store(start, Relaxed);
        self
    }

    #[inline(always)]
    fn lap(&self) -> Lap {
        self.storage.lap()
    }

    /// The slots, looked up once for an operation.
    #[inline(always)]
    fn view(&self) -> View<'_, T> {
        View {
            slots: self.storage.slots(),
            lap: self.storage.lap(),
        }
    }

    #[inline(always)]
    fn closed(&self, tail: u32) -> bool {
        tail & self.lap().flag() != 0
    }

    /// Draws tickets for up to `most` pushes, at least one.
    #[inline(always)]
    fn claim_free(&self, most: u32) -> Result<Claim<'_, T>, Refused<()>> {
        let view = self.view();
        // ORDERING: Relaxed: a stale tail is found out by the sequence number or by the
        // compare-and-swap.
        let mut tail = self.tail.load(Relaxed);
        loop {
            if tail & view.lap.flag() != 0 {
                // ORDERING: Acquire pairs with `close`: who is told of it sees what was done
                // before. The load that found the flag may have been relaxed.
                self.tail.load(Acquire);
                return Err(Refused::Closed(()));
            }
            let length = view.run(tail, most, |ticket| view.free(ticket));
            let now = if length > 0 {
                // A slot that was free for this tail stays so until the tail moves.
                let next = view.lap.advance(tail, length);
                // ORDERING: Acquire takes over what a popper did before its Empty verdict in
                // `claim_filled`. The slot itself was acquired in `run`, and is published by
                // `Claim::fill`.
                match self
                    .tail
                    .compare_exchange_weak(tail, next, Acquire, Relaxed)
                {
                    Ok(_) => {
                        return Ok(Claim {
                            view,
                            next: tail,
                            left: length,
                        });
                    }
                    Err(now) => now,
                }
            } else {
                // ORDERING: Relaxed: as the first load.
                let now = self.tail.load(Relaxed);
                if now == tail {
                    return Err(
                        if self.head_confirms(|head| self.is_lap_behind(head, tail)) {
                            Refused::Full(())
                        } else {
                            Refused::Busy(())
                        },
                    );
                }
                now
            };
            tail = now;
        }
    }

    /// Draws tickets for up to `most` pops, at least one.
    #[inline(always)]
    fn claim_filled(&self, most: u32) -> Result<Claim<'_, T>, Nothing> {
        let view = self.view();
        // ORDERING: Relaxed: a stale head is found out by the sequence number or by the
        // compare-and-swap.
        let mut head = self.head.load(Relaxed);
        loop {
            let length = view.run(head, most, |ticket| view.filled(ticket));
            let now = if length > 0 {
                // A slot that was filled for this head stays so until the head moves.
                let next = view.lap.advance(head, length);
                // ORDERING: Acquire takes over what a pusher did before its Full verdict in
                // `claim_free`. The slot itself was acquired in `run`, and is published by
                // `Claim::empty`.
                match self
                    .head
                    .compare_exchange_weak(head, next, Acquire, Relaxed)
                {
                    Ok(_) => {
                        return Ok(Claim {
                            view,
                            next: head,
                            left: length,
                        });
                    }
                    Err(now) => now,
                }
            } else {
                // ORDERING: Relaxed: as the first load.
                let now = self.head.load(Relaxed);
                if now == head {
                    let tail = self.confirmed_tail();
                    return Err(if tail == head {
                        Nothing::Empty
                    } else if tail == head | self.lap().flag() {
                        Nothing::Closed
                    } else {
                        Nothing::Busy
                    });
                }
                now
            };
            head = now;
        }
    }

    /// The tail of this instant. A plain load may be stale; a read-modify-write is not.
    #[inline(always)]
    fn confirmed_tail(&self) -> u32 {
        // ORDERING: the release half makes an Empty verdict happen before the push or close that
        // ends the emptiness, which acquires the tail (`claim_free`, `close`).
        self.tail.fetch_add(0, AcqRel)
    }

    /// What a question says about the head of this instant.
    #[inline(always)]
    fn head_confirms(&self, question: impl Fn(u32) -> bool) -> bool {
        // ORDERING: Release makes a Full verdict happen before the pop that ends the fullness,
        // which acquires the head (`claim_filled`).
        question(self.head.fetch_add(0, Release))
    }

    /// Whether a ring with these cursors is full.
    #[inline(always)]
    fn is_lap_behind(&self, head: u32, tail: u32) -> bool {
        head.wrapping_add(self.lap().one()) == tail & !self.lap().flag()
    }

    /// Appends an item.
    ///
    /// Progress: blocking; waits, busily, only for a peer that is in the middle of an operation on
    /// the same slot.
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
    /// Progress: blocking; waits, busily, only for a peer that is in the middle of an operation on
    /// the same slot.
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
    /// A push that has not drawn its ticket by then gets its item back, so whoever sees
    /// [`PopError::Closed`] knows that all is out. Closing twice is the same as once.
    ///
    /// Progress: wait-free where the processor has an atomic "or", lock-free elsewhere.
    pub fn close(&self) {
        // ORDERING: the acquire half takes over what a popper did before its Empty verdict; the
        // release half passes on what the closer did to whoever is told Closed.
        self.tail.fetch_or(self.lap().flag(), AcqRel);
    }

    /// Whether [`close`](Self::close) was called. If it was, nobody can undo it.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        // ORDERING: Acquire pairs with `close`.
        self.closed(self.tail.load(Acquire))
    }

    /// About how many items are inside: exact while no operation is under way, old news otherwise.
    #[must_use]
    pub fn len(&self) -> usize {
        // ORDERING: Relaxed: an estimate.
        let (head, tail) = (self.head.load(Relaxed), self.tail.load(Relaxed));
        usize::try_from(self.lap().distance(head, tail)).map_or(0, |len| len.min(self.capacity()))
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

/// The slots and their geometry.
struct View<'a, T> {
    slots: &'a [Slot<T>],
    lap: Lap,
}

impl<'a, T> View<'a, T> {
    #[inline(always)]
    fn slot(&self, cursor: u32) -> &'a Slot<T> {
        &self.slots[self.lap.index(cursor) as usize]
    }

    /// The sequence number of a slot that is free for the push with this ticket.
    #[inline(always)]
    fn free(&self, ticket: u32) -> u32 {
        self.lap.lap(ticket)
    }

    /// The sequence number of a slot that holds the item of the push with this ticket.
    #[inline(always)]
    fn filled(&self, ticket: u32) -> u32 {
        self.lap.lap(ticket) | 1
    }

    /// How many slots from `ticket` on have the sequence number that `expected` names, at most
    /// `most`.
    #[inline(always)]
    fn run(&self, ticket: u32, most: u32, expected: impl Fn(u32) -> u32) -> u32 {
        let mut length = 0;
        let mut at = ticket;
        // ORDERING: Acquire pairs with the release stores in `Claim::fill` and `Claim::empty`:
        // what the peer wrote to the slot, or read from it, is over.
        while length < most && self.slot(at).sequence.load(Acquire) == expected(at) {
            length += 1;
            at = self.lap.next(at);
        }
        length
    }
}

/// A run of tickets, drawn and not yet served.
struct Claim<'a, T> {
    view: View<'a, T>,
    next: u32,
    left: u32,
}

impl<T> Claim<'_, T> {
    #[inline(always)]
    fn step(&mut self) -> u32 {
        let ticket = self.next;
        self.next = self.view.lap.next(ticket);
        self.left -= 1;
        ticket
    }

    /// Serves the next ticket of a push.
    ///
    /// # Safety
    ///
    /// - The claim comes from `claim_free`.
    /// - It has a ticket left.
    #[inline(always)]
    unsafe fn fill(&mut self, item: T) {
        let ticket = self.step();
        let slot = self.view.slot(ticket);
        // SAFETY: the slot was free for this ticket (its former item moved out, as `empty`
        // published), and the ticket is ours alone.
        slot.value
            .with_mut(|place| unsafe { place.write(MaybeUninit::new(item)) });
        // ORDERING: publishes the value to the load in `run`.
        slot.sequence.store(self.view.filled(ticket), Release);
    }

    /// Serves the next ticket of a pop.
    ///
    /// # Safety
    ///
    /// - The claim comes from `claim_filled`.
    /// - It has a ticket left.
    #[inline(always)]
    unsafe fn empty(&mut self) -> T {
        let ticket = self.step();
        let slot = self.view.slot(ticket);
        // SAFETY: the slot holds the item of this ticket's push (as `fill` published), and the
        // ticket is ours alone, so the item is read out once.
        let item = slot.value.with(|place| unsafe { place.cast::<T>().read() });
        let next_lap = self.view.free(ticket).wrapping_add(self.view.lap.one());
        // ORDERING: tells the load in `run` that the value has been moved out.
        slot.sequence.store(next_lap, Release);
        item
    }
}

impl<T, S: Storage<Slot<T>>> Container for RawTicket<T, S> {
    type Item = T;

    #[inline]
    fn try_push(&self, item: T) -> Result<(), Refused<T>> {
        match self.claim_free(1) {
            Ok(mut claim) => {
                // SAFETY: the claim is one of free slots and has its first ticket left.
                unsafe { claim.fill(item) };
                Ok(())
            }
            Err(Refused::Full(())) => Err(Refused::Full(item)),
            Err(Refused::Closed(())) => Err(Refused::Closed(item)),
            Err(Refused::Busy(())) => Err(Refused::Busy(item)),
        }
    }

    #[inline]
    fn try_pop(&self) -> Result<T, Nothing> {
        let mut claim = self.claim_filled(1)?;
        // SAFETY: the claim is one of filled slots and has its first ticket left.
        Ok(unsafe { claim.empty() })
    }

    fn try_push_many(&self, items: &mut Run<T>) -> Result<usize, Refused<()>> {
        if items.len() == 0 {
            return Ok(0);
        }
        let mut claim = self.claim_free(u32::try_from(items.len()).unwrap_or(u32::MAX))?;
        let length = claim.left as usize;
        for item in items.take(length) {
            // SAFETY: the claim is one of free slots, of `length` tickets, one for each round.
            unsafe { claim.fill(item) };
        }
        Ok(length)
    }

    fn try_pop_many(&self, most: usize, into: &mut impl Extend<T>) -> Result<usize, Nothing> {
        let mut popped = 0;
        while popped < most {
            let want = Run::<T>::LENGTH.min(most - popped);
            let mut claim = match self.claim_filled(u32::try_from(want).unwrap_or(u32::MAX)) {
                Ok(claim) => claim,
                Err(nothing) if popped == 0 => return Err(nothing),
                Err(_) => break,
            };
            let length = claim.left as usize;
            // Through the stack, as the collection is the user's: it may panic, or use this ring,
            // and must find no ticket drawn and not served.
            let mut run = Run::new();
            // SAFETY: the claim is one of filled slots, of `length` tickets, one for each round.
            run.fill((0..length).map(|_| unsafe { claim.empty() }));
            run.move_into(into);
            popped += length;
            if length < want {
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
        // ORDERING: Relaxed: a number. Who has got an item has acquired its slot, and so sees that
        // its ticket was drawn.
        self.tail.load(Relaxed) & !self.lap().flag()
    }

    fn after(&self, pushed: u32) -> u32 {
        self.lap().next(pushed)
    }

    fn between(&self, from: u32, to: u32) -> u32 {
        self.lap().steps(from, to)
    }

    fn confirm_empty(&self) -> bool {
        // ORDERING: Relaxed: a head that is older than it seems only makes the answer "no". It is
        // read first: if the tail is there afterwards, so was the head.
        let head = self.head.load(Relaxed);
        self.confirmed_tail() & !self.lap().flag() == head
    }

    fn confirm_full(&self) -> bool {
        // ORDERING: Relaxed: a tail that is older than it seems only makes the answer "no".
        let tail = self.tail.load(Relaxed);
        self.head_confirms(|head| self.is_lap_behind(head, tail))
    }

    fn len(&self) -> usize {
        self.len()
    }

    fn capacity(&self) -> usize {
        self.capacity()
    }
}

#[cfg(feature = "alloc")]
impl<T> super::WithCapacity for HeapTicket<T> {
    fn with_capacity(capacity: usize) -> Self {
        HeapTicket::with_capacity(capacity)
    }
}

impl<T, S: Storage<Slot<T>>> Drop for RawTicket<T, S> {
    fn drop(&mut self) {
        if core::mem::needs_drop::<T>() {
            super::finish(self.drain());
        }
    }
}

impl<T, S: Storage<Slot<T>>> fmt::Debug for RawTicket<T, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticket")
            .field("len", &self.len())
            .field("capacity", &self.capacity())
            .field("closed", &self.is_closed())
            .finish()
    }
}
