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
//! `FORWARDED(p, pos)` is a `QUEUED` that was a `LEASED`: a block filled anew by whoever had leased it,
//! and put into another ring. If its owner dies before the ring shows it, the lease has to be
//! redelivered, while a block that was merely being put is free again.
//!
//! A header that names a process carries its incarnation as well: the index of a process that died
//! is given to another, and what a slow survivor still does for the first must not hit the second.
//! Incarnations are 10 bits: a survivor that stops inside [`sweep`](super::ring::sweep) between two
//! instructions, sleeps while exactly a multiple of 1024 processes come and go on one index, and wakes
//! up while the last of them has the very same block in the very same state, frees it wrongly.
//!
//! Headers come from memory that a hostile or broken process can write. Whatever is in them only
//! decides between memory-safe ways to go on.

#![forbid(unsafe_code)]

use super::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
    fence,
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
    Forwarded = 3,
    Leased = 4,
    Orphan = 5,
}

/// `state:3 | index:10 | incarnation:10 | ring:2 | rest:39`, where the rest is a position, or
/// `spoiled:1 | tries:16`. All zero is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header(u64);

const STATE_SHIFT: u32 = 61;
const INDEX_SHIFT: u32 = 51;
const INCARNATION_SHIFT: u32 = 41;
const RING_SHIFT: u32 = 39;
const TEN_BITS: u64 = (1 << 10) - 1;
const SPOILED: u64 = 1 << 16;
const TRIES: u64 = SPOILED - 1;

/// The bits of a position that fit into a header.
pub(crate) const POSITION_MASK: u64 = (1 << RING_SHIFT) - 1;

impl Header {
    pub(crate) const FREE: Self = Self(0);

    const fn new(state: State, owner: Owner, ring: u8, rest: u64) -> Self {
        Self(
            (state as u64) << STATE_SHIFT
                | (owner.index as u64) << INDEX_SHIFT
                | (owner.incarnation as u64) << INCARNATION_SHIFT
                | (ring as u64) << RING_SHIFT
                | rest,
        )
    }

