//! A bell to sleep by, for processes that may be killed: an event count of one word.
//!
//! ```text
//!     31                                 1        0
//!     +----------------------------------+--------+
//!     | epoch: how often it was rung     | WAITED |
//!     +----------------------------------+--------+
//!
//!     who waits                          who changes something
//!     ---------                          ---------------------
//!     raise WAITED, remember the word    the change
//!     fence                              fence
//!     is it there? then go on            WAITED? if not, that is all
//!     sleep while the word is as it was  epoch + 1, wake as many as may go on
//! ```
//!
//! Of the two fences one comes first: either the waiter sees the change, or the other sees `WAITED`. From
//! then on the epoch keeps anybody from falling asleep over a change.
//!
//! **Nobody counts sleepers**, for a death would spoil the count. The flag stays up until a ring has found
//! nobody asleep: then it is taken down, *with* another step of the epoch and a wake-up for all, as
//! somebody may have fallen asleep in between.
//!
//! **Deaths.** A process that dies between its change and the wake-up, or once it has received the
//! only one, leaves others asleep. Whoever learns of the death calls [`disturb`](Bell::disturb).
//! Nothing here is ever to be repaired.
//!
//! The epoch wraps around: a waiter that does not get to run from its look at the word to its sleep
//! while exactly a multiple of 2^31 rings go by sleeps until the next.

use brigade_core::wait::Wake;

use super::atomic::{AtomicU32, Ordering, fence};

/// Somebody may be asleep.
const WAITED: u32 = 1;
/// One step of the epoch.
const EPOCH: u32 = 2;

/// A word that is slept on. Natively a shared futex.
pub(crate) trait Sleep {
    /// A moment to give up at.
    type Deadline: Copy;

    fn word(&self) -> &AtomicU32;

    /// Sleeps while the word is `expected`, at the latest until the deadline. May end without a reason.
    fn sleep(&self, expected: u32, deadline: Option<Self::Deadline>) -> Wake;

    /// Wakes up to `sleepers`, and says how many it has.
    fn wake(&self, sleepers: u32) -> u32;
}

/// See the top of the file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bell<S>(pub(crate) S);

/// What the word was when a waiter announced itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Key(u32);

impl<S: Sleep> Bell<S> {
    /// Announces a waiter. Look whether there is still something to wait for, and then
    /// [`sleep`](Self::sleep). Nothing has to be taken back if there is not.
    pub(crate) fn announce(&self) -> Key {
        // ORDERING: Relaxed, here and below: the fence does it.
        let mut word = self.0.word().load(Ordering::Relaxed);
        while word & WAITED == 0 {
            match self.0.word().compare_exchange_weak(
                word,
                word | WAITED,
                Ordering::Relaxed,
                Ordering::Relaxed,
            ) {
                Ok(_) => word |= WAITED,
                Err(now) => word = now,
            }
        }
        // ORDERING: pairs with the fence in `ring`: one of the two sees what the other did before. And
        // with `disturb`, and the rings before: who sees their epoch sees what was done before it.
        fence(Ordering::SeqCst);
        Key(word)
    }

    /// Sleeps unless it was rung since the announcement. May end without a reason.
    pub(crate) fn sleep(&self, key: Key, deadline: Option<S::Deadline>) -> Wake {
        self.0.sleep(key.0, deadline)
    }

    /// Wakes up to so many waiters, after a change by which they may go on. A fence and a load if
    /// nobody waits.
    #[inline]
    pub(crate) fn ring(&self, sleepers: u32) {
        // ORDERING: pairs with the fence in `announce`.
        fence(Ordering::SeqCst);
        // ORDERING: Relaxed: the fence does it.
        if self.0.word().load(Ordering::Relaxed) & WAITED != 0 {
            self.wake(sleepers);
        }
    }

    /// Whether somebody may wait, after a change that was made by a `SeqCst` access: spares the fence of
    /// [`ring`](Self::ring), which is to follow if so.
    #[inline]
    pub(crate) fn is_waited(&self) -> bool {
        // ORDERING: SeqCst, as the change: either this comes after the fence in `announce`, and sees the
        // flag, or the waiter sees the change.
        self.0.word().load(Ordering::SeqCst) & WAITED != 0
    }

    #[cold]
    fn wake(&self, sleepers: u32) {
        // ORDERING: Relaxed: the fence in `ring` comes before, and pairs with the one in `announce`.
        let rung = self.0.word().fetch_add(EPOCH, Ordering::Relaxed);
        let rung = rung.wrapping_add(EPOCH);
        if self.0.wake(sleepers) > 0 {
            return;
        }
        // Nobody is asleep. Who falls asleep from here on is woken below, or finds the word changed.
        let lowered = rung.wrapping_add(EPOCH) & !WAITED;
        // ORDERING: Relaxed, as above. If it fails another ring came, and whoever raised the flag before
        // it is its concern.
        let lowered =
            self.0
                .word()
                .compare_exchange(rung, lowered, Ordering::Relaxed, Ordering::Relaxed);
        if lowered.is_ok() {
            self.0.wake(u32::MAX);
        }
    }

    /// Wakes all waiters, whatever the flag says: to be called after what a dead process left has been
    /// put in order, and when somebody joins whom the waiters have to watch.
    pub(crate) fn disturb(&self) {
        // ORDERING: Release pairs with the fence in `announce`: who announces itself later sees what was
        // done before. Who did so earlier is woken or finds the word changed.
        self.0.word().fetch_add(EPOCH, Ordering::Release);
        self.0.wake(u32::MAX);
    }
}
