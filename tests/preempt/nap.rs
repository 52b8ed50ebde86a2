//! A backend that sleeps for one step, in which interrupts may come.
//!
//! Who is not woken in that step sleeps for ever: then nothing else is to happen, and if what was
//! waited for turns out to be there, a wake-up was lost.

use std::cell::Cell;
use std::convert::Infallible;

use brigade_core::sync::{Ordering::Relaxed, Word};
use brigade_core::wait::{NoWakers, Park, Wake};

thread_local! {
    /// The word somebody is asleep on, by its address.
    static ASLEEP: Cell<Option<usize>> = const { Cell::new(None) };
    /// Whether somebody has slept to the end.
    static OVER: Cell<bool> = const { Cell::new(false) };
}

/// See above.
pub(crate) struct Nap(Infallible);

/// Nobody has slept yet.
pub(crate) fn begin() {
    OVER.set(false);
}

/// Whether somebody has slept and was not woken.
pub(crate) fn is_over() -> bool {
    OVER.get()
}

/// Waits; `wait` says whether what it waited for was there.
pub(crate) fn wait<R>(wait: impl FnOnce() -> R, is_good: impl FnOnce(&R) -> bool) -> R {
    begin();
    let answer = wait();
    assert!(!(is_over() && is_good(&answer)), "a wake-up was lost");
    answer
}

fn address(word: &Word) -> usize {
    std::ptr::from_ref(word).addr()
}

impl Park for Nap {
    type Deadline = ();
    type Wakers = NoWakers;

    fn park(word: &Word, expected: u32, _deadline: Option<()>) -> Wake {
        // Interrupts come before a load, not after: comparing and falling asleep are one step.
        if word.load(Relaxed) != expected {
            return Wake::Woken;
        }
        ASLEEP.set(Some(address(word)));
        word.load(Relaxed);
        if ASLEEP.take().is_none() {
            return Wake::Woken;
        }
        OVER.set(true);
        Wake::TimedOut
    }

    fn unpark(word: &Word, _sleepers: u32) {
        if ASLEEP.get() == Some(address(word)) {
            ASLEEP.set(None);
        }
    }

    fn relax(_step: u32) -> bool {
        false
    }
}
