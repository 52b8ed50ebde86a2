//! [`JoinCounter`]: wait until everything begun is done.

use core::fmt;
use core::time::Duration;

use crate::error::{CountOverflow, TooManyDone};
use crate::sync::{
    AtomicU32,
    Ordering::{AcqRel, Acquire, Relaxed},
};
use crate::wait::{AsyncPark, Condition, EventCount, Park, Spin, TimedPark, WaitAsync};

/// Counts work that was begun and is not done, and lets threads wait for zero.
///
/// What a Go programmer knows as a wait group, and what stands behind `join` of Python's queues.
/// `P` is how to sleep; the default spins. It starts at zero and may be used again and again.
///
/// What happened before a [`done`](Self::done) is visible to whoever has waited for zero.
///
/// # Where it may be used
///
/// [`add`](Self::add), [`done`](Self::done) and [`count`](Self::count) are lock-free and never wait:
/// they may be called anywhere, also in interrupt and signal handlers if the backend's `unpark` may.
/// `wait` and its kin block and are for threads, [`wait_async`](Self::wait_async) is for tasks; all
/// of it works in loom models.
///
/// # At the bound
///
/// The count neither wraps around nor goes below zero: both are errors and change nothing. The event
/// count that it waits by does wrap, see [`EventCount`].
///
/// ```
/// use brigade_core::JoinCounter;
///
/// static RUNNING: JoinCounter = JoinCounter::new();
///
/// # extern crate std;
/// RUNNING.add(2).unwrap();
/// for _ in 0..2 {
///     std::thread::spawn(|| RUNNING.done().unwrap());
/// }
/// RUNNING.wait();
/// assert!(RUNNING.done().is_err(), "one too many");
/// ```
pub struct JoinCounter<P: Park = Spin> {
    count: AtomicU32,
    zero: EventCount<P>,
}

impl<P: Park> JoinCounter<P> {
    crate::sync::const_fn! {
        /// A count of zero.
        #[must_use]
        pub const fn new() -> Self {
            Self { count: AtomicU32::new(0), zero: EventCount::new() }
        }
    }

    /// Counts `more` units of work as begun.
    ///
    /// Progress: lock-free; safe in signal and interrupt handlers.
    ///
    /// # Errors
    ///
    /// [`CountOverflow`] if the count would exceed `u32::MAX`; it stays as it was.
    pub fn add(&self, more: u32) -> Result<(), CountOverflow> {
        // ORDERING: Relaxed: beginning work publishes nothing; as a read-modify-write it keeps the
        // chain of the `done`s intact.
        self.count
            .fetch_update(Relaxed, Relaxed, |count| count.checked_add(more))
            .map(drop)
            .map_err(|_| CountOverflow)
    }

    /// Counts one unit of work as done; the last one wakes all who wait.
    ///
    /// Progress: lock-free; safe in signal and interrupt handlers if the backend's `unpark` is.
    ///
    /// # Errors
    ///
    /// [`TooManyDone`] if the count is zero; it stays zero.
    pub fn done(&self) -> Result<(), TooManyDone> {
        // ORDERING: the release half hands our work to the waiter (`is_zero`), through the later
        // `done`s if there are any. The acquire half takes over a waiter's announcement if it
        // checked before us.
        match self
            .count
            .fetch_update(AcqRel, Relaxed, |count| count.checked_sub(1))
        {
            Ok(1) => self.zero.notify(u32::MAX),
            Ok(_) => {}
            Err(_) => return Err(TooManyDone),
        }
        Ok(())
    }

    /// How much is begun and not done. Old news as soon as it is read, except that a zero stays
    /// if nobody else adds.
    #[must_use]
    pub fn count(&self) -> u32 {
        // ORDERING: Acquire pairs with `done`, so that a zero means what it says.
        self.count.load(Acquire)
    }

    /// Waits until the count is zero; returns at once if it is. Blocks.
    ///
    /// A zero that does not last may go by unnoticed: a waiter that finds the count risen again
    /// goes on waiting.
    pub fn wait(&self) {
        self.wait_until(None);
    }

    /// Waits until the count is zero or the time is up; says whether it was zero.
    ///
    /// Blocks, for `timeout` at most.
    #[must_use = "a time-out is reported by the return value alone"]
    pub fn wait_timeout(&self, timeout: Duration) -> bool
    where
        P: TimedPark,
    {
        self.count() == 0 || self.wait_until(P::deadline_after(timeout))
    }

    /// Waits until the count is zero or the deadline has passed; says whether it was zero.
    ///
    /// Blocks, until `deadline` at most.
    #[must_use = "a time-out is reported by the return value alone"]
    pub fn wait_deadline(&self, deadline: P::Deadline) -> bool {
        self.wait_until(Some(deadline))
    }

    /// Waits until the count is zero. Cancel-safe.
    ///
    /// As with [`wait`](Self::wait), a zero that does not last may go by unnoticed.
    ///
    /// ```
    /// use brigade_core::{JoinCounter, wait::Async};
    ///
    /// static TRANSFERS: JoinCounter<Async> = JoinCounter::new();
    ///
    /// async fn power_down() {
    ///     TRANSFERS.wait_async().await;
    ///     // ...
    /// }
    /// # use core::task::{Context, Poll, Waker};
    /// # use core::{future::Future, pin::pin};
    /// # let mut context = Context::from_waker(Waker::noop());
    /// # TRANSFERS.add(1).unwrap();
    /// # let mut task = pin!(power_down());
    /// # assert_eq!(task.as_mut().poll(&mut context), Poll::Pending);
    /// # TRANSFERS.done().unwrap();
    /// # assert_eq!(task.as_mut().poll(&mut context), Poll::Ready(()));
    /// ```
    pub fn wait_async(&self) -> WaitAsync<'_, Zero<'_>, P>
    where
        P: AsyncPark,
    {
        self.zero.wait_async(Zero(&self.count))
    }

    fn wait_until(&self, deadline: Option<P::Deadline>) -> bool {
        self.count() == 0 || self.zero.wait(&mut Zero(&self.count), deadline).is_some()
    }
}

/// The count is zero: what [`JoinCounter::wait_async`] waits for.
pub struct Zero<'a>(&'a AtomicU32);

impl Condition for Zero<'_> {
    type Output = ();

    fn glance(&self) -> bool {
        // ORDERING: Relaxed: only an attempt counts.
        self.0.load(Relaxed) == 0
    }

    fn attempt(&mut self) -> Option<()> {
        // ORDERING: the acquire half takes over the finished work; the release half makes a "no"
        // happen before the last `done`, which then sees our announcement.
        (self.0.fetch_add(0, AcqRel) == 0).then_some(())
    }
}

impl<P: Park> Default for JoinCounter<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P: Park> fmt::Debug for JoinCounter<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // ORDERING: Relaxed: for the eye only.
        f.debug_struct("JoinCounter")
            .field("count", &self.count.load(Relaxed))
            .finish_non_exhaustive()
    }
}
