//! What a handler does about an event, and what it leaves: where waking a thread is
//! async-signal-safe, it leaves the tasks.
//!
//! The courier sleeps on a word, which a handler changes to call it.

use std::io;
use std::sync::atomic::{AtomicU32, Ordering};

use super::courier::Need;
use super::sleep;
use crate::Event;

/// What it takes for a handler to leave something.
pub(super) const REASONS: u32 = Need::Signals as u32 | Need::Tasks as u32;

/// In a handler: async-signal-safe, apart from `errno`.
pub(super) fn in_handler(event: &Event) {
    event.set();
}

/// In the courier, after a handler.
pub(super) fn afterwards(event: &Event) {
    event.wake_tasks();
}

static RINGS: AtomicU32 = AtomicU32::new(0);

/// The courier's.
pub(super) struct Bell {
    heard: u32,
}

impl Bell {
    #[allow(clippy::unnecessary_wraps, reason = "the other backend can fail")]
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { heard: 0 })
    }

    /// Async-signal-safe, apart from `errno`.
    pub(super) fn ring() {
        // ORDERING: Release pairs with `rung`: the courier sees what is due.
        RINGS.fetch_add(1, Ordering::Release);
        sleep::wake(&RINGS, 1);
    }

    /// Waits for the next ring; whether there can be more.
    pub(super) fn rung(&mut self) -> bool {
        loop {
            // ORDERING: Acquire pairs with `ring`.
            let rings = RINGS.load(Ordering::Acquire);
            if rings != self.heard {
                self.heard = rings;
                return true;
            }
            sleep::wait(&RINGS, rings, None);
        }
    }
}
