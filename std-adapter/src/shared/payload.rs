//! [`Payloads`]: what lies in a block, or, if it is too long for that, in pages that belong to the block.
//!
//! ```text
//!     block    header | generation:16, length:48 | bytes, or the number of the first page
//!     table    one word for each page: block:24 | generation:16 | next page:24
//!     pages
//! ```
//!
//! A page is in use if, and only if, the block in its table word is not free and has the generation that
//! stands there. A block takes the next generation whenever it is filled after having had pages. So the
//! one instruction that frees a block frees its pages too, whoever does it, and no death can leave a page
//! to nobody.
//!
//! Pages are found under a lock that names its holder; whoever learns of his death takes it from him.
//! There is nothing to repair: a table word counts from the instruction that writes it. What does
//! not fit into a block is therefore not put lock-free: a process that is stopped while it looks for
//! pages holds up the others that look for some. Generations are 16 bits; if they coincide, a page that is
//! free is taken for used until its block is filled once more, never the other way round.

#![forbid(unsafe_code)]

use super::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
};
use super::blocks::{Blocks, Header};
use super::corrupted::Corrupted;
use super::participants::Owner;
use crate::sys::memory::{WORD, copy_in, copy_out};

/// The most pages: their numbers have 24 bits.
pub(crate) const MOST_PAGES: usize = 1 << 24;
/// Words of a block that are not for bytes: its header and the word of the length.
pub(crate) const HEAD: usize = 2;

const LENGTH_BITS: u32 = 48;
const LENGTH_MASK: u64 = (1 << LENGTH_BITS) - 1;
const GENERATION_MASK: u64 = (1 << 16) - 1;
const NUMBER_MASK: u64 = (1 << 24) - 1;
/// Of the lock: somebody gave up on it, and is to be told when it is free.
const CONTENDED: u64 = 1 << 32;

/// The blocks' contents, and the pages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Payloads<'a> {
    pub(crate) blocks: Blocks<'a>,
    pub(crate) table: &'a [AtomicU64],
    /// As many words for each word of the table as [`page`](Self::page) says.
    pub(crate) pages: &'a [AtomicU64],
    /// Words of a page.
    pub(crate) page: usize,
    /// 0, or the tag of who looks for pages, and whether others have tried to.
    pub(crate) lock: &'a AtomicU64,
}

/// Where there is room for a payload.
#[derive(Debug)]
pub(crate) enum Place {
    Inside,
    /// In these pages.
    Pages(Vec<u32>),
}

impl<'a> Payloads<'a> {
    /// How many bytes fit into a block.
    #[inline]
    pub(crate) fn inside(&self) -> usize {
        (self.blocks.content(0).len() - 1) * WORD
    }

    /// How many bytes a payload can have.
    #[inline]
    pub(crate) fn most(&self) -> usize {
        self.inside().max(self.table.len() * self.page * WORD)
    }

