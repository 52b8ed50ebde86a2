//! [`Leftovers`]: what the pool's threads leave to one another.
//!
//! The supervisor runs no code of users: what is to be told to owners of tasks it leaves to whoever
//! collects. And whoever collects runs no callbacks: the wakers that owners have left are left to the
//! collector, which is a thread of the pool's.

#![forbid(unsafe_code)]

use std::sync::atomic::{
    AtomicBool,
    Ordering::{Acquire, Relaxed, Release},
};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use super::board::Posting;
use super::hub::{Hub, Job};
use crate::executor::task::TaskError;
use crate::executor::work::contain;

/// See the [module](self).
#[derive(Default)]
pub(super) struct Leftovers {
    left: Mutex<Left>,
    has_left: AtomicBool,
    /// Those of tasks that have ended.
    wakers: Mutex<Wakers>,
}

#[derive(Default)]
struct Wakers {
    left: Vec<Waker>,
    /// There is no collector any more.
    is_over: bool,
}

/// What is to be told to owners of tasks by whoever collects.
#[derive(Default)]
pub(super) struct Left {
    pub(super) verdicts: Vec<(Job, TaskError)>,
    /// Blocks of finished tasks whose workers live, and may not have listed them.
    pub(super) finished: Vec<usize>,
    /// Finished tasks whose workers are dead, and may not have listed them.
    pub(super) orphaned: Vec<Posting>,
}

impl Left {
    pub(super) fn is_empty(&self) -> bool {
        self.verdicts.is_empty() && self.finished.is_empty() && self.orphaned.is_empty()
    }
}

impl Leftovers {
    fn left(&self) -> MutexGuard<'_, Left> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wakers(&self) -> MutexGuard<'_, Wakers> {
        self.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hub {
    /// Leaves these to whoever collects. For threads that are not to run code of users.
    pub(super) fn leave(&self, left: Left) {
        let mut place = self.leftovers.left();
        place.verdicts.extend(left.verdicts);
        place.finished.extend(left.finished);
        place.orphaned.extend(left.orphaned);
        // ORDERING: Release pairs with `has_left`; the lock has the contents.
        self.leftovers.has_left.store(true, Release);
        drop(place);
        self.hall.ring();
    }

    pub(super) fn has_left(&self) -> bool {
        // ORDERING: Acquire pairs with `leave`.
        self.leftovers.has_left.load(Acquire)
    }

    pub(super) fn take_left(&self) -> Left {
        let mut place = self.leftovers.left();
        // ORDERING: Relaxed: the lock orders it.
        self.leftovers.has_left.store(false, Relaxed);
        std::mem::take(&mut *place)
    }

    /// Has the collector wake these, as they may be callbacks that take their time; if it has gone, they
    /// are woken here.
    pub(super) fn wake_later(&self, mut wakers: Vec<Waker>) {
        let mut place = self.leftovers.wakers();
        if place.is_over {
            drop(place);
            for waker in wakers {
                contain(|| waker.wake());
            }
            return;
        }
        place.left.append(&mut wakers);
        drop(place);
        self.hall.collector().ring(1);
    }

    /// The collector goes, unless there are wakers left to it; whether it does.
    pub(super) fn wake_no_more(&self) -> bool {
        let mut place = self.leftovers.wakers();
        place.is_over = place.left.is_empty();
        place.is_over
    }

    pub(super) fn has_wakers(&self) -> bool {
        let place = self.leftovers.wakers();
        !place.left.is_empty()
    }

    pub(super) fn take_wakers(&self) -> Vec<Waker> {
        let mut place = self.leftovers.wakers();
        std::mem::take(&mut place.left)
    }
}
