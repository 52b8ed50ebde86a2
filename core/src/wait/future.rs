//! Waiting without a thread: a backend with wakers, and the future that waits by an event count.
//!
//! A task waits by the same steps as a thread (see [`EventCount`]). Where the thread goes to sleep,
//! the task leaves its waker in a slot and returns *pending*; when it is polled again, it goes
//! through the same door as a thread that was woken. So tasks, threads and interrupts can be at the
//! ends of one queue, and one wake-up is on its way at a time, to a task or to a thread.

use core::fmt;
use core::future::Future;
use core::marker::PhantomData;
use core::pin::Pin;
use core::task::{Context, Poll};
use core::time::Duration;

use super::event_count::PassOn;
use super::{Condition, EventCount, Park, Spin, TimedPark, Wake, WakerSlots, Wakers};
use crate::sync::Word;

/// A backend on which tasks may `.await`.
///
/// [`Async`] makes one of any backend.
pub trait AsyncPark: Park {}

/// The backend `P` for those who block, with slots for the wakers of `WAKERS` tasks beside it.
///
/// Each thing that is waited for has slots of its own: a [`Queue`](crate::Queue) has three times as
/// many, for those who wait for an item, for room, and in `join`; an [`Event`](crate::Event) has
/// them once. A slot is three words on most targets.
///
/// # How many slots
///
/// One for each task that waits for the same thing at the same time; and where tasks run at several
/// priorities, as in an interrupt, one more for each lower priority that wakes: who is cut off while
/// it moves a waker out keeps the slot until it goes on.
///
/// A task that finds no slot is polled again and again until one is free or what it waits for is
/// there: it wakes itself each time. So nobody is forgotten and no error arises, but the processor
/// does not rest, and nothing of lower priority gets to run.
///
/// # Whom a wake-up goes to
///
/// To tasks first, in turns, and to threads when no task waits. A future that was woken and is kept
/// without being polled holds up nobody for more than that one wake-up: what it was woken for stays
/// until the next change wakes somebody else. So poll futures or drop them. One that is forgotten
/// ([`mem::forget`](core::mem::forget)) keeps its slot for good.
///
/// # What a wake-up runs
///
/// The executor's [`Waker::wake`](core::task::Waker::wake), and with it, maybe, the destructor of
/// what the waker refers to. In an interrupt or signal handler both must be fit for it; executors
/// for firmware are. If one panics, all others who might have been meant are woken.
///
/// ```
/// use brigade_core::bounded::Fifo;
/// use brigade_core::wait::Async;
/// use brigade_core::{Queue, TryGetError};
///
/// // One end may be in an interrupt, the other in a task; two tasks may wait for the same thing.
/// static READINGS: Queue<Fifo<u16, 8>, Async<brigade_core::wait::Spin, 2>> = Queue::new(Fifo::new());
///
/// async fn show() -> u16 {
///     READINGS.get_async().await.unwrap_or(0)
/// }
///
/// READINGS.try_put(1013).unwrap(); // in the interrupt handler
/// # use core::{future::Future, pin::pin, task::{Context, Poll, Waker}};
/// # let mut context = Context::from_waker(Waker::noop());
/// assert_eq!(pin!(show()).poll(&mut context), Poll::Ready(1013));
/// assert_eq!(READINGS.try_get(), Err(TryGetError::Empty));
/// ```
#[derive(Debug)]
pub struct Async<P = Spin, const WAKERS: usize = 4>(PhantomData<P>, core::convert::Infallible);

impl<P: Park, const WAKERS: usize> AsyncPark for Async<P, WAKERS> {}

impl<P: Park, const WAKERS: usize> Park for Async<P, WAKERS> {
    type Deadline = P::Deadline;
    type Wakers = WakerSlots<WAKERS>;

    #[inline]
    fn park(word: &Word, expected: u32, deadline: Option<P::Deadline>) -> Wake {
        P::park(word, expected, deadline)
    }

    #[inline]
    fn unpark(word: &Word, sleepers: u32) {
        P::unpark(word, sleepers);
    }

    #[inline]
    fn relax(step: u32) -> bool {
        P::relax(step)
    }

    #[inline]
    fn spin() -> bool {
        P::spin()
    }
}

impl<P: TimedPark, const WAKERS: usize> TimedPark for Async<P, WAKERS> {
    fn deadline_after(timeout: Duration) -> Option<P::Deadline> {
        P::deadline_after(timeout)
    }
}

impl<P: AsyncPark> EventCount<P> {
    /// A future that is ready when an attempt succeeds.
    ///
    /// It attempts at each poll and takes what there is only in a poll that returns it. Dropping it
    /// unfinished loses nothing: if a wake-up has come to it, that goes to the next waiter.
    pub fn wait_async<C: Condition>(&self, condition: C) -> WaitAsync<'_, C, P> {
        WaitAsync {
            count: self,
            condition,
            place: None,
        }
    }
}

/// Waits for a [`Condition`] by an [`EventCount`]: see [`EventCount::wait_async`], and the
/// operations that return it.
///
/// Cancel-safe: it may be dropped at any time, as `select` does, and neither an item nor a wake-up
/// is lost. Do not poll it again after it was ready.
#[must_use = "futures do nothing unless they are awaited"]
pub struct WaitAsync<'a, C: Condition, P: AsyncPark> {
    count: &'a EventCount<P>,
    pub(crate) condition: C,
    /// Where our waker is; we are announced as long as it is anywhere.
    place: Option<usize>,
}

// No pinned reference to the condition is ever made.
impl<C: Condition, P: AsyncPark> Unpin for WaitAsync<'_, C, P> {}

impl<C: Condition, P: AsyncPark> WaitAsync<'_, C, P> {
    /// Takes our waker back and leaves; says whether a wake-up has come to us, so that we have to
    /// pass it on.
    fn leave(&mut self) -> bool {
        let Some(place) = self.place.take() else {
            return false;
        };
        let woken = self.count.wakers().withdraw(place);
        self.count.leave();
        woken
    }

    /// Makes an attempt; if it succeeds and a wake-up came to us, wakes the next if there is more.
    fn attempt(&mut self, woken: bool) -> Option<C::Output> {
        let pass_on = woken.then(|| PassOn(self.count));
        let output = self.condition.attempt();
        core::mem::forget(pass_on);
        if woken && output.is_some() && self.condition.more() {
            self.count.notify(1);
        }
        output
    }
}

impl<C: Condition, P: AsyncPark> Future for WaitAsync<'_, C, P> {
    type Output = C::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<C::Output> {
        let woken = self.leave();
        if let Some(output) = self.attempt(woken) {
            return Poll::Ready(output);
        }
        let Some(place) = self.count.wakers().register(context.waker()) else {
            context.waker().wake_by_ref();
            return Poll::Pending;
        };
        // The waker first: whoever finds us announced must find it too.
        self.place = Some(place);
        self.count.enter();
        let Some(output) = self.attempt(false) else {
            return Poll::Pending;
        };
        if self.leave() && self.condition.more() {
            self.count.notify(1);
        }
        Poll::Ready(output)
    }
}

impl<C: Condition, P: AsyncPark> Drop for WaitAsync<'_, C, P> {
    fn drop(&mut self) {
        if self.leave() {
            self.count.notify(1);
        }
    }
}

impl<C: Condition, P: AsyncPark> fmt::Debug for WaitAsync<'_, C, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitAsync")
            .field("waiting", &self.place.is_some())
            .finish_non_exhaustive()
    }
}
