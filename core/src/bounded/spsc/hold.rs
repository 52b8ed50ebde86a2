//! What the two handles have in common: a cursor of its own, and how far it may move.
//!
//! ```text
//!     consumer  head -> c d e f . .      the limit is behind e, but 4 are inside:
//!     producer                tail       the last was pushed since
//! ```
//!
//! Who is at the limit looks at the other's cursor, which is there or further on.

use super::{Acquire, CLOSED, End, FREE, Relaxed, Release, Slot, TAKEN};

/// The right to be at one end of the ring, until dropped.
pub(super) struct Hold<'a, T> {
    own: &'a End,
    other: &'a End,
    slots: &'a [Slot<T>],
    /// The position in our cursor.
    at: u32,
    /// The position to which we may move: the slots from ours to this one are ours alone. They are
    /// none after a close.
    limit: u32,
}

// SAFETY: who has the handle moves items in, or out, and nobody else does so at this end meanwhile;
// so sending them is all it takes.
unsafe impl<T: Send> Send for Hold<'_, T> {}

/// The number of slots, which `Storage` bounds by 2^28.
#[inline(always)]
#[allow(clippy::cast_possible_truncation)]
pub(super) fn most<T>(slots: &[Slot<T>]) -> u32 {
    slots.len() as u32
}

/// How many steps it takes from one position to another, if there are `most` slots.
#[inline(always)]
pub(super) fn steps(from: u32, to: u32, most: u32) -> u32 {
    if to >= from {
        to - from
    } else {
        to + 2 * most - from
    }
}

impl<'a, T> Hold<'a, T> {
    /// Takes an end if it is free.
    #[inline(always)]
    pub(super) fn claim(own: &'a End, other: &'a End, slots: &'a [Slot<T>]) -> Option<Self> {
        // ORDERING: Acquire pairs with the release in `drop`: what the last handle did at this end
        // is done, and its cursor is what we read next.
        if own.taken.swap(TAKEN, Acquire) == TAKEN {
            return None;
        }
        Some(Self::new(own, other, slots))
    }

    /// The handle of an end that has been taken for it. Every position in the cursors is below
    /// twice the number of these slots.
    #[inline(always)]
    pub(super) fn new(own: &'a End, other: &'a End, slots: &'a [Slot<T>]) -> Self {
        // ORDERING: Relaxed: only written at this end, which is ours.
        let at = own.cursor.load(Relaxed) & !CLOSED;
        Self {
            own,
            other,
            slots,
            at,
            limit: at,
        }
    }

    #[inline(always)]
    pub(super) fn capacity(&self) -> usize {
        self.slots.len()
    }

    #[inline(always)]
    pub(super) fn most(&self) -> u32 {
        most(self.slots)
    }

    /// Whether nothing may be moved without another look.
    #[inline(always)]
    pub(super) fn is_at_limit(&self) -> bool {
        self.at == self.limit
    }

    /// How many items may be moved without another look.
    #[inline(always)]
    pub(super) fn allowed(&self) -> u32 {
        steps(self.at, self.limit, self.most())
    }

    /// Whether this end was [closed](Self::close).
    #[inline(always)]
    pub(super) fn is_closed(&self) -> bool {
        // ORDERING: Relaxed: as in `new`.
        self.own.cursor.load(Relaxed) & CLOSED != 0
    }

    /// The other end's cursor; it is done with all slots before.
    #[inline(always)]
    pub(super) fn other(&self) -> u32 {
        // ORDERING: Acquire pairs with the release in `pass`: what the other end did to the slots
        // is done; and with that in `close`.
        self.other.cursor.load(Acquire)
    }

    /// How many items the producer, who asks, is ahead of `head`.
    #[inline(always)]
    pub(super) fn ahead_of(&self, head: u32) -> u32 {
        steps(head, self.at, self.most())
    }

    /// How many items the consumer, who asks, is behind `tail`.
    #[inline(always)]
    pub(super) fn behind(&self, tail: u32) -> u32 {
        steps(self.at, tail & !CLOSED, self.most())
    }

    /// Sets the limit.
    ///
    /// # Safety
    ///
    /// - The other end is done with the slots from our position to this one, which are not more
    ///   than there are.
    /// - If it is beyond our position, this end is not closed.
    #[inline(always)]
    pub(super) unsafe fn allow_to(&mut self, limit: u32) {
        self.limit = limit;
    }

    /// A position, if it may be up to once around too much.
    #[inline(always)]
    pub(super) fn wrap(&self, position: u32) -> u32 {
        let around = 2 * self.most();
        if position >= around {
            position - around
        } else {
            position
        }
    }

    /// Where the next slot is.
    #[inline(always)]
    fn index(&self) -> usize {
        let most = self.most();
        let index = if self.at >= most {
            self.at - most
        } else {
            self.at
        };
        index as usize
    }

    /// The next slot, which is ours alone.
    ///
    /// # Safety
    ///
    /// - We are not [at the limit](Self::is_at_limit).
    #[inline(always)]
    pub(super) unsafe fn slot(&self) -> &'a Slot<T> {
        // SAFETY: every position is below twice the number of slots; so the index is below that
        // number.
        unsafe { self.slots.get_unchecked(self.index()) }
    }

    /// The next slots, at most as many as are allowed; in two pieces where they reach around the
    /// end.
    #[inline(always)]
    pub(super) fn run(&self, items: u32) -> [&'a [Slot<T>]; 2] {
        let items = items.min(self.allowed()) as usize;
        let (before, from) = self.slots.split_at(self.index());
        let straight = items.min(from.len());
        [&from[..straight], &before[..items - straight]]
    }

    /// Moves on by so many items, and hands their slots to the other end.
    ///
    /// # Safety
    ///
    /// - So many items are [allowed](Self::allowed), and this end is done with them.
    /// - It is not closed.
    #[inline(always)]
    pub(super) unsafe fn pass(&mut self, items: u32) {
        self.at = self.wrap(self.at + items);
        // ORDERING: Release pairs with the acquire in `other`: publishes what we did to the slots.
        self.own.cursor.store(self.at, Release);
    }

    /// Marks that this end moves no further item.
    #[inline(always)]
    pub(super) fn close(&mut self) {
        self.limit = self.at;
        // ORDERING: Release pairs with the acquire in `other` and in `RawSpsc::is_closed`.
        self.own.cursor.store(self.at | CLOSED, Release);
    }
}

impl<T> Drop for Hold<'_, T> {
    #[inline(always)]
    fn drop(&mut self) {
        // ORDERING: Release pairs with the acquire in `claim`.
        self.own.taken.store(FREE, Release);
    }
}

/// Passes what a chunk is done with when dropped, so also by a panic.
pub(super) struct Pass<'h, 'a, T> {
    hold: &'h mut Hold<'a, T>,
    items: u32,
}

impl<'h, 'a, T> Pass<'h, 'a, T> {
    /// Nothing is done with yet.
    #[inline(always)]
    pub(super) fn none(hold: &'h mut Hold<'a, T>) -> Self {
        Self { hold, items: 0 }
    }

    /// So many more are.
    ///
    /// # Safety
    ///
    /// - As for [`Hold::pass`] with all that were added, at the time of the drop.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation)] // What is allowed is a `u32`.
    pub(super) unsafe fn add(&mut self, items: usize) {
        self.items += items as u32;
    }

    #[inline(always)]
    pub(super) fn items(&self) -> usize {
        self.items as usize
    }
}

impl<T> Drop for Pass<'_, '_, T> {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: as those who added have promised.
        unsafe { self.hold.pass(self.items) };
    }
}
