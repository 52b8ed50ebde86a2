//! [`UnboundedFifo`]: a queue that grows, of two buffers that trade places.
//!
//! ```text
//!     push --> [ tail: locked by producers ]     [ head: locked by consumers ] --> pop
//!                             ^                          |
//!                             +--- change places when ---+
//!                                  head has run empty
//! ```
//!
//! Producers and consumers meet only when the head has run empty, so under load, when it matters,
//! an operation is one short lock that the other side does not touch. The buffers are kept, so a
//! queue in a steady state does not allocate.
//!
//! Lock order: head before tail.

#![forbid(unsafe_code)]

use std::collections::VecDeque;
use std::fmt;
use std::mem;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use brigade_core::bounded::{Container, Nothing, Refused, Run, Unbounded};
use crossbeam_utils::CachePadded;

/// Buffers for no more items than this are never given back to the allocator.
const KEEP: usize = 1024;

/// A container bounded by memory alone.
///
/// Progress: blocking, by locks held for a few instructions, or for a reallocation when it grows.
/// Not for signal handlers.
pub(crate) struct UnboundedFifo<T> {
    head: CachePadded<Half<VecDeque<T>>>,
    tail: CachePadded<Half<Tail<T>>>,
}

/// One end: what its lock guards, and how many items have passed it so far.
///
/// The count is only changed under the lock. It wraps.
struct Half<B> {
    buffer: Mutex<B>,
    passed: AtomicUsize,
}

struct Tail<T> {
    items: VecDeque<T>,
    closed: bool,
}

impl<B> Half<B> {
    fn new(buffer: B) -> Self {
        Self {
            buffer: Mutex::new(buffer),
            passed: AtomicUsize::new(0),
        }
    }

    fn lock(&self) -> MutexGuard<'_, B> {
        // No code of the user's runs under the locks, so no panic leaves anything half done.
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn passed(&self) -> usize {
        // ORDERING: Acquire pairs with the store in `pass`; it matters to `len` alone.
        self.passed.load(Ordering::Acquire)
    }

    /// Counts items on. The lock is held.
    fn pass(&self, items: usize) {
        // ORDERING: the load is Relaxed as the count changes only under the lock, which is ours.
        // The store's Release pairs with the load in `passed`.
        let passed = self.passed.load(Ordering::Relaxed);
        self.passed
            .store(passed.wrapping_add(items), Ordering::Release);
    }
}

impl<T> UnboundedFifo<T> {
    /// Fills an empty head from the tail.
    ///
    /// An answer Empty is given under the tail's lock, which the next push takes: it
    /// happens-before that push, as [`Container`] demands.
    fn refill(&self, head: &mut VecDeque<T>) -> Result<(), Nothing> {
        let mut tail = self.tail.lock();
        if tail.items.is_empty() {
            return Err(if tail.closed {
                Nothing::Closed
            } else {
                Nothing::Empty
            });
        }
        // A buffer that one burst has blown up is not kept for ever.
        if head.capacity() > KEEP && tail.items.len() < head.capacity() / 8 {
            *head = VecDeque::with_capacity(tail.items.len());
        }
        mem::swap(head, &mut tail.items);
        Ok(())
    }
}

impl<T> Container for UnboundedFifo<T> {
    type Item = T;

    fn try_push(&self, item: T) -> Result<(), Refused<T>> {
        let mut tail = self.tail.lock();
        if tail.closed {
            return Err(Refused::Closed(item));
        }
        tail.items.push_back(item);
        self.tail.pass(1);
        Ok(())
    }

    fn try_pop(&self) -> Result<T, Nothing> {
        let mut head = self.head.lock();
        loop {
            if let Some(item) = head.pop_front() {
                self.head.pass(1);
                return Ok(item);
            }
            self.refill(&mut head)?;
        }
    }

    fn try_push_many(&self, items: &mut Run<T>) -> Result<usize, Refused<()>> {
        if items.len() == 0 {
            return Ok(0);
        }
        let mut tail = self.tail.lock();
        if tail.closed {
            return Err(Refused::Closed(()));
        }
        let pushed = items.len();
        tail.items.extend(items);
        self.tail.pass(pushed);
        Ok(pushed)
    }

    fn try_pop_many(&self, most: usize, into: &mut impl Extend<T>) -> Result<usize, Nothing> {
        let mut popped = 0;
        while popped < most {
            let mut head = self.head.lock();
            if head.is_empty() {
                match self.refill(&mut head) {
                    Err(nothing) if popped == 0 => return Err(nothing),
                    Err(_) => break,
                    Ok(()) => {}
                }
            }
            let mut run = Run::new();
            let length = head.len().min(most - popped);
            run.fill(head.drain(..length.min(Run::<T>::LENGTH)));
            let length = run.len();
            self.head.pass(length);
            drop(head);
            // The receiver is the user's code: it runs without a lock.
            run.move_into(into);
            popped += length;
        }
        Ok(popped)
    }

