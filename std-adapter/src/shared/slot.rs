//! [`Slot`]: what a place of a [ring](super::ring) says.

#![forbid(unsafe_code)]

use super::blocks::MOST_BLOCKS;

/// The laps there are, less one.
pub(super) const LAP_MASK: u64 = (1 << 39) - 1;
/// Of a slot, `lap:39 | closed:1 | block:24`.
const LAP_SHIFT: u32 = 25;
pub(super) const CLOSED: u64 = 1 << 24;
const BLOCK_MASK: u64 = MOST_BLOCKS as u64 - 1;

/// A position: a place in a lap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct At {
    pub(super) lap: u64,
    pub(super) index: usize,
}

/// What a slot says: this block was put here in this lap, last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot(pub(super) u64);

impl Slot {
    pub(super) fn new(lap: u64, block: u32) -> Self {
        Self(lap << LAP_SHIFT | u64::from(block))
    }

    pub(super) fn is_closed(self) -> bool {
        self.0 & CLOSED != 0
    }

    pub(super) fn lap(self) -> u64 {
        self.0 >> LAP_SHIFT
    }

    pub(super) fn block(self) -> u32 {
        (self.0 & BLOCK_MASK) as u32
    }

    /// How many laps it is past this position's: -1 while the position is to be filled.
    pub(super) fn ahead_of(self, at: At) -> i64 {
        // The difference of two numbers of 39 bits, as one of 39 bits with a sign.
        i64::from_ne_bytes((self.lap().wrapping_sub(at.lap) << LAP_SHIFT).to_ne_bytes())
            >> LAP_SHIFT
    }
}
