//! [`EventCount`]: turns a container that never waits into one that does.
//!
//! ```text
//!     waiter                                   notifier
//!
//!     1  announce: sleepers + 1, flag set      a  change the condition
//!     2  check the condition once more         b  flag set? if not, done
//!     3  park while the word is unchanged      c  clear the flag, count one epoch on
//!     4  leave: sleepers - 1;                  d  wake one sleeper
//!        others left? flag set again
//!     5  check; if it was good and there is more, notify in turn
//! ```
//!
//! **No wake-up is lost** if the check in 2 and the change in a see to it that one of the two sides
//! sees the other: the containers promise that (see [`Container`](crate::bounded::Container)), the
//! join counter does it with its count. Either the check finds the condition good, or the notifier
//! finds the flag. If the notifier comes between 1 and 3, the epoch has changed and 3 does not
//! sleep.
//!
//! **One wake-up is on its way to threads at a time.** Clearing the flag makes all further notifiers
//! pass at the price of one load, until the woken thread runs and raises it again in 4. It does so
//! before its check in 5, so whatever was changed meanwhile it either finds there or is notified of;
//! and if it finds more than it takes, it wakes the next. So a burst of a thousand items costs one
//! system call, not a thousand. For a task the notifier raises the flag again itself, if others
//! wait: a thread that was woken runs, but a future may be kept without being polled.
//!
//! The word is `epoch << 1 | flag`. A waiter that stays between 1 and 3 while exactly a multiple of
//! 2^31 epochs pass would sleep through its wake-up.

use core::fmt;
use core::mem;

use super::{Park, Wake, Wakers};
use crate::sync::{
    AtomicU32,
    Ordering::{AcqRel, Acquire, Relaxed},
    Word, made,
};

/// The bit that says somebody may be asleep whom no wake-up is on its way to.
const SLEEPING: u32 = 1;
/// One notification, in the word.
const EPOCH: u32 = 2;

/// Where threads wait for a condition that others change without a lock.
///
/// It is what the queues and counters of this crate wait by; take one to make a structure of your
/// own wait. `P` is how to sleep. The condition itself lives elsewhere; what it must provide is
/// said in [`Condition`].
///
/// # Where it may be used
///
/// [`notify`](Self::notify) and [`broadcast`](Self::broadcast) are lock-free and may be called
/// anywhere, also in interrupt and signal handlers if the backend's `unpark` may.
/// [`wait`](Self::wait) is for threads, [`wait_async`](Self::wait_async) for tasks.
///
/// # Wrap-around
///
/// Notifications that wake somebody are counted modulo 2^31. A thread that has announced itself and
/// does not get to run while exactly a multiple of that many pass, each of which takes a waiter and
/// a system call, sleeps through its own.
///
/// ```
/// use brigade_core::sync::{AtomicU32, Ordering};
/// use brigade_core::wait::{Condition, EventCount, Spin};
///
/// static TURN: AtomicU32 = AtomicU32::new(0);
/// static CHANGED: EventCount<Spin> = EventCount::new();
///
/// struct MyTurn;
///
/// impl Condition for MyTurn {
///     type Output = ();
///
///     fn glance(&self) -> bool {
///         TURN.load(Ordering::Relaxed) == 1
///     }
///
///     fn attempt(&mut self) -> Option<()> {
///         // A read-modify-write, as is the store's below: one of the two sees the other.
///         (TURN.fetch_add(0, Ordering::AcqRel) == 1).then_some(())
///     }
/// }
///
/// # extern crate std;
/// std::thread::scope(|scope| {
///     scope.spawn(|| {
///         TURN.swap(1, Ordering::AcqRel);
///         CHANGED.notify(1);
///     });
///     MyTurn.attempt().or_else(|| CHANGED.wait(&mut MyTurn, None));
/// });
/// ```
pub struct EventCount<P: Park> {
    word: Word,
    /// Those between announce and leave.
    sleepers: AtomicU32,
    /// Of those among them that are tasks.
    wakers: P::Wakers,
}

/// What a thread or task waits for.
pub trait Condition {
    /// What is got when the condition is good.
    type Output;

    /// Whether an attempt is worth making. May be wrong; asked often, so cheap.
    fn glance(&self) -> bool;

    /// How often to [spin](Park::spin), with a glance after each, before the first step of waiting:
    /// more than 0 where the answer of a peer that runs is likely to come so soon.
    fn spins(&self) -> u32 {
        0
    }

