//! [`Watchdog`]: when to look whether a task has run for too long.
//!
//! Nobody tells the supervisor that a task begins. But a task that has not begun yet cannot be late
//! before its limit has passed from now. So it looks when the first of those that run or wait could be
//! late; and never while no task has a limit.

#![forbid(unsafe_code)]

use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Release},
};
use std::time::Duration;

use super::board::Whose;
use super::hub::{Hub, Sentence};
use super::left::Left;
use crate::sys::clock;

/// See the [module](self).
pub(super) struct Watchdog {
    /// When the next look is, by the clock.
    next: AtomicU64,
}

/// How long until a task is looked at again that has not been begun, at least.
const BEAT: u64 = 1_000_000;

const NEVER: u64 = u64::MAX;

fn nanos(limit: Duration) -> u64 {
    u64::try_from(limit.as_nanos()).unwrap_or(NEVER)
}

impl Watchdog {
    pub(super) fn new() -> Self {
        Self {
            next: AtomicU64::new(NEVER),
        }
    }

    /// Whether a task that was just posted, with this limit, could be late before the next look.
    pub(super) fn looks_too_late(&self, limit: Duration) -> bool {
        let limit = nanos(limit);
        // ORDERING: Acquire pairs with `look`. The lock of the task's entry comes before this load, and
        // in `look` between the store and the look: one of the two sees the other.
        clock::nanos().saturating_add(limit) < self.next.load(Acquire)
    }

    /// Kills the workers whose tasks are late; how long until the next look.
    pub(super) fn look(&self, hub: &Hub) -> Option<Duration> {
        let now = clock::nanos();
        // ORDERING: Release, here and below: see `looks_too_late`. Whoever comes meanwhile calls.
        self.next.store(NEVER, Release);
        let next = scan(hub, now)?;
        self.next.store(next, Release);
        Some(Duration::from_nanos(next.saturating_sub(now)))
    }
}

/// Kills the workers whose tasks are late; when the next will be, at the earliest.
fn scan(hub: &Hub, now: u64) -> Option<u64> {
    let mut first = None;
    let mut left = Left::default();
    for block in 0..hub.blocks() {
        let mut place = hub.entry(block);
        let Some(entry) = place.as_mut() else {
            continue;
        };
        let Some(limit) = entry.job.terms.time_limit.map(nanos) else {
            continue;
        };
        let posting = entry.posting;
        let late = match hub.hall.board.whose(posting) {
            Whose::Running(_) => {
                // A worker may be stopped before it has said when it began.
                let seen = *entry.seen_running.get_or_insert(now);
                let begun = hub.hall.started(block).map_or(seen, |at| at.min(seen));
                begun.saturating_add(limit)
            }
            Whose::Done(_) => {
                // If its worker is stopped before it has listed it, nobody else will come for it.
                left.finished.push(block);
                continue;
            }
            Whose::Queued => now.saturating_add(limit.max(BEAT)),
            Whose::Condemned(_) | Whose::Nobodys => continue,
        };
        if late > now {
            first = Some(first.map_or(late, |first: u64| first.min(late)));
            continue;
        }
        if let Whose::Running(worker) = hub.hall.board.condemn(posting) {
            entry.sentence = Some(Sentence::Late);
            drop(place);
            hub.kill_condemned(posting, worker);
        }
    }
    if !left.finished.is_empty() {
        hub.leave(left);
    }
    first
}
