//! [`Blocks`]: pieces of shared memory that change hands, and whose headers say whose they are.
//!
//! One 64-bit word heads each block. It is the only truth about the block: it tells who has it and
//! what for, so every transfer is one compare-and-swap or one store, and a process that is killed
//! between any two instructions leaves behind words that say exactly what it held.
//!
//! ```text
//!                 claim                 commit to a ring            take from it
//!      FREE ─────────────▶ OWNED(p) ─────────────▶ QUEUED(p, pos) ─────────────▶ LEASED(p, tries)
//!       ▲ ▲  release          │  ▲  refused              │                         │ │    ▲
//!       │ └───────────────────┘  └───────────────────────┘                         │ │    │ take
//!       │                    acknowledge                                           │ │    │
//!       └──────────────────────────────────────────────────────────────────────────┘ └▶ ORPHAN(tries)
//!                                                                          put back, or p died
//! ```
//!
//! A header that names a process carries its incarnation as well: the index of a process that died
//! is given to another, and what a slow survivor still does for the first must not hit the second.
//! Incarnations are 10 bits: a survivor that stops inside [`sweep`](super::ring::Ring::sweep) between two
//! instructions, sleeps while exactly a multiple of 1024 processes come and go on one index, and wakes
//! up while the last of them has the very same block in the very same state, frees it wrongly.
//!
//! Headers come from memory that a hostile or broken process can write. Whatever is in them only
//! decides between memory-safe ways to go on.

#![forbid(unsafe_code)]

use super::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
};
use super::corrupted::Corrupted;
use super::participants::Owner;

/// The most blocks of one set: their numbers have 24 bits.
pub(crate) const MOST_BLOCKS: u32 = 1 << 24;

/// What a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum State {
    Free = 0,
    Owned = 1,
    Queued = 2,
    Leased = 3,
    Orphan = 4,
}

/// `state:3 | index:10 | incarnation:10 | rest:41`, where the rest is a position, or how often it was
/// delivered. All zero is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header(u64);

const STATE_SHIFT: u32 = 61;
const INDEX_SHIFT: u32 = 51;
const INCARNATION_SHIFT: u32 = 41;
const TEN_BITS: u64 = (1 << 10) - 1;

/// The bits of a position that fit into a header.
pub(crate) const POSITION_MASK: u64 = (1 << INCARNATION_SHIFT) - 1;

impl Header {
    pub(crate) const FREE: Self = Self(0);

    #[inline]
    const fn new(state: State, owner: Owner, rest: u64) -> Self {
        Self(
            (state as u64) << STATE_SHIFT
                | (owner.index as u64) << INDEX_SHIFT
                | (owner.incarnation as u64) << INCARNATION_SHIFT
                | rest,
        )
    }

    pub(crate) const fn state(self) -> Option<State> {
        Some(match self.0 >> STATE_SHIFT {
            0 => State::Free,
            1 => State::Owned,
            2 => State::Queued,
            3 => State::Leased,
            4 => State::Orphan,
            _ => return None,
        })
    }

    /// Who has it; of an orphan, who had it.
    pub(crate) const fn owner(self) -> Owner {
        Owner {
            index: (self.0 >> INDEX_SHIFT & TEN_BITS) as u16,
            incarnation: (self.0 >> INCARNATION_SHIFT & TEN_BITS) as u16,
        }
    }

    /// Where it is queued.
    pub(crate) const fn position(self) -> u64 {
        self.0 & POSITION_MASK
    }

    /// How often it was delivered before, of something leased or an orphan.
    pub(crate) const fn tries(self) -> u16 {
        (self.0 & 0xFFFF) as u16
    }

    /// Whether it is queued at this position.
    #[inline]
    pub(crate) const fn is_queued_at(self, position: u64) -> bool {
        matches!(self.state(), Some(State::Queued)) && self.position() == position & POSITION_MASK
    }

    /// What a dead process leased, or one gives back: delivered once more.
    const fn orphaned(self) -> Self {
        let tries = self.tries().saturating_add(1);
        Self::new(State::Orphan, self.owner(), tries as u64)
    }
}

/// A block that this process fills: `OWNED`, and nobody else touches it.
///
/// Dropping it does nothing, as if the process were killed: the callers see to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) struct Owned {
    pub(crate) block: u32,
}

/// A block that this process has taken and not yet acknowledged: `LEASED`.
///
/// Dropping it does nothing, as if the process were killed: the callers see to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(crate) struct Leased {
    pub(crate) block: u32,
    /// How often it was delivered before.
    pub(crate) tries: u16,
}

