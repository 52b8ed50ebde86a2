//! [`Event`]: a flag that can be waited for.
//!
//! ```text
//!     31                      2       1       0
//!     +-----------------------+-------+-------+
//!     | how often it was set  | WAITED|  SET  |
//!     +-----------------------+-------+-------+
//! ```
//!
//! One word holds everything, so `set` is one atomic update and at most one wake-up, and may be
//! called where nothing else may: in a signal handler or an interrupt. Counting the sets lets a
//! waiter notice one that was cleared again before it ran.

use core::fmt;
use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use crate::sync::{
    Ordering::{AcqRel, Acquire, Relaxed, Release},
    Word, made,
};
use crate::wait::{AsyncPark, Park, Spin, TimedPark, Wake, Wakers};

/// The event is set.
const SET: u32 = 1;
/// Somebody may be asleep on the word.
const WAITED: u32 = 2;
/// One set, in the count.
const ONE: u32 = 4;

/// A flag that threads wait for until somebody sets it.
///
/// What Python calls `threading.Event`. `P` is how to sleep; the default spins. Once set it stays
/// set, and lets every waiter through, until [`clear`](Self::clear).
///
/// What happened before a [`set`](Self::set) is visible to whoever finds the event set, and to
/// whoever clears it.
///
/// # Where it may be used
///
/// [`set`](Self::set), [`clear`](Self::clear) and [`is_set`](Self::is_set) never wait and may be
/// called anywhere, also in interrupt and signal handlers if the backend's `unpark` may. `wait` and
/// its kin are for threads, [`wait_async`](Self::wait_async) for tasks; all of it works in loom
/// models.
///
/// # Progress
///
/// `set` is lock-free, `is_set` wait-free, `clear` wait-free where the processor has an atomic "and"
/// and lock-free elsewhere. What waits is blocking.
///
/// # Wrap-around
///
/// The sets are counted modulo 2^30: a waiter that does not get to run during exactly a multiple
/// of that many set-and-clear pairs waits for the next set.
///
/// ```
/// use brigade_core::Event;
///
/// static READY: Event = Event::new();
///
/// # extern crate std;
/// std::thread::scope(|scope| {
///     scope.spawn(|| READY.wait());
///     READY.set();
/// });
/// assert!(READY.is_set());
/// ```
pub struct Event<P: Park = Spin> {
    word: Word,
    wakers: P::Wakers,
}

impl<P: Park> Event<P> {
    crate::sync::const_fn! {
        /// An event that is not set.
        #[must_use]
        pub const fn new() -> Self {
            Self { word: Word::new(0), wakers: made!(<P::Wakers>::NONE) }
        }
    }

    /// Sets the event and wakes all who wait for it.
    ///
    /// Progress: lock-free. Safe in signal and interrupt handlers: one atomic update and at most
    /// one wake-up of the backend, no allocation, no lock. With [`Async`](crate::wait::Async) it also
    /// calls the wakers of the tasks that wait.
    pub fn set(&self) {
        // ORDERING: Relaxed: the compare-and-swap decides.
        let mut word = self.word.load(Relaxed);
        loop {
            // Also an event that is set already is written: if a clear comes next, it must see
            // what we did before.
            let next = if word & SET != 0 {
                word
            } else {
                (word.wrapping_add(ONE) | SET) & !WAITED
            };
            // ORDERING: the release half shows what we did to whoever finds the event set
            // (`is_set`, `wait`) or clears it. Of several, the last shows what all of them did, as
            // a read-modify-write continues their release sequences. The acquire half shows us the
            // wakers of those who asked (`WaitSet::ask`).
            match self.word.compare_exchange_weak(word, next, AcqRel, Relaxed) {
                Ok(_) => break,
                Err(now) => word = now,
            }
        }
        if word & (SET | WAITED) == WAITED {
            // Threads first, in case a waker panics.
            P::unpark(&self.word, u32::MAX);
            self.wakers.wake(u32::MAX, 0);
        }
    }

    /// Wakes the tasks that wait, as [`set`](Self::set) does, without setting the event: each looks
    /// whether it was set, and if not goes on waiting.
    ///
    /// For backends whose [`Wakers`] leave tasks asleep where their wakers must not run, such as in a
    /// signal handler: this makes up for it. Progress: that of the wakers. It may be called
    /// wherever they may.
    ///
    /// ```
    /// use brigade_core::{Event, wait::Async};
    ///
    /// static PRESSED: Event<Async> = Event::new();
    ///
    /// PRESSED.wake_tasks();
    /// assert!(!PRESSED.is_set());
    /// ```
    pub fn wake_tasks(&self) {
        self.wakers.wake(u32::MAX, 0);
    }

    /// Makes the event not set. Those who began to wait before it was last set go on all the same.
    ///
    /// What was done before any of the sets that this clears is visible afterwards. So a consumer
    /// may clear the event, look at what there is to do, and wait, without missing anything.
    ///
    /// Progress: wait-free where the processor has an atomic "and", lock-free elsewhere.
    pub fn clear(&self) {
        // ORDERING: Acquire pairs with `set`, see there. Waiters that see the new count acquire the
        // set through this, as a read-modify-write continues its release sequence.
        self.word.fetch_and(!SET, Acquire);
    }

    /// Whether the event is set.
    #[must_use]
    #[inline]
    pub fn is_set(&self) -> bool {
        // ORDERING: Acquire pairs with `set`.
        self.word.load(Acquire) & SET != 0
    }

