//! Containers of fixed capacity that never wait.
//!
//! | type | algorithm | a peer stopped in the middle of an operation |
//! |---|---|---|
//! | [`Fifo`] | two rings of indices and an array of values | blocks nobody: strictly lock-free |
//! | [`Ticket`] | ring with a sequence number in each slot | blocks those who reach its slot |
//! | [`TwoLock`] | ring with a lock at each end | blocks those at its end, and at the other when it is empty or full |
//! | [`Spsc`] | ring for one producer and one consumer | blocks nobody: wait-free |
//! | [`Lifo`] | ring of free indices, stack of filled ones and an array of values | blocks nobody: strictly lock-free |
//! | [`Priority`] | binary heap under a [lock](crate::lock) of your choice | blocks all others |
//!
//! Take `Fifo` where an operation may be cut off at any point by code that uses the same queue:
//! interrupts, signal handlers, processes that can be killed. Between threads take `TwoLock`,
//! which is several times faster, or `Ticket`, of which a stopped thread blocks a little less.
//! With one producer and one consumer `Spsc` is better than all of them: each works through a
//! [handle](spsc) of its own, one item at a time or many in place. `Lifo` gives out the newest item
//! first, with the same progress as `Fifo`, and `Priority` the smallest.
//!
//! All hold any number of items from 1 to [`MAX_CAPACITY`](crate::storage::MAX_CAPACITY), and
//! answer exactly: when `push` says Full, there was an instant during the call at which that many
//! items were in the container, and when `pop` says Empty, one at which there was none. (`Fifo`
//! and `Lifo` state an exception, with more operations in flight than they have spare slots; and
//! `Spsc`, which only loads and stores, answers for what its caller can know of the other end.)
//!
//! A container can be [closed](Container::close): it takes no further item and gives out those it
//! has, then says Closed. Closing takes its place in the order of pushes, so no item can slip in
//! behind a consumer that was told the container is closed and empty.

mod drain;
pub(crate) mod fifo;
mod heap;
pub(crate) mod lifo;
pub(crate) mod priority;
mod ring;
mod run;
pub mod spsc;
mod stack;
pub(crate) mod ticket;
pub(crate) mod two_lock;

pub use drain::Drain;
pub use fifo::{Fifo, RawFifo};
pub use lifo::{Lifo, RawLifo};
pub use priority::{Priority, RawPriority};
pub use run::Run;
pub use spsc::{RawSpsc, Spsc};
pub use ticket::{RawTicket, Ticket};
pub use two_lock::{RawTwoLock, TwoLock};

#[cfg(feature = "alloc")]
pub use {
    fifo::HeapFifo, lifo::HeapLifo, priority::HeapPriority, spsc::HeapSpsc, ticket::HeapTicket,
    two_lock::HeapTwoLock,
};

use crate::error::{PopError, PushError};

/// What a [`Queue`](crate::Queue) needs of the container it stands on.
///
/// Application code has no use for it: the containers have the same operations as plain methods.
/// It is for those who add a container.
///
/// # The contract that waiting relies on
///
/// A queue's consumer announces that it is about to sleep, looks once more, and sleeps if there is
/// still nothing; a producer pushes and looks whether anybody announced. For no wake-up to be lost,
/// one of the two must see the other. The container provides for that:
///
/// - an answer *Empty* (from [`try_pop`](Self::try_pop), or `true` from
///   [`confirm_empty`](Self::confirm_empty)) happens-before the next push or close that succeeds;
/// - an answer *Full* (from [`try_push`](Self::try_push), or `true` from
///   [`confirm_full`](Self::confirm_full)) happens-before the next pop that succeeds.
///
/// In practice: the answer is given by a releasing read-modify-write on the word that the next
/// success will change with an acquiring one. Then neither side needs a fence. (A close need not
/// pair with *Full*: the queue wakes everybody by other means when it shuts down.)
pub trait Container {
    /// What it holds.
    type Item;

    /// Pushes one item, without waiting.
    ///
    /// # Errors
    ///
    /// Gives the item back: if the container is [closed](Self::close), if it is full, or if a peer
    /// is in the middle of an operation that must end first.
    fn try_push(&self, item: Self::Item) -> Result<(), Refused<Self::Item>>;

    /// Pops one item, without waiting.
    ///
    /// # Errors
    ///
    /// If there is none, if there will never be one, or if a peer is in the middle of an operation
    /// that must end first.
    fn try_pop(&self) -> Result<Self::Item, Nothing>;

    /// Takes items off the front of a run, at least one unless it is empty, and says how many.
    ///
    /// Unless the container knows better, one at a time.
    ///
    /// # Errors
    ///
    /// As for [`try_push`](Self::try_push); then nothing was taken.
    fn try_push_many(&self, items: &mut Run<Self::Item>) -> Result<usize, Refused<()>> {
        let mut pushed = 0;
        while let Some(item) = items.next() {
            if let Err(refused) = self.try_push(item) {
                let (why, item) = refused.split();
                items.put_back(item);
                return if pushed > 0 { Ok(pushed) } else { Err(why) };
            }
            pushed += 1;
        }
        Ok(pushed)
    }

