//! [`ByPriority`]: a binary heap that survives comparisons that panic.
//!
//! ```text
//!                 1, third               each entry is no smaller than the one above it,
//!                /        \              and of equal items the older one is smaller
//!          2, first     1, fourth
//!          /
//!      5, second
//! ```
//!
//! Each operation first compares and only then moves anything. (std's `BinaryHeap` does both at once,
//! and drops the item that it was about to give out if a comparison panics.)

#![forbid(unsafe_code)]

use super::locked::{Buffer, shrink};

/// Items of which the smallest comes first, and of equal ones the oldest.
pub struct ByPriority<T> {
    entries: Vec<Entry<T>>,
    arrivals: u64,
}

struct Entry<T> {
    item: T,
    arrival: u64,
}

impl<T: Ord> ByPriority<T> {
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.entries.capacity()
    }

    /// Whether an entry comes out before another.
    fn is_before(&self, one: usize, other: usize) -> bool {
        let (one, other) = (&self.entries[one], &self.entries[other]);
        let older = one.arrival.cmp(&other.arrival);
        one.item.cmp(&other.item).then(older).is_lt()
    }
}

impl<T: Ord> Buffer for ByPriority<T> {
    type Item = T;

    fn empty() -> Self {
        Self {
            entries: Vec::new(),
            arrivals: 0,
        }
    }

    fn push(&mut self, item: &mut Option<T>) {
        let Some(new) = item.as_ref() else { return };
        // The way up from the first free place. All that are inside are older than this one.
        let mut target = self.entries.len();
        while target > 0 && new.cmp(&self.entries[above(target)].item).is_lt() {
            target = above(target);
        }
        // From here on nothing compares.
        let arrival = self.arrivals;
        self.arrivals += 1;
        let mut place = self.entries.len();
        self.entries
            .extend(item.take().map(|item| Entry { item, arrival }));
        while place > target {
            self.entries.swap(place, above(place));
            place = above(place);
        }
    }

    fn pop(&mut self) -> Option<T> {
        let last = self.entries.len().checked_sub(1)?;
        // How far down the last entry would go from the top, if all on its way moved up by one.
        let mut target = 0;
        loop {
            let (left, right) = (2 * target + 1, 2 * target + 2);
            if left >= last {
                break;
            }
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
        // From here on nothing compares.
        let smallest = self.entries.swap_remove(0);
        while target > 0 {
            self.entries.swap(0, target);
            target = above(target);
        }
        shrink(&mut self.entries);
        Some(smallest.item)
    }

    fn len(&self) -> usize {
        self.entries.len()
    }
}

/// The place above another one.
const fn above(place: usize) -> usize {
    (place - 1) / 2
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::cmp::Ordering;
    use std::collections::BTreeSet;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::{Buffer, ByPriority};

    thread_local! {
        /// How many comparisons are left before one panics.
        static LEFT: Cell<u32> = const { Cell::new(u32::MAX) };
    }

    #[derive(Debug, PartialEq, Eq)]
    struct Touchy(u32);

    impl Ord for Touchy {
        fn cmp(&self, other: &Self) -> Ordering {
            LEFT.set(LEFT.get().checked_sub(1).expect("no comparison left"));
            self.0.cmp(&other.0)
        }
    }

    impl PartialOrd for Touchy {
        fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
            Some(self.cmp(other))
        }
    }

    /// Numbers that are as good as any.
    fn scattered(seed: u32) -> u32 {
        seed.wrapping_mul(0x9e37_79b9) >> 20
    }

    #[test]
    fn the_order_is_that_of_a_stable_sort() {
        let mut heap = ByPriority::empty();
        let mut expected: BTreeSet<(u32, u32)> = BTreeSet::new();
        for step in 0..2_000 {
            let priority = scattered(step) % 7;
            // Equal as far as the heap can see, but for the order of arrival.
            heap.push(&mut Some((priority, ByStep(step))));
            expected.insert((priority, step));
            if step % 3 == 0 {
                let got = heap.pop().map(|(priority, ByStep(step))| (priority, step));
                assert_eq!(got, expected.pop_first());
            }
        }
        while let Some((priority, ByStep(step))) = heap.pop() {
            assert_eq!(Some((priority, step)), expected.pop_first());
        }
        assert!(expected.is_empty());
    }

    /// Any two are equal.
    struct ByStep(u32);

    impl Ord for ByStep {
        fn cmp(&self, _: &Self) -> Ordering {
            Ordering::Equal
        }
    }

    impl PartialOrd for ByStep {
        fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
            Some(self.cmp(other))
        }
    }

    impl PartialEq for ByStep {
        fn eq(&self, _: &Self) -> bool {
            true
        }
    }

    impl Eq for ByStep {}

    #[test]
    fn a_comparison_that_panics_changes_nothing() {
        for comparisons in 0..12 {
            let mut heap = ByPriority::empty();
            LEFT.set(u32::MAX);
            for seed in 0..50 {
                heap.push(&mut Some(Touchy(scattered(seed))));
            }
            LEFT.set(comparisons);
            let mut item = Some(Touchy(0));
            let pushed = catch_unwind(AssertUnwindSafe(|| heap.push(&mut item))).is_ok();
            assert_eq!(item.is_some(), !pushed, "it is in the heap or here");
            LEFT.set(comparisons);
            let popped = catch_unwind(AssertUnwindSafe(|| heap.pop())).is_ok();
            LEFT.set(u32::MAX);
            let left = 50 + usize::from(pushed) - usize::from(popped);
            let rest: Vec<_> = std::iter::from_fn(|| heap.pop()).map(|it| it.0).collect();
            assert_eq!(rest.len(), left);
            assert!(rest.is_sorted());
        }
    }
}