/// A set of blocks: `count` times `stride` words, the first of each being its header.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Blocks<'a> {
    words: &'a [AtomicU64],
    stride: usize,
    count: u32,
    /// `version:39 | block:24 | raised:1`: whether there may be orphans, and where to look first.
    orphans: &'a AtomicU64,
}

const RAISED: u64 = 1;
const VERSION: u64 = 1 << 25;

impl<'a> Blocks<'a> {
    /// So many blocks in these words; zeroed words are free blocks.
    ///
    /// There must be at least one, no more than [`MOST_BLOCKS`], and as many words as they take: whoever
    /// makes sense of the memory has checked that. Otherwise operations panic.
    #[inline]
    pub(crate) fn new(
        words: &'a [AtomicU64],
        count: u32,
        stride: usize,
        orphans: &'a AtomicU64,
    ) -> Self {
        debug_assert!(count > 0 && count <= MOST_BLOCKS && words.len() == count as usize * stride);
        Self {
            words,
            stride,
            count,
            orphans,
        }
    }

    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// A block number that was read from shared memory, if there is such a block.
    #[inline]
    pub(crate) fn check(&self, block: u32) -> Result<u32, Corrupted> {
        if block < self.count {
            Ok(block)
        } else {
            Err(Corrupted)
        }
    }

