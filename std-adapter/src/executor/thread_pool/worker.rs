//! What the workers of a pool do all their lives, and what they have in common with its owner.

#![forbid(unsafe_code)]

use std::sync::Arc;

use super::roster::Roster;
use crate::executor::self_wait;
use crate::executor::work::Job;
use crate::{JoinCounter, Queue, thread};

/// What the workers and the pool's owner have in common.
pub(super) struct Shared {
    pub(super) queue: Queue<Job>,
    pub(super) roster: Arc<Roster>,
    /// The workers that have not ended.
    pub(super) running: JoinCounter,
}

/// What a worker does all its life.
pub(super) fn work(shared: &Shared) {
    struct Leave<'a>(&'a Shared);

    impl Drop for Leave<'_> {
        fn drop(&mut self) {
            self_wait::set_own(None);
            self.0.roster.end();
            let _ = self.0.running.done();
        }
    }

    let _leave = Leave(shared);
    let _listed = thread::enter_as_daemon();
    self_wait::set_own(Some(Arc::clone(&shared.roster)));
    while let Ok(job) = shared.queue.get() {
        job.run();
    }
}