    /// Waits until the event is set; returns at once if it is.
    ///
    /// A set that comes after the call has begun ends it, also if the event is cleared before
    /// the waiter gets to run. Blocks.
    pub fn wait(&self) {
        self.wait_until(None);
    }

    /// Waits until the event is set or the time is up; says whether it was set.
    ///
    /// Blocks, for `timeout` at most.
    #[must_use = "a time-out is reported by the return value alone"]
    pub fn wait_timeout(&self, timeout: Duration) -> bool
    where
        P: TimedPark,
    {
        self.is_set() || self.wait_until(P::deadline_after(timeout))
    }

    /// Waits until the event is set or the deadline has passed; says whether it was set.
    ///
    /// Blocks, until `deadline` at most.
    #[must_use = "a time-out is reported by the return value alone"]
    pub fn wait_deadline(&self, deadline: P::Deadline) -> bool {
        self.wait_until(Some(deadline))
    }

    /// Waits until the event is set. Cancel-safe.
    ///
    /// A set that comes after this call ends it, also before the first poll and if the event is
    /// cleared again.
    ///
    /// ```
    /// use brigade_core::{Event, wait::Async};
    ///
    /// static PRESSED: Event<Async> = Event::new();
    ///
    /// async fn blink() {
    ///     PRESSED.wait_async().await;
    ///     PRESSED.clear();
    ///     // ...
    /// }
    /// # use core::task::{Context, Poll, Waker};
    /// # use core::pin::pin;
    /// # let mut context = Context::from_waker(Waker::noop());
    /// # let mut task = pin!(blink());
    /// # assert_eq!(task.as_mut().poll(&mut context), Poll::Pending);
    /// PRESSED.set(); // in the interrupt handler
    /// # assert_eq!(task.as_mut().poll(&mut context), Poll::Ready(()));
    /// ```
    pub fn wait_async(&self) -> WaitSet<'_, P>
    where
        P: AsyncPark,
    {
        WaitSet {
            event: self,
            // ORDERING: Relaxed: only compared with what is acquired later.
            begun: self.word.load(Relaxed),
            place: None,
        }
    }

    fn wait_until(&self, deadline: Option<P::Deadline>) -> bool {
        // ORDERING: Acquire, here and below, pairs with `set`, see `over`.
        let begun = self.word.load(Acquire);
        let over = |word| over(begun, word);

        let mut word = begun;
        let mut step = 0;
        while !over(word) && P::relax(step) {
            word = self.word.load(Acquire);
            step += 1;
        }
        let mut wake = Wake::Woken;
        loop {
            if over(word) {
                return true;
            }
            if wake == Wake::TimedOut {
                return false;
            }
            // ORDERING: Relaxed on success: it only asks `set`, which reads the word by
            // read-modify-write, for a wake-up. Acquire on failure as above.
            if let Err(now) = self
                .word
                .compare_exchange(word, word | WAITED, Relaxed, Acquire)
            {
                word = now;
                continue;
            }
            wake = P::park(&self.word, word | WAITED, deadline);
            word = self.word.load(Acquire);
        }
    }
}

/// Whether a wait that began with one value of the word is over with another.
///
/// What was before the set is visible to who has acquired the word, also if the event has been
/// cleared since, as the clear continues the release sequence of the set.
fn over(begun: u32, word: u32) -> bool {
    word & SET != 0 || word / ONE != begun / ONE
}

/// Waits until an event is set: see [`Event::wait_async`].
///
/// Cancel-safe: it may be dropped at any time. Do not poll it again after it was ready.
#[must_use = "futures do nothing unless they are awaited"]
pub struct WaitSet<'a, P: AsyncPark> {
    event: &'a Event<P>,
    /// The word at the beginning.
    begun: u32,
    /// Where our waker is.
    place: Option<usize>,
}

impl<P: AsyncPark> WaitSet<'_, P> {
    /// Takes our waker back. A set wakes all, so there is no wake-up to pass on.
    fn leave(&mut self) {
        if let Some(place) = self.place.take() {
            self.event.wakers.withdraw(place);
        }
    }

    /// Whether it is over; if not, `set` has been asked for a wake-up.
    fn ask(&self) -> bool {
        // ORDERING: Acquire, here and on failure below, pairs with `set`, see `over`.
        let mut word = self.event.word.load(Acquire);
        while !over(self.begun, word) {
            // ORDERING: Release hands our waker to `set`.
            match self
                .event
                .word
                .compare_exchange(word, word | WAITED, Release, Acquire)
            {
                Ok(_) => return false,
                Err(now) => word = now,
            }
        }
        true
    }
}

impl<P: AsyncPark> Future for WaitSet<'_, P> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.leave();
        // ORDERING: Acquire pairs with `set`, see `over`.
        if over(self.begun, self.event.word.load(Acquire)) {
            return Poll::Ready(());
        }
        self.place = self.event.wakers.register(context.waker());
        if self.place.is_none() {
            context.waker().wake_by_ref();
        } else if self.ask() {
            self.leave();
            return Poll::Ready(());
        }
        Poll::Pending
    }
}

impl<P: AsyncPark> Drop for WaitSet<'_, P> {
    fn drop(&mut self) {
        self.leave();
    }
}

impl<P: AsyncPark> fmt::Debug for WaitSet<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitSet")
            .field("waiting", &self.place.is_some())
            .finish_non_exhaustive()
    }
}

impl<P: Park> Default for Event<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P: Park> fmt::Debug for Event<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("set", &self.is_set())
            .finish()
    }
}
