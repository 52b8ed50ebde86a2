//! Who uses a segment: a table of processes in it.
//!
//! ```text
//!     63         42 41                  12 11            2 1     0
//!     +------------+----------------------+---------------+-------+
//!     | pid        | start time           | incarnation   | state |     FREE (0) or LIVE (1)
//!     +------------+----------------------+---------------+-------+
//! ```
//!
//! One compare-and-swap takes a place in the table and says who has it. The *owner*, place and
//! incarnation, is what tags whatever the process holds. Each new holder of a place has the next
//! incarnation. So whoever is still busy taking back what the former one held, even if it was stopped
//! in the middle for long, can do the new one no harm. (Unless exactly a multiple of 1023 others have had the
//! place meanwhile.)
//!
//! The epoch counts those who joined. Who has seen the epoch knows all it has to watch.

#![allow(
    clippy::cast_possible_truncation,
    reason = "parts are cut out of words, at the width they have there"
)]

use super::atomic::{AtomicU64, Ordering};
use crate::sys::memory::Words;
use crate::sys::pidfd::{Life, PID_BITS, START_BITS};

const LIVE: u64 = 1;
const STATE_BITS: u32 = 2;
const INCARNATION_BITS: u32 = 10;
const INCARNATIONS: u64 = 1 << INCARNATION_BITS;
const START_SHIFT: u32 = STATE_BITS + INCARNATION_BITS;
const PID_SHIFT: u32 = START_SHIFT + START_BITS;
const _: () = assert!(PID_SHIFT + PID_BITS == u64::BITS);

/// The most places that an [`Owner`] can name.
pub(crate) const MOST: usize = 1023;

/// A process, as far as one segment is concerned: what its things are tagged with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Owner {
    /// Its place in the table, below [`MOST`].
    pub(crate) index: u16,
    /// Which holder of the place it is: from 1 to 1023.
    pub(crate) incarnation: u16,
}

impl Owner {
    /// Bits of [`tag`](Self::tag).
    pub(crate) const TAG_BITS: u32 = 10 + INCARNATION_BITS;

    /// Both in a number of [`TAG_BITS`](Self::TAG_BITS), which is never 0.
    pub(crate) fn tag(self) -> u32 {
        u32::from(self.index) << INCARNATION_BITS | u32::from(self.incarnation)
    }
}

/// The table.
#[derive(Debug)]
pub(crate) struct Participants {
    places: Words,
    /// One word.
    epoch: Words,
}

impl Participants {
    pub(crate) fn new(places: Words, epoch: Words) -> Self {
        Self { places, epoch }
    }

    /// How many processes can take part at a time.
    pub(crate) fn places(&self) -> usize {
        self.places.len()
    }

    /// How many have ever joined. Who has seen this number sees all of them in the table.
    pub(crate) fn epoch(&self) -> u64 {
        // ORDERING: Acquire pairs with `join`.
        self.epoch[0].load(Ordering::Acquire)
    }

    /// Takes a place; `None` if all are taken, maybe by some who are dead. Lock-free.
    ///
    /// The others have to be disturbed afterwards.
    pub(crate) fn join(&self, life: Life) -> Option<Owner> {
        // Begins at another place each time, so that incarnations last.
        let begin = self.epoch() as usize;
        let owner = (0..self.places.len())
            .map(|step| begin.wrapping_add(step) % self.places.len())
            .find_map(|index| self.take(index, life))?;
        // ORDERING: Release pairs with `epoch`: the place is seen with it.
        self.epoch[0].fetch_add(1, Ordering::Release);
        Some(owner)
    }

    fn take(&self, index: usize, life: Life) -> Option<Owner> {
        let place: &AtomicU64 = &self.places[index];
        // ORDERING: Relaxed: the compare-and-swap decides.
        let now = place.load(Ordering::Relaxed);
        if now & ((1 << STATE_BITS) - 1) != 0 {
            return None;
        }
        let incarnation = match (now >> STATE_BITS) % INCARNATIONS + 1 {
            INCARNATIONS => 1,
            next => next,
        };
        // ORDERING: Acquire pairs with `free`: what the former holder held has been taken back.
        place
            .compare_exchange(
                now,
                word(life, incarnation),
                Ordering::Acquire,
                Ordering::Relaxed,
            )
            .ok()?;
        Some(Owner {
            index: index as u16,
            incarnation: incarnation as u16,
        })
    }

    /// All who take part, also those who are dead by now. Each is there if it has joined before
    /// the [`epoch`](Self::epoch) that was read before.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Owner, Life)> {
        self.places.iter().enumerate().filter_map(|(index, place)| {
            // ORDERING: Relaxed: who and when stand in the word itself.
            let word = place.load(Ordering::Relaxed);
            let incarnation = (word >> STATE_BITS) % INCARNATIONS;
            let owner = Owner {
                index: index as u16,
                incarnation: incarnation as u16,
            };
            let life = Life {
                pid: (word >> PID_SHIFT) as u32,
                start: (word >> START_SHIFT) as u32 & ((1 << START_BITS) - 1),
            };
            (word & LIVE != 0).then_some((owner, life))
        })
    }

    /// Gives a place to whoever comes next. What its holder held must have been taken back. Nothing
    /// happens if somebody else has done it.
    pub(crate) fn free(&self, owner: Owner, life: Life) {
        let incarnation = u64::from(owner.incarnation);
        // ORDERING: Release pairs with `take`.
        let _ = self.places[usize::from(owner.index)].compare_exchange(
            word(life, incarnation),
            incarnation << STATE_BITS,
            Ordering::Release,
            Ordering::Relaxed,
        );
    }
}

fn word(life: Life, incarnation: u64) -> u64 {
    u64::from(life.pid) << PID_SHIFT
        | u64::from(life.start) << START_SHIFT
        | incarnation << STATE_BITS
        | LIVE
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Participants;
    use crate::sys::memory::{Memory, WORD, Words};
    use crate::sys::pidfd::Life;

    fn table(places: usize) -> Participants {
        let memory = Arc::new(Memory::create("brigade-test", 4096).unwrap());
        let words = |offset, count| Words::of(&memory, offset, count).unwrap();
        Participants::new(words(WORD, places), words(0, 1))
    }

    const ONE: Life = Life { pid: 1, start: 7 };
    /// The largest there is of both.
    const TWO: Life = Life {
        pid: (1 << 22) - 1,
        start: (1 << 30) - 1,
    };

    #[test]
    fn places_go_round_and_nobody_is_freed_for_another() {
        let table = table(2);
        let one = table.join(ONE).unwrap();
        let two = table.join(TWO).unwrap();
        assert!(table.join(ONE).is_none(), "there are no more");
        let mut all: Vec<_> = table.iter().collect();
        all.sort_by_key(|(owner, _)| owner.index != one.index);
        assert_eq!(all, [(one, ONE), (two, TWO)]);
        table.free(one, ONE);
        let again = table.join(TWO).unwrap();
        assert_eq!((again.index, again.incarnation), (one.index, 2));
        // Somebody who was stopped while he buried the first holder of the place.
        table.free(one, ONE);
        assert_eq!(table.iter().count(), 2);
        assert_eq!(table.epoch(), 3);
    }

    #[test]
    fn incarnations_begin_anew_and_are_never_zero() {
        let table = table(1);
        for round in 0..2_500 {
            let owner = table.join(ONE).unwrap();
            assert_eq!(usize::from(owner.incarnation), round % 1_023 + 1);
            assert_ne!(owner.tag(), 0);
            table.free(owner, ONE);
        }
    }
}
