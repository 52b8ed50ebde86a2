//! The memory of a model, with a ring in it, and what a process does there.

use brigade_core::sync::UnsafeCell;

use super::atomic::AtomicU64;
use super::blocks::{Blocks, Leased, Owned};
use super::participants::Owner;
use super::ring::{Begun, Put, Ring, Taken};

pub(super) const A: Owner = owner(0);
pub(super) const B: Owner = owner(1);
pub(super) const C: Owner = owner(2);

const fn owner(index: u16) -> Owner {
    Owner {
        index,
        incarnation: 1,
    }
}

/// Words of shared memory, and beside each block a cell in which loom watches who uses it.
pub(super) struct Memory {
    words: Vec<AtomicU64>,
    orphans: AtomicU64,
    slots: Vec<AtomicU64>,
    hints: [AtomicU64; 2],
    contents: Vec<UnsafeCell<u32>>,
}

impl Memory {
    /// Zeroed, with a ring of so many places over these blocks.
    pub(super) fn new(places: usize, blocks: usize) -> Self {
        Self::near_wrap(places, blocks, 0)
    }

    /// The same, so many laps before the number of laps wraps around.
    pub(super) fn near_wrap(places: usize, blocks: usize, laps: u64) -> Self {
        let lap = laps.wrapping_neg() & ((1 << 39) - 1);
        let words = |count, value| (0..count).map(|_| AtomicU64::new(value)).collect();
        Self {
            words: words(blocks, 0),
            orphans: AtomicU64::new(0),
            slots: words(places, lap << 25),
            hints: [lap, lap].map(|lap| AtomicU64::new(lap << 24)),
            contents: (0..blocks).map(|_| UnsafeCell::new(0)).collect(),
        }
    }

    pub(super) fn blocks(&self) -> Blocks<'_> {
        Blocks::new(
            &self.words,
            u32::try_from(self.words.len()).unwrap(),
            1,
            &self.orphans,
        )
    }

    pub(super) fn ring(&self) -> Ring<'_> {
        let [head, tail] = &self.hints;
        Ring::new(self.blocks(), &self.slots, head, tail)
    }

    pub(super) fn write(&self, block: u32, item: u32) {
        self.contents[block as usize].with_mut(|content| {
            // SAFETY: the block is ours; loom tells if somebody else uses it.
            unsafe { *content = item };
        });
    }

    pub(super) fn read(&self, block: u32) -> u32 {
        // SAFETY: as above.
        self.contents[block as usize].with(|content| unsafe { *content })
    }

    /// Puts an item if there is room and a block.
    pub(super) fn put(&self, me: Owner, item: u32) -> Put {
        self.try_put(me, item).unwrap_or_else(|begun| match begun {
            Begun::Closed => Put::Closed,
            _ => Put::Full,
        })
    }

    /// The same, as the adapter does it; if there is no block, it says why.
    pub(super) fn try_put(&self, me: Owner, item: u32) -> Result<Put, Begun> {
        let ring = self.ring();
        let (owned, spot) = match ring.begin_at_hint(me).unwrap() {
            Some((owned, spot)) => (owned, Some(spot)),
            None => match ring.begin_elsewhere(me, 0).unwrap() {
                Begun::Fill(owned) => (owned, None),
                nothing => return Err(nothing),
            },
        };
        self.write(owned.block, item);
        if spot.is_some_and(|spot| ring.commit_at(me, owned, spot)) {
            return Ok(Put::Done);
        }
        let put = ring.commit(me, owned).unwrap();
        if put != Put::Done {
            self.blocks().release(owned);
        }
        Ok(put)
    }

    /// Takes an item, one that somebody left behind if there is any.
    pub(super) fn lease(&self, me: Owner) -> Option<Leased> {
        let orphan = self.blocks().adopt(me);
        orphan.or_else(|| match self.ring().take(me).unwrap() {
            Taken::Item(leased) => Some(leased),
            Taken::Empty | Taken::Closed => None,
        })
    }

    /// Takes an item and acknowledges it.
    pub(super) fn get(&self, me: Owner) -> Option<u32> {
        let leased = self.lease(me)?;
        let item = self.read(leased.block);
        self.blocks().acknowledge(leased);
        Some(item)
    }

    /// All that is left, in the order in which it comes, and that no block is lost.
    pub(super) fn drain(&self) -> Vec<u32> {
        let left = std::iter::from_fn(|| self.get(C)).collect();
        let blocks = self.blocks();
        let claimed: Vec<Owned> = std::iter::from_fn(|| blocks.claim(C, 0)).collect();
        let held = (0..blocks.count()).filter(|&block| blocks.header(block).owner() != C);
        assert_eq!(held.count(), 0, "a block is lost");
        assert_eq!(claimed.len(), blocks.count() as usize, "a block is lost");
        left
    }
}

// SAFETY: the cells are only used by who has the block, and loom watches over that.
unsafe impl Sync for Memory {}
