//! [`Run`]: a handful of items on their way into or out of a container, on the caller's stack.

use core::fmt;
use core::mem::MaybeUninit;

/// How many items a run holds at most.
const LENGTH: usize = 32;

/// Up to 32 items in order: filled at the back, emptied, as an iterator, at the front.
///
/// What a batch passes to and from a [`Container`](super::Container). Items left in it are dropped
/// with it.
pub struct Run<T> {
    /// Those from `next` to `end` are initialised.
    items: [MaybeUninit<T>; LENGTH],
    next: usize,
    end: usize,
}

impl<T> Run<T> {
    /// The most items a run holds.
    pub const LENGTH: usize = LENGTH;

    /// A run without items.
    #[inline]
    #[must_use]
    pub const fn new() -> Self {
        Self {
            items: [const { MaybeUninit::uninit() }; LENGTH],
            next: 0,
            end: 0,
        }
    }

    /// The first `most` items, or all. Those that the caller does not ask for are leaked.
    #[inline]
    pub(super) fn take_front(&mut self, most: usize) -> impl Iterator<Item = T> {
        let taken = &self.items[self.next..self.end];
        let taken = &taken[..most.min(taken.len())];
        self.next += taken.len();
        // SAFETY: these items were initialised, and as `next` has moved on nobody else reads them.
        taken
            .iter()
            .map(|place| unsafe { place.assume_init_read() })
    }

    /// Puts the item that was taken last back to the front.
    pub(super) fn put_back(&mut self, item: T) {
        if let Some(next) = self.next.checked_sub(1) {
            self.items[next].write(item);
            self.next = next;
        }
    }

    /// Appends items until the run is full or the source ends.
    #[inline]
    pub fn fill(&mut self, source: impl Iterator<Item = T>) {
        let mut filled = Filled {
            count: self.end,
            end: &mut self.end,
        };
        for (place, item) in self.items[filled.count..].iter_mut().zip(source) {
            place.write(item);
            filled.count += 1;
        }
    }

    /// Moves all items into a collection. If that panics, those it has not taken are dropped.
    #[inline]
    pub fn move_into(mut self, into: &mut impl Extend<T>) {
        if core::mem::needs_drop::<T>() {
            into.extend(self);
        } else {
            // An iterator over a slice, whose items collections copy all at once. Nothing is lost
            // if this one leaks some.
            let all = self.len();
            into.extend(self.take_front(all));
        }
    }
}

/// Counts what is filled in, at the end: also if the source panics.
struct Filled<'a> {
    end: &'a mut usize,
    count: usize,
}

impl Drop for Filled<'_> {
    #[inline(always)]
    fn drop(&mut self) {
        *self.end = self.count;
    }
}

impl<T> Default for Run<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Iterator for Run<T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        if self.next == self.end {
            return None;
        }
        let place = &self.items[self.next];
        self.next += 1;
        // SAFETY: the item was initialised, and as `next` has moved on nobody reads it again.
        Some(unsafe { place.assume_init_read() })
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.len(), Some(self.len()))
    }
}

impl<T> ExactSizeIterator for Run<T> {
    #[inline]
    fn len(&self) -> usize {
        self.end - self.next
    }
}

impl<T> Drop for Run<T> {
    fn drop(&mut self) {
        if core::mem::needs_drop::<T>() {
            super::finish(self);
        }
    }
}

impl<T> fmt::Debug for Run<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("len", &self.len()).finish()
    }
}