    /// The first [step](Park::relax) of waiting: above 0 to skip the shortest. Looking often gets
    /// in the way of those who are about to make the condition good.
    fn patience(&self) -> u32 {
        0
    }

    /// Looks, and takes what there is.
    ///
    /// A `None` must happen-before the change that makes the condition good, as the change must
    /// be able to tell that somebody waits: answer by a releasing read-modify-write on the word
    /// that the change acquires.
    fn attempt(&mut self) -> Option<Self::Output>;

    /// After a successful attempt: whether another waiter would succeed too. A `false` must
    /// happen-before the change that makes it so, like a `None` of [`attempt`](Self::attempt).
    ///
    /// The default says so in any case, which costs a wake-up for nothing when it is wrong.
    fn more(&self) -> bool {
        true
    }
}

impl<P: Park> EventCount<P> {
    crate::sync::const_fn! {
        /// Nobody waits.
        #[must_use]
        pub const fn new() -> Self {
            Self {
                word: Word::new(0),
                sleepers: AtomicU32::new(0),
                wakers: made!(<P::Wakers>::NONE),
            }
        }
    }

    /// Waits until an attempt succeeds, or until the deadline; `None` means it has passed. Make an
    /// attempt of your own before: this begins with a moment of waiting.
    ///
    /// Blocks: first busily for as long as the backend sees fit, then asleep.
    #[inline]
    pub fn wait<C: Condition>(
        &self,
        condition: &mut C,
        deadline: Option<P::Deadline>,
    ) -> Option<C::Output> {
        let mut spins = condition.spins();
        let mut step = condition.patience();
        loop {
            if spins > 0 && P::spin() {
                spins -= 1;
            } else if P::relax(step) {
                spins = 0;
                step += 1;
            } else {
                return self.wait_asleep(condition, deadline);
            }
            if condition.glance() {
                if let Some(output) = condition.attempt() {
                    return Some(output);
                }
            }
        }
    }

    #[cold]
    fn wait_asleep<C: Condition>(
        &self,
        condition: &mut C,
        deadline: Option<P::Deadline>,
    ) -> Option<C::Output> {
        loop {
            let waiter = self.announce();
            if let Some(output) = condition.attempt() {
                return Some(output);
            }
            let wake = waiter.park(deadline);
            let pass_on = PassOn(self);
            let attempt = condition.attempt();
            mem::forget(pass_on);
            if let Some(output) = attempt {
                if condition.more() {
                    self.notify(1);
                }
                return Some(output);
            }
            if wake == Wake::TimedOut {
                return None;
            }
        }
    }