    fn close(&self) {
        self.tail.lock().closed = true;
    }

    fn is_closed(&self) -> bool {
        self.tail.lock().closed
    }

    #[allow(clippy::cast_possible_truncation)] // It is a count modulo 2^32.
    fn pushed(&self) -> u32 {
        self.tail.passed() as u32
    }

    fn after(&self, pushed: u32) -> u32 {
        pushed.wrapping_add(1)
    }

    fn between(&self, from: u32, to: u32) -> u32 {
        to.wrapping_sub(from)
    }

    fn confirm_empty(&self) -> bool {
        // Under the lock that the next push takes. The head's count may be old news, which makes
        // the answer "no" at worst: it cannot pass the tail's while that stands still.
        let _tail = self.tail.lock();
        self.head.passed() == self.tail.passed()
    }

    fn confirm_full(&self) -> bool {
        false
    }

    fn len(&self) -> usize {
        // The head first: the tail is always ahead of it.
        let head = self.head.passed();
        self.tail.passed().wrapping_sub(head)
    }

    fn is_full(&self) -> bool {
        false
    }

    fn capacity(&self) -> usize {
        usize::MAX
    }
}

impl<T> Unbounded for UnboundedFifo<T> {
    fn unbounded() -> Self {
        Self {
            head: CachePadded::new(Half::new(VecDeque::new())),
            tail: CachePadded::new(Half::new(Tail {
                items: VecDeque::new(),
                closed: false,
            })),
        }
    }
}

impl<T> fmt::Debug for UnboundedFifo<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnboundedFifo")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use brigade_core::bounded::{Container, Nothing, Refused, Run, Unbounded};

    use super::{KEEP, UnboundedFifo};

    fn run_of<T>(items: impl IntoIterator<Item = T>) -> Run<T> {
        let mut run = Run::new();
        run.fill(items.into_iter());
        run
    }

    #[test]
    fn order_is_kept_across_the_change_of_places() {
        let queue = UnboundedFifo::unbounded();
        let (mut pushed, mut popped) = (0, 0);
        for burst in [1, 2, 3, 50, 1, 7] {
            for _ in 0..burst {
                queue.try_push(pushed).unwrap();
                pushed += 1;
            }
            for _ in 0..=burst / 2 {
                assert_eq!(queue.try_pop(), Ok(popped));
                popped += 1;
            }
            assert_eq!(queue.len(), pushed - popped);
        }
        while queue.try_pop().is_ok_and(|item| item == popped) {
            popped += 1;
        }
        assert_eq!(popped, pushed);
        assert!(queue.confirm_empty() && !queue.confirm_full() && !queue.is_full());
    }

    #[test]
    fn closing_comes_after_the_items_inside() {
        let queue = UnboundedFifo::unbounded();
        assert_eq!(queue.try_pop(), Err(Nothing::Empty));
        queue.try_push("last").unwrap();
        queue.close();
        queue.close();
        assert_eq!(queue.try_push("late"), Err(Refused::Closed("late")));
        assert_eq!(
            queue.try_push_many(&mut run_of(["late"])),
            Err(Refused::Closed(()))
        );
        assert_eq!(queue.try_pop(), Ok("last"));
        assert_eq!(queue.try_pop(), Err(Nothing::Closed));
        assert!(queue.confirm_empty());
    }

    #[test]
    fn batches_cross_runs_and_places() {
        let queue = UnboundedFifo::unbounded();
        let run = Run::<usize>::LENGTH;
        let total = 3 * run;
        let mut got = Vec::new();
        for third in 0..3 {
            let mut items = run_of(third * run..(third + 1) * run);
            assert_eq!(queue.try_push_many(&mut items), Ok(run));
            assert_eq!(items.len(), 0);
            if third == 0 {
                assert_eq!(queue.try_pop_many(1, &mut got), Ok(1));
            }
        }
        assert_eq!(queue.try_pop_many(0, &mut got), Ok(0));
        assert_eq!(queue.try_pop_many(usize::MAX, &mut got), Ok(total - 1));
        assert_eq!(queue.try_pop_many(1, &mut got), Err(Nothing::Empty));
        assert!(got.into_iter().eq(0..total));
    }

    #[test]
    fn a_burst_does_not_keep_its_memory() {
        let queue = UnboundedFifo::unbounded();
        for item in 0..100 * KEEP {
            queue.try_push(item).unwrap();
        }
        while queue.try_pop().is_ok() {}
        for _ in 0..3 {
            queue.try_push(0).unwrap();
            queue.try_pop().unwrap();
        }
        assert!(queue.head.lock().capacity() <= KEEP);
        assert!(queue.tail.lock().items.capacity() <= KEEP);
    }
}
