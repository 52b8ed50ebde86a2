//! The seam to the machine: the only file that picks the atomics and the only one that knows loom.
//!
//! Everything else in this crate is written over what is exported here, so one text of every
//! algorithm runs on native atomics and, under `--cfg brigade_loom`, inside a loom model:
//!
//! | here | natively | in a model |
//! |---|---|---|
//! | [`AtomicU32`], [`Ordering`] | `core::sync::atomic` | loom's |
//! | [`UnsafeCell`] | a closure-taking wrapper | loom's, which checks every access for races |
//! | [`pause`] | the spin-loop hint | a yield to loom's scheduler |
//! | [`Word`] | an `AtomicU32` | the same, with a condition variable to sleep on |
//! | `const_fn!`, `array!` | `const fn new`, `[const { .. }; N]` | run-time versions: loom's types cannot be made in constants |
//!
//! The cfg is a name of our own because a bare `--cfg loom` would leak into every other crate of
//! the graph, and several of them change shape under it.

#[cfg(not(brigade_loom))]
pub use native::{AtomicU32, UnsafeCell, Word, pause};
#[cfg(not(brigade_loom))]
pub(crate) use native::{array, const_fn};

#[cfg(brigade_loom)]
pub use model::{AtomicU32, Model, UnsafeCell, Word, pause};
#[cfg(brigade_loom)]
pub(crate) use model::{array, const_fn};

pub use core::sync::atomic::Ordering;

#[cfg(not(brigade_loom))]
mod native {
    pub use core::sync::atomic::AtomicU32;

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

    pub(crate) use {array, const_fn};
}

#[cfg(brigade_loom)]
mod model {
    extern crate std;

    use core::convert::Infallible;
    use core::time::Duration;

    use super::Ordering;
    use crate::wait::{Park, TimedPark, Wake};

    pub use loom::cell::UnsafeCell;
    pub use loom::sync::atomic::AtomicU32;
    pub use loom::thread::yield_now as pause;

    /// A 32-bit atomic that somebody may sleep on; see [`Park`].
    #[derive(Debug)]
    pub struct Word {
        atomic: AtomicU32,
        bed: loom::sync::Mutex<()>,
        bell: loom::sync::Condvar,
    }

    impl Word {
        /// A word with this value and nobody asleep on it.
        #[must_use]
        pub fn new(value: u32) -> Self {
            Self {
                atomic: AtomicU32::new(value),
                bed: loom::sync::Mutex::new(()),
                bell: loom::sync::Condvar::new(),
            }
        }
    }

    impl core::ops::Deref for Word {
        type Target = AtomicU32;

        fn deref(&self) -> &AtomicU32 {
            &self.atomic
        }
    }

    /// The backend of models: sleeps in loom's scheduler, which reports a thread that is never
    /// woken as a deadlock.
    ///
    /// A deadline is modelled as a return at any moment: the park ends at once, and as loom tries
    /// every interleaving around it, "at once" is every moment.
    #[derive(Debug)]
    pub struct Model(Infallible);

    impl Park for Model {
        type Deadline = ();

        fn park(word: &Word, expected: u32, deadline: Option<()>) -> Wake {
            if deadline.is_some() {
                return Wake::TimedOut;
            }
            let bed = word.bed.lock().unwrap();
            // ORDERING: Relaxed: a waker changes the word before it takes the lock, so either the
            // lock shows us the change, or we sleep before the bell rings. Like a futex's check,
            // it orders nothing else.
            if word.atomic.load(Ordering::Relaxed) == expected {
                drop(word.bell.wait(bed).unwrap());
            }
            Wake::Woken
        }

        fn unpark(word: &Word, sleepers: u32) {
            let bed = word.bed.lock().unwrap();
            if sleepers == 1 {
                word.bell.notify_one();
            } else {
                word.bell.notify_all();
            }
            drop(bed);
        }

        fn relax(_step: u32) -> bool {
            pause();
            false
        }
    }

    impl TimedPark for Model {
        fn deadline_after(_timeout: Duration) -> Option<()> {
            Some(())
        }
    }

    macro_rules! const_fn {
        ($(#[$meta:meta])* $vis:vis const fn $($rest:tt)*) => {
            $(#[$meta])* $vis fn $($rest)*
        };
    }

    macro_rules! array {
        ($value:expr; $len:expr) => {
            core::array::from_fn(|_| $value)
        };
    }

    pub(crate) use {array, const_fn};
}
