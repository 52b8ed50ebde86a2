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
//! somebody may have fallen asleep in between. The kernel does the three at once: a process that is
//! stopped while it rings leaves nobody asleep under a flag that is down, where no other ring would reach
//! him.
//!
//! **Stops.** What a stopped process was to tell, or was told, is not lost on the others for good: whoever
//! rings next, for a change of its own, wakes as many as it may. Who is woken should ring on if there is
//! more than it takes. Until somebody rings, nobody is woken.
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

    /// Adds 1 to the word and wakes all who sleep on it: at once, so that nobody falls asleep in
    /// between.
    fn step_and_wake_all(&self);
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
        self.0.word().fetch_add(EPOCH, Ordering::Relaxed);
        if self.0.wake(sleepers) == 0 {
            // Nobody is asleep. 1 more takes the flag down and is a step of the epoch. If another has done so
            // meanwhile, it puts the flag up: that costs the next ring a look.
            self.0.step_and_wake_all();
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