    /// Pops up to `most` items, at least one unless `most` is 0, into a collection, and says how
    /// many.
    ///
    /// If the collection panics, the items popped and not yet taken by it are dropped.
    ///
    /// Unless the container knows better, one at a time.
    ///
    /// # Errors
    ///
    /// As for [`try_pop`](Self::try_pop); then nothing was popped.
    fn try_pop_many(
        &self,
        most: usize,
        into: &mut impl Extend<Self::Item>,
    ) -> Result<usize, Nothing> {
        let mut popped = 0;
        while popped < most {
            match self.try_pop() {
                Ok(item) => into.extend(Some(item)),
                Err(nothing) if popped == 0 => return Err(nothing),
                Err(_) => break,
            }
            popped += 1;
        }
        Ok(popped)
    }

    /// Lets no further item in; those inside can still be popped. Closing twice is the same as
    /// once.
    fn close(&self);

    /// Whether it was closed.
    fn is_closed(&self) -> bool;

    /// How many items were ever pushed, as a number that each push moves on by one: 0 for a new
    /// container, and no later than a consumer can see the item. [`after`](Self::after) and
    /// [`between`](Self::between) know how to count with it.
    fn pushed(&self) -> u32;

    /// What [`pushed`](Self::pushed) becomes after one more push.
    fn after(&self, pushed: u32) -> u32;

    /// How many pushes lie between two values of [`pushed`](Self::pushed), the earlier first. Right
    /// up to 2^29; beyond that it means nothing.
    fn between(&self, from: u32, to: u32) -> u32;

    /// Whether there is nothing to pop, by the contract above. A closed and empty container is
    /// empty.
    fn confirm_empty(&self) -> bool;

    /// Whether there is no room to push, by the contract above. A closed container may answer
    /// either way.
    fn confirm_full(&self) -> bool;

    /// About how many items are inside: exact while no operation is under way.
    fn len(&self) -> usize;

    /// Whether about no item is inside.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether about as many items are inside as fit.
    fn is_full(&self) -> bool {
        self.len() >= self.capacity()
    }

    /// The most items it holds; `usize::MAX` if only memory sets a bound.
    fn capacity(&self) -> usize;
}

/// A container whose capacity is chosen at run time.
pub trait WithCapacity: Container {
    /// An empty container for this many items.
    ///
    /// # Panics
    ///
    /// If the capacity is 0 or more than [`MAX_CAPACITY`](crate::storage::MAX_CAPACITY).
    fn with_capacity(capacity: usize) -> Self;
}

/// A container that grows without a bound.
pub trait Unbounded: Container {
    /// An empty container.
    fn unbounded() -> Self;
}

/// Why a [`Container`] did not take an item, and the item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused<T> {
    /// It was full.
    Full(T),
    /// It was closed.
    Closed(T),
    /// A peer is in the middle of an operation on the slot that is next: try again soon. Only
    /// containers that are not lock-free say so.
    Busy(T),
}

impl<T> Refused<T> {
    /// The reason, and the item.
    fn split(self) -> (Refused<()>, T) {
        match self {
            Self::Full(item) => (Refused::Full(()), item),
            Self::Closed(item) => (Refused::Closed(()), item),
            Self::Busy(item) => (Refused::Busy(()), item),
        }
    }
}

/// Why a [`Container`] gave no item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nothing {
    /// It was empty.
    Empty,
    /// It was closed and empty: there will never be another item.
    Closed,
    /// A peer is in the middle of an operation on the slot that is next: try again soon. Only
    /// containers that are not lock-free say so.
    Busy,
}

/// Pushes, waiting with `pause` for peers that are in the middle of an operation.
#[inline]
fn push_paused<C: Container>(container: &C, mut item: C::Item) -> Result<(), PushError<C::Item>> {
    loop {
        item = match container.try_push(item) {
            Ok(()) => return Ok(()),
            Err(Refused::Full(item)) => return Err(PushError::Full(item)),
            Err(Refused::Closed(item)) => return Err(PushError::Closed(item)),
            Err(Refused::Busy(item)) => item,
        };
        crate::sync::pause();
    }
}

/// Pops, waiting with `pause` for peers that are in the middle of an operation.
#[inline]
fn pop_paused<C: Container>(container: &C) -> Result<C::Item, PopError> {
    loop {
        match container.try_pop() {
            Ok(item) => return Ok(item),
            Err(Nothing::Empty) => return Err(PopError::Empty),
            Err(Nothing::Closed) => return Err(PopError::Closed),
            Err(Nothing::Busy) => crate::sync::pause(),
        }
    }
}

/// Drops what is left in an iterator, all of it even if a destructor panics.
pub(crate) fn finish<I: Iterator>(items: I) {
    struct Rest<I: Iterator>(I);

    impl<I: Iterator> Drop for Rest<I> {
        fn drop(&mut self) {
            self.0.by_ref().for_each(drop);
        }
    }

    Rest(items).0.by_ref().for_each(drop);
}
