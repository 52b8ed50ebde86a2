//! The courier: a thread that does what a signal handler must not.
//!
//! A handler cannot run wakers of other people's executors, nor, where there is no futex, wake
//! threads. It notes what is left to do and rings; the courier wakes up and does it.
//!
//! There is one for the process, named `brigade-signals`. It is started when it is first needed:
//! where the handler wakes threads itself, that takes both a watched signal and a task that waits
//! for something. It blocks all signals that are not about what it does
//! itself, sleeps between rings, and lasts as long as the process.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::{io, thread};

use super::notify::{self, Bell};
use super::{mask, signal};

/// What may take a courier.
#[derive(Clone, Copy)]
pub(super) enum Need {
    /// A signal is watched.
    Signals = 1,
    /// A task waits for something that a handler might set.
    Tasks = 2,
}

/// All that have been needed so far.
static NEEDS: AtomicU32 = AtomicU32::new(0);

/// To be called before a handler can ring for this reason. Starts the courier if it takes one.
///
/// Nothing but a load, except for the first few calls.
pub(super) fn need(what: Need) -> io::Result<()> {
    static STARTED: Mutex<bool> = Mutex::new(false);
    const STARTED_BIT: u32 = 4;

    let what = what as u32;
    // ORDERING: Acquire, here and below, pairs with the release of who needed something before,
    // so that who completes the reasons starts the courier. It and the handlers find each other
    // by the bell.
    let mut needs = NEEDS.load(Ordering::Acquire);
    if needs & what == 0 {
        needs = NEEDS.fetch_or(what, Ordering::AcqRel) | what;
    }
    if needs & STARTED_BIT != 0 || needs & notify::REASONS != notify::REASONS {
        return Ok(());
    }
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    if !*started {
        let bell = Bell::new()?;
        mask::while_all_are_blocked(|| {
            thread::Builder::new()
                .name("brigade-signals".into())
                .spawn(move || work(bell))
        })??;
        *started = true;
        // ORDERING: Release pairs with the loads above: no need to look again.
        NEEDS.fetch_or(STARTED_BIT, Ordering::Release);
    }
    Ok(())
}

/// In a handler: has the courier look for what is due.
pub(super) fn ring() {
    // ORDERING: Relaxed: a task that waits has announced itself to the event after it needed the
    // courier, and the handler that set the event has acquired that.
    if NEEDS.load(Ordering::Relaxed) & notify::REASONS == notify::REASONS {
        Bell::ring();
    }
}

fn work(mut bell: Bell) {
    while bell.rung() {
        signal::deliver_all();
    }
}

/// Runs wakers. One that panics, which has been reported by then, is nobody's trouble.
pub(super) fn shielded(action: impl FnOnce()) {
    let _ = catch_unwind(AssertUnwindSafe(action));
}