    /// What follows the header of a block.
    #[inline]
    pub(crate) fn content(&self, block: u32) -> &'a [AtomicU64] {
        let start = block as usize * self.stride;
        &self.words[start + 1..start + self.stride]
    }

    #[inline]
    fn word(&self, block: u32) -> &'a AtomicU64 {
        &self.words[block as usize * self.stride]
    }

    #[inline]
    pub(crate) fn header(&self, block: u32) -> Header {
        // ORDERING: Acquire pairs with the Release by which the block came to be what it is, in
        // `release`, `acknowledge`, `change`: whoever goes on from what it sees here also sees what
        // was done before.
        Header(self.word(block).load(Acquire))
    }

    /// Takes this block if it is free.
    #[inline]
    pub(crate) fn claim_this(&self, me: Owner, block: u32) -> Option<Owned> {
        let owned = Header::new(State::Owned, me, 0);
        // ORDERING: Acquire pairs with the Release of whoever freed it: his reads of the content come
        // before our writes, and we see as much of the rings as he did when he took it.
        let claim = self
            .word(block)
            .compare_exchange(Header::FREE.0, owned.0, Acquire, Relaxed);
        claim.is_ok().then_some(Owned { block })
    }

    /// Takes a free block, looking from `cursor` on, if there is any.
    ///
    /// Wait-free: looks at each block once. A `None` is old news: every block was seen in use, but not
    /// all at the same time.
    pub(crate) fn claim(&self, me: Owner, cursor: u32) -> Option<Owned> {
        let start = cursor % self.count;
        (start..self.count)
            .chain(0..start)
            // ORDERING: Relaxed: a glance, to spare the others the compare-and-swap.
            .filter(|&block| self.word(block).load(Relaxed) == Header::FREE.0)
            .find_map(|block| self.claim_this(me, block))
    }

    /// Whether there are orphans to [adopt](Self::adopt), most likely.
    #[inline]
    pub(crate) fn seem_orphaned(&self) -> bool {
        // ORDERING: Relaxed: a glance.
        self.orphans.load(Relaxed) & RAISED != 0
    }

    /// Gives back a block that was not put anywhere.
    #[inline]
    pub(crate) fn release(&self, owned: Owned) {
        // ORDERING: SeqCst, as is the load of the bell that follows: who waits for a block is seen, or
        // sees it. Release pairs with the Acquire of `claim_this`: what was done to the content
        // stays before what the next one writes.
        self.word(owned.block).store(Header::FREE.0, SeqCst);
    }

    /// Gives back a block whose content has been dealt with: it will not be delivered again.
    #[inline]
    pub(crate) fn acknowledge(&self, leased: Leased) {
        self.release(Owned {
            block: leased.block,
        });
    }

    /// Leaves the item for somebody else; it counts as delivered once more.
    pub(crate) fn put_back(&self, me: Owner, leased: Leased) {
        let orphan = leased.header(me).orphaned();
        // ORDERING: Release pairs with the Acquire of whoever takes it: the content, as we saw it.
        self.word(leased.block).store(orphan.0, Release);
        self.raise(leased.block);
    }

    /// Whether anybody has taken something and not acknowledged it. A `false` is old news, as of
    /// [`claim`](Self::claim).
    pub(crate) fn any_leased(&self) -> bool {
        (0..self.count).any(|block| self.header(block).state() == Some(State::Leased))
    }

    /// Takes what somebody put back, or died with.
    #[inline]
    pub(crate) fn adopt(&self, me: Owner) -> Option<Leased> {
        // ORDERING: Acquire pairs with the Release of `raise`: the orphan itself is seen.
        let flag = self.orphans.load(Acquire);
        if flag & RAISED == 0 {
            return None;
        }
        self.adopt_raised(me, flag)
    }

    #[inline(never)]
    fn adopt_raised(self, me: Owner, flag: u64) -> Option<Leased> {
        #[allow(clippy::cast_possible_truncation, reason = "24 bits are left")]
        let hint = (flag >> 1 & (u64::from(MOST_BLOCKS) - 1)) as u32 % self.count;
        let found = (hint..self.count)
            .chain(0..hint)
            .find_map(|block| self.adopt_this(me, block));
        if found.is_none() {
            // ORDERING: Relaxed: it publishes nothing. If another orphan was announced since, the
            // version differs, and the flag stays up.
            let _ = self
                .orphans
                .compare_exchange(flag, flag & !RAISED, Relaxed, Relaxed);
        }
        found
    }

    fn adopt_this(&self, me: Owner, block: u32) -> Option<Leased> {
        let header = self.header(block);
        if header.state() != Some(State::Orphan) {
            return None;
        }
        let leased = Leased {
            block,
            tries: header.tries(),
        };
        self.change(block, header, leased.header(me))
            .then_some(leased)
    }

    /// Announces an orphan. Lock-free.
    pub(super) fn raise(&self, block: u32) {
        // ORDERING: Release pairs with the Acquire in `adopt`: who sees the flag sees the orphan.
        let _ = self.orphans.fetch_update(Release, Relaxed, |flag| {
            let version = (flag & !(VERSION - 1)).wrapping_add(VERSION);
            Some(version | u64::from(block) << 1 | RAISED)
        });
    }

    /// One transfer of a block that others may transfer at the same time.
    #[inline]
    pub(super) fn change(&self, block: u32, from: Header, to: Header) -> bool {
        // ORDERING: SeqCst for the bell that is looked at next. Acquire pairs with the Release of the
        // transfer before, so that the content is seen; Release passes it on, also by who did not
        // write it, and pairs with the Acquire of who makes the next transfer.
        self.word(block)
            .compare_exchange(from.0, to.0, SeqCst, Relaxed)
            .is_ok()
    }

    /// Says that a block of ours is about to stand at this position.
    #[inline]
    pub(super) fn mark_queued(&self, me: Owner, owned: Owned, position: u64) {
        let header = Header::new(State::Queued, me, position & POSITION_MASK);
        // ORDERING: Relaxed: nobody looks for it before the ring's slot names the block, and that is
        // written with Release.
        self.word(owned.block).store(header.0, Relaxed);
    }

    /// Takes that back.
    pub(super) fn mark_owned(&self, me: Owner, owned: Owned) {
        // ORDERING: Relaxed: only we and a sweep after our death look at it.
        let header = Header::new(State::Owned, me, 0);
        self.word(owned.block).store(header.0, Relaxed);
    }

    /// What the sweep does with what a dead process had: see [`sweep`](super::ring::Ring::sweep).
    /// `is_shown` tells whether the ring shows the block at the position in the header.
    pub(super) fn recover(&self, block: u32, header: Header, is_shown: impl FnOnce() -> bool) {
        let left = match header.state() {
            Some(State::Owned) => Header::FREE,
            Some(State::Queued) => {
                if is_shown() {
                    return;
                }
                Header::FREE
            }
            Some(State::Leased) => header.orphaned(),
            Some(State::Free | State::Orphan) | None => return,
        };
        // If it fails, another survivor was faster.
        self.change(block, header, left);
    }
}

impl Leased {
    /// A block that is taken from a ring.
    pub(super) fn first(block: u32) -> Self {
        Self { block, tries: 0 }
    }

    #[inline]
    pub(super) fn header(self, me: Owner) -> Header {
        Header::new(State::Leased, me, u64::from(self.tries))
    }
}
