//! [`Ring`]: a lock-free queue of [blocks](super::blocks) between processes that may be killed at any
//! instruction.
//!
//! ```text
//!                      head ──┐ (hints)   ┌── tail
//!                             ▼           ▼
//!      slots   │ 7:b2 │ 8:b5 │ 9:b1 │10:b4 │ 3:b3 │ 4:b0 │      lap : block, the lap when it was put
//!                │      │      │      │
//!      blocks   FREE  LEASED  QUEUED QUEUED                     is it still there? its header says
//! ```
//!
//! A slot names the block that was put there last, and in which lap. It is written once in a lap, by
//! one compare-and-swap, and never cleared: whether the block is still there is said by the block's
//! header alone. So neither side ever leaves something half done that others would have to wait for.
//!
//! **Put** at position `t`: the header becomes `QUEUED(me, t)`; then the slot is swapped from what the
//! lap before left to `(t, block)`. That is the commit. If another was faster, on to `t + 1`.
//!
//! **Take** at position `h`: if the slot names a block for `h` and its header is `QUEUED(_, h)`, swap
//! that to `LEASED(me)`. That is the claim, and it says at once who made it. If the header says
//! anything else, `h` has been taken; on to `h + 1`.
//!
//! **`head` and `tail`** are hints by plain stores. They may lag behind, even fall back when a slow
//! process stores what it found long ago; the slots then show the way, in at most one lap. They are
//! never ahead: a position is only passed by who saw it filled, or taken.
//!
//! **Empty is exact**: all positions before `h` were taken, and nothing was put at `h`. **Full is
//! exact**: all before `t` were put, nothing at `t`; and as `t - N` is still queued, so are all behind
//! it, since nobody passes it. That is `N` items.
//!
//! **A block cannot be mistaken** for what it was before: a process that has claimed a block and looks
//! for its place sees at least all that those saw who had the block, so it never marks it for a
//! position at which it has stood already.
//!
//! **A death** leaves one of these, and [`Ring::sweep`] (`recovery.rs`) deals with each by one compare-and-swap. `OWNED`: was
//! being filled; free. `QUEUED(p, t)` with slot `(t, block)`: was put, and stays. With any other slot:
//! never was put, and who could is dead; free. `LEASED`: to be delivered again.
//!
//! **Closing** sets a bit in the slot at the tail, so that no put can follow, also by one
//! compare-and-swap: what was put before is still there, and nothing comes after.
//!
//! Progress: lock-free, all of it; a process that is stopped or killed holds up nobody. Slots have 39
//! bits of lap: a producer that stops right before its commit while exactly a multiple of 2^39 laps
//! pass puts its item out of turn. Headers have 41 bits of position: a consumer that stops between
//! reading a slot and reading the header meets the odds of 2^41 items.
//!
//! The idea of keeping the truth in the slots and having cursors follow is that of Michael's and
//! Scott's queue (1996), and of Valois's array before.

#![forbid(unsafe_code)]

use super::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed, SeqCst},
};
use super::blocks::{Blocks, Header, Leased, Owned, POSITION_MASK};
use super::corrupted::Corrupted;
use super::participants::Owner;
use super::slot::{At, CLOSED, HINT_SHIFT, LAP_MASK, MOST_PLACES, Slot};

/// How many steps an operation makes beyond one lap before it says that this cannot be: no process has
/// such bad luck, but one that writes what it should not can keep others busy for ever.
const PATIENCE: usize = 1 << 20;

/// A block to fill for the ring, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Begun {
    Fill(Owned),
    /// As many items are queued as the ring has places.
    Full,
    /// The ring has room, but every block is being filled or leased.
    NoBlock,
    Closed,
}

/// What became of a block that was to be put. If it was not, the caller still has it, as before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Put {
    Done,
    Full,
    Closed,
}

/// An item, or why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) enum Taken {
    Item(Leased),
    Empty,
    /// Empty, and nothing will be put any more.
    Closed,
}

/// A place in the ring that is to be filled, and what its slot said.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spot {
    at: At,
    before: Slot,
}

/// What the tail of a ring is like.
enum Tail {
    /// This slot is to be replaced.
    Room(Spot),
    Full,
    Closed,
}

/// A ring over a set of blocks. Zeroed memory is an empty one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ring<'a> {
    pub(super) blocks: Blocks<'a>,
    pub(super) slots: &'a [AtomicU64],
    head: &'a AtomicU64,
    tail: &'a AtomicU64,
    /// How many bits of a position in a header are the place.
    pub(super) index_bits: u32,
}

