//! A binary heap in slots: the half of [`Priority`](super::Priority) that knows about order.
//!
//! ```text
//!                 1, third               each entry is no smaller than the one above it,
//!                /        \              and of equal items the older one is smaller
//!          2, first     1, fourth
//!          /
//!      5, second
//!
//!     slots:  | 1, third | 2, first | 1, fourth | 5, second | . . . |
//! ```
//!
//! What the user's comparison does cannot be known, and it may panic. So each operation first
//! compares and only then moves anything: a comparison that panics leaves everything as it was.

use core::cmp::Ordering::Less;
use core::fmt;
use core::mem::MaybeUninit;

use crate::lock::{Held, Lock};
use crate::sync::{UnsafeCell, const_fn};

/// One slot: an item and when it was pushed.
pub struct Slot<T>(UnsafeCell<MaybeUninit<Entry<T>>>);

impl<T> Slot<T> {
    const_fn! {
        pub(super) const fn new() -> Self {
            Self(UnsafeCell::new(MaybeUninit::uninit()))
        }
    }
}

impl<T> Slot<T> {
    /// Takes the entry out.
    ///
    /// # Safety
    ///
    /// - The slot is filled, and nobody else touches it;
    /// - it counts as empty from now on.
    #[inline(always)]
    pub(super) unsafe fn read(&self) -> Entry<T> {
        // SAFETY: as the caller promises; nobody reads it again.
        self.0
            .with(|place| unsafe { place.cast::<Entry<T>>().read() })
    }
}

impl<T> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").finish_non_exhaustive()
    }
}

/// What the heap sorts.
pub(super) struct Entry<T> {
    pub(super) item: T,
    /// How many were pushed before.
    pub(super) arrival: u32,
}

impl<T: Ord> Entry<T> {
    /// Whether this one is popped before another one. Runs the user's comparison.
    #[inline]
    #[allow(clippy::cast_possible_wrap)] // Wrapping is what makes the comparison signed.
    fn is_before(&self, other: &Self) -> bool {
        let older = || (self.arrival.wrapping_sub(other.arrival) as i32).cmp(&0);
        self.item.cmp(&other.item).then_with(older) == Less
    }
}

/// The heap, as long as the lock is held.
pub(super) struct Heap<'a, T, L: Lock> {
    slots: &'a [Slot<T>],
    /// The first so many slots are filled. Who changes that writes it back.
    len: usize,
    _held: Held<'a, L>,
}

impl<'a, T, L: Lock> Heap<'a, T, L> {
    /// Opens the heap.
    ///
    /// # Safety
    ///
    /// - Nobody but who holds the lock touches the slots;
    /// - the first `len` of them are filled.
    #[inline(always)]
    pub(super) unsafe fn new(slots: &'a [Slot<T>], len: usize, held: Held<'a, L>) -> Self {
        Self {
            slots,
            len,
            _held: held,
        }
    }

    /// How many entries are inside.
    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Puts an entry into the first slot that is not filled.
    #[inline(always)]
    fn append(&mut self, entry: Entry<T>) {
        // SAFETY: we hold the lock, so nobody else touches the slots. Nothing is overwritten.
        self.slots[self.len]
            .0
            .with_mut(|place| unsafe { place.write(MaybeUninit::new(entry)) });
        self.len += 1;
    }

    /// Puts an entry into a slot on the way up from the first that is not filled; those on the way
    /// move down by one. Does not panic.
    #[inline(always)]
    pub(super) fn insert(&mut self, entry: Entry<T>, target: usize) {
        let mut place = self.len;
        self.append(entry);
        while place > target {
            self.swap(place, above(place));
            place = above(place);
        }
    }

    /// Takes the entry out of the last slot that is filled.
    #[inline(always)]
    fn take_last(&mut self) -> Option<Entry<T>> {
        self.len = self.len.checked_sub(1)?;
        // SAFETY: we hold the lock; the slot was filled, and counts as empty from now on.
        Some(unsafe { self.slots[self.len].read() })
    }

    /// Exchanges two different slots.
    #[inline(always)]
    fn swap(&mut self, a: usize, b: usize) {
        debug_assert!(a < self.len && b < self.len && a != b);
        let (a, b) = (&self.slots[a].0, &self.slots[b].0);
        // SAFETY: we hold the lock. They are different slots, so the pointers do not overlap.
        a.with_mut(|a| b.with_mut(|b| unsafe { core::ptr::swap_nonoverlapping(a, b, 1) }));
    }
}

impl<T: Ord, L: Lock> Heap<'_, T, L> {
    /// Lends the entry in a slot.
    #[inline(always)]
    fn with<R>(&self, place: usize, look: impl FnOnce(&Entry<T>) -> R) -> R {
        debug_assert!(place < self.len);
        // SAFETY: we hold the lock, and the slot is filled; nothing moves as long as the reference
        // lives, for that takes `&mut self`.
        self.slots[place]
            .0
            .with(|entry| look(unsafe { &*entry.cast::<Entry<T>>() }))
    }

    /// Whether the entry in one slot is popped before that in another.
    #[inline(always)]
    fn is_before(&self, a: usize, b: usize) -> bool {
        self.with(a, |a| self.with(b, |b| a.is_before(b)))
    }

    /// Where an entry belongs, on the way from the first free slot up.
    #[inline(always)]
    pub(super) fn place_of(&self, entry: &Entry<T>) -> usize {
        let mut target = self.len;
        while target > 0 && self.with(above(target), |other| entry.is_before(other)) {
            target = above(target);
        }
        target
    }

    /// Takes the smallest entry.
    #[inline(always)]
    pub(super) fn pop(&mut self) -> Option<Entry<T>> {
        let last = self.len.checked_sub(1)?;
        // How far down the last entry would go from the top, if all on its way moved up by one:
        // comparisons only.
        let mut target = 0;
        loop {
            let left = 2 * target + 1;
            if left >= last {
                break;
            }
            let right = left + 1;
            let next = if right < last && self.is_before(right, left) {
                right
            } else {
                left
            };
            if self.is_before(last, next) {
                break;
            }
            target = next;
        }
        // From here on nothing panics. The way is the one from the target up.
        if last > 0 {
            self.swap(0, last);
        }
        let smallest = self.take_last();
        while target > 0 {
            self.swap(0, target);
            target = above(target);
        }
        smallest
    }
}

/// The slot above another one.
const fn above(place: usize) -> usize {
    (place - 1) / 2
}
