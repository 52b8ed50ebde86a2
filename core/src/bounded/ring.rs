//! A ring of indices: the half of [`Fifo`](super::Fifo) that knows about concurrency.
//!
//! The algorithm is Ruslan Nikolaev's NCQ ("A Scalable, Portable, and Memory-Efficient Lock-Free
//! FIFO Queue", DISC 2019), for any number of slots, with an exact Empty, a bound that the caller
//! sets, and an end mark.
//!
//! ```text
//!    entry of slot i:   | lap | F | index + 1 |      lap of a cursor that has filled the slot
//!                         5   0      ...             filled on lap 5
//!                         5   1      ...             the end mark: closed on lap 5
//!
//!        head = (6, 1)          tail = (6, 4)
//!             v                       v
//!    +------+------+------+------+------+------+
//!    | 6: b | 6: a | 6: e | 6: c | 5: . | 5: . |     entries with the tail's lap are filled,
//!    +------+------+------+------+------+------+     those one lap behind are free
//! ```
//!
//! A push commits by one compare-and-swap on the entry; the tail is only a hint that any thread
//! moves on (so a thread stopped right after its commit blocks nobody). A pop commits by one
//! compare-and-swap on the head, which is possible only while the entry there carries the head's
//! lap. The head can therefore pass a tail that lags.
//!
//! The end mark is an entry like any other, except that nobody moves a cursor past it: whoever
//! reaches it, pushing or popping, knows that the ring is closed.
//!
//! Laps return to a former value after 2^32 / (slots rounded up to a power of two, times 2 to 4) of
//! them, that is after 2^30 to 2^31 operations on the ring. A thread that is stopped between its
//! load of a cursor and its last step on the entry for that long may, when it goes on, be wrong
//! about which lap it sees: for one lap's worth of operations out of each such period. That is one
//! chance in the number of laps (2^20 for 1000 slots, but few for the largest rings), each time a
//! thread is stopped in the middle for so long.

use crate::lap::Lap;
use crate::sync::{
    AtomicU32,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

/// Why a push or pop found nothing to do.
pub(super) enum Stop {
    /// No room, or nothing there.
    Now,
    /// The end mark.
    ForEver,
}

/// A view of one ring: where its cursors and its entries are.
pub(super) struct Ring<'a, E> {
    pub(super) lap: Lap,
    pub(super) head: &'a AtomicU32,
    pub(super) tail: &'a AtomicU32,
    /// The entry of a slot.
    pub(super) entry: E,
}

