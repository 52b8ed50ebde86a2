//! [`Jobs`]: what a pool has yet to run.

#![forbid(unsafe_code)]

use std::time::Duration;

use crate::Queue;
use crate::executor::work::Job;

/// The queue between submitters and workers.
pub(super) type Jobs = Queue<Entry>;

pub(super) enum Entry {
    Job {
        job: Job,
        /// When it was submitted, in nanoseconds from the pool's birth, if the pool measures time.
        at: u64,
    },
    /// Wakes a worker that has nothing to do and may be one too many.
    Nudge,
}

impl Entry {
    pub(super) fn new(job: Job, at: Duration) -> Self {
        Self::Job {
            job,
            // Enough for 500 years.
            at: u64::try_from(at.as_nanos()).unwrap_or(u64::MAX),
        }
    }

    pub(super) fn into_job(self) -> Option<Job> {
        match self {
            Self::Job { job, .. } => Some(job),
            Self::Nudge => None,
        }
    }
}
