//! Waiting, written once: a [`Park`] backend to sleep on, and an [`EventCount`] to sleep by.
//!
//! ```text
//!     Queue   JoinCounter   Semaphore           what they wait for
//!        \         |         /
//!            EventCount        Event   Barrier   when to sleep, whom to wake: no wake-up is lost
//!             /      \        /   \      /
//!         Wakers         Park                   how to sleep: a waker in a slot; spin, futex, loom
//! ```
//!
//! A task waits by the same steps as a thread: where the thread parks, the task leaves its waker in
//! a slot. [`Async`] adds such slots to a backend.

mod event_count;
mod future;
#[cfg(feature = "alloc")]
mod growing;
mod spin;
mod wakers;

pub use event_count::{Condition, EventCount, Waiter};
pub use future::{Async, AsyncPark, WaitAsync};
#[cfg(feature = "alloc")]
pub use growing::GrowingWakers;
pub use spin::Spin;
pub use wakers::{NoWakers, WakerSlots, Wakers};

use core::marker::PhantomData;
use core::time::Duration;

use crate::sync::Word;

/// How a world sleeps: the contract of a futex.
///
/// A backend is a type that is never made; it only says how to sleep on a [`Word`] of which the
/// primitives own as many as they need. Natively a word is a plain `AtomicU32`, so a backend can
/// hand its address to the kernel.
pub trait Park {
    /// A moment after which a sleeper gives up. A backend without a clock uses
    /// [`Infallible`](core::convert::Infallible): there is no such moment.
    type Deadline: Copy;

    /// Where tasks that wait leave their wakers: [`NoWakers`] for a backend without tasks. To have
    /// some, wrap the backend in [`Async`].
    type Wakers: Wakers;

    /// Sleeps while `word` holds `expected`, until woken or past the deadline.
    ///
    /// Comparing and falling asleep are one step as far as [`unpark`](Self::unpark) is concerned:
    /// if the word is changed and then `unpark` called, either this call sees the change, or it is
    /// among the sleepers that `unpark` wakes. It may return early without a reason; callers look
    /// again. A backend with a clock says that the deadline has passed also if the word has changed.
    /// It orders no memory accesses.
    fn park(word: &Word, expected: u32, deadline: Option<Self::Deadline>) -> Wake;

    /// Wakes up to `sleepers` of those asleep on `word`.
    ///
    /// Never blocks, allocates or takes a lock that a sleeper or a cut-off caller could hold: it
    /// is called from interrupt and signal handlers. Backends for which that is not so say it.
    fn unpark(word: &Word, sleepers: u32);

    /// Step number `step` (from 0) of waiting without sleep, a little longer each time; `false`
    /// says that the caller had better sleep now.
    ///
    /// Also called, whatever it answered, where there is nothing to sleep on: while a peer is
    /// between two instructions.
    fn relax(step: u32) -> bool;

    /// Spins for about a tenth of a microsecond, if the one who is waited for may run meanwhile, on
    /// another processor; `false`, at once, where spinning is no use.
    ///
    /// Only asked where an answer is expected within a microsecond or two: see
    /// [`Condition::spins`]. Unless a backend says otherwise, it is no use.
    #[inline]
    #[must_use]
    fn spin() -> bool {
        false
    }
}

/// Waiting for a peer that is in the middle of an operation: step by step, and never asleep.
pub(crate) struct Pause<P> {
    step: u32,
    park: PhantomData<fn() -> P>,
}

impl<P: Park> Pause<P> {
    pub(crate) const fn new() -> Self {
        Self {
            step: 0,
            park: PhantomData,
        }
    }

    pub(crate) fn step(&mut self) {
        P::relax(self.step);
        self.step = self.step.saturating_add(1);
    }
}

/// A backend with a clock.
pub trait TimedPark: Park {
    /// The moment that lies this far ahead; `None` if it is too far for the clock, which is to
    /// say never.
    fn deadline_after(timeout: Duration) -> Option<Self::Deadline>;
}

/// How a sleep ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// By a wake-up, or without a reason.
    Woken,
    /// The deadline has passed.
    TimedOut,
}
