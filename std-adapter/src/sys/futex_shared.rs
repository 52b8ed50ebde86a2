//! Sleeping on a word in memory shared with other processes: the Linux futex, found by the page and
//! not by the address. Otherwise as `futex_linux.rs`.

use std::sync::atomic::AtomicU32;
use std::time::Instant;

use brigade_core::wait::Wake;
use rustix::io::Errno;
use rustix::thread::futex::{self, Flags, Timespec, WakeOp, WakeOpCmp};

use super::errno::preserved;

/// Sleeps while `word` holds `expected`, at the latest until `deadline`.
///
/// A signal ends the sleep early; that counts as a spurious wake.
pub(crate) fn wait(word: &AtomicU32, expected: u32, deadline: Option<Instant>) -> Wake {
    let span = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    if span.is_some_and(|span| span.is_zero()) {
        return Wake::TimedOut;
    }
    // A span the kernel's clock cannot hold is longer than the universe is old: for ever.
    let span = span.and_then(|span| Timespec::try_from(span).ok());
    match futex::wait(word, Flags::empty(), expected, span.as_ref()) {
        Err(Errno::TIMEDOUT) => Wake::TimedOut,
        _ => Wake::Woken,
    }
}

/// Wakes up to `sleepers` of the threads asleep on `word`, of all processes; says how many.
pub(crate) fn wake(word: &AtomicU32, sleepers: u32) -> u32 {
    let sleepers = sleepers.min(i32::MAX.unsigned_abs());
    let woken = preserved(|| futex::wake(word, Flags::empty(), sleepers));
    woken.map_or(0, |woken| u32::try_from(woken).unwrap_or(u32::MAX))
}

/// Adds 1 to `word` and wakes all threads asleep on it, of all processes: at once, as seen by who is about to
/// fall asleep.
pub(crate) fn step_and_wake_all(word: &AtomicU32) {
    let (add, eq) = (WakeOp::Add, WakeOpCmp::Eq);
    let most = i32::MAX.unsigned_abs();
    // The second number is of those to wake if the word was 0, which were all woken already.
    let _ = preserved(|| futex::wake_op(word, Flags::empty(), most, 0, word, add, eq, 1, 0));
}
