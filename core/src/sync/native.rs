//! The atomics of the machine, or what stands for them where it has no compare-and-swap.

use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::ptr::NonNull;

#[cfg(all(target_has_atomic = "32", not(brigade_steps)))]
pub use core::sync::atomic::AtomicU32;

#[cfg(all(not(target_has_atomic = "32"), feature = "critical-section"))]
pub use super::masked::AtomicU32;

/// By the feature or cfg that assumes a single core; without either, this is where the build ends.
#[cfg(all(not(target_has_atomic = "32"), not(feature = "critical-section")))]
pub use portable_atomic::AtomicU32;

#[cfg(brigade_steps)]
use super::AtomicU32;

/// An atomic that is only ever loaded and stored: native also on chips that have nothing more.
#[cfg(target_has_atomic = "32")]
pub type LoadStoreU32 = AtomicU32;

#[cfg(not(target_has_atomic = "32"))]
pub use core::sync::atomic::AtomicU32 as LoadStoreU32;

/// `core::cell::UnsafeCell` behind closures, so that loom can watch every access.
#[derive(Debug)]
#[repr(transparent)]
pub struct UnsafeCell<T>(core::cell::UnsafeCell<T>);

impl<T> UnsafeCell<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self(core::cell::UnsafeCell::new(value))
    }

    /// Lends a pointer to read through.
    #[inline(always)]
    pub fn with<R>(&self, read: impl FnOnce(*const T) -> R) -> R {
        read(self.0.get())
    }

    /// Lends a pointer to write through.
    #[inline(always)]
    pub fn with_mut<R>(&self, write: impl FnOnce(*mut T) -> R) -> R {
        write(self.0.get())
    }
}

/// Neighbouring cells, lent as one slice to read and write.
///
/// A pointer and no reference: one passed to a function would claim the cells until that returns,
/// and they may be somebody else's by then.
#[derive(Debug)]
pub struct CellSlice<'a, T>(NonNull<[MaybeUninit<T>]>, PhantomData<&'a mut [T]>);

// SAFETY: it is as good as a mutable slice.
unsafe impl<T: Send> Send for CellSlice<'_, T> {}

impl<'a, T> CellSlice<'a, T> {
    /// Lends the cells.
    ///
    /// # Safety
    ///
    /// - Nobody else touches the cells as long as the slice lives.
    #[inline(always)]
    #[must_use]
    pub unsafe fn new(cells: &'a [super::UnsafeCell<MaybeUninit<T>>]) -> Self {
        // A cell is laid out like its content and may be written through a shared reference.
        let first = NonNull::from(cells).cast::<MaybeUninit<T>>();
        let slice = NonNull::slice_from_raw_parts(first, cells.len());
        Self(slice, PhantomData)
    }
}

impl<T> core::ops::Deref for CellSlice<'_, T> {
    type Target = [MaybeUninit<T>];

    #[inline(always)]
    fn deref(&self) -> &[MaybeUninit<T>] {
        // SAFETY: the cells are there for the lifetime, and who lent them keeps all others away.
        unsafe { self.0.as_ref() }
    }
}

impl<T> core::ops::DerefMut for CellSlice<'_, T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [MaybeUninit<T>] {
        // SAFETY: as above.
        unsafe { self.0.as_mut() }
    }
}

/// A 32-bit atomic that somebody may sleep on; see [`Park`](crate::wait::Park).
#[derive(Debug)]
#[repr(transparent)]
pub struct Word(AtomicU32);

impl Word {
    /// A word with this value and nobody asleep on it.
    #[must_use]
    pub const fn new(value: u32) -> Self {
        Self(AtomicU32::new(value))
    }
}

impl core::ops::Deref for Word {
    type Target = AtomicU32;

    #[inline(always)]
    fn deref(&self) -> &AtomicU32 {
        &self.0
    }
}

/// Tells the processor that this is a busy-wait loop.
#[inline(always)]
pub fn pause() {
    core::hint::spin_loop();
}

/// A constructor that is `const` outside models.
macro_rules! const_fn {
    ($(#[$meta:meta])* $vis:vis const fn $($rest:tt)*) => {
        $(#[$meta])* $vis const fn $($rest)*
    };
}

/// An array of equal values that need not be `Copy`.
macro_rules! array {
    ($value:expr; $len:expr) => {
        [const { $value }; $len]
    };
}

/// A constant of a trait, which in models is a function; [`made`] gets its value.
macro_rules! constant {
    ($(#[$meta:meta])* const $($rest:tt)*) => {
        $(#[$meta])*
        #[allow(clippy::declare_interior_mutable_const, reason = "each use is a new value")]
        const $($rest)*
    };
}

/// The value of a `constant!`.
macro_rules! made {
    ($($constant:tt)*) => {
        $($constant)*
    };
}

pub(crate) use {array, const_fn, constant, made};
