//! [`Builder`]: how large a queue is.

#![forbid(unsafe_code)]

use std::fmt;
use std::io;
use std::marker::PhantomData;

use super::Queue;
use crate::executor::Message;
use crate::shared::blocks::MOST_BLOCKS;
use crate::shared::depot::Shape;
use crate::shared::segment::{PARTICIPANTS, Segment};

/// How a [`Queue`] is to be made: see [`Queue::builder`].
#[must_use = "a builder does nothing unless it builds"]
pub struct Builder<T> {
    capacity: usize,
    leases: Option<usize>,
    block_size: usize,
    bytes: usize,
    participants: usize,
    of: PhantomData<fn(T) -> T>,
}

impl<T: Message> Builder<T> {
    pub(super) fn new() -> Self {
        Self {
            capacity: 1024,
            leases: None,
            block_size: 112,
            bytes: 64 << 20,
            participants: PARTICIPANTS,
            of: PhantomData,
        }
    }

    /// The most items that it holds: 1024 unless said otherwise, from 1 to about 16 million, those that
    /// are [leased](Self::leases) included.
    pub fn capacity(mut self, items: usize) -> Self {
        self.capacity = items;
        self
    }

    /// How many items may be leased, or just being put, besides those in the queue: 1 at least; as many as
    /// its capacity, and 64 at least, if that is possible, unless said otherwise. While more are, the
    /// queue is full.
    pub fn leases(mut self, items: usize) -> Self {
        self.leases = Some(items);
        self
    }

    /// Up to how many bytes an item goes into a block; 112 unless said otherwise. Rounded up so that a
    /// block with its header fills cache lines.
    pub fn block_size(mut self, bytes: usize) -> Self {
        self.block_size = bytes;
        self
    }

    /// How many bytes there are for items that do not fit into blocks: 64 MiB unless said otherwise.
    pub fn bytes(mut self, bytes: usize) -> Self {
        self.bytes = bytes;
        self
    }

    /// How many processes can use it at a time: 64 unless said otherwise, at most 1023.
    pub fn participants(mut self, processes: usize) -> Self {
        self.participants = processes;
        self
    }

    /// Makes the queue.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the sizes make no sense or are too large; otherwise the system's: there is no
    /// memory, or there are too many files open.
    pub fn build(&self) -> io::Result<Queue<T>> {
        let leases = self.leases.unwrap_or_else(|| {
            let rest = (MOST_BLOCKS as usize).saturating_sub(self.capacity);
            self.capacity.max(64).min(rest)
        });
        let shape = Shape::new(self.capacity, leases, self.block_size, self.bytes);
        let shape = shape.ok_or_else(|| {
            let what = if leases == 0 {
                "a queue needs room for a lease at least"
            } else {
                "a queue holds 1 to 16 million items, leases included, of memory that can be addressed"
            };
            io::Error::new(io::ErrorKind::InvalidInput, what)
        })?;
        let plan = shape.plan(self.participants)?;
        Segment::create(plan, |_| ()).map(Queue)
    }
}

impl<T> Clone for Builder<T> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

impl<T> fmt::Debug for Builder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("capacity", &self.capacity)
            .field("leases", &self.leases)
            .field("block_size", &self.block_size)
            .field("bytes", &self.bytes)
            .field("participants", &self.participants)
            .finish_non_exhaustive()
    }
}
