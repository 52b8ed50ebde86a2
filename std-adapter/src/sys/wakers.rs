//! Where tasks leave word how to wake them, and who of them is left alone in a signal handler.

use std::mem;
use std::task::Waker;

use brigade_core::wait::{GrowingWakers, Wakers};

#[cfg(unix)]
use super::courier::{self, Need};
use super::handler::leaves_tasks;
use super::thread_waker::is_of_thread;

/// The wakers of all who wait for one thing by polling: tasks, and threads in a
/// [`Select`](crate::Select).
///
/// Nothing is allocated before the first comes; a wake-up costs two loads as long as there is none.
///
/// In our signal handlers only threads are woken: an executor's waker may allocate, or take a lock
/// that the thread below holds. Tasks stay registered; the courier wakes them. Handlers of others
/// wake tasks: nobody else would.
#[derive(Debug)]
pub struct TaskWakers {
    tasks: GrowingWakers,
    threads: GrowingWakers,
}

impl Wakers for TaskWakers {
    #[allow(
        clippy::declare_interior_mutable_const,
        reason = "each use is a new value"
    )]
    const NONE: Self = Self {
        tasks: GrowingWakers::NONE,
        threads: GrowingWakers::NONE,
    };

    fn register(&self, waker: &Waker) -> Option<usize> {
        // The lowest bit says in which list.
        if is_of_thread(waker) {
            return self.threads.register(waker).map(|place| place << 1 | 1);
        }
        // Without one, the task has to look by itself.
        #[cfg(unix)]
        courier::need(Need::Tasks).ok()?;
        self.tasks.register(waker).map(|place| place << 1)
    }

    fn withdraw(&self, place: usize) -> bool {
        let list = if place & 1 == 1 {
            &self.threads
        } else {
            &self.tasks
        };
        list.withdraw(place >> 1)
    }

    #[inline]
    fn wake(&self, tasks: u32, turn: u32) -> u32 {
        if leaves_tasks() {
            return self.threads.wake(tasks, turn);
        }
        // Both have their turn to be first.
        let (first, second) = if turn & 1 == 0 {
            (&self.tasks, &self.threads)
        } else {
            (&self.threads, &self.tasks)
        };
        let all = WakeAll(second);
        let woken = first.wake(tasks, turn >> 1);
        mem::forget(all);
        woken + second.wake(tasks.saturating_sub(woken), turn >> 1)
    }
}

/// Wakes all of a list if a waker of the other panics: too many do no harm, too few would.
struct WakeAll<'a>(&'a GrowingWakers);

impl Drop for WakeAll<'_> {
    fn drop(&mut self) {
        self.0.wake(u32::MAX, 0);
    }
}
