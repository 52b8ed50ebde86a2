//! Who is told of a signal, and what becomes of it.
//!
//! ```text
//!     kernel --> handler (disposition.rs) --> each watch of the signal (roster.rs)
//!                                                |-- its first signal, once
//!                                                |-- its event, at once if the system allows
//!                                                +-- the courier (courier.rs): all the rest
//! ```
//!
//! In the handler, all is atomic accesses and at most two system calls for each watch, and two more
//! to keep other handlers away meanwhile.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicUsize, Ordering};

use super::courier::{self, Need};
use super::disposition::{bit, set_of, table};
use super::handler::leaving_tasks;
use super::roster::{Member, Roster};
use super::{mask, notify};
use crate::signal::EventRef;

/// No signal has this number.
const NONE: i32 = 0;

/// What became of a signal.
pub(super) enum Verdict {
    /// Nobody watches it.
    Nobody,
    /// Somebody has it.
    Taken,
    /// It should take its default action.
    Default,
}

/// What handlers know of a watch.
struct Arrivals {
    signals: u32,
    /// Those that never take their default action.
    patient: u32,
    /// Higher for each watch.
    serial: usize,
    first: AtomicI32,
    /// All that have arrived.
    seen: AtomicU32,
    /// Whether there is something left to do for the courier.
    due: AtomicBool,
    event: EventRef,
}

static WATCHES: Roster<Arc<Arrivals>> = Roster::new();

/// Signals that set an event. Dropping it restores the dispositions that it has changed.
pub(crate) struct Watch {
    arrivals: Arc<Arrivals>,
    member: Option<Member<Arc<Arrivals>>>,
    /// Whose dispositions are to be restored.
    installed: Vec<i32>,
}

impl Watch {
    /// Has arrivals of these signals set the event.
    ///
    /// Any that comes after the first takes its default action, too, unless it is among the patient.
    ///
    /// The caller has ruled out the signals whose default action is not known, or that must not be
    /// handled. The error comes with the signal it is about.
    pub(crate) fn new(
        signals: &[i32],
        event: EventRef,
        patient: u32,
    ) -> Result<Self, (i32, io::Error)> {
        static MADE: AtomicUsize = AtomicUsize::new(0);

        if let Some(&first) = signals.first() {
            courier::need(Need::Signals).map_err(|error| (first, error))?;
        }
        let mut watch = Self {
            arrivals: Arc::new(Arrivals {
                signals: set_of(signals),
                patient,
                // ORDERING: Relaxed: only the order of the numbers matters.
                serial: MADE.fetch_add(1, Ordering::Relaxed),
                first: AtomicI32::new(NONE),
                seen: AtomicU32::new(0),
                due: AtomicBool::new(false),
                event,
            }),
            member: None,
            installed: Vec::with_capacity(signals.len()),
        };
        for &signal in signals {
            table().install(signal).map_err(|error| (signal, error))?;
            watch.installed.push(signal);
        }
        // For all signals at once. One that comes before takes the course it would have taken.
        watch.member = Some(WATCHES.join(Arc::clone(&watch.arrivals)));
        Ok(watch)
    }

    /// The first signal that arrived.
    pub(crate) fn first(&self) -> Option<i32> {
        // ORDERING: Relaxed: the number stands for itself. Whoever comes here because the event
        // was set sees it: `arrive` stores it before it sets the event, which publishes it.
        let first = self.arrivals.first.load(Ordering::Relaxed);
        (first != NONE).then_some(first)
    }

    /// Ends the watch; says which signal arrived first, and the set of all that did.
    pub(crate) fn end(mut self) -> (Option<i32>, u32) {
        self.leave();
        // ORDERING: Relaxed: leaving has waited for the last handler.
        (self.first(), self.arrivals.seen.load(Ordering::Relaxed))
    }

    fn leave(&mut self) {
        // Before the watch goes, so that no signal falls between the two.
        for signal in self.installed.drain(..) {
            table().uninstall(signal);
        }
        // Waits for handlers that are looking at it; after that, none does.
        self.member = None;
        self.arrivals.deliver();
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.leave();
    }
}

impl Arrivals {
    /// In a handler, where all signals are blocked: notes the signal. Says whether it need not take
    /// its default action.
    fn arrive(&self, signal: i32, patience: bool) -> bool {
        // ORDERING: Relaxed: who reads it has waited for the handlers, see `Watch::end`.
        self.seen.fetch_or(bit(signal), Ordering::Relaxed);
        // ORDERING: Relaxed: see `first`; that only one arrival is the first takes no more than
        // the atomicity of the exchange.
        let first = self
            .first
            .compare_exchange(NONE, signal, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok();
        leaving_tasks(|| notify::in_handler(self.event.get()));
        // ORDERING: Release pairs with `deliver`, for which the event has been set by now. A swap
        // continues the release of a handler before, which a store would cut off.
        self.due.swap(true, Ordering::Release);
        first || patience && self.patient & bit(signal) != 0
    }

    /// Outside of handlers: does what the handler had to leave, if anything.
    fn deliver(&self) {
        // ORDERING: Acquire pairs with `arrive`: what the handler saw of the event, we see.
        if self.due.swap(false, Ordering::Acquire) {
            courier::shielded(|| notify::afterwards(self.event.get()));
        }
    }
}

/// In a handler: tells all who watch the signal.
///
/// The newest of them decides: it is the innermost that the program has set up.
///
/// `patience`: whether any of them may be patient, see [`Watch::new`].
pub(super) fn arrived(signal: i32, patience: bool) -> Verdict {
    // It cannot fail: the set is one that can be blocked.
    mask::while_all_are_blocked(|| tell(signal, patience)).unwrap_or(Verdict::Taken)
}

fn tell(signal: i32, patience: bool) -> Verdict {
    let mut newest = None;
    loop {
        let joins = WATCHES.joins();
        // Those of a visit before have been told. One that has come since is newer than they, or
        // else it does not decide.
        let told = newest.map(|(serial, _)| serial);
        newest = WATCHES
            .visit()
            .filter(|watch| watch.signals & bit(signal) != 0 && Some(watch.serial) > told)
            .map(|watch| (watch.serial, watch.arrive(signal, patience)))
            .max()
            .or(newest);
        // Somebody may have made a watch where we had passed, and then dropped one where we had yet
        // to come. There was one all the time, so the signal belongs to it.
        if matches!(newest, Some((_, true))) || WATCHES.joins() == joins {
            break;
        }
    }
    match newest {
        None => Verdict::Nobody,
        Some((_, taken)) => {
            courier::ring();
            if taken {
                Verdict::Taken
            } else {
                Verdict::Default
            }
        }
    }
}

/// Those of these signals that have not been seen by any watch there is.
pub(crate) fn unseen(signals: u32) -> u32 {
    WATCHES.visit().fold(signals, |unseen, watch| {
        // ORDERING: Relaxed: a set that stands for itself.
        unseen & !watch.seen.load(Ordering::Relaxed)
    })
}

/// What the courier does when it is called.
pub(super) fn deliver_all() {
    for watch in WATCHES.visit() {
        // A waker may take its time, or drop the very watch: nobody shall wait for it.
        let arrivals = Arc::clone(&watch);
        drop(watch);
        arrivals.deliver();
    }
}
