//! The tool itself: does loom, through `sync`, try what it must?

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use brigade_core::sync::{AtomicU32, Ordering::Relaxed};

use crate::harness::{Crew, exhaustive};

/// Runs a model and returns all values that its executions returned.
fn outcomes<R: Ord + Send + 'static>(model: impl Fn() -> R + Send + Sync + 'static) -> BTreeSet<R> {
    let all = Arc::new(Mutex::new(BTreeSet::new()));
    let seen = Arc::clone(&all);
    exhaustive(move || {
        let outcome = model();
        seen.lock().unwrap().insert(outcome);
    });
    Arc::into_inner(all).unwrap().into_inner().unwrap()
}

/// Two threads that each load and then write can both be first, or neither.
#[test]
fn a_load_may_come_before_a_write_that_a_load_precedes() {
    let seen = outcomes(|| {
        let mut loaded = 0;
        Crew::new(AtomicU32::new(0))
            .and(|word| {
                word.load(Relaxed);
                word.fetch_add(1, Relaxed);
            })
            .here(|word| loaded = word.load(Relaxed));
        loaded
    });
    assert_eq!(seen, BTreeSet::from([0, 1]));
}
