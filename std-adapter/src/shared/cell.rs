//! A value in a segment that is replaced as a whole: who reads finds the old one or the new one, also if the
//! writer is killed in the middle.
//!
//! ```text
//!     version    first buffer    second buffer        an even version: the first is the value
//! ```
//!
//! Who writes (one at a time, by a lock) writes to the other buffer and then counts the version on, by one
//! instruction. Who reads without the lock looks at the version again afterwards.

use std::sync::Arc;

use super::atomic::{Ordering, fence};
use super::segment::Room;
use crate::sys::memory::{WORD, Words, copy_in, copy_out};
use crate::sys::plain::{self, Plain};

/// See the top of the file.
#[derive(Debug)]
pub(crate) struct Cell {
    version: Words,
    buffers: [Words; 2],
    size: usize,
}

impl Cell {
    /// How much room a value of this size takes.
    pub(crate) const fn length(size: usize) -> usize {
        WORD + 2 * size.next_multiple_of(WORD)
    }

    /// The cell for a value of this size, which has been read from the segment.
    pub(crate) fn attach(room: &Arc<Room>, offset: usize, size: u64) -> Option<Self> {
        let size = usize::try_from(size).ok()?;
        let count = size.div_ceil(WORD);
        let first = offset.checked_add(WORD)?;
        let second = first.checked_add(count.checked_mul(WORD)?)?;
        Some(Self {
            version: room.words(offset, 1)?,
            buffers: [room.words(first, count)?, room.words(second, count)?],
            size,
        })
    }

    /// Whether it is made for values of this type, as far as the size tells.
    pub(crate) fn fits<T: Plain>(&self) -> bool {
        self.size == size_of::<T>()
    }

    /// The value. Lock-free: it looks again if it has been replaced twice meanwhile.
    pub(crate) fn read<T: Plain>(&self) -> T {
        let mut value = [plain::zero::<T>()];
        loop {
            // ORDERING: Acquire pairs with `write`: the buffer is complete.
            let version = self.version[0].load(Ordering::Acquire);
            let buffer = &self.buffers[usize::from(version & 1 == 1)];
            copy_out(buffer, plain::bytes_mut(&mut value));
            // ORDERING: pairs with the fence in `write`: who has seen anything of the next but one value
            // sees its predecessor's version below.
            fence(Ordering::Acquire);
            // ORDERING: Relaxed: the fence does it.
            if self.version[0].load(Ordering::Relaxed) == version {
                return value[0];
            }
        }
    }

    /// Replaces the value. For one at a time: who holds the lock.
    pub(crate) fn write<T: Plain>(&self, value: &T) {
        // ORDERING: Relaxed: only the holder of the lock writes it.
        let version = self.version[0].load(Ordering::Relaxed);
        // ORDERING: pairs with the fence in `read`.
        fence(Ordering::Release);
        let buffer = &self.buffers[usize::from(version & 1 == 0)];
        copy_in(buffer, plain::bytes(std::slice::from_ref(value)));
        // ORDERING: Release pairs with `read`.
        self.version[0].store(version.wrapping_add(1), Ordering::Release);
    }
}
