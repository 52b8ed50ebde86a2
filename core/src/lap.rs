//! Cursors: a place in a ring and the number of the lap, in one `u32`.
//!
//! ```text
//!   31                shift        0
//!   +--------------------+---+-----+
//!   |        lap         | F |index|      index < slots <= F - 1
//!   +--------------------+---+-----+
//! ```
//!
//! Stepping past the last slot sets the index to 0 and adds one to the lap, which wraps around by
//! itself at the top of the word, so the number of slots need not be a power of two and nothing is
//! ever divided. The bit `F` is a flag that each container uses as it likes.
//!
//! Cursors are compared signed: of two cursors less than half the laps apart, the difference tells
//! which is ahead, also across the wrap.

/// The geometry of one ring: how many slots, and where the fields of its cursors are.
#[derive(Debug, Clone, Copy)]
pub struct Lap {
    slots: u32,
    /// One lap, as a cursor: the lowest bit of the lap field.
    one: u32,
}

impl Lap {
    /// The geometry for a number of slots, at most `MAX_CAPACITY + 2^16`.
    #[inline(always)]
    #[must_use]
    pub(crate) const fn of(slots: usize) -> Self {
        // `Storage` bounds the number of slots.
        #[allow(clippy::cast_possible_truncation)]
        let slots = slots as u32;
        // The index field must hold `slots` itself: rings store an index plus one.
        let shift = u32::BITS - slots.leading_zeros() + 1;
        Self {
            slots,
            one: 1 << shift,
        }
    }

    /// One lap, as a cursor.
    #[inline(always)]
    pub(crate) const fn one(self) -> u32 {
        self.one
    }

    /// The flag bit.
    #[inline(always)]
    pub(crate) const fn flag(self) -> u32 {
        self.one >> 1
    }

    /// The lap of a cursor, its other fields zero.
    #[inline(always)]
    pub(crate) const fn lap(self, cursor: u32) -> u32 {
        cursor & self.one.wrapping_neg()
    }

    /// The index field of a cursor.
    #[inline(always)]
    pub(crate) const fn index(self, cursor: u32) -> u32 {
        cursor & (self.flag() - 1)
    }

    /// Whether two cursors differ in nothing but the index: also not in the flag.
    #[inline(always)]
    pub(crate) const fn alike(self, one: u32, other: u32) -> bool {
        (one ^ other) < self.flag()
    }

    /// The cursor of the next slot. The flag must be clear.
    #[inline(always)]
    pub(crate) const fn next(self, cursor: u32) -> u32 {
        if self.index(cursor) + 1 == self.slots {
            self.lap(cursor).wrapping_add(self.one)
        } else {
            cursor + 1
        }
    }

    /// The cursor `by` slots on, at most one lap. The flag must be clear.
    #[inline(always)]
    pub(crate) const fn advance(self, cursor: u32, by: u32) -> u32 {
        if by == 1 {
            return self.next(cursor);
        }
        let index = self.index(cursor) + by;
        if index < self.slots {
            cursor + by
        } else {
            self.lap(cursor).wrapping_add(self.one) + (index - self.slots)
        }
    }

    /// How many steps it takes from one cursor to another, modulo all there are.
    #[inline(always)]
    pub(crate) const fn steps(self, from: u32, to: u32) -> u32 {
        let laps = self.lap(to).wrapping_sub(self.lap(from)) >> self.one.trailing_zeros();
        laps.wrapping_mul(self.slots)
            .wrapping_add(self.index(to))
            .wrapping_sub(self.index(from))
    }

    /// How many slots lie from one cursor to another; negative if `to` is behind. Flags are
    /// ignored.
    #[inline(always)]
    #[allow(clippy::cast_possible_wrap)] // Wrapping is what makes the comparison signed.
    pub(crate) const fn distance(self, from: u32, to: u32) -> i32 {
        let steps = self.index(to) as i32 - self.index(from) as i32;
        let laps = self.lap(to).wrapping_sub(self.lap(from));
        if laps == 0 {
            return steps;
        }
        let laps = laps as i32 >> self.one.trailing_zeros();
        laps.wrapping_mul(self.slots as i32).wrapping_add(steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walking_covers_every_slot_and_crosses_the_wrap() {
        for slots in [1, 2, 3, 7, 8, 9, 12, 1024] {
            let lap = Lap::of(slots as usize);
            let start = lap.lap(u32::MAX);
            let mut cursor = start;
            for step in 0..3 * slots {
                assert_eq!(lap.index(cursor), step % slots);
                assert_eq!(i64::from(lap.distance(start, cursor)), i64::from(step));
                assert_eq!(i64::from(lap.distance(cursor, start)), -i64::from(step));
                assert_eq!(lap.steps(start, cursor), step);
                assert_eq!(cursor & lap.flag(), 0);
                cursor = lap.next(cursor);
            }
            assert_eq!(cursor, lap.one().wrapping_mul(2), "the lap wrapped");
        }
    }

    #[test]
    fn advancing_is_walking() {
        let lap = Lap::of(5);
        for from in 0..5 {
            for by in 0..=5 {
                let walked = (0..by).fold(from, |cursor, _| lap.next(cursor));
                assert_eq!(lap.advance(from, by), walked);
            }
        }
    }
}
