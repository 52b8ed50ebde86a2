//! [`Shape`]: what is where in the segment, and how large it is.

#![forbid(unsafe_code)]

use std::io;

use super::{BELLS, CONTROL, COUNTERS, LINE};
use crate::shared::blocks::MOST_BLOCKS;
use crate::shared::payload::{HEAD, MOST_PAGES};
use crate::shared::segment::Plan;
use crate::shared::slot::MOST_PLACES;
use crate::sys::memory::WORD;

/// Bytes of a page.
pub(super) const PAGE: usize = 4096;

/// How large the parts are.
#[derive(Debug, Clone, Copy)]
pub(in crate::shared) struct Shape {
    pub(in crate::shared) capacity: usize,
    pub(in crate::shared) blocks: usize,
    /// Words of a block.
    pub(in crate::shared) stride: usize,
    pub(in crate::shared) pages: usize,
}

impl Shape {
    /// For so many items, so many in the hands of processes besides, so many bytes in a block, and so
    /// many for those that are longer. `None` if that is too much, or too little.
    pub(in crate::shared) fn new(
        capacity: usize,
        leases: usize,
        block: usize,
        bytes: usize,
    ) -> Option<Self> {
        let words = block.div_ceil(WORD).checked_add(HEAD)?;
        let shape = Self {
            capacity,
            blocks: capacity.checked_add(leases)?,
            // Whole cache lines.
            stride: words.checked_next_multiple_of(LINE / 2)?,
            pages: bytes.div_ceil(PAGE),
        };
        shape.is_valid().then_some(shape)
    }

    pub(super) fn is_valid(&self) -> bool {
        self.capacity > 0
            && self.capacity <= MOST_PLACES
            && self.blocks > self.capacity
            && self.blocks <= MOST_BLOCKS as usize
            && self.stride > HEAD
            && self.pages < MOST_PAGES
    }

    /// Where the parts begin, in words, and where they end.
    pub(super) fn parts(&self, participants: usize) -> Option<[usize; 6]> {
        let mut at = CONTROL;
        let sizes = [
            participants.checked_mul(COUNTERS)?,
            self.capacity,
            self.blocks.checked_mul(self.stride)?,
            self.pages,
            self.pages.checked_mul(PAGE / WORD)?,
        ];
        let mut parts = [at; 6];
        for (part, size) in parts[1..].iter_mut().zip(sizes) {
            at = at.checked_add(size)?.checked_next_multiple_of(LINE)?;
            *part = at;
        }
        Some(parts)
    }

    pub(in crate::shared) fn plan(&self, participants: usize) -> io::Result<Plan> {
        let end = self.parts(participants).map(|parts| parts[5]);
        let length = end.and_then(|end| end.checked_mul(WORD));
        let mut config = [0; 8];
        let sizes = [self.capacity, self.blocks, self.stride, self.pages];
        for (word, size) in config.iter_mut().zip(sizes) {
            *word = size as u64;
        }
        Ok(Plan {
            participants,
            bells: BELLS,
            length: length.ok_or(io::ErrorKind::InvalidInput)?,
            config,
        })
    }
}