    pub(crate) const fn state(self) -> Option<State> {
        Some(match self.0 >> STATE_SHIFT {
            0 => State::Free,
            1 => State::Owned,
            2 => State::Queued,
            3 => State::Forwarded,
            4 => State::Leased,
            5 => State::Orphan,
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

    /// Which ring it is in, or was taken from.
    pub(crate) const fn ring(self) -> u8 {
        (self.0 >> RING_SHIFT & 3) as u8
    }

    /// Where it is queued.
    pub(crate) const fn position(self) -> u64 {
        self.0 & POSITION_MASK
    }

    /// How often it was delivered before, of something leased or an orphan.
    pub(crate) const fn tries(self) -> u16 {
        (self.0 & TRIES) as u16
    }

    /// Whether the content of something leased, or an orphan, was being written over.
    pub(crate) const fn is_spoiled(self) -> bool {
        self.0 & SPOILED != 0
    }

    /// Whether it is in this ring at this position.
    pub(crate) const fn is_queued_at(self, ring: u8, position: u64) -> bool {
        matches!(self.state(), Some(State::Queued | State::Forwarded))
            && self.ring() == ring
            && self.position() == position & POSITION_MASK
    }

    const fn queued(state: State, owner: Owner, ring: u8, position: u64) -> Self {
        Self::new(state, owner, ring, position & POSITION_MASK)
    }

    /// The same for an orphan, delivered once more.
    const fn orphaned(self, tries: u16) -> Self {
        let spoiled = self.0 & SPOILED;
        Self::new(
            State::Orphan,
            self.owner(),
            self.ring(),
            spoiled | tries as u64,
        )
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
    /// Which ring it comes from.
    pub(crate) ring: u8,
    /// How often it was delivered before.
    pub(crate) tries: u16,
    /// Whether somebody died while writing over the content.
    pub(crate) spoiled: bool,
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
    /// The blocks in these words; zeroed words are free blocks.
    ///
    /// # Panics
    ///
    /// If there are none, too many, or the words are not a multiple of the stride.
    pub(crate) fn new(words: &'a [AtomicU64], stride: usize, orphans: &'a AtomicU64) -> Self {
        let count = words.len() / stride;
        assert_eq!(words.len() % stride, 0);
        assert!(count > 0 && count <= MOST_BLOCKS as usize);
        Self {
            words,
            stride,
            count: u32::try_from(count).expect("checked above"),
            orphans,
        }
    }

    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// A block number that was read from shared memory, if there is such a block.
    pub(crate) fn check(&self, block: u32) -> Result<u32, Corrupted> {
        if block < self.count {
            Ok(block)
        } else {
            Err(Corrupted)
        }
    }

    /// What follows the header of a block.
    pub(crate) fn content(&self, block: u32) -> &'a [AtomicU64] {
        let start = block as usize * self.stride;
        &self.words[start + 1..start + self.stride]
    }

    fn word(&self, block: u32) -> &'a AtomicU64 {
        &self.words[block as usize * self.stride]
    }

    pub(crate) fn header(&self, block: u32) -> Header {
        // ORDERING: Acquire pairs with the Release by which the block came to be what it is, in
        // `release`, `acknowledge`, `change`: whoever goes on from what it sees here also sees what
        // was done before.
        Header(self.word(block).load(Acquire))
    }

    /// Takes this block if it is free.
    pub(crate) fn claim_this(&self, me: Owner, block: u32) -> Option<Owned> {
        // ORDERING: Relaxed: a glance, to spare the others the compare-and-swap.
        if self.word(block).load(Relaxed) != Header::FREE.0 {
            return None;
        }
        let owned = Header::new(State::Owned, me, 0, 0);
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
            .find_map(|block| self.claim_this(me, block))
    }

    /// Gives back a block that was not put anywhere.
    pub(crate) fn release(&self, owned: Owned) {
        // ORDERING: SeqCst, as is the load of the bell that follows: who waits for a block is seen, or
        // sees it. Release pairs with the Acquire of `claim_this`: what was done to the content
        // stays before what the next one writes.
        self.word(owned.block).store(Header::FREE.0, SeqCst);
    }

    /// Gives back a block whose content has been dealt with: it will not be delivered again.
    pub(crate) fn acknowledge(&self, leased: Leased) {
        self.release(Owned {
            block: leased.block,
        });
    }

    /// Says that the content is about to be written over, for [`Ring::forward`].
    ///
    /// [`Ring::forward`]: super::ring::Ring::forward
    pub(crate) fn spoil(&self, me: Owner, leased: Leased) -> Leased {
        let leased = Leased {
            spoiled: true,
            ..leased
        };
        self.mark_leased(me, leased);
        // ORDERING: Release: the compiler keeps the writes behind the mark, so who is killed among
        // them is marked. It pairs with nothing: a dead process is seen with all it did.
        fence(Release);
        leased
    }

    /// Leaves the item for somebody else; it counts as delivered once more.
    pub(crate) fn put_back(&self, me: Owner, leased: Leased) {
        let orphan = leased.header(me).orphaned(leased.tries.saturating_add(1));
        // ORDERING: Release pairs with the Acquire of whoever takes it: the content, as we saw it.
        self.word(leased.block).store(orphan.0, Release);
        self.raise(leased.block);
    }

    /// Takes what somebody put back, or died with.
    pub(crate) fn adopt(&self, me: Owner) -> Option<Leased> {
        // ORDERING: Acquire pairs with the Release of `raise`: the orphan itself is seen.
        let flag = self.orphans.load(Acquire);
        if flag & RAISED == 0 {
            return None;
        }
        let hint = (flag >> 1) as u32 % (1 << 24) % self.count;
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
            ring: header.ring(),
            tries: header.tries(),
            spoiled: header.is_spoiled(),
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
    pub(super) fn change(&self, block: u32, from: Header, to: Header) -> bool {
        // ORDERING: SeqCst for the bell that is looked at next. Acquire pairs with the Release of the
        // transfer before, so that the content is seen; Release passes it on, also by who did not
        // write it, and pairs with the Acquire of who makes the next transfer.
        self.word(block)
            .compare_exchange(from.0, to.0, SeqCst, Relaxed)
            .is_ok()
    }

    /// Says that a block of ours is about to stand at this position.
    pub(super) fn mark_queued(
        &self,
        me: Owner,
        block: u32,
        forwarded: bool,
        ring: u8,
        position: u64,
    ) {
        let state = if forwarded {
            State::Forwarded
        } else {
            State::Queued
        };
        let header = Header::queued(state, me, ring, position);
        // ORDERING: Relaxed: nobody looks for it before the ring's slot names the block, and that is
        // written with Release.
        self.word(block).store(header.0, Relaxed);
    }

    /// Takes that back.
    pub(super) fn mark_owned(&self, me: Owner, owned: Owned) {
        // ORDERING: Relaxed: only we and a sweep after our death look at it.
        let header = Header::new(State::Owned, me, 0, 0);
        self.word(owned.block).store(header.0, Relaxed);
    }

    /// Says that it is leased to us.
    pub(super) fn mark_leased(&self, me: Owner, leased: Leased) {
        // ORDERING: Relaxed: only we and a sweep after our death look at it.
        self.word(leased.block).store(leased.header(me).0, Relaxed);
    }

    /// What the sweep does with what a dead process had: see [`sweep`](super::ring::sweep).
    /// `is_shown` tells whether the ring shows the block at the position in the header.
    pub(super) fn recover(&self, block: u32, header: Header, is_shown: impl Fn() -> bool) -> bool {
        let orphan = match header.state() {
            Some(State::Owned) => Header::FREE,
            Some(State::Queued) if !is_shown() => Header::FREE,
            Some(State::Forwarded) if !is_shown() => {
                Header::new(State::Orphan, header.owner(), header.ring(), SPOILED)
            }
            Some(State::Leased) => header.orphaned(header.tries().saturating_add(1)),
            _ => return false,
        };
        self.change(block, header, orphan)
    }
}

impl Leased {
    fn header(self, me: Owner) -> Header {
        let spoiled = if self.spoiled { SPOILED } else { 0 };
        Header::new(
            State::Leased,
            me,
            self.ring,
            spoiled | u64::from(self.tries),
        )
    }
}

pub(super) fn leased(me: Owner, block: u32, ring: u8) -> (Leased, Header) {
    let leased = Leased {
        block,
        ring,
        tries: 0,
        spoiled: false,
    };
    (leased, leased.header(me))
}