    /// Announces a waiter. Check the condition after this call and before
    /// [`park`](Waiter::park). [`wait`](Self::wait) does all of it.
    ///
    /// Who has parked owes the others something, since one wake-up is on its way at a time: to check,
    /// and if the check is good and others would succeed too, to [`notify(1)`](Self::notify).
    #[must_use = "dropping the waiter ends the announcement"]
    pub fn announce(&self) -> Waiter<'_, P> {
        Waiter {
            count: self,
            key: self.enter(),
        }
    }

    /// Counts a waiter in and returns the word to sleep on.
    pub(super) fn enter(&self) -> u32 {
        // ORDERING: Relaxed: only waiters read it; a leaver that misses us has not lowered the
        // flag that we raise next.
        self.sleepers.fetch_add(1, Relaxed);
        self.raise()
    }

    /// Counts a waiter out.
    pub(super) fn leave(&self) {
        // We may have received the only wake-up on its way, and its sender lowered the flag. So
        // raise it again for the others, before the caller's next check.
        // ORDERING: if a wake-up came to us, its sender lowered the flag before; this reads that or
        // something newer and so acquires every `raise` that it wiped out, and with it that
        // waiter's entry in `sleepers`. No model tells the acquire half: `sleepers` only changes by
        // read-modify-writes, which loom runs in one order, so there the entry is never missed.
        self.word.fetch_add(0, Acquire);
        // ORDERING: Relaxed: just acquired, and see `enter`.
        if self.sleepers.fetch_sub(1, Relaxed) > 1 {
            self.raise();
        }
    }

    pub(super) fn wakers(&self) -> &P::Wakers {
        &self.wakers
    }

    /// Raises the flag and returns the word to sleep on.
    fn raise(&self) -> u32 {
        // ORDERING: comes before our check of the condition: the release half reaches the notifier
        // through the condition's own word, or through the word here (`broadcast`). The acquire
        // half takes over what a notifier did before it counted the epoch on.
        self.word.fetch_or(SLEEPING, AcqRel) | SLEEPING
    }

    /// Wakes waiters after a change that lets up to `sleepers` of them succeed.
    ///
    /// The change must have taken over what the waiters did before their checks failed (see
    /// [`Condition::attempt`]); otherwise use [`broadcast`](Self::broadcast). One load if nobody
    /// waits or a wake-up is on its way already.
    #[inline]
    pub fn notify(&self, sleepers: u32) {
        // ORDERING: Relaxed: that a waiter's flag is seen follows from the condition's word, which
        // the caller has acquired.
        let word = self.word.load(Relaxed);
        // To lower the flag and wake nobody would leave everybody asleep.
        if word & SLEEPING != 0 && sleepers > 0 {
            self.wake(word, sleepers);
        }
    }

    #[cold]
    fn wake(&self, mut word: u32, sleepers: u32) {
        while word & SLEEPING != 0 {
            let next = word.wrapping_add(EPOCH) & !SLEEPING;
            // ORDERING: the release half pairs with `raise`: who announces itself in the new epoch
            // sees what was changed before it. The acquire half too: the wakers of those who
            // raised the flag are seen. No model tells the release half: an attempt that keeps the
            // contract of `Condition` finds the change by its own word as well.
            match self.word.compare_exchange_weak(word, next, AcqRel, Relaxed) {
                Ok(_) => return self.deliver(sleepers, next / EPOCH),
                // If somebody else lowered the flag, a wake-up is on its way.
                Err(now) => word = now,
            }
        }
    }

    /// Wakes tasks, and threads for what is left of a wake-up.
    fn deliver(&self, sleepers: u32, turn: u32) {
        // Also if a waker panics.
        let mut threads = Unpark(self, sleepers);
        let tasks = self.wakers.wake(sleepers, turn);
        threads.1 = sleepers.saturating_sub(tasks);
        // A task may be slow to come back, or not come at all while its future is kept: the next
        // change must not be left to it. (To leave it to a thread saves system calls.)
        // ORDERING: Relaxed: who raised the flag that we lowered was counted before, and who raises
        // it later needs nobody to do it.
        if tasks > 0 && self.sleepers.load(Relaxed) > tasks {
            self.raise();
        }
    }

    /// Wakes all waiters after any change whatever.
    ///
    /// Looks at no flag: it may be lowered for a wake-up that is on its way to one waiter, and
    /// the others must not be left to that one.
    pub fn broadcast(&self) {
        // ORDERING: the read-modify-write puts this before or after every `raise`: before, and its
        // acquire shows the waiter our change; after, and the waiter is asleep and woken below, or
        // finds the epoch changed.
        self.word.fetch_add(EPOCH, AcqRel);
        self.deliver(u32::MAX, 0);
    }
}

impl<P: Park> Default for EventCount<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P: Park> fmt::Debug for EventCount<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // ORDERING: Relaxed: for the eye only.
        f.debug_struct("EventCount")
            .field("waiters", &self.sleepers.load(Relaxed))
            .finish_non_exhaustive()
    }
}

/// Wakes so many threads, at the end.
struct Unpark<'a, P: Park>(&'a EventCount<P>, u32);

impl<P: Park> Drop for Unpark<'_, P> {
    #[inline(always)]
    fn drop(&mut self) {
        if self.1 > 0 {
            P::unpark(&self.0.word, self.1);
        }
    }
}

/// Passes the wake-up on if the attempt of the one who received it panics.
pub(super) struct PassOn<'a, P: Park>(pub(super) &'a EventCount<P>);

impl<P: Park> Drop for PassOn<'_, P> {
    fn drop(&mut self) {
        self.0.notify(1);
    }
}

/// An announced waiter; leaves when dropped.
#[derive(Debug)]
pub struct Waiter<'a, P: Park> {
    count: &'a EventCount<P>,
    key: u32,
}

impl<P: Park> Waiter<'_, P> {
    /// Sleeps unless notified since the announcement. May return early without a reason.
    pub fn park(self, deadline: Option<P::Deadline>) -> Wake {
        P::park(&self.count.word, self.key, deadline)
    }
}

impl<P: Park> Drop for Waiter<'_, P> {
    fn drop(&mut self) {
        self.count.leave();
    }
}
