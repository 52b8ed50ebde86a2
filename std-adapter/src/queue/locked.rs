//! [`Locked`]: a buffer under one lock, with a bound or without.
//!
//! Producers and consumers of a stack or a heap meet at its top anyway, so one lock is all there is to
//! it. The user's code runs under it only to compare items; see [`ByPriority`](super::ByPriority).

#![forbid(unsafe_code)]

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use brigade_core::bounded::{Container, Nothing, Refused, Unbounded, WithCapacity};
use brigade_core::storage::MAX_CAPACITY;

/// What a [`LifoQueue`](crate::LifoQueue) or a [`PriorityQueue`](crate::PriorityQueue) keeps its
/// items in: a buffer that grows as needed, under a lock.
///
/// Memory grows with the items inside, also under a bound; after a burst most of it is given back.
pub struct Locked<B> {
    buffer: Mutex<B>,
    capacity: usize,
    /// These are written under the lock and read at any time.
    len: AtomicUsize,
    pushed: AtomicU32,
    closed: AtomicBool,
}

/// The items of a [`Locked`], in some order.
pub trait Buffer {
    /// One of them.
    type Item;

    /// Without items or memory.
    fn empty() -> Self;

    /// Puts an item in; may panic, and is then as before. Then `item` holds it still.
    fn push(&mut self, item: &mut Option<Self::Item>);

    /// Takes the next one out; may panic, and is then as before.
    fn pop(&mut self) -> Option<Self::Item>;

    /// How many are inside.
    fn len(&self) -> usize;
}

impl<B: Buffer> Locked<B> {
    fn new(capacity: usize) -> Self {
        Self {
            buffer: Mutex::new(B::empty()),
            capacity,
            len: AtomicUsize::new(0),
            pushed: AtomicU32::new(0),
            closed: AtomicBool::new(false),
        }
    }

    fn lock(&self) -> MutexGuard<'_, B> {
        // A comparison that panics leaves the buffer as it was.
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<B: Buffer> Container for Locked<B> {
    type Item = B::Item;

    fn try_push(&self, item: B::Item) -> Result<(), Refused<B::Item>> {
        // Before the lock is taken: if a comparison panics, the item is dropped after its release.
        let mut item = Some(item);
        let refuse = |why: fn(B::Item) -> Refused<B::Item>, item: Option<B::Item>| {
            item.map_or(Ok(()), |item| Err(why(item)))
        };
        let mut buffer = self.lock();
        // ORDERING: Relaxed: only written under the lock.
        if self.closed.load(Ordering::Relaxed) {
            return refuse(Refused::Closed, item);
        }
        if buffer.len() >= self.capacity {
            return refuse(Refused::Full, item);
        }
        buffer.push(&mut item);
        // ORDERING: Relaxed, all three: they are changed under the lock only, and who has got an
        // item has had it since.
        self.len.store(buffer.len(), Ordering::Relaxed);
        let pushed = self.pushed.load(Ordering::Relaxed);
        self.pushed.store(pushed.wrapping_add(1), Ordering::Relaxed);
        Ok(())
    }

    fn try_pop(&self) -> Result<B::Item, Nothing> {
        let mut buffer = self.lock();
        if let Some(item) = buffer.pop() {
            // ORDERING: Relaxed: changed under the lock only.
            self.len.store(buffer.len(), Ordering::Relaxed);
            return Ok(item);
        }
        // ORDERING: Relaxed: only written under the lock.
        Err(if self.closed.load(Ordering::Relaxed) {
            Nothing::Closed
        } else {
            Nothing::Empty
        })
    }

    fn close(&self) {
        let _buffer = self.lock();
        // ORDERING: Release pairs with `is_closed`.
        self.closed.store(true, Ordering::Release);
    }

    fn is_closed(&self) -> bool {
        // ORDERING: Acquire pairs with `close`.
        self.closed.load(Ordering::Acquire)
    }

    fn pushed(&self) -> u32 {
        // ORDERING: Relaxed: who has got an item has had the lock after its push.
        self.pushed.load(Ordering::Relaxed)
    }

    fn after(&self, pushed: u32) -> u32 {
        pushed.wrapping_add(1)
    }

    fn between(&self, from: u32, to: u32) -> u32 {
        to.wrapping_sub(from)
    }

    fn confirm_empty(&self) -> bool {
        // By the lock: the next push takes it after us.
        self.lock().len() == 0
    }

    fn confirm_full(&self) -> bool {
        // As above.
        self.lock().len() >= self.capacity
    }

    fn len(&self) -> usize {
        // ORDERING: Relaxed: an estimate.
        self.len.load(Ordering::Relaxed)
    }

    fn capacity(&self) -> usize {
        self.capacity
    }
}

impl<B: Buffer> WithCapacity for Locked<B> {
    fn with_capacity(capacity: usize) -> Self {
        assert!(
            (1..=MAX_CAPACITY).contains(&capacity),
            "a capacity of {capacity} is not between 1 and 2^28"
        );
        Self::new(capacity)
    }
}

impl<B: Buffer> Unbounded for Locked<B> {
    fn unbounded() -> Self {
        Self::new(usize::MAX)
    }
}

impl<B: Buffer> fmt::Debug for Locked<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Locked")
            .field("len", &self.len())
            .field("capacity", &self.capacity)
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}

/// Room for so many items is never given back to the allocator.
const KEEP: usize = 1024;

/// Gives memory back after a burst. It leaves room for twice what is inside, so that it is seldom at
/// work.
pub(super) fn shrink<T>(items: &mut Vec<T>) {
    if items.capacity() > KEEP && items.len() < items.capacity() / 8 {
        items.shrink_to((items.len() * 2).max(KEEP / 2));
    }
}

/// The last one in is the first one out.
impl<T> Buffer for Vec<T> {
    type Item = T;

    fn empty() -> Self {
        Vec::new()
    }

    fn push(&mut self, item: &mut Option<T>) {
        self.extend(item.take());
    }

    fn pop(&mut self) -> Option<T> {
        let item = self.pop();
        shrink(self);
        item
    }

    fn len(&self) -> usize {
        self.len()
    }
}

#[cfg(test)]
mod tests {
    use brigade_core::bounded::{Container, Unbounded};

    use super::super::by_priority::ByPriority;
    use super::{Buffer, KEEP, Locked};

    fn burst<B: Buffer<Item = u32>>() -> Locked<B> {
        let container = Locked::<B>::unbounded();
        for item in 0..100 * 1024 {
            container.try_push(item).unwrap();
        }
        while container.try_pop().is_ok() {}
        container
    }

    #[test]
    fn a_burst_does_not_keep_its_memory() {
        assert!(burst::<Vec<u32>>().lock().capacity() <= KEEP);
        assert!(burst::<ByPriority<u32>>().lock().capacity() <= KEEP);
    }
}
