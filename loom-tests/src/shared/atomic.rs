//! Atomics of 64 bits for models, as the core's of 32 bits are; and threads that stop after so many
//! accesses, as a process does that is killed.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::sync::{Mutex, PoisonError};

pub(crate) use brigade_core::sync::Ordering;
use brigade_core::sync::Outcome;
use loom::sync::Condvar;
pub(crate) use loom::sync::atomic::fence;
use loom::thread::{self, ThreadId};

use crate::mutation;

loom::thread_local! {
    /// How many accesses this thread still makes, if it is to be killed.
    static LEFT: Cell<Option<usize>> = Cell::new(None);
}

/// What a killed thread unwinds with.
struct Killed;

/// Does this as a process that is killed after so many accesses to shared memory. `None` if it was.
///
/// Nothing is to be on the stack that does anything when it is dropped.
pub(crate) fn killed_after<R>(accesses: usize, work: impl FnOnce() -> R) -> Option<R> {
    LEFT.with(|left| left.set(Some(accesses)));
    let end = catch_unwind(AssertUnwindSafe(work));
    LEFT.with(|left| left.set(None));
    match end {
        Ok(result) => Some(result),
        Err(cause) if cause.is::<Killed>() => None,
        Err(cause) => resume_unwind(cause),
    }
}

fn survive() {
    LEFT.with(|left| match left.get() {
        None => {}
        Some(0) => resume_unwind(Box::new(Killed)),
        Some(more) => left.set(Some(more - 1)),
    });
}

/// As the core's `AtomicU32` for models, which tells why it leaves marks.
#[derive(Debug)]
pub(crate) struct AtomicU64 {
    value: loom::sync::atomic::AtomicU64,
    marks: Mutex<Vec<(ThreadId, Condvar)>>,
}

impl AtomicU64 {
    pub(crate) fn new(value: u64) -> Self {
        Self {
            value: loom::sync::atomic::AtomicU64::new(value),
            marks: Mutex::default(),
        }
    }

    fn note(&self, is_write: bool) {
        let me = thread::current().id();
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_write && marks.iter().all(|(id, _)| *id != me) {
            marks.push((me, Condvar::new()));
        }
        for (_, mark) in marks.iter().filter(|(id, _)| (*id == me) != is_write) {
            loom::stop_exploring();
            mark.notify_one();
            loom::explore();
        }
    }

    #[track_caller]
    pub(crate) fn load(&self, order: Ordering) -> u64 {
        let order = actual(Outcome::Success, order);
        survive();
        let value = self.value.load(order);
        self.note(false);
        value
    }

    /// As the core's, it looks first.
    #[track_caller]
    pub(crate) fn store(&self, value: u64, order: Ordering) {
        let order = actual(Outcome::Success, order);
        survive();
        self.value.fetch_add(0, Ordering::Relaxed);
        loom::stop_exploring();
        self.value.store(value, order);
        loom::explore();
        self.note(true);
    }

    #[track_caller]
    pub(crate) fn swap(&self, value: u64, order: Ordering) -> u64 {
        let order = actual(Outcome::Success, order);
        survive();
        let before = self.value.swap(value, order);
        self.note(true);
        before
    }

    #[track_caller]
    pub(crate) fn compare_exchange(
        &self,
        current: u64,
        new: u64,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u64, u64> {
        let success = actual(Outcome::Success, success);
        let failure = actual(Outcome::Failure, failure);
        survive();
        let answer = self.value.compare_exchange(current, new, success, failure);
        self.note(true);
        answer
    }

    #[track_caller]
    pub(crate) fn fetch_update(
        &self,
        set_order: Ordering,
        fetch_order: Ordering,
        mut update: impl FnMut(u64) -> Option<u64>,
    ) -> Result<u64, u64> {
        let fetch = actual(Outcome::Failure, fetch_order);
        survive();
        let mut before = self.value.load(fetch);
        self.note(false);
        while let Some(after) = update(before) {
            match self.compare_exchange(before, after, set_order, fetch_order) {
                Ok(_) => return Ok(before),
                Err(now) => before = now,
            }
        }
        Err(before)
    }
}

#[track_caller]
fn actual(outcome: Outcome, written: Ordering) -> Ordering {
    mutation::actual(Location::caller(), outcome, written)
}
