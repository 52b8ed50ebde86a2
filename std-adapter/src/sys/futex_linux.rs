//! Sleeping on a word: the Linux futex, private to the process.
//!
//! The kernel compares the word and goes to sleep under the lock that wakers take, so a change
//! followed by a wake is never missed. A wake is one system call, takes no lock of ours and
//! allocates nothing, and we keep `errno` as it was: it may be made from a signal handler.

use std::sync::atomic::AtomicU32;
use std::time::Instant;

use brigade_core::wait::Wake;
use rustix::io::Errno;
use rustix::thread::futex::{self, Flags, Timespec};

use super::errno::preserved;

/// Sleeps while `word` holds `expected`, at the latest until `deadline`.
///
/// A signal ends the sleep early; that counts as a spurious wake.
pub(super) fn wait(word: &AtomicU32, expected: u32, deadline: Option<Instant>) -> Wake {
    // `FUTEX_WAIT` takes a span and measures it on the clock that `Instant` reads.
    let span = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
    if span.is_some_and(|span| span.is_zero()) {
        return Wake::TimedOut;
    }
    // A span the kernel's clock cannot hold is longer than the universe is old: for ever.
    let span = span.and_then(|span| Timespec::try_from(span).ok());
    match futex::wait(word, Flags::PRIVATE, expected, span.as_ref()) {
        Err(Errno::TIMEDOUT) => Wake::TimedOut,
        // Woken (`Ok`), the word had changed already (`AGAIN`), or a signal came (`INTR`).
        _ => Wake::Woken,
    }
}

/// Wakes up to `sleepers` of the threads asleep on `word`.
pub(super) fn wake(word: &AtomicU32, sleepers: u32) {
    // The kernel counts in a signed int. Waking a valid, aligned word cannot fail.
    let sleepers = sleepers.min(i32::MAX.unsigned_abs());
    let _ = preserved(|| futex::wake(word, Flags::PRIVATE, sleepers));
}
