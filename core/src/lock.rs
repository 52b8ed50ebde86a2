//! [`Lock`]: how a container that needs a lock gets one, as [`Park`](crate::wait::Park) is how a
//! primitive that waits gets to sleep.
//!
//! ```text
//!     Priority            holds the word, takes the lock for each operation
//!        |
//!      Lock               how: spin on the word, or mask interrupts, or what a world of yours has
//! ```

use crate::sync::{
    AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
};

/// A way to exclude others, over one word.
///
/// A lock is a type that is never made; it only says what to do with a word of which each container
/// owns one. The word is 0 while the lock is free; all else about it is up to the lock.
///
/// Containers only ever try: who waits for a lock does so in the container, or in the
/// [`Queue`](crate::Queue), which knows how.
///
/// # Safety
///
/// Containers access their content by it:
///
/// - from a successful `try_acquire` to the `release` with its token, no other `try_acquire` on the
///   same word succeeds, *also none on the same thread*, in an interrupt handler or in a function
///   that the holder calls;
/// - a `release` happens-before the next successful `try_acquire` on the same word.
pub unsafe trait Lock {
    /// What the holder keeps until it releases the lock.
    type Token: Copy;

    /// Takes the lock if it is free. Never waits for its release. (A critical section may wait for
    /// another core to leave its own.)
    ///
    /// # Safety
    ///
    /// - If it succeeds, `release` is called with the token, once, on the same thread;
    /// - whatever was acquired in between, critical sections included, is released before.
    unsafe fn try_acquire(word: &AtomicU32) -> Option<Self::Token>;

    /// Gives the lock back.
    ///
    /// # Safety
    ///
    /// - `token` came from a successful `try_acquire` on this word, by the same thread;
    /// - it was not released yet;
    /// - if several locks or critical sections are held, the last taken is released first.
    unsafe fn release(word: &AtomicU32, token: Self::Token);
}

const FREE: u32 = 0;
const HELD: u32 = 1;

/// A spin lock: whoever finds it held tries again.
///
/// It needs nothing but a processor. If its holder is stopped, everybody waits; so what it guards
/// must not be used from an interrupt or signal handler that can cut off a holder: it would wait
/// for ever.
#[derive(Debug, Clone, Copy)]
pub enum SpinLock {}

// SAFETY: the word is changed from free to held by one compare-and-swap, and back by the holder
// alone. The two are a release and an acquire.
unsafe impl Lock for SpinLock {
    type Token = ();

    #[inline(always)]
    unsafe fn try_acquire(word: &AtomicU32) -> Option<()> {
        // ORDERING: Acquire pairs with the release in `release`. Relaxed on failure: there is
        // nothing to be had.
        word.compare_exchange(FREE, HELD, Acquire, Relaxed)
            .ok()
            .map(drop)
    }

    #[inline(always)]
    unsafe fn release(word: &AtomicU32, (): ()) {
        // ORDERING: Release pairs with the acquire in `try_acquire`.
        word.store(FREE, Release);
    }
}

/// A critical section, as the implementation that the program provides defines it: on most chips,
/// interrupts are masked as long as it is held.
///
/// What it guards may be used in interrupt handlers, as none can cut off a holder. Interrupts are
/// masked for the length of an operation.
///
/// The word is used too: a holder that comes by again, in a comparison for example, finds it held.
///
/// Not for loom models: loom cannot see into critical sections, and the host's are locks that it must
/// not switch threads under.
#[cfg(feature = "critical-section")]
#[derive(Debug, Clone, Copy)]
pub enum CriticalSection {}

// SAFETY: critical sections exclude each other, so in one of them the word is ours alone; it is
// held from a successful `try_acquire` to `release`, and that is also how a critical section inside
// a critical section is told. The end of one happens-before the begin of the next.
#[cfg(feature = "critical-section")]
unsafe impl Lock for CriticalSection {
    type Token = critical_section::RestoreState;

    #[inline]
    unsafe fn try_acquire(word: &AtomicU32) -> Option<Self::Token> {
        // SAFETY: released below, or in `release`, which the caller promises to call in its turn.
        let token = unsafe { critical_section::acquire() };
        // ORDERING: the critical section orders all of it. Acquire pairs with the release in
        // `release` all the same, for tools that know no critical sections. No model tells the
        // acquire half: none uses this lock, see above.
        if word.load(Acquire) == HELD {
            // SAFETY: it was acquired just above, and nothing since.
            unsafe { critical_section::release(token) };
            return None;
        }
        // ORDERING: Relaxed: as in a spin lock, to take it publishes nothing.
        word.store(HELD, Relaxed);
        Some(token)
    }

    #[inline]
    unsafe fn release(word: &AtomicU32, token: Self::Token) {
        // ORDERING: Release pairs with the acquire in `try_acquire`. No model tells the release
        // half: as there.
        word.store(FREE, Release);
        // SAFETY: the caller promises that this is the token of the last critical section entered.
        unsafe { critical_section::release(token) };
    }
}

/// A lock that is held as long as this lives, also if somebody panics meanwhile.
pub(crate) struct Held<'a, L: Lock> {
    word: &'a AtomicU32,
    token: L::Token,
}

impl<'a, L: Lock> Held<'a, L> {
    /// Takes the lock if it is free.
    ///
    /// # Safety
    ///
    /// - The caller keeps what it gets in a local variable, so that it is dropped on this thread, and
    ///   before whatever was acquired earlier is released.
    #[inline(always)]
    pub(crate) unsafe fn try_new(word: &'a AtomicU32) -> Option<Self> {
        // SAFETY: dropping what we return releases it, in its turn as the caller promises.
        let token = unsafe { L::try_acquire(word) }?;
        Some(Self { word, token })
    }
}

impl<L: Lock> Drop for Held<'_, L> {
    #[inline(always)]
    fn drop(&mut self) {
        // SAFETY: the token came from `try_new` on this word, and only this gives it back, on the
        // thread of the local variable, of which the last made is the first to go.
        unsafe { L::release(self.word, self.token) };
    }
}

#[cfg(all(test, feature = "critical-section"))]
mod tests {
    use super::*;

    #[test]
    fn a_critical_section_is_held_once_and_given_back() {
        fn take(word: &AtomicU32) -> Option<Held<'_, CriticalSection>> {
            // SAFETY: each caller below keeps it in a local variable, or drops it at once.
            unsafe { Held::try_new(word) }
        }

        let word = AtomicU32::new(0);
        let held = take(&word);
        assert!(held.is_some());
        assert!(take(&word).is_none());
        drop(held);
        // Another thread gets in only if the critical section has ended as often as it began.
        std::thread::scope(|scope| {
            scope.spawn(|| assert!(take(&word).is_some()));
        });
    }
}
