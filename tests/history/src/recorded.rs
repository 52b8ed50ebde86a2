//! Writing histories down.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, PoisonError};

use brigade_core::bounded::Container;

use crate::{Call, Model, Operation, Record, judge};

/// Tells in which order things happened, on one thread or several.
#[derive(Debug, Default)]
pub struct Clock(AtomicUsize);

impl Clock {
    /// Notes when a call begins and ends.
    pub fn time<C>(&self, call: impl FnOnce() -> C) -> Record<C> {
        // ORDERING: SeqCst: of two calls one after the other, on whatever threads, the second
        // begins later.
        let begun = self.0.fetch_add(1, SeqCst);
        let call = call();
        let ended = self.0.fetch_add(1, SeqCst);
        Record { call, begun, ended }
    }
}

/// A container whose calls are written down.
///
/// The log is behind a lock that is taken after each call: of no matter where threads take turns,
/// in the way where they do not.
#[derive(Debug)]
pub struct Recorded<C> {
    container: C,
    clock: Clock,
    log: Mutex<Vec<Record<Call>>>,
}

impl<C: Container<Item = u32>> Recorded<C> {
    /// Begins an empty log for an empty container.
    pub fn new(container: C) -> Self {
        Self {
            container,
            clock: Clock::default(),
            log: Mutex::default(),
        }
    }

    /// Asks the container, once, and writes it down.
    pub fn call(&self, operation: Operation) -> Call {
        let record = self.clock.time(|| operation.call(&self.container));
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.push(record);
        record.call
    }

    /// Takes out what is left and judges all answers.
    ///
    /// # Panics
    ///
    /// If no order of the calls explains them.
    #[track_caller]
    pub fn verify(self, before: &impl Model<Call = Call>) {
        while self.call(Operation::Pop).is_done() {}
        judge(before, &self.log.into_inner().unwrap());
    }
}