    #[inline]
    fn meta(&self, block: u32) -> &'a AtomicU64 {
        &self.blocks.content(block)[0]
    }

    #[inline]
    pub(crate) fn bytes(&self, block: u32) -> &'a [AtomicU64] {
        &self.blocks.content(block)[1..]
    }

    /// Whether a block of ours, or one that we have taken, has pages, or had before it was claimed and keeps them from the others.
    #[inline]
    pub(crate) fn has_pages(&self, block: u32) -> bool {
        // ORDERING: Relaxed: the block is ours, or was acquired when we took it.
        self.meta(block).load(Relaxed) & LENGTH_MASK > self.inside() as u64
    }

    /// Says how long the payload of a block of ours will be, and so frees what pages it had.
    #[inline]
    fn set_length(&self, block: u32, length: usize) -> u64 {
        let meta = self.meta(block);
        // ORDERING: Relaxed: the block is ours.
        let before = meta.load(Relaxed);
        let inside = self.inside() as u64;
        let mut generation = before >> LENGTH_BITS;
        if before & LENGTH_MASK > inside || length as u64 > inside {
            // 0 is that of pages that were never used.
            generation = (generation % GENERATION_MASK) + 1;
        }
        // ORDERING: Release pairs with `is_free`: what was read of the pages comes before what is written
        // by who takes them next.
        meta.store(generation << LENGTH_BITS | length as u64, Release);
        generation
    }

    /// Fills a block of ours with bytes that fit into it.
    #[inline]
    pub(crate) fn fill(&self, block: u32, bytes: &[u8]) {
        self.set_length(block, bytes.len());
        copy_in(self.bytes(block), bytes);
    }

    /// Finds room for so many bytes in a block of ours; no place if there are not enough pages now. Says too
    /// whether somebody waits for the lock, which is free again.
    pub(crate) fn reserve(&self, me: Owner, block: u32, length: usize) -> (Option<Place>, bool) {
        let generation = self.set_length(block, length);
        if length <= self.inside() {
            return (Some(Place::Inside), false);
        }
        let (place, contended) = if self.lock(me) {
            let pages: Vec<u32> = self.free_pages().take(self.pages_for(length)).collect();
            let found = pages.len() == self.pages_for(length);
            if found {
                self.chain(block, generation, &pages);
            }
            // ORDERING: SeqCst, as the load of the bell that follows. Release pairs with `lock`: the table
            // is seen.
            let lock = self.lock.swap(0, SeqCst);
            (found.then_some(Place::Pages(pages)), lock & CONTENDED != 0)
        } else {
            (None, false)
        };
        if place.is_none() {
            // No page has this generation.
            self.set_empty(block, generation);
        }
        (place, contended)
    }

    /// Says of a block of ours that it has no pages.
    fn set_empty(&self, block: u32, generation: u64) {
        // ORDERING: Release, as in `set_length`.
        self.meta(block).store(generation << LENGTH_BITS, Release);
    }

    /// Whether there is most likely no room for so many bytes: a glance, without the lock. After a fence,
    /// a `true` has seen the pages that were free before.
    pub(crate) fn seem_too_few(&self, length: usize) -> bool {
        let count = self.pages_for(length);
        length > self.inside() && self.free_pages().take(count).count() < count
    }

    fn pages_for(&self, length: usize) -> usize {
        length.div_ceil(self.page * WORD)
    }

    fn free_pages(&self) -> impl Iterator<Item = u32> {
        #[allow(clippy::cast_possible_truncation, reason = "there are fewer")]
        let pages = 0..self.table.len() as u32;
        pages.filter(|page| self.is_free(*page))
    }

    fn chain(&self, block: u32, generation: u64, pages: &[u32]) {
        let next = pages.iter().skip(1).chain(pages.first());
        for (page, next) in pages.iter().zip(next) {
            let word = u64::from(block) << 40 | generation << 24 | u64::from(*next);
            // ORDERING: Relaxed: published by the lock to those who look for pages, and with the
            // block to who reads it.
            self.table[*page as usize].store(word, Relaxed);
        }
        if let Some(first) = pages.first() {
            // ORDERING: Relaxed: published with the block.
            self.bytes(block)[0].store(u64::from(*first), Relaxed);
        }
    }

    /// Takes the lock, if that succeeds before long; otherwise its holder learns that somebody waits. He has
    /// it for microseconds, or is stopped.
    fn lock(&self, me: Owner) -> bool {
        for turn in 0..220 {
            // ORDERING: Acquire pairs with the Release of the holder before.
            let take = self
                .lock
                .compare_exchange(0, u64::from(me.tag()), Acquire, Relaxed);
            let Err(held) = take else { return true };
            // ORDERING: SeqCst: of two, either the holder sees it when he lets go, or we find it free.
            let asked = turn >= 200
                && self
                    .lock
                    .compare_exchange(held, held | CONTENDED, SeqCst, Relaxed)
                    .is_ok();
            if asked {
                return false;
            }
            if turn < 20 {
                std::hint::spin_loop();
            } else {
                std::thread::yield_now();
            }
        }
        false
    }

    /// Takes the lock from a process that is dead.
    pub(crate) fn sweep(&self, dead: Owner) {
        let tag = u64::from(dead.tag());
        for held in [tag, tag | CONTENDED] {
            // ORDERING: SeqCst, more than is needed: what he wrote is seen, as he is dead.
            let _ = self.lock.compare_exchange(held, 0, SeqCst, Relaxed);
        }
    }

    fn is_free(&self, page: u32) -> bool {
        // ORDERING: Relaxed: we have the lock, or only glance.
        let word = self.table[page as usize].load(Relaxed);
        let generation = word >> 24 & GENERATION_MASK;
        let Ok(block) = self.blocks.check((word >> 40) as u32) else {
            return true;
        };
        if generation == 0 || self.blocks.header(block) == Header::FREE {
            return true;
        }
        // ORDERING: Acquire pairs with `set_length`. An old generation has the page taken for used.
        self.meta(block).load(Acquire) >> LENGTH_BITS != generation
    }

    /// The words of a page.
    fn page(&self, page: u32) -> &'a [AtomicU64] {
        &self.pages[page as usize * self.page..][..self.page]
    }

    /// Writes a part of a payload, from a multiple of 8 bytes on; only the last may end elsewhere.
    pub(crate) fn write(&self, block: u32, place: &Place, mut at: usize, mut bytes: &[u8]) {
        let pages = match place {
            Place::Inside => return copy_in(&self.bytes(block)[at / WORD..], bytes),
            Place::Pages(pages) => pages,
        };
        while !bytes.is_empty() {
            let size = self.page * WORD;
            let words = &self.page(pages[at / size])[at % size / WORD..];
            let (here, rest) = bytes.split_at(bytes.len().min(words.len() * WORD));
            copy_in(words, here);
            at += here.len();
            bytes = rest;
        }
    }

    /// How long the payload of a block is that we have taken.
    #[inline]
    pub(crate) fn length(&self, block: u32) -> Result<usize, Corrupted> {
        // ORDERING: Relaxed: acquired with the block.
        let length = self.meta(block).load(Relaxed) & LENGTH_MASK;
        let length = usize::try_from(length).map_err(|_| Corrupted)?;
        if length > self.most() {
            return Err(Corrupted);
        }
        Ok(length)
    }

    /// Copies a payload out of a block that we have taken. `into` is as long as [`length`](Self::length)
    /// has said.
    #[inline]
    pub(crate) fn read(&self, block: u32, into: &mut [u8]) -> Result<(), Corrupted> {
        if into.len() <= self.inside() {
            copy_out(self.bytes(block), into);
            return Ok(());
        }
        self.read_pages(block, into)
    }

    #[inline(never)]
    fn read_pages(self, block: u32, into: &mut [u8]) -> Result<(), Corrupted> {
        // ORDERING: Relaxed, here and below: acquired with the block.
        let mut page = self.bytes(block)[0].load(Relaxed);
        for part in into.chunks_mut(self.page * WORD) {
            let number = u32::try_from(page).map_err(|_| Corrupted)?;
            let word = self.table.get(number as usize).ok_or(Corrupted)?;
            copy_out(self.page(number), part);
            page = word.load(Relaxed) & NUMBER_MASK;
        }
        Ok(())
    }
}
