//! Sleeping on a word: `parking_lot_core`'s table of sleepers, for systems without a futex.
//!
//! The table has a lock per bucket, under which the word is compared and wakes are delivered, so
//! nothing is missed. A wake takes that lock: it must not be made from a signal handler, which is
//! why `notify_pipe.rs` exists.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use brigade_core::wait::Wake;
use parking_lot_core::{
    DEFAULT_PARK_TOKEN, DEFAULT_UNPARK_TOKEN, FilterOp, ParkResult, park, unpark_filter,
};

/// Sleeps while `word` holds `expected`, at the latest until `deadline`.
pub(super) fn wait(word: &AtomicU32, expected: u32, deadline: Option<Instant>) -> Wake {
    // ORDERING: Relaxed: the comparison is made under the bucket's lock, which `wake` takes after
    // the word has changed; like a futex's comparison, it orders nothing else.
    let unchanged = || word.load(Ordering::Relaxed) == expected;
    // SAFETY: the key is the address of a word that outlives the call, the callbacks neither
    // panic nor call into parking_lot.
    let result = unsafe {
        park(
            key(word),
            unchanged,
            || (),
            |_, _| (),
            DEFAULT_PARK_TOKEN,
            deadline,
        )
    };
    match result {
        ParkResult::TimedOut => Wake::TimedOut,
        ParkResult::Invalid if deadline.is_some_and(|deadline| deadline <= Instant::now()) => {
            Wake::TimedOut
        }
        ParkResult::Unparked(_) | ParkResult::Invalid => Wake::Woken,
    }
}

/// Wakes up to `sleepers` of the threads asleep on `word`.
pub(super) fn wake(word: &AtomicU32, sleepers: u32) {
    let mut left = sleepers;
    let filter = |_| match left.checked_sub(1) {
        Some(rest) => {
            left = rest;
            FilterOp::Unpark
        }
        None => FilterOp::Stop,
    };
    // SAFETY: the key is the address of a live word, the callbacks neither panic nor call into
    // parking_lot.
    unsafe { unpark_filter(key(word), filter, |_| DEFAULT_UNPARK_TOKEN) };
}

fn key(word: &AtomicU32) -> usize {
    std::ptr::from_ref(word).addr()
}
