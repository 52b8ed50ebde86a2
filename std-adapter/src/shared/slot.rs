//! [`Slot`]: what a place of a [ring](super::ring) says; [`At`]: a position, and how hints tell one.

#![forbid(unsafe_code)]

use super::atomic::{
    AtomicU64,
    Ordering::{Acquire, Release},
};
use super::blocks::MOST_BLOCKS;
use super::corrupted::Corrupted;

/// The most places of a ring.
pub(crate) const MOST_PLACES: usize = 1 << 24;

/// The laps there are, less one.
pub(super) const LAP_MASK: u64 = (1 << 39) - 1;
/// Of a slot, `lap:39 | closed:1 | block:24`.
const LAP_SHIFT: u32 = 25;
pub(super) const CLOSED: u64 = 1 << 24;
const BLOCK_MASK: u64 = MOST_BLOCKS as u64 - 1;

/// Of a hint, `lap:39 | index:24`, less the first lap: zeroed memory points to the first place of
/// lap 1, and all slots say lap 0, which is the lap before.
pub(super) const HINT_SHIFT: u32 = 24;

/// A position: a place in a lap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct At {
    pub(super) lap: u64,
    pub(super) index: usize,
}

impl At {
    /// Reads a hint, in a ring of so many places.
    #[inline]
    pub(super) fn read(hint: &AtomicU64, places: usize) -> Result<Self, Corrupted> {
        // ORDERING: Acquire pairs with the Release in `store`: the slots behind it are seen as
        // filled, so that a slot never seems to be more than one lap behind.
        let hint = hint.load(Acquire);
        #[allow(clippy::cast_possible_truncation, reason = "24 bits are left")]
        let index = (hint & (MOST_PLACES as u64 - 1)) as usize;
        if index >= places {
            return Err(Corrupted);
        }
        let lap = (hint >> HINT_SHIFT).wrapping_add(1) & LAP_MASK;
        Ok(Self { lap, index })
    }

    /// Stores it as a hint. Others may have stored a later one meanwhile; who finds this one walks.
    #[inline]
    pub(super) fn store(self, hint: &AtomicU64) {
        let lap = self.lap.wrapping_sub(1) & LAP_MASK;
        // ORDERING: Release pairs with the Acquire in `read`.
        hint.store(lap << HINT_SHIFT | self.index as u64, Release);
    }
}

/// What a slot says: this block was put here in this lap, last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot(pub(super) u64);

impl Slot {
    #[inline]
    pub(super) fn new(lap: u64, block: u32) -> Self {
        Self(lap << LAP_SHIFT | u64::from(block))
    }

    #[inline]
    pub(super) fn is_closed(self) -> bool {
        self.0 & CLOSED != 0
    }

    #[inline]
    pub(super) fn lap(self) -> u64 {
        self.0 >> LAP_SHIFT
    }

    #[inline]
    pub(super) fn block(self) -> u32 {
        (self.0 & BLOCK_MASK) as u32
    }

    /// How many laps it is past this position's: -1 while the position is to be filled.
    #[inline]
    pub(super) fn ahead_of(self, at: At) -> i64 {
        // The difference of two numbers of 39 bits, as one of 39 bits with a sign.
        i64::from_ne_bytes((self.lap().wrapping_sub(at.lap) << LAP_SHIFT).to_ne_bytes())
            >> LAP_SHIFT
    }
}
