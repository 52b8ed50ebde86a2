//! What a process has in its hands: a block that it fills, or an item that it has taken.

#![forbid(unsafe_code)]

use std::time::Instant;

use super::{Depot, Hold, ITEMS, PAGES, PLACES, ROOM};
use crate::shared::atomic::AtomicU64;
use crate::shared::blocks::{Leased, Owned};
use crate::shared::corrupted::Corrupted;
use crate::shared::payload::Place;
use crate::shared::ring::Put;

/// A block that is being filled. Dropped, also by a panic, it is free again.
pub(in crate::shared) struct Filling<'a> {
    pub(super) depot: &'a Depot,
    pub(super) owned: Owned,
}

impl<'a> Filling<'a> {
    pub(in crate::shared) fn block(&self) -> u32 {
        self.owned.block
    }

    /// The words to fill, where there are no pages.
    #[inline]
    pub(in crate::shared) fn words(&self) -> &'a [AtomicU64] {
        self.depot.payloads().bytes(self.owned.block)
    }

    /// Finds room for so many bytes.
    pub(in crate::shared) fn reserve(&self, length: usize) -> Result<Place, Hold> {
        let payloads = self.depot.payloads();
        if length > payloads.most() {
            return Err(Hold::TooLarge);
        }
        let had_pages = payloads.has_pages(self.owned.block);
        let (place, is_awaited) = payloads.reserve(self.depot.room.me(), self.owned.block, length);
        if had_pages || is_awaited {
            self.depot.room.ring(PAGES, u32::MAX);
        }
        place.ok_or_else(|| {
            self.depot.room.ensure_watched();
            Hold::NoPages(length)
        })
    }

    /// Puts it.
    pub(in crate::shared) fn commit(self) -> Result<(), Hold> {
        self.put(Hold::Full)?;
        std::mem::forget(self);
        Ok(())
    }

    /// Puts it, or gives it back.
    pub(in crate::shared) fn commit_now(self) -> Result<(), (Self, Hold)> {
        let put = self.put(Hold::Full);
        self.after(put)
    }

    /// Puts it, if need be when there is a place for it. Gives it back if there is none in time.
    pub(in crate::shared) fn commit_until(
        self,
        deadline: Option<Instant>,
    ) -> Result<(), (Self, Hold)> {
        let put = (self.depot).put_until(deadline, || self.put(Hold::NoPlace));
        self.after(put)
    }

    /// The same for a task.
    pub(in crate::shared) async fn commit_async(self) -> Result<(), (Self, Hold)> {
        let attempt = |filling: &mut Option<Self>| {
            if let Some(filling) = filling {
                filling.put(Hold::NoPlace)?;
            }
            std::mem::forget(filling.take());
            Ok(())
        };
        match self.depot.put_async(Some(self), attempt).await {
            Err((Some(filling), hold)) => Err((filling, hold)),
            Ok(()) | Err((None, _)) => Ok(()),
        }
    }

    fn after(self, put: Result<(), Hold>) -> Result<(), (Self, Hold)> {
        match put {
            Ok(()) => {
                std::mem::forget(self);
                Ok(())
            }
            Err(hold) => Err((self, hold)),
        }
    }

    /// Puts it, and if that succeeds, it is to be forgotten. `full` is what to say if there is no place.
    fn put(&self, full: Hold) -> Result<(), Hold> {
        let depot = self.depot;
        match depot.ring().commit(depot.room.me(), self.owned)? {
            Put::Done => {
                depot.ring_bell(ITEMS, 1);
                Ok(())
            }
            Put::Full => {
                // Who could take is dead, maybe.
                depot.room.ensure_watched();
                Err(full)
            }
            Put::Closed => Err(Hold::ShutDown),
        }
    }
}

impl Drop for Filling<'_> {
    fn drop(&mut self) {
        let had_pages = self.depot.payloads().has_pages(self.owned.block);
        self.depot.all_blocks().release(self.owned);
        self.depot.ring_bell(ROOM, 1);
        if had_pages {
            self.depot.ring_bell(PAGES, u32::MAX);
        }
    }
}

/// An item that this process has taken. Dropped, also by a panic, it is finished.
pub(in crate::shared) struct Ticket<'a> {
    pub(super) depot: &'a Depot,
    pub(super) leased: Leased,
}

impl<'a> Ticket<'a> {
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

    /// The words to read, where there are no pages.
    #[inline]
    pub(in crate::shared) fn words(&self) -> &[AtomicU64] {
        self.depot.payloads().bytes(self.leased.block)
    }

    /// Tells of the place in the ring, where there are no pages, those who have filled a block already.
    #[inline]
    pub(in crate::shared) fn vacate(&self) {
        self.depot.ring_bell(PLACES, 1);
    }

    /// Tells of the room in the ring, while the block is kept.
    pub(in crate::shared) fn keep(self) -> Self {
        self.depot.ring_bell(ROOM, 1);
        self
    }

    /// Frees the block; the item is to be [reported](Depot::report).
    #[inline]
    pub(in crate::shared) fn count(self) -> Counted<'a> {
        self.depot.count();
        Counted(self.depot)
    }

    /// Leaves it to somebody else.
    pub(in crate::shared) fn put_back(self) {
        let depot = self.depot;
        depot.all_blocks().put_back(depot.room.me(), self.leased);
        std::mem::forget(self);
        depot.room.ring(ITEMS, 1);
        // After an immediate shutdown nobody waits for it.
        depot.ring_done();
    }
}

/// An item that was counted as got. Dropped, also by a panic, it is reported, as nobody has got it.
pub(in crate::shared) struct Counted<'a>(&'a Depot);

impl Counted<'_> {
    /// Somebody has got it, and is to report it.
    #[inline]
    pub(in crate::shared) fn keep(self) {
        std::mem::forget(self);
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.report();
    }
}

impl Drop for Ticket<'_> {
    #[inline]
    fn drop(&mut self) {
        let payloads = self.depot.payloads();
        let had_pages = payloads.has_pages(self.leased.block);
        payloads.blocks.acknowledge(self.leased);
        self.depot.ring_bell(ROOM, 1);
        if had_pages {
            self.depot.ring_bell(PAGES, u32::MAX);
        }
        self.depot.ring_done();
    }
}
