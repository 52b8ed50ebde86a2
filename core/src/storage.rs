//! Where a container keeps its slots: one algorithm, several homes.
//!
//! The containers work on a slice of slots and never ask where it lives. A [`Storage`] lends them
//! that slice: [`Inline`] holds it in the container itself, so that a queue can be a `static` on a
//! chip without an allocator; `Heap` (feature `alloc`) takes a capacity chosen at run time.
//!
//! Some algorithms need a few slots more than the capacity they promise; they are the storage's
//! *spares*.

pub use crate::lap::Lap;

/// The most items any container holds: 2^28. Cursors are 32 bits wide and keep the rest for the
/// lap count.
pub const MAX_CAPACITY: usize = 1 << 28;

/// A home for a container's slots.
///
/// `E` is the container's slot type.
///
/// # Safety
///
/// Containers keep raw values in the slots and rely on finding them again:
///
/// - `slots` returns the same elements in the same order on every call, until the storage is
///   dropped (the storage itself may move in between);
/// - nobody else is given access to them, and the storage may be sent and shared between threads
///   as far as its slots are concerned;
/// - `lap` is what its default returns;
/// - `slots().len()` lies between `capacity()` and `capacity() + 2^16`, and `capacity()` between 1
///   and [`MAX_CAPACITY`].
pub unsafe trait Storage<E> {
    /// All slots, spares included.
    fn slots(&self) -> &[E];

    /// How many items the container promises to hold.
    fn capacity(&self) -> usize;

    /// The geometry of the slots. A storage that does not know its size at compile time had better
    /// keep it than let every operation work it out.
    #[inline(always)]
    fn lap(&self) -> Lap {
        Lap::of(self.slots().len())
    }
}

/// Slots inside the container itself: `N` for the capacity and `SPARE` more.
#[derive(Debug)]
#[repr(C)]
pub struct Inline<E, const N: usize, const SPARE: usize = 0> {
    // Two arrays because `[E; N + SPARE]` cannot be written yet; `repr(C)` puts one straight
    // behind the other.
    main: [E; N],
    spare: [E; SPARE],
}

impl<E, const N: usize, const SPARE: usize> Inline<E, N, SPARE> {
    const SIZES: () = assert!(
        N >= 1 && N <= MAX_CAPACITY && SPARE <= 1 << 16,
        "a container holds 1 to 2^28 items and has at most 2^16 spare slots"
    );

    pub(crate) const fn from_arrays(main: [E; N], spare: [E; SPARE]) -> Self {
        let () = Self::SIZES;
        Self { main, spare }
    }
}

// SAFETY: the elements live in the storage, private to it, and their order is that of the fields;
// SIZES checks the bounds when the type is instantiated.
unsafe impl<E, const N: usize, const SPARE: usize> Storage<E> for Inline<E, N, SPARE> {
    #[inline(always)]
    fn slots(&self) -> &[E] {
        // SAFETY: `repr(C)` lays out `[E; N]` and then `[E; SPARE]`. Both have the alignment of
        // `E` and a size that is a multiple of it, so there is no padding between them and the
        // whole is N + SPARE elements. The pointer is derived from `self`, hence valid for both.
        unsafe { core::slice::from_raw_parts(core::ptr::from_ref(self).cast::<E>(), N + SPARE) }
    }

    #[inline(always)]
    fn capacity(&self) -> usize {
        N
    }
}

#[cfg(feature = "alloc")]
pub use heap::Heap;

#[cfg(feature = "alloc")]
mod heap {
    extern crate alloc;

    use alloc::boxed::Box;

    use super::{Lap, MAX_CAPACITY, Storage};

    /// Slots on the heap, as many as asked for at run time.
    #[derive(Debug)]
    pub struct Heap<E> {
        slots: Box<[E]>,
        capacity: usize,
        lap: Lap,
    }

    impl<E> Heap<E> {
        /// Room for `capacity` items and `spare` slots more, each made by `slot`.
        ///
        /// # Panics
        ///
        /// If `capacity` is 0 or more than [`MAX_CAPACITY`].
        pub(crate) fn new(capacity: usize, spare: usize, slot: impl FnMut() -> E) -> Self {
            assert!(
                (1..=MAX_CAPACITY).contains(&capacity),
                "a container holds 1 to 2^28 items, but a capacity of {capacity} was asked for"
            );
            let slots = core::iter::repeat_with(slot)
                .take(capacity + spare)
                .collect();
            Self {
                slots,
                capacity,
                lap: Lap::of(capacity + spare),
            }
        }
    }

    // SAFETY: the box never changes after construction, owns its elements alone, and `new` checks
    // the bounds (callers ask for at most 2^16 spares).
    unsafe impl<E> Storage<E> for Heap<E> {
        #[inline(always)]
        fn slots(&self) -> &[E] {
            &self.slots
        }

        #[inline(always)]
        fn capacity(&self) -> usize {
            self.capacity
        }

        #[inline(always)]
        fn lap(&self) -> Lap {
            self.lap
        }
    }
}

/// Keeps its content on cache lines of its own, where there are caches.
///
/// Two cursors on one line would make every push slow down every pop. On 32-bit and smaller
/// targets, most of which have no cache to share and little memory, it adds nothing.
#[cfg(target_pointer_width = "64")]
pub(crate) use crossbeam_utils::CachePadded as Padded;

#[cfg(not(target_pointer_width = "64"))]
pub(crate) use unpadded::Padded;

#[cfg(not(target_pointer_width = "64"))]
mod unpadded {
    /// See the 64-bit version: here it adds nothing.
    #[derive(Debug)]
    #[repr(transparent)]
    pub(crate) struct Padded<T>(T);

    impl<T> Padded<T> {
        pub(crate) const fn new(value: T) -> Self {
            Self(value)
        }
    }

    impl<T> core::ops::Deref for Padded<T> {
        type Target = T;

        #[inline(always)]
        fn deref(&self) -> &T {
            &self.0
        }
    }
}
