//! Submitting again and again: [`ThreadPool::submit_every`].
//!
//! ```text
//!     Waiting --- due, a worker is free ---> Running
//!        ^                                     |
//!        +------- the next is scheduled -------+
//!        |                                     |
//!        '--> Ended <--------------------------'   cancelled, shut down, or it panicked
//! ```

#![forbid(unsafe_code)]

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use super::delayed::{Offer, after};
use super::worker::Shared;
use super::{SubmitError, ThreadPool};
use crate::Event;
use crate::executor::delay::Action;
use crate::executor::self_wait::{self, PoolId, WouldDeadlock};
use crate::executor::task::TaskError;
use crate::executor::work::{self, contain};
use crate::panic::{Panic, catch};

impl ThreadPool {
    /// Has a closure run by a worker every `period`, for the first time one period from now.
    ///
    /// The runs keep to the grid of multiples of the period from now: delays do not add up. Runs
    /// never overlap: one that is still on, or waits for a worker, when the next would be due takes
    /// its place, and the grid goes on behind it.
    ///
    /// It ends when the [`Repeat`] is cancelled or dropped, when the pool is shut down, in whatever
    /// way, and when a run panics, which leaves nobody knows what behind in the closure;
    /// [`Repeat::join`] tells. The time is kept as by [`submit_after`](Self::submit_after).
    ///
    /// # Errors
    ///
    /// Gives the closure back if the pool is shut down.
    ///
    /// # Panics
    ///
    /// If the period is zero, or the system cannot start the thread that keeps the time.
    ///
    /// # Example
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::time::Duration;
    /// use brigade::{Queue, ThreadPool};
    ///
    /// let pool = ThreadPool::new()?;
    /// let ticks = Arc::new(Queue::unbounded());
    /// let sender = Arc::clone(&ticks);
    /// let mut number = 0;
    /// let repeat = pool.submit_every(Duration::from_millis(2), move || {
    ///     number += 1;
    ///     sender.put(number).unwrap();
    /// })?;
    /// assert_eq!((ticks.get()?, ticks.get()?, ticks.get()?), (1, 2, 3));
    /// repeat.cancel();
    /// repeat.join()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn submit_every<F>(&self, period: Duration, closure: F) -> Result<Repeat, SubmitError<F>>
    where
        F: FnMut() + Send + 'static,
    {
        assert!(period > Duration::ZERO, "a period has a length");
        if self.shared.is_shut_down() {
            return Err(SubmitError::ShutDown(closure));
        }
        let series = Arc::new(Series {
            place: Mutex::new(Place::Waiting(closure)),
            ended: Event::new(),
            begun: Instant::now(),
            period,
            pool: Arc::downgrade(&self.shared),
        });
        series.schedule(&self.shared);
        Ok(Repeat {
            series,
            pool: self.shared.roster.pool(),
            is_detached: false,
        })
    }
}

/// A closure that is run every so often: see [`ThreadPool::submit_every`].
///
/// Dropping it cancels the repetition.
#[must_use = "dropping it cancels the repetition"]
pub struct Repeat {
    series: Arc<dyn Repeating>,
    pool: PoolId,
    is_detached: bool,
}

impl Repeat {
    /// Has no further run begin. Does not wait for one that is on: [`join`](Self::join) does. If
    /// none is, drops the closure. Never blocks.
    pub fn cancel(&self) {
        self.series.cancel();
    }

    /// Whether it has come to its end, and no run is on. Never blocks.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        self.series.ended().is_set()
    }

    /// Waits until it has come to its end: it was cancelled, the pool was shut down, or a run
    /// panicked.
    ///
    /// Blocks.
    ///
    /// # Errors
    ///
    /// [`TaskError::Panicked`] if a run panicked.
    ///
    /// [`TaskError::WouldDeadlock`] in a task of the same pool, if all its workers would wait for the
    /// pool then, and at once in a run of its own. It is cancelled then, as if dropped.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let pool = brigade::ThreadPool::new()?;
    /// let mut left = 3;
    /// let repeat = pool.submit_every(Duration::from_millis(1), move || {
    ///     left -= 1;
    ///     assert!(left > 0, "nothing is left");
    /// })?;
    /// let Err(brigade::TaskError::Panicked(panic)) = repeat.join() else { unreachable!() };
    /// assert_eq!(panic.message(), "nothing is left");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn join(self) -> Result<(), TaskError> {
        if self.series.is_run_here() {
            return Err(TaskError::WouldDeadlock);
        }
        let ended = self.series.ended();
        let sleep = |until| {
            if let Some(deadline) = until {
                return ended.wait_deadline(deadline);
            }
            ended.wait();
            true
        };
        self_wait::wait(self.pool, &|| ended.is_set(), sleep)
            .map_err(|WouldDeadlock| TaskError::WouldDeadlock)?;
        let panic = self.series.take_panic();
        panic.map_or(Ok(()), |panic| Err(TaskError::Panicked(panic)))
    }

    /// Like [`join`](Self::join), for `timeout` at most.
    ///
    /// # Errors
    ///
    /// Gives the repetition back, which goes on, if it has not come to its end in time. The inner
    /// error is as for `join`.
    pub fn join_timeout(self, timeout: Duration) -> Result<Result<(), TaskError>, Self> {
        if self.series.is_run_here() || self.series.ended().wait_timeout(timeout) {
            Ok(self.join())
        } else {
            Err(self)
        }
    }

    /// Lets it go on until the pool is shut down or a run panics.
    pub fn detach(mut self) {
        self.is_detached = true;
    }
}

