//! Where tasks leave word how to wake them, and who of them is left alone in a signal handler.

use std::task::Waker;

use brigade_core::wait::{GrowingWakers, Wakers};

#[cfg(unix)]
use super::courier::{self, Need};
use super::handler::in_signal_handler;

/// The wakers of all tasks that wait for one thing.
///
/// Nothing is allocated before the first comes; a wake-up costs a load as long as there is none.
///
/// In a signal handler none is woken: an executor's waker may allocate, or take a lock that the
/// thread below holds. Those who wait stay registered; the courier wakes them.
#[derive(Debug)]
pub struct TaskWakers {
    tasks: GrowingWakers,
}

impl Wakers for TaskWakers {
    #[allow(
        clippy::declare_interior_mutable_const,
        reason = "each use is a new value"
    )]
    const NONE: Self = Self {
        tasks: GrowingWakers::NONE,
    };

    fn register(&self, waker: &Waker) -> Option<usize> {
        // Without one, the task has to look by itself.
        #[cfg(unix)]
        courier::need(Need::Tasks).ok()?;
        self.tasks.register(waker)
    }

    fn withdraw(&self, place: usize) -> bool {
        self.tasks.withdraw(place)
    }

    #[inline]
    fn wake(&self, tasks: u32, turn: u32) -> u32 {
        if in_signal_handler() {
            return 0;
        }
        self.tasks.wake(tasks, turn)
    }
}
