//! [`Semaphore`]: a number of permits, each held by one at a time.

use core::fmt;
use core::time::Duration;

use crate::error::TooManyPermits;
use crate::sync::{
    AtomicU32,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};
use crate::wait::{AsyncPark, Condition, EventCount, Park, Spin, TimedPark, WaitAsync};

/// Lets a limited number of holders in at a time.
///
/// What Python calls `threading.BoundedSemaphore`. It starts with a number of permits; who
/// acquires one gets it as a guard, and dropping the guard returns it. `P` is how to sleep; the
/// default spins.
///
/// The number of permits that are free never exceeds a bound, by default the number at the start:
/// one [`release`](Self::release) too many is an error. A semaphore that counts what interrupts
/// announce starts empty: [`with_bound(0, most)`](Self::with_bound).
///
/// What happened before a permit was returned is visible to whoever acquires one that was free
/// thereafter.
///
/// # Where it may be used
///
/// [`try_acquire`](Self::try_acquire), [`release`](Self::release) and dropping a [`Permit`] are
/// lock-free and safe in interrupt and signal handlers (if the backend's `unpark` is). What waits
/// is blocking and for threads, or with [`Async`](crate::wait::Async) for tasks. All of it works in
/// loom models.
///
/// # At the bound
///
/// Without a free permit `try_acquire` says so at once. Waiters are served in no particular order,
/// and one who comes along may be faster than one who waits.
///
/// # Wrap-around
///
/// Permits are counted within the bound and do not wrap around; the event count that it waits by
/// does, see [`EventCount`].
///
/// ```
/// use brigade_core::Semaphore;
///
/// static CHANNELS: Semaphore = Semaphore::new(2);
///
/// let first = CHANNELS.acquire();
/// let second = CHANNELS.try_acquire().unwrap();
/// assert!(CHANNELS.try_acquire().is_none());
/// drop(first);
/// assert_eq!(CHANNELS.available(), 1);
/// # drop(second);
/// ```
pub struct Semaphore<P: Park = Spin> {
    free: AtomicU32,
    bound: u32,
    returned: EventCount<P>,
}

impl<P: Park> Semaphore<P> {
    crate::sync::const_fn! {
        /// A semaphore with this many permits, all of them free, and no more of them ever: one that
        /// starts empty is made by [`with_bound(0, most)`](Self::with_bound).
        #[must_use]
        pub const fn new(permits: u32) -> Self {
            Self::with_bound(permits, permits)
        }
    }

    crate::sync::const_fn! {
        /// A semaphore with `permits` free at the start and never more than `bound`.
        ///
        /// # Panics
        ///
        /// If there are more permits than the bound allows; in a `static` that is a compile error.
        #[must_use]
        pub const fn with_bound(permits: u32, bound: u32) -> Self {
            assert!(permits <= bound, "a semaphore cannot start with more permits than its bound");
            Self {
                free: AtomicU32::new(permits),
                bound,
                returned: EventCount::new(),
            }
        }
    }

