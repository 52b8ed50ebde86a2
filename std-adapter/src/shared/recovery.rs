//! What there is of a [ring](super::ring) besides its positions: whether all its items are finished with, and
//! what to do with those of the dead. Both go through the headers of all blocks.

#![forbid(unsafe_code)]

use super::atomic::Ordering::Acquire;
use super::blocks::{Header, State};
use super::corrupted::Corrupted;
use super::participants::Owner;
use super::ring::Ring;
use super::slot::{At, Slot};

impl Ring<'_> {
    /// Whether every item that was put has been acknowledged. A `true` is exact: there was such a
    /// moment between call and return.
    pub(crate) fn is_done(&self) -> Result<bool, Corrupted> {
        let (before, _) = self.seek_tail()?;
        for block in 0..self.blocks.count() {
            let header = self.blocks.header(block);
            let is_done = match header.state() {
                Some(State::Free | State::Owned) => true,
                Some(State::Queued) => !self.shows(block, header),
                Some(State::Leased | State::Orphan) => false,
                None => return Err(Corrupted),
            };
            if !is_done {
                return Ok(false);
            }
        }
        let (after, _) = self.seek_tail()?;
        // Without a put in between, a block that was seen done stayed so.
        Ok(before == after)
    }

    /// Recovers what a process had that is dead, which must be certain: no instruction of it runs any
    /// more.
    ///
    /// Lock-free and idempotent. Any number of processes may do it at the same time, be killed in it,
    /// stop in it and go on long after the dead one's place was given to another. The place must not
    /// be given away before one of them has come to the end.
    pub(crate) fn sweep(&self, dead: Owner) {
        let mut orphan = None;
        for block in 0..self.blocks.count() {
            let mut header = self.blocks.header(block);
            if header.owner() == dead {
                self.blocks
                    .recover(block, header, || self.shows(block, header));
                header = self.blocks.header(block);
            }
            if header.state() == Some(State::Orphan) {
                orphan = Some(block);
            }
        }
        if let Some(block) = orphan {
            // Who made it one may have been killed before he could say so.
            self.blocks.raise(block);
        }
    }

    /// Whether the ring shows this block at the position in its header.
    fn shows(&self, block: u32, header: Header) -> bool {
        let position = header.position();
        #[allow(clippy::cast_possible_truncation, reason = "24 bits at most are left")]
        let index = (position & ((1 << self.index_bits) - 1)) as usize;
        if index >= self.slots.len() {
            return false;
        }
        // ORDERING: Acquire, as in `slot`.
        let slot = Slot(self.slots[index].load(Acquire));
        let lap = slot.lap();
        slot.block() == block && self.in_header(At { lap, index }) == position
    }
}
