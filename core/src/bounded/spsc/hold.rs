//! What the two handles have in common: a cursor of its own, and leave to move it so far.
//!
//! ```text
//!     allowed:  how many items may be moved before the other's cursor has to be read again
//!
//!     consumer  head -> c d e f . .      3 allowed, 4 inside: the last was pushed since
//!     producer          . . . . tail -> _ _
//! ```
//!
//! The other end only ever makes `allowed` more than is remembered, never less.

use super::{Acquire, CLOSED, End, FREE, Relaxed, Release, Slot, TAKEN};

/// The right to be at one end of the ring, until dropped.
pub(super) struct Hold<'a, T> {
    own: &'a End,
    other: &'a End,
    slots: &'a [Slot<T>],
    /// What our cursor holds: a position below twice the number of slots, and perhaps [`CLOSED`].
    /// With that mark nothing is allowed.
    at: u32,
    /// How many items may be moved: so many slots from our position on are ours alone.
    allowed: u32,
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
        Self {
            own,
            other,
            slots,
            // ORDERING: Relaxed: only written at this end, which is ours.
            at: own.cursor.load(Relaxed),
            allowed: 0,
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

    /// How many items may be moved without another look.
    #[inline(always)]
    pub(super) fn allowed(&self) -> u32 {
        self.allowed
    }

    /// Whether we [closed](Self::close) this end.
    #[inline(always)]
    pub(super) fn is_closed(&self) -> bool {
        self.at & CLOSED != 0
    }

    /// The other end's cursor; all it has moved is done with.
    #[inline(always)]
    pub(super) fn other(&self) -> u32 {
        // ORDERING: Acquire pairs with the release in `pass`: the other end is done with the slots
        // that it has passed; and with that in `close`.
        self.other.cursor.load(Acquire)
    }

    /// How many items the producer is ahead of `head`.
    #[inline(always)]
    pub(super) fn ahead_of(&self, head: u32) -> u32 {
        steps(head, self.at & !CLOSED, self.most())
    }

    /// How many items the consumer is behind `tail`.
    #[inline(always)]
    pub(super) fn behind(&self, tail: u32) -> u32 {
        steps(self.at, tail & !CLOSED, self.most())
    }

    /// Remembers how many items may be moved.
    ///
    /// # Safety
    ///
    /// - The other end has passed so many slots from our position on, once more than we did.
    /// - This end is not closed.
    #[inline(always)]
    pub(super) unsafe fn allow(&mut self, items: u32) {
        self.allowed = items;
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
    /// - At least one item is [allowed](Self::allowed).
    #[inline(always)]
    pub(super) unsafe fn slot(&self) -> &'a Slot<T> {
        // SAFETY: as something is allowed, the cursor is a position without the mark, below twice
        // the number of slots; so the index is below that number.
        unsafe { self.slots.get_unchecked(self.index()) }
    }

    /// The next slots, at most as many as are allowed; in two pieces where they reach around the
    /// end.
    #[inline(always)]
    pub(super) fn run(&self, items: u32) -> [&'a [Slot<T>]; 2] {
        let items = items.min(self.allowed) as usize;
        let (before, from) = self.slots.split_at(self.index());
        let straight = items.min(from.len());
        [&from[..straight], &before[..items - straight]]
    }

    /// Moves on by so many items, and hands their slots to the other end.
    ///
    /// # Safety
    ///
    /// - So many items are [allowed](Self::allowed), and this end is done with them.
    #[inline(always)]
    pub(super) unsafe fn pass(&mut self, items: u32) {
        let around = 2 * self.most();
        let next = self.at + items;
        self.at = if next >= around { next - around } else { next };
        self.allowed -= items;
        // ORDERING: Release pairs with the acquire in `other`: publishes what we did to the slots.
        self.own.cursor.store(self.at, Release);
    }

    /// Marks that this end moves no further item.
    #[inline(always)]
    pub(super) fn close(&mut self) {
        self.at |= CLOSED;
        self.allowed = 0;
        // ORDERING: Release pairs with the acquire in `other` and in `RawSpsc::is_closed`.
        self.own.cursor.store(self.at, Release);
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