    /// Acquires a permit if one is free now. Never waits.
    ///
    /// Progress: lock-free.
    #[must_use = "dropping the permit returns it"]
    pub fn try_acquire(&self) -> Option<Permit<'_, P>> {
        FreePermit { semaphore: self }.attempt()
    }

    /// Acquires a permit, waiting for one if none is free. Blocks.
    #[must_use = "dropping the permit returns it"]
    pub fn acquire(&self) -> Permit<'_, P> {
        loop {
            // Without a deadline it does not give up.
            if let Some(permit) = self.acquire_until(None) {
                return permit;
            }
        }
    }

    /// Acquires a permit, waiting for one if none is free; `None` if the time is up before. Blocks,
    /// for `timeout` at most.
    #[must_use = "dropping the permit returns it"]
    pub fn acquire_timeout(&self, timeout: Duration) -> Option<Permit<'_, P>>
    where
        P: TimedPark,
    {
        self.try_acquire()
            .or_else(|| self.acquire_until(P::deadline_after(timeout)))
    }

    /// Acquires a permit, waiting for one if none is free; `None` if the deadline has passed
    /// before. Blocks, until `deadline` at most.
    #[must_use = "dropping the permit returns it"]
    pub fn acquire_deadline(&self, deadline: P::Deadline) -> Option<Permit<'_, P>> {
        self.acquire_until(Some(deadline))
    }

    fn acquire_until(&self, deadline: Option<P::Deadline>) -> Option<Permit<'_, P>> {
        let mut permit = FreePermit { semaphore: self };
        permit
            .attempt()
            .or_else(|| self.returned.wait(&mut permit, deadline))
    }

    /// Acquires a permit when one is free. Cancel-safe: dropping the future takes no permit and
    /// leaves a wake-up that came to it to the next waiter.
    ///
    /// ```
    /// use brigade_core::{Semaphore, wait::Async};
    ///
    /// static BUS: Semaphore<Async> = Semaphore::new(1);
    ///
    /// async fn transfer() {
    ///     let _permit = BUS.acquire_async().await;
    ///     // ... nobody else is on the bus
    /// }
    /// # use core::task::{Context, Poll, Waker};
    /// # use core::{future::Future, pin::pin};
    /// # let mut context = Context::from_waker(Waker::noop());
    /// # assert_eq!(pin!(transfer()).poll(&mut context), Poll::Ready(()));
    /// # assert_eq!(BUS.available(), 1);
    /// ```
    pub fn acquire_async(&self) -> WaitAsync<'_, FreePermit<'_, P>, P>
    where
        P: AsyncPark,
    {
        self.returned.wait_async(FreePermit { semaphore: self })
    }

    /// Adds permits: those of guards that were [kept](Permit::keep), or new ones up to the bound.
    ///
    /// Progress: lock-free; safe in signal and interrupt handlers if the backend's `unpark` is.
    ///
    /// # Errors
    ///
    /// [`TooManyPermits`] if more would be free than the bound allows; then none was added.
    pub fn release(&self, permits: u32) -> Result<(), TooManyPermits> {
        // ORDERING: the release half hands on what was done under the permit (`FreePermit`). The
        // acquire half takes over a waiter's announcement if it found nothing before us.
        self.free
            .fetch_update(AcqRel, Relaxed, |free| {
                free.checked_add(permits).filter(|sum| *sum <= self.bound)
            })
            .map_err(|_| TooManyPermits)?;
        self.returned.notify(permits);
        Ok(())
    }

    /// How many permits are free. Old news as soon as it is read.
    #[must_use]
    pub fn available(&self) -> u32 {
        // ORDERING: Acquire pairs with `release`, so that who finds all permits free knows that the
        // work under them is done.
        self.free.load(Acquire)
    }

    /// The most permits that can be free.
    #[must_use]
    pub fn bound(&self) -> u32 {
        self.bound
    }
}

/// A permit that is free: what [`Semaphore::acquire_async`] waits for.
pub struct FreePermit<'a, P: Park> {
    semaphore: &'a Semaphore<P>,
}

impl<'a, P: Park> Condition for FreePermit<'a, P> {
    type Output = Permit<'a, P>;

    fn glance(&self) -> bool {
        // ORDERING: Relaxed: only an attempt counts.
        self.semaphore.free.load(Relaxed) > 0
    }

    fn attempt(&mut self) -> Option<Permit<'a, P>> {
        let semaphore = self.semaphore;
        // ORDERING: Relaxed: only a guess.
        let mut free = semaphore.free.load(Relaxed);
        loop {
            // Of none, none are taken: that is a read-modify-write too.
            // ORDERING: the acquire half pairs with `release`: what was done under the permit is
            // visible. The release half makes a "none" happen before the next `release`, which then
            // sees our announcement; it also keeps returned permits in one chain.
            match semaphore
                .free
                .compare_exchange(free, free.saturating_sub(1), AcqRel, Relaxed)
            {
                Ok(0) => return None,
                Ok(_) => return Some(Permit { semaphore }),
                Err(now) => free = now,
            }
        }
    }

    fn more(&self) -> bool {
        // ORDERING: Release makes a "none" happen before the next `release`. No model tells the
        // release half: the successful attempt before it has released the same word, with all that
        // matters; but so is the contract of `more`.
        self.semaphore.free.fetch_add(0, Release) > 0
    }
}

/// A permit of a [`Semaphore`]; returns it when dropped, also by a panic.
///
/// Dropping it is lock-free and safe in signal and interrupt handlers, as
/// [`Semaphore::release`] is.
#[must_use = "dropping the permit returns it"]
pub struct Permit<'a, P: Park = Spin> {
    semaphore: &'a Semaphore<P>,
}

impl<P: Park> Permit<'_, P> {
    /// Keeps the permit for good; [`Semaphore::release`] returns it, from anywhere.
    pub fn keep(self) {
        core::mem::forget(self);
    }
}

impl<P: Park> Drop for Permit<'_, P> {
    fn drop(&mut self) {
        // An error says that somebody released more than was acquired; then this one is not missed.
        let _ = self.semaphore.release(1);
    }
}

impl<P: Park> fmt::Debug for Permit<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Permit").field(self.semaphore).finish()
    }
}

impl<P: Park> fmt::Debug for Semaphore<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // ORDERING: Relaxed: for the eye only.
        f.debug_struct("Semaphore")
            .field("available", &self.free.load(Relaxed))
            .field("bound", &self.bound)
            .finish_non_exhaustive()
    }
}