impl Drop for Repeat {
    fn drop(&mut self) {
        if !self.is_detached {
            self.cancel();
        }
    }
}

impl fmt::Debug for Repeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repeat")
            .field("ended", &self.is_ended())
            .finish_non_exhaustive()
    }
}

/// A series of runs, as its owner sees it.
trait Repeating: Send + Sync {
    fn cancel(&self);
    fn ended(&self) -> &Event;
    /// Whether the calling thread is in one of the runs.
    fn is_run_here(&self) -> bool;
    fn take_panic(&self) -> Option<Panic>;
}

struct Series<F> {
    place: Mutex<Place<F>>,
    /// Set when it is in `Ended`.
    ended: Event,
    begun: Instant,
    period: Duration,
    pool: Weak<Shared>,
}

/// Where the closure is.
enum Place<F> {
    /// Here, until it is due.
    Waiting(F),
    /// In the hands of a worker, or of who cancels it.
    Running { last: bool, thread: ThreadId },
    /// Dropped.
    Ended(Option<Panic>),
}

impl<F> Place<F> {
    fn running_here(last: bool) -> Self {
        let thread = thread::current().id();
        Self::Running { last, thread }
    }
}

impl<F> Series<F> {
    fn place(&self) -> MutexGuard<'_, Place<F>> {
        // No code of the user's runs under the lock.
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops the closure, which the caller has.
    fn end(&self, closure: F, panic: Option<Panic>) {
        contain(|| drop(closure));
        *self.place() = Place::Ended(panic);
        self.ended.set();
    }
}

/// The first point of the grid after so much time, counted from the grid's beginning.
fn next_point(passed: Duration, period: Duration) -> Duration {
    const SECOND: u128 = 1_000_000_000;

    // Neither the product nor the number of points is bounded by 64 bits.
    let next = (passed.as_nanos() / period.as_nanos() + 1).saturating_mul(period.as_nanos());
    let nanos = u32::try_from(next % SECOND).unwrap_or_default();
    u64::try_from(next / SECOND).map_or(Duration::MAX, |seconds| Duration::new(seconds, nanos))
}

impl<F: FnMut() + Send + 'static> Series<F> {
    /// Sees to the next run.
    fn schedule(self: &Arc<Self>, pool: &Arc<Shared>) {
        let delay = next_point(self.begun.elapsed(), self.period);
        pool.at(after(self.begun, delay), Tick(Some(Arc::clone(self))));
    }

    /// One run.
    fn run(self: &Arc<Self>) {
        let mut closure = {
            let mut place = self.place();
            match std::mem::replace(&mut *place, Place::running_here(false)) {
                Place::Waiting(closure) => closure,
                other => {
                    *place = other;
                    return;
                }
            }
        };
        if let Err(panic) = catch(&mut closure) {
            return self.end(closure, Some(panic));
        }
        let pool = self.pool.upgrade().filter(|pool| !pool.is_shut_down());
        {
            let mut place = self.place();
            if let (Some(_), Place::Running { last: false, .. }) = (&pool, &*place) {
                *place = Place::Waiting(closure);
            } else {
                drop(place);
                return self.end(closure, None);
            }
        }
        if let Some(pool) = pool {
            self.schedule(&pool);
        }
    }
}

impl<F: FnMut() + Send + 'static> Repeating for Series<F> {
    fn cancel(&self) {
        let mut place = self.place();
        match std::mem::replace(&mut *place, Place::running_here(true)) {
            Place::Waiting(closure) => {
                drop(place);
                self.end(closure, None);
            }
            Place::Running { thread, .. } => *place = Place::Running { last: true, thread },
            Place::Ended(panic) => *place = Place::Ended(panic),
        }
    }

    fn ended(&self) -> &Event {
        &self.ended
    }

    fn is_run_here(&self) -> bool {
        let here = thread::current().id();
        matches!(*self.place(), Place::Running { thread, .. } if thread == here)
    }

    fn take_panic(&self) -> Option<Panic> {
        match &mut *self.place() {
            Place::Ended(panic) => panic.take(),
            _ => None,
        }
    }
}

/// The next run of a series. If it is dropped, there is no next one.
struct Tick<F: FnMut() + Send + 'static>(Option<Arc<Series<F>>>);

impl<F: FnMut() + Send + 'static> Action for Tick<F> {
    fn act(self: Box<Self>) -> Option<Box<dyn Action>> {
        let pool = self.0.as_ref()?.pool.upgrade()?;
        let tick = *self;
        let (job, fresh) = work::new(move || tick.run());
        drop(fresh);
        Box::new(Offer::new(&pool, job)).act()
    }
}

impl<F: FnMut() + Send + 'static> Tick<F> {
    fn run(mut self) {
        if let Some(series) = self.0.take() {
            series.run();
        }
    }
}

impl<F: FnMut() + Send + 'static> Drop for Tick<F> {
    fn drop(&mut self) {
        if let Some(series) = self.0.take() {
            series.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::next_point;

    #[test]
    fn the_grid_goes_on_for_as_long_as_clocks_do() {
        let ms = Duration::from_millis;
        assert_eq!(next_point(ms(0), ms(10)), ms(10));
        assert_eq!(next_point(ms(9), ms(10)), ms(10));
        assert_eq!(next_point(ms(10), ms(10)), ms(20));
        // More points than a u32 can count.
        let year = Duration::from_secs(365 * 24 * 3600);
        assert_eq!(next_point(year, ms(1)), year + ms(1));
        assert_eq!(
            next_point(Duration::from_secs(1), Duration::MAX),
            Duration::MAX
        );
    }
}