impl<'a, E: Fn(u32) -> &'a AtomicU32> Ring<'a, E> {
    /// Appends an index if `room`, asked with the tail, says so.
    ///
    /// The caller sees to it that fewer indices than slots are inside.
    #[inline(always)]
    pub(super) fn push(&self, index: u32, room: impl Fn(u32) -> bool) -> Result<(), Stop> {
        self.append(index + 1, room)
    }

    /// Appends the end mark.
    pub(super) fn close(&self) {
        // An error says that the end mark is there already.
        let _ = self.append(self.lap.flag(), |_| true);
    }

    #[inline(always)]
    fn append(&self, field: u32, room: impl Fn(u32) -> bool) -> Result<(), Stop> {
        loop {
            let (tail, Some(free)) = self.back() else {
                return Err(Stop::ForEver);
            };
            if !room(tail) {
                return Err(Stop::Now);
            }
            let filled = self.lap.lap(tail) | field;
            // ORDERING: the release half publishes the value behind the index to the load in
            // `front`. The acquire half takes over what a popper did before its Empty verdict
            // there (the contract of `Container`).
            if (self.entry)(self.lap.index(tail))
                .compare_exchange(free, filled, AcqRel, Relaxed)
                .is_ok()
            {
                if field != self.lap.flag() {
                    self.help(tail);
                }
                return Ok(());
            }
        }
    }

    /// The true tail and the free entry there; none if the end mark is there.
    #[inline(always)]
    fn back(&self) -> (u32, Option<u32>) {
        // ORDERING: pairs with the release in `help`, so that the entries behind the tail are
        // seen and one that seems older than a lap can only mean that the tail is. What a commit at
        // this tail then passes on lets `front` see that the head has moved past the slot.
        let mut tail = self.tail.load(Acquire);
        loop {
            // ORDERING: Acquire, as the load in `front`: an entry of the tail's lap is somebody's
            // commit, which `help` vouches for when it moves the tail.
            let seen = (self.entry)(self.lap.index(tail)).load(Acquire);
            if self.is_free(seen, tail) {
                return (tail, Some(seen));
            }
            tail = if self.lap.lap(seen) != self.lap.lap(tail) {
                // ORDERING: as above.
                self.tail.load(Acquire)
            } else if seen & self.lap.flag() != 0 {
                return (tail, None);
            } else {
                self.help(tail)
            };
        }
    }

    /// The tail, past every committed entry: how many were ever appended.
    #[inline]
    pub(super) fn true_tail(&self) -> u32 {
        self.back().0
    }

    /// Moves the tail past an entry that is committed, unless somebody did; returns it.
    #[inline(always)]
    fn help(&self, tail: u32) -> u32 {
        let next = self.lap.next(tail);
        // ORDERING: Release passes on that the entry at the old tail is filled, to the loads in
        // `back`; Acquire on failure is such a load. On success it finds what the caller has
        // acquired already. No model tells the acquire half on failure: it matters as in the first
        // load of the tail, but only if that lagged too, which takes more threads than models have.
        match self.tail.compare_exchange(tail, next, Release, Acquire) {
            Ok(_) => next,
            Err(now) => now,
        }
    }

    /// Takes the oldest index.
    #[inline(always)]
    pub(super) fn pop(&self) -> Result<u32, Stop> {
        loop {
            let (head, seen) = self.front()?;
            // ORDERING: the acquire half takes over what a pusher did before its Full verdict in
            // `has_room`; the release half lets `front` see the entries behind the head.
            if self
                .head
                .compare_exchange(head, self.lap.next(head), AcqRel, Relaxed)
                .is_ok()
            {
                // An entry of zero is one that was never written: see `Fifo` on how it starts.
                let field = self.lap.index(seen);
                return Ok(if field == 0 {
                    self.lap.index(head)
                } else {
                    field - 1
                });
            }
        }
    }

    /// The head and the filled entry there.
    #[inline(always)]
    pub(super) fn front(&self) -> Result<(u32, u32), Stop> {
        // ORDERING: Relaxed: an entry that does not go with it, whichever of the two is older, makes
        // us load it again; `pop` acquires it.
        let mut head = self.head.load(Relaxed);
        loop {
            let entry = (self.entry)(self.lap.index(head));
            // ORDERING: pairs with the commit in `append`: the value behind the index is ours to
            // read.
            let mut seen = entry.load(Acquire);
            if self.lap.alike(seen, head) {
                return Ok((head, seen));
            }
            if self.is_free(seen, head) {
                // The load may have been stale. A read-modify-write is not: if it finds the entry
                // free, the head cannot have moved past it, so the ring was empty at this instant.
                // ORDERING: the release half makes this verdict happen before the commit that
                // ends the emptiness (`append`); the acquire half is the load above.
                seen = entry.fetch_add(0, AcqRel);
                if self.is_free(seen, head) {
                    return Err(Stop::Now);
                }
            }
            if self.lap.lap(seen) != self.lap.lap(head) {
                // ORDERING: Acquire pairs with the release in `pop`, so that the entries behind the
                // head are seen.
                head = self.head.load(Acquire);
            } else if seen & self.lap.flag() != 0 {
                return Err(Stop::ForEver);
            } else {
                return Ok((head, seen));
            }
        }
    }

    /// Whether fewer than `most` indices lie before this tail.
    #[inline(always)]
    #[allow(clippy::cast_possible_wrap)] // At most 2^28.
    pub(super) fn has_room(&self, tail: u32, most: u32) -> bool {
        let below = |head| self.lap.distance(head, tail) < most as i32;
        // A stale head makes the ring look fuller than it is, so "room" is true at once, but "no
        // room" only by a read-modify-write: at that instant the head is where it says, and the
        // tail no less than ours.
        // ORDERING: Relaxed: an index is reused by way of the other ring, not of the head. Release
        // makes the verdict happen before the pop that ends the fullness.
        below(self.head.load(Relaxed)) || below(self.head.fetch_add(0, Release))
    }

    /// Whether `most` indices are inside, exactly.
    #[inline(always)]
    pub(super) fn is_full(&self, most: u32) -> bool {
        // ORDERING: Relaxed: a tail that lags only makes the ring look emptier.
        !self.has_room(self.tail.load(Relaxed), most)
    }

    /// Whether the end mark is there.
    pub(super) fn is_closed(&self) -> bool {
        self.back().1.is_none()
    }

    /// About how many indices are inside.
    pub(super) fn len(&self) -> u32 {
        // ORDERING: Relaxed: an estimate.
        let distance = self
            .lap
            .distance(self.head.load(Relaxed), self.tail.load(Relaxed));
        u32::try_from(distance).unwrap_or(0)
    }

    /// Whether a slot with this entry is free for a cursor: filled one lap before it.
    #[inline(always)]
    fn is_free(&self, entry: u32, cursor: u32) -> bool {
        self.lap.alike(entry.wrapping_add(self.lap.one()), cursor)
    }
}
