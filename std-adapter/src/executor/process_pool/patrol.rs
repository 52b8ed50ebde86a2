//! [`Patrol`]: what does not go on although it could.
//!
//! A task that was posted is claimed at once, and an answer that was listed is fetched at once, unless the
//! wake-up was lost: to a worker that a signal has stopped, or because somebody has overwritten the
//! words that are slept on. So while there are tasks, the supervisor goes [round](ROUND) from time to
//! time; what stands as it stood the last time is helped on:
//!
//! ```text
//!     still queued:        wake all workers; replace those that are idle, and stopped
//!     still not fetched:   wake all who fetch
//!     somebody drives:     wake him, whose answer another may have delivered
//! ```
//!
//! While there are no tasks, and nobody waits, it sleeps: the first that is submitted calls it.
//!
//! An idle worker is replaced only by an agreement with it: see `dismissal.rs`.

#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use super::board::Whose;
use super::hall::Stage;
use super::hub::Hub;
use super::left::Left;
use crate::sys::pidfd::{self, Stop};

/// How long between two rounds.
const ROUND: Duration = Duration::from_millis(100);

/// Whether the supervisor goes round.
#[derive(Default)]
pub(super) struct Patrol {
    goes: AtomicBool,
}

impl Patrol {
    /// Whether the supervisor must be called, after a task was submitted.
    pub(super) fn is_to_begin(&self) -> bool {
        // ORDERING: Relaxed: the lock of the posts orders it. If the supervisor has not seen the task
        // under that lock, it has said before that it does not go round.
        !self.goes.load(Relaxed) && !self.goes.swap(true, Relaxed)
    }
}

impl Hub {
    /// Goes round if it is time, which the caller remembers; how long until the next.
    pub(super) fn patrol(&self, next: &mut Option<Instant>) -> Option<Duration> {
        // ORDERING: Relaxed: whoever sets it calls afterwards.
        if !self.patrol.goes.load(Relaxed) {
            return None;
        }
        let now = Instant::now();
        let until = next.map_or(Duration::ZERO, |next| next.saturating_duration_since(now));
        if !until.is_zero() {
            return Some(until);
        }
        self.help_on();
        // ORDERING: Relaxed: see `is_to_begin`.
        self.patrol.goes.store(false, Relaxed);
        let is_idle = self.outstanding() == 0 && !self.has_left() && !self.has_wakers();
        if is_idle && !self.has_driver() {
            *next = None;
            return None;
        }
        self.patrol.goes.store(true, Relaxed);
        *next = Some(now + ROUND);
        Some(ROUND)
    }

    fn help_on(&self) {
        let mut is_waiting = false;
        let mut left = Left::default();
        for block in 0..self.blocks() {
            let mut place = self.entry(block);
            let Some(entry) = place.as_mut() else {
                continue;
            };
            let whose = self.hall.board.whose(entry.posting);
            if entry.seen.replace(whose) != Some(whose) {
                continue;
            }
            match whose {
                Whose::Queued => is_waiting = true,
                // What was left before, and not taken yet, is not left again and again.
                Whose::Done(_) if !entry.is_told && !self.has_left() => left.finished.push(block),
                _ => {}
            }
        }
        if is_waiting {
            self.hall.tasks().disturb();
            self.replace_stopped();
        }
        if !left.is_empty() {
            self.leave(left);
        }
        // Whatever the words say that workers may have overwritten.
        if self.has_driver() {
            self.hall.driver().disturb();
        }
        if self.has_answers() || self.has_wakers() {
            self.hall.collector().disturb();
        }
    }

    /// Kills the workers that have nothing to do and are stopped, also the last time we came here:
    /// others are to take their places.
    fn replace_stopped(&self) {
        let mut seats = self.staff.seats();
        for (number, seat) in seats.iter_mut().enumerate() {
            let Some(worker) = seat.worker.as_mut() else {
                continue;
            };
            let is_idle = self.hall.stage(number) != Stage::Starting
                && self.hall.board.held_by(number).is_empty();
            let was_stopped = worker.is_stopped;
            // One that has ended may have lent its number to another process.
            worker.is_stopped =
                is_idle && worker.child.exit().is_none() && pidfd::is_stopped(worker.child.pid());
            if !(was_stopped && worker.is_stopped) {
                continue;
            }
            // It may go on at any moment, and claim a task.
            let has_task = || !self.hall.board.held_by(number).is_empty();
            let dismissal = self.hall.dismissal(number);
            if dismissal.dismiss(has_task) {
                worker.is_dismissed = worker.child.stop(Stop::Kill).is_ok();
                if !worker.is_dismissed {
                    // We may not kill it.
                    dismissal.take_back();
                }
            }
        }
    }
}