impl<'a> Ring<'a> {
    /// The ring in these words. `head` and `tail` best have cache lines of their own.
    ///
    /// There must be at least one slot, and no more than [`MOST_PLACES`]; otherwise operations panic or
    /// say that the memory is corrupted.
    #[inline]
    pub(crate) fn new(
        blocks: Blocks<'a>,
        slots: &'a [AtomicU64],
        head: &'a AtomicU64,
        tail: &'a AtomicU64,
    ) -> Self {
        debug_assert!(!slots.is_empty() && slots.len() <= MOST_PLACES);
        Self {
            blocks,
            slots,
            head,
            tail,
            // As many as the last index has.
            index_bits: usize::BITS - slots.len().wrapping_sub(1).leading_zeros(),
        }
    }

    #[inline]
    pub(crate) fn blocks(&self) -> &Blocks<'a> {
        &self.blocks
    }

    /// A block to fill: the one that stood at the tail before, if that is free again. It is likely to be, and
    /// to be in our cache, and if it is, there is room. Wait-free.
    #[inline]
    pub(crate) fn begin_at_hint(&self, me: Owner) -> Result<Option<(Owned, Spot)>, Corrupted> {
        let at = At::read(self.tail, self.slots.len())?;
        let before = self.slot(at);
        if before.ahead_of(at) != -1 || before.is_closed() {
            return Ok(None);
        }
        let block = self.blocks.check(before.block())?;
        let claim = self.blocks.claim_this(me, block);
        Ok(claim.map(|owned| (owned, Spot { at, before })))
    }

    /// A block to fill, if that one is not free. `cursor` is where to look for another.
    pub(crate) fn begin_elsewhere(&self, me: Owner, cursor: u32) -> Result<Begun, Corrupted> {
        Ok(match self.find_tail(None)? {
            Tail::Full => Begun::Full,
            Tail::Closed => Begun::Closed,
            Tail::Room(..) => {
                let claim = self.blocks.claim(me, cursor);
                claim.map_or(Begun::NoBlock, Begun::Fill)
            }
        })
    }

    /// Puts a block where it was begun, if nobody else has put there since; otherwise it is to be
    /// [committed](Self::commit) as any other. Wait-free.
    #[inline]
    pub(crate) fn commit_at(&self, me: Owner, owned: Owned, spot: Spot) -> bool {
        // The slot was read before the block was claimed. Who had the block in between may have put it at this
        // very position, and it must not be marked for that again. We have acquired the block from him,
        // so we see it now.
        self.slot(spot.at) == spot.before && self.put_at(me, owned, spot)
    }

    /// Puts a block that has been filled. Commits by one compare-and-swap.
    pub(crate) fn commit(&self, me: Owner, owned: Owned) -> Result<Put, Corrupted> {
        let put = self.put(me, owned);
        if put != Ok(Put::Done) {
            self.blocks.mark_owned(me, owned);
        }
        put
    }

    fn put(&self, me: Owner, owned: Owned) -> Result<Put, Corrupted> {
        for _ in 0..PATIENCE {
            let spot = match self.find_tail(Some(owned.block))? {
                Tail::Full => return Ok(Put::Full),
                Tail::Closed => return Ok(Put::Closed),
                Tail::Room(spot) => spot,
            };
            if self.put_at(me, owned, spot) {
                return Ok(Put::Done);
            }
        }
        Err(Corrupted)
    }

    #[inline]
    fn put_at(&self, me: Owner, owned: Owned, spot: Spot) -> bool {
        let Spot { at, before } = spot;
        self.blocks.mark_queued(me, owned, self.in_header(at));
        let after = Slot::new(at.lap, owned.block);
        // ORDERING: SeqCst for the bell that is looked at next. Release pairs with the Acquire of who
        // finds the slot: header and content are seen. Acquire pairs with `confirm`. On failure the
        // slot is read again.
        let commit = self.slots[at.index].compare_exchange(before.0, after.0, SeqCst, Relaxed);
        if commit.is_ok() {
            self.after(at).store(self.tail);
        }
        commit.is_ok()
    }

    /// Takes the item at the head. Claims by one compare-and-swap.
    pub(crate) fn take(&self, me: Owner) -> Result<Taken, Corrupted> {
        match self.take_at_hint(me)? {
            Some(leased) => Ok(Taken::Item(leased)),
            None => self.search(me),
        }
    }

    /// Takes the item where the hint says that the head is, unless it has to look further. Wait-free.
    #[inline]
    pub(crate) fn take_at_hint(&self, me: Owner) -> Result<Option<Leased>, Corrupted> {
        let at = At::read(self.head, self.slots.len())?;
        let slot = self.slot(at);
        if slot.ahead_of(at) != 0 {
            return Ok(None);
        }
        self.take_at(me, at, slot)
    }

    /// Takes the item at this position if it is still there; the slot says that it was put.
    #[inline]
    fn take_at(&self, me: Owner, at: At, slot: Slot) -> Result<Option<Leased>, Corrupted> {
        let block = self.blocks.check(slot.block())?;
        let header = self.blocks.header(block);
        let leased = Leased::first(block);
        let is_taken = header.is_queued_at(self.in_header(at))
            && self.blocks.change(block, header, leased.header(me));
        if is_taken {
            self.after(at).store(self.head);
        }
        Ok(is_taken.then_some(leased))
    }

    /// Goes on from the hint to the head.
    fn search(&self, me: Owner) -> Result<Taken, Corrupted> {
        let start = At::read(self.head, self.slots.len())?;
        let mut at = start;
        for _ in 0..self.slots.len() + PATIENCE {
            let slot = self.slot(at);
            match slot.ahead_of(at) {
                -1 if self.confirm(at, slot) => {
                    if at != start {
                        at.store(self.head);
                    }
                    let is_closed = slot.is_closed();
                    return Ok(if is_closed {
                        Taken::Closed
                    } else {
                        Taken::Empty
                    });
                }
                -1 => {}
                0 => match self.take_at(me, at, slot)? {
                    Some(leased) => return Ok(Taken::Item(leased)),
                    None => at = self.after(at),
                },
                1.. => at = self.after_lap_before(at, slot),
                _ => return Err(Corrupted),
            }
        }
        Err(Corrupted)
    }

    /// Whether [`take`](Self::take) would most likely find nothing: a glance, which costs the others
    /// nothing. After a fence, a `true` has seen whatever was put before it.
    #[inline]
    pub(crate) fn seems_empty(&self) -> bool {
        At::read(self.head, self.slots.len()).is_ok_and(|at| {
            let slot = self.slot(at);
            slot.ahead_of(at) == -1 && !slot.is_closed()
        })
    }

    /// Whether there is most likely no room: as [`seems_empty`](Self::seems_empty).
    #[inline]
    pub(crate) fn seems_full(&self) -> bool {
        let Ok(at) = At::read(self.tail, self.slots.len()) else {
            return false;
        };
        let slot = self.slot(at);
        slot.ahead_of(at) == -1
            && !slot.is_closed()
            && matches!(self.lap_before(at, slot), Ok(Some(_)))
    }

    /// Lets no put succeed any more. Says whether it was open.
    pub(crate) fn close(&self) -> Result<bool, Corrupted> {
        for _ in 0..PATIENCE {
            let (at, slot) = self.seek_tail()?;
            if slot.is_closed() {
                return Ok(false);
            }
            // ORDERING: SeqCst as in `put`. Release pairs with the Acquire of who finds it closed:
            // what was done before is seen. On failure `seek_tail` looks again.
            let close =
                self.slots[at.index].compare_exchange(slot.0, slot.0 | CLOSED, SeqCst, Relaxed);
            if close.is_ok() {
                return Ok(true);
            }
        }
        Err(Corrupted)
    }

    /// Whether it was closed.
    pub(crate) fn is_closed(&self) -> Result<bool, Corrupted> {
        Ok(self.seek_tail()?.1.is_closed())
    }

    /// How many items are queued, at some moment between call and return unless many others are at
    /// it; then about how many.
    pub(crate) fn len(&self) -> Result<usize, Corrupted> {
        let mut head = self.seek_head()?;
        for _ in 0..8 {
            let (tail, _) = self.seek_tail()?;
            let again = self.seek_head()?;
            if head == again {
                return Ok(self.between(head, tail));
            }
            head = again;
        }
        let (tail, _) = self.seek_tail()?;
        Ok(self.between(head, tail))
    }

    /// Where the next put goes: another value if there was one in between.
    pub(crate) fn tail(&self) -> Result<u64, Corrupted> {
        let (at, _) = self.seek_tail()?;
        Ok(at.lap << HINT_SHIFT | at.index as u64)
    }

    /// Looks at the tail, and whether there is room. What is ours is not queued.
    fn find_tail(&self, ours: Option<u32>) -> Result<Tail, Corrupted> {
        for _ in 0..PATIENCE {
            let (at, before) = self.seek_tail()?;
            if before.is_closed() {
                return Ok(Tail::Closed);
            }
            if ours == Some(before.block()) {
                return Ok(Tail::Room(Spot { at, before }));
            }
            let Some((block, header)) = self.lap_before(at, before)? else {
                return Ok(Tail::Room(Spot { at, before }));
            };
            // A load may be old news: if it is still queued at this very moment, the ring is full.
            if self.blocks.change(block, header, header) {
                return Ok(Tail::Full);
            }
        }
        Err(Corrupted)
    }

    /// What a slot that is to be filled names, if that is still queued there from the lap before.
    fn lap_before(&self, at: At, slot: Slot) -> Result<Option<(u32, Header)>, Corrupted> {
        let before = At {
            lap: at.lap.wrapping_sub(1) & LAP_MASK,
            ..at
        };
        let block = self.blocks.check(slot.block())?;
        let header = self.blocks.header(block);
        let is_queued = header.is_queued_at(self.in_header(before));
        Ok(is_queued.then_some((block, header)))
    }

    /// The first position that has not been filled, and what its slot says.
    pub(super) fn seek_tail(&self) -> Result<(At, Slot), Corrupted> {
        let start = At::read(self.tail, self.slots.len())?;
        let mut at = start;
        for _ in 0..self.slots.len() + PATIENCE {
            let slot = self.slot(at);
            match slot.ahead_of(at) {
                -1 => {
                    if at != start {
                        at.store(self.tail);
                    }
                    return Ok((at, slot));
                }
                // It was filled in the slot's lap.
                0.. => {
                    let lap = slot.lap();
                    at = self.after(At { lap, ..at });
                }
                _ => return Err(Corrupted),
            }
        }
        Err(Corrupted)
    }

    /// The first position that has not been taken.
    fn seek_head(&self) -> Result<At, Corrupted> {
        let mut at = At::read(self.head, self.slots.len())?;
        for _ in 0..self.slots.len() + PATIENCE {
            let slot = self.slot(at);
            match slot.ahead_of(at) {
                -1 => return Ok(at),
                0 => {
                    let header = self.blocks.header(self.blocks.check(slot.block())?);
                    if header.is_queued_at(self.in_header(at)) {
                        return Ok(at);
                    }
                    at = self.after(at);
                }
                1.. => at = self.after_lap_before(at, slot),
                _ => return Err(Corrupted),
            }
        }
        Err(Corrupted)
    }

    #[inline]
    fn slot(&self, at: At) -> Slot {
        // ORDERING: Acquire pairs with the Release of the commit, or of closing: the block's header
        // and content are seen as they were then, or newer.
        Slot(self.slots[at.index].load(Acquire))
    }

    /// Whether a slot still says what was read, at this very moment: a load may be old news.
    fn confirm(&self, at: At, slot: Slot) -> bool {
        // ORDERING: AcqRel, a read-modify-write as the commit, which acquires it: whoever puts next at
        // this position sees what was done before the answer that is given now.
        self.slots[at.index]
            .compare_exchange(slot.0, slot.0, AcqRel, Relaxed)
            .is_ok()
    }

    #[inline]
    fn after(&self, at: At) -> At {
        if at.index + 1 < self.slots.len() {
            At {
                index: at.index + 1,
                ..at
            }
        } else {
            At {
                lap: (at.lap + 1) & LAP_MASK,
                index: 0,
            }
        }
    }

    /// The slot was filled in a later lap, so what stood there in the lap before that was taken.
    fn after_lap_before(&self, at: At, slot: Slot) -> At {
        let lap = slot.lap().wrapping_sub(1) & LAP_MASK;
        self.after(At { lap, ..at })
    }

    /// How many positions lie between, 0 if the second is not the later one.
    fn between(&self, head: At, tail: At) -> usize {
        let laps = tail.lap.wrapping_sub(head.lap) & LAP_MASK;
        let places = match laps {
            0 => tail.index.saturating_sub(head.index),
            1 => (self.slots.len() + tail.index).saturating_sub(head.index),
            _ => 0,
        };
        places.min(self.slots.len())
    }

    /// A position as headers have it.
    #[inline]
    pub(super) fn in_header(&self, at: At) -> u64 {
        (at.lap << self.index_bits | at.index as u64) & POSITION_MASK
    }
}
