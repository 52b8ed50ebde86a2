//! [`Outsider`]: somebody who is no worker and has tasks of the pool in hand.

#![forbid(unsafe_code)]

use std::sync::Arc;

use super::worker::Shared;
use crate::executor::work::Job;

/// Somebody who is no worker and has tasks of the pool in hand, or is about to have some. Meanwhile
/// nobody can say that the pool is at a standstill.
pub(super) struct Outsider(Arc<Shared>);

impl Outsider {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        shared.roster.outsider_comes();
        Self(Arc::clone(shared))
    }

    /// Runs a task on this thread.
    pub(super) fn run(&self, job: Job) {
        self.0
            .roster
            .counted_outside(|tally| job.run_counted(tally, None));
    }
}

impl Clone for Outsider {
    fn clone(&self) -> Self {
        Self::new(&self.0)
    }
}

impl Drop for Outsider {
    fn drop(&mut self) {
        self.0.roster.outsider_goes();
    }
}
