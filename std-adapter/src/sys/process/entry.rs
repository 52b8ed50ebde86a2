//! [`Entry`]: a function found again in another process that runs the same program.
//!
//! ```text
//!     here: ENTRY { mark, run } --- its distance from the program's base ---> there: base + distance
//!                                                                              constant? mark? --> run
//! ```
//!
//! What travels is a number, and whoever can write to memory that is shared can write any other
//! number. So it is not the function that is looked for but a constant that points to it, and which
//! begins with a mark of 128 bits that nothing else in the program begins with: a number that does
//! not lead to an entry leads to an error.

use std::fmt;
use std::ptr;

use super::image::Image;

/// A constant of the program that points to a function with the signature `T`.
#[repr(C)]
pub(crate) struct Entry<T> {
    mark: [u64; 2],
    run: T,
}

/// Which kind of functions a mark stands for.
///
/// # Safety
///
/// - `MARK` is a random number that is used for this type alone.
/// - The type is a `fn` pointer.
pub(crate) unsafe trait Marked: Copy + 'static {
    /// The beginning of all entries of such functions.
    const MARK: [u64; 2];
}

impl<T: Marked> Entry<T> {
    pub(crate) const fn new(run: T) -> Self {
        Self { mark: T::MARK, run }
    }

    /// The function.
    pub(crate) fn run(&self) -> T {
        self.run
    }

    /// How far from the program's base it lies, by which another process finds it. `None` if it is
    /// part of a library and not of the program, or the program has no memory for constants with
    /// pointers (it was linked without `relro`).
    pub(crate) fn offset(&'static self) -> Option<u64> {
        let address = ptr::from_ref(self).expose_provenance();
        let offset = Image::own().offset_of(address, size_of::<Self>())?;
        u64::try_from(offset).ok()
    }

    /// The one that lies this far from the program's base, if one does.
    pub(crate) fn at(offset: u64) -> Option<&'static Self> {
        let offset = usize::try_from(offset).ok()?;
        let address = Image::own().address_of(offset, size_of::<Self>())?;
        let entry = ptr::with_exposed_provenance::<Self>(address);
        if !entry.is_aligned() {
            return None;
        }
        // SAFETY: the mark comes first. It is aligned, and in memory that nobody ever writes to.
        let mark = unsafe { entry.cast::<[u64; 2]>().read() };
        // SAFETY: what begins with the mark and is a constant was made by `new`, of a type that no
        // other shares the mark with; and it stays where it is as long as the process lives.
        (mark == T::MARK).then(|| unsafe { &*entry })
    }
}

impl<T> fmt::Debug for Entry<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{Entry, Marked};

    // SAFETY: from a source of random numbers, and used here alone.
    unsafe impl Marked for fn() -> u32 {
        const MARK: [u64; 2] = [0x3c5f_9b02_77d1_e64a, 0xa81e_4420_5bf3_960d];
    }

    fn answer() -> u32 {
        42
    }

    fn entry() -> &'static Entry<fn() -> u32> {
        const { &Entry::new(answer as fn() -> u32) }
    }

    #[test]
    fn an_entry_is_found_again_and_nothing_else_is() {
        let offset = entry().offset().expect("part of the program");
        let found = Entry::<fn() -> u32>::at(offset).expect("the same");
        assert_eq!((found.run())(), 42);
        for wrong in (0..4096_u64).flat_map(|n| [offset ^ (n + 1), n * 8, !n]) {
            assert!(wrong == offset || Entry::<fn() -> u32>::at(wrong).is_none());
        }
    }
}
