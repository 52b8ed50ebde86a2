//! What a process has in its hands: a block that it fills, or an item that it has taken.

#![forbid(unsafe_code)]

use super::{Depot, Hold, ITEMS, PAGES, ROOM};
use crate::shared::blocks::{Leased, Owned};
use crate::shared::corrupted::Corrupted;
use crate::shared::payload::Place;
use crate::shared::ring::Put;

/// A block that is being filled. Dropped, also by a panic, it is free again.
pub(in crate::shared) struct Filling<'a> {
    pub(super) depot: &'a Depot,
    pub(super) owned: Owned,
}

impl Filling<'_> {
    pub(in crate::shared) fn block(&self) -> u32 {
        self.owned.block
    }

    /// Finds room for so many bytes.
    pub(in crate::shared) fn reserve(&self, length: usize) -> Result<Place, Hold> {
        let payloads = self.depot.payloads();
        if length > payloads.most() {
            return Err(Hold::TooLarge);
        }
        let place = payloads.reserve(self.depot.room.me(), self.owned.block, length);
        // The lock is free.
        self.depot.ring_bell(PAGES, u32::MAX);
        place.ok_or_else(|| {
            self.depot.room.ensure_watched();
            Hold::NoPages
        })
    }

    /// Puts it.
    #[inline]
    pub(in crate::shared) fn commit(self) -> Result<(), Hold> {
        let depot = self.depot;
        match depot.ring().commit(depot.room.me(), self.owned)? {
            Put::Done => {
                std::mem::forget(self);
                depot.ring_bell(ITEMS, 1);
                Ok(())
            }
            Put::Full => Err(Hold::Full),
            Put::Closed => Err(Hold::ShutDown),
        }
    }
}

impl Drop for Filling<'_> {
    fn drop(&mut self) {
        self.depot.all_blocks().release(self.owned);
        self.depot.ring_bell(ROOM, 1);
        self.depot.ring_bell(PAGES, u32::MAX);
    }
}

/// An item that this process has taken. Dropped, also by a panic, it is finished.
pub(in crate::shared) struct Ticket<'a> {
    pub(super) depot: &'a Depot,
    pub(super) leased: Leased,
}

impl Ticket<'_> {
    /// How often it was delivered before.
    pub(in crate::shared) fn tries(&self) -> u16 {
        self.leased.tries
    }

    #[inline]
    pub(in crate::shared) fn length(&self) -> Result<usize, Corrupted> {
        self.depot.payloads().length(self.leased.block)
    }

    #[inline]
    pub(in crate::shared) fn read(&self, into: &mut [u8]) -> Result<(), Corrupted> {
        self.depot.payloads().read(self.leased.block, into)
    }

    /// Tells of the room in the ring, while the block is kept.
    pub(in crate::shared) fn keep(self) -> Self {
        self.depot.ring_bell(ROOM, 1);
        self
    }

    /// Frees the block; the item is to be [reported](Depot::report).
    #[inline]
    pub(in crate::shared) fn count(self) {
        self.depot.count();
    }

    /// Leaves it to somebody else.
    pub(in crate::shared) fn put_back(self) {
        let depot = self.depot;
        depot.all_blocks().put_back(depot.room.me(), self.leased);
        std::mem::forget(self);
        depot.room.ring(ITEMS, 1);
    }
}

impl Drop for Ticket<'_> {
    #[inline]
    fn drop(&mut self) {
        let payloads = self.depot.payloads();
        let had_pages = self.length().is_ok_and(|length| length > payloads.inside());
        payloads.blocks.acknowledge(self.leased);
        self.depot.ring_bell(ROOM, 1);
        if had_pages {
            self.depot.ring_bell(PAGES, u32::MAX);
        }
        self.depot.ring_done();
    }
}
