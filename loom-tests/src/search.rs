//! The tool itself: does loom, through `sync`, try what it must, and nothing that cannot be?

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use brigade_core::sync::{AtomicU32, Model, Ordering::Relaxed, Word};
use brigade_core::wait::{Park, Wake};

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

/// Loom alone never runs the second thread first, as its load hides the first thread's load.
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

/// The same with a load between two writes: the other thread may come in anywhere.
#[test]
fn a_load_between_two_writes_hides_neither() {
    let seen = outcomes(|| {
        let mut loaded = (0, 0);
        Crew::new([AtomicU32::new(0), AtomicU32::new(0)])
            .and(|[key, value]| {
                key.fetch_add(1, Relaxed);
                value.fetch_add(1, Relaxed);
                key.load(Relaxed);
                key.fetch_add(1, Relaxed);
            })
            .here(|[key, value]| loaded = (value.fetch_add(0, Relaxed), key.fetch_add(0, Relaxed)));
        loaded
    });
    assert_eq!(
        seen,
        BTreeSet::from([(0, 0), (0, 1), (0, 2), (1, 1), (1, 2)])
    );
}

/// A store is the last word even if a read-modify-write comes at the same time.
#[test]
fn a_store_stays() {
    let seen = outcomes(|| {
        let word = Crew::new(AtomicU32::new(1))
            .and(|word| word.store(0, Relaxed))
            .here(|word| word.fetch_add(0, Relaxed));
        word.fetch_add(0, Relaxed)
    });
    assert_eq!(seen, BTreeSet::from([0]));
}

/// A sleeper with a deadline may be woken, or give up before, at any moment.
#[test]
fn a_deadline_may_pass_or_not() {
    let seen = outcomes(|| {
        let mut wake = Wake::Woken;
        Crew::new(Word::new(0))
            .and(|word| Model::unpark(word, 1))
            .here(|word| wake = Model::park(word, 0, Some(())));
        wake == Wake::TimedOut
    });
    assert_eq!(seen, BTreeSet::from([false, true]));
}

/// Who changes the word and then wakes meets a sleeper, or one who does not fall asleep.
#[test]
fn no_sleeper_misses_a_change() {
    exhaustive(|| {
        Crew::new(Word::new(0))
            .and(|word| Model::park(word, 0, None))
            .here(|word| {
                word.fetch_add(1, Relaxed);
                Model::unpark(word, 1);
            });
    });
}
