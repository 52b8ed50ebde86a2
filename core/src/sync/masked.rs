//! Compare-and-swap for processors that have none, in critical sections.
//!
//! ```text
//!     load            one instruction, no critical section
//!     all the rest    | load, compare, store |     one critical section, never longer than this
//! ```
//!
//! `portable_atomic` with its feature `critical-section` also loads in critical sections, because
//! its writes are not atomic ones. Here the word is a native atomic and both halves are atomic
//! accesses, so a load may come at any time, also from another core. Most of what the algorithms
//! do is loads, and so interrupts are masked a third as often.
//!
//! Everything that writes does so in a critical section, plain stores as well: else one could fall
//! between the halves of another core's update and be lost.

use super::Ordering::{self, Relaxed, Release};

/// An atomic that is updated in critical sections and loaded without.
#[derive(Debug)]
#[repr(transparent)]
pub struct AtomicU32(core::sync::atomic::AtomicU32);

impl AtomicU32 {
    /// An atomic with this value.
    #[must_use]
    pub const fn new(value: u32) -> Self {
        Self(core::sync::atomic::AtomicU32::new(value))
    }

    /// As natively: it is.
    #[inline(always)]
    pub fn load(&self, order: Ordering) -> u32 {
        self.0.load(order)
    }

    /// Whatever is written, is written here.
    #[inline(always)]
    fn update(&self, next: impl FnOnce(u32) -> Option<u32>) -> Result<u32, u32> {
        critical_section::with(|_| {
            // ORDERING: Relaxed: all writers are in critical sections, which order them and hand
            // over what each did before.
            let before = self.0.load(Relaxed);
            let Some(after) = next(before) else {
                return Err(before);
            };
            // ORDERING: Release pairs with an acquiring `load`, which is in no section. That it is
            // never less also stands for the release sequence, in which a native update would
            // stand: what earlier writers released came to us with the section.
            self.0.store(after, Release);
            Ok(before)
        })
    }

    #[inline(always)]
    fn replace(&self, next: impl FnOnce(u32) -> u32) -> u32 {
        let (Ok(before) | Err(before)) = self.update(|before| Some(next(before)));
        before
    }

    /// As natively.
    #[inline(always)]
    pub fn store(&self, value: u32, _order: Ordering) {
        self.replace(|_| value);
    }

    /// As natively.
    #[inline(always)]
    pub fn swap(&self, value: u32, _order: Ordering) -> u32 {
        self.replace(|_| value)
    }

    /// As natively.
    #[inline(always)]
    pub fn fetch_add(&self, value: u32, _order: Ordering) -> u32 {
        self.replace(|before| before.wrapping_add(value))
    }

    /// As natively.
    #[inline(always)]
    pub fn fetch_sub(&self, value: u32, _order: Ordering) -> u32 {
        self.replace(|before| before.wrapping_sub(value))
    }

    /// As natively.
    #[inline(always)]
    pub fn fetch_or(&self, value: u32, _order: Ordering) -> u32 {
        self.replace(|before| before | value)
    }

    /// As natively.
    #[inline(always)]
    pub fn fetch_and(&self, value: u32, _order: Ordering) -> u32 {
        self.replace(|before| before & value)
    }

    /// As natively.
    ///
    /// # Errors
    ///
    /// As natively.
    #[inline(always)]
    pub fn compare_exchange(
        &self,
        current: u32,
        new: u32,
        _success: Ordering,
        _failure: Ordering,
    ) -> Result<u32, u32> {
        self.update(|before| (before == current).then_some(new))
    }

    /// As natively, but does not fail without a reason.
    ///
    /// # Errors
    ///
    /// As natively.
    #[inline(always)]
    pub fn compare_exchange_weak(
        &self,
        current: u32,
        new: u32,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u32, u32> {
        self.compare_exchange(current, new, success, failure)
    }

    /// As natively: `update` runs outside of critical sections, as often as it takes.
    ///
    /// # Errors
    ///
    /// As natively.
    #[inline(always)]
    pub fn fetch_update(
        &self,
        set_order: Ordering,
        fetch_order: Ordering,
        mut update: impl FnMut(u32) -> Option<u32>,
    ) -> Result<u32, u32> {
        let mut before = self.load(fetch_order);
        while let Some(after) = update(before) {
            match self.compare_exchange(before, after, set_order, fetch_order) {
                Ok(_) => return Ok(before),
                Err(now) => before = now,
            }
        }
        Err(before)
    }
}

#[cfg(test)]
mod tests {
    use super::AtomicU32;
    use super::Ordering::{AcqRel, Acquire, Relaxed, Release};

    #[test]
    fn answers_as_the_native_one() {
        let ours = AtomicU32::new(5);
        let native = core::sync::atomic::AtomicU32::new(5);
        macro_rules! same {
            ($call:ident($($argument:expr),*)) => {
                assert_eq!(ours.$call($($argument),*), native.$call($($argument),*));
                assert_eq!(ours.load(Acquire), native.load(Acquire), stringify!($call));
            };
        }
        same!(store(u32::MAX, Release));
        same!(fetch_add(7, AcqRel));
        same!(fetch_sub(9, AcqRel));
        same!(fetch_and(0xF0, AcqRel));
        same!(fetch_or(0x0F, AcqRel));
        same!(swap(3, AcqRel));
        same!(compare_exchange(4, 5, AcqRel, Relaxed));
        same!(compare_exchange(3, 5, AcqRel, Relaxed));
        same!(fetch_update(AcqRel, Relaxed, |_| None));
        same!(fetch_update(AcqRel, Relaxed, |value| Some(value * 2)));
        assert_eq!(ours.compare_exchange_weak(10, 11, AcqRel, Relaxed), Ok(10));
    }

    #[test]
    fn no_update_of_several_threads_is_lost() {
        static SUM: AtomicU32 = AtomicU32::new(0);
        const ROUNDS: u32 = 20_000;

        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    for _ in 0..ROUNDS {
                        SUM.fetch_add(1, Relaxed);
                        let _ = SUM.fetch_update(Relaxed, Relaxed, |sum| sum.checked_add(1));
                    }
                });
            }
        });
        assert_eq!(SUM.load(Acquire), 4 * ROUNDS);
    }
}
