//! What the workers of a pool do all their lives, and what they have in common with its owner.
//!
//! ```text
//!     on_start --> try_get --- a job -----> run --+
//!                   ^  | nothing                  |
//!                   |  +--> rest: get --> resume  |     resume: is another worker needed?
//!                   |            |                |
//!                   |            | idle for long  |     retire: not if more jobs have come
//!                   +------------+----------------+     one too many: dismissed
//!                                | the queue was shut down
//!                                +--> on_stop
//! ```

#![forbid(unsafe_code)]

use std::io;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use brigade_core::{GetTimeoutError, TryGetError};

use super::jobs::{Entry, Jobs};
use super::roster::{Hired, Roster, Verdict};
use super::staffing::Idle;
use super::stats::Tally;
use crate::executor::self_wait::{self, Own};
use crate::executor::work::{Job, contain};
use crate::panic::{Panic, catch};

/// What the workers and the pool's owner have in common.
pub(in crate::executor) struct Shared {
    pub(super) jobs: Jobs,
    pub(in crate::executor) roster: Roster,
    pub(super) style: Style,
    /// What times are counted from.
    pub(super) born: Instant,
    pub(super) grows_on_demand: bool,
    /// Whether the queue is in the order of priorities.
    pub(super) by_priority: bool,
    /// Whether workers may come and go by themselves: if it grows, or has spare ones.
    pub(super) elastic: bool,
    pub(super) threads: Mutex<Vec<JoinHandle<()>>>,
}

/// What workers are like.
#[derive(Clone)]
pub(super) struct Style {
    pub(super) name: String,
    pub(super) stack_size: Option<usize>,
    pub(super) keep_alive: Duration,
    pub(super) measure_time: bool,
    pub(super) on_start: Option<Hook>,
    pub(super) on_stop: Option<Hook>,
}

/// Code of the user's that each worker runs, with its number.
pub(super) type Hook = Arc<dyn Fn(usize) + Send + Sync>;

/// Where a worker reports how its initializer went.
pub(super) type Reports = Sender<(usize, Result<(), Panic>)>;

impl Shared {
    /// Starts a worker. Its initializer's end is reported, if there is one.
    pub(super) fn start(
        self: &Arc<Self>,
        hired: Hired,
        reports: Option<Reports>,
    ) -> Result<(), io::Error> {
        let number = hired.number;
        let mut builder = thread::Builder::new().name(format!("{}-{number}", self.style.name));
        if let Some(bytes) = self.style.stack_size {
            builder = builder.stack_size(bytes);
        }
        let shared = Arc::clone(self);
        // Held until the thread is among them: who joins the pool joins its thread.
        let mut threads = self.threads();
        let started = builder.spawn(move || shared.live(hired, reports));
        match started {
            Ok(thread) => {
                threads.retain(|thread| !thread.is_finished());
                threads.push(thread);
                Ok(())
            }
            Err(error) => {
                self.roster.fail(number);
                let _ = self.roster.running.done();
                Err(error)
            }
        }
    }

    /// Starts another worker if there may be one and the idle ones are too few for what is queued.
    /// If it cannot be started, the others have to do.
    #[cold]
    pub(super) fn grow(self: &Arc<Self>) {
        let wanted = |idle: &Idle| self.jobs.len() > idle.count();
        if let Some(hired) = self.roster.hire(wanted) {
            let _ = self.start(hired, None);
        }
    }

    /// Starts as many workers as there are jobs queued that no idle one will take, if there may be so
    /// many.
    pub(super) fn catch_up(self: &Arc<Self>) {
        let backlog = self.jobs.len().saturating_sub(self.roster.idle.count());
        for _ in 0..backlog {
            let Some(hired) = self.roster.hire(|_| true) else {
                return;
            };
            let _ = self.start(hired, None);
        }
    }

    /// After a job was queued.
    #[inline]
    pub(super) fn queued(self: &Arc<Self>) {
        if self.elastic && self.roster.idle.too_few(|| self.jobs.len()) {
            self.grow();
        }
    }

    /// After there may have come to be too many workers: has an idle one look, if there is one.
    /// If the queue is full, whoever takes the next job looks.
    pub(in crate::executor) fn nudge(&self) {
        if self.roster.has_surplus() {
            let _ = self.jobs.try_put(Entry::NUDGE);
        }
    }

    /// Whether the calling worker may wait, and starts another if that helps; `false` if the pool is
    /// at a standstill.
    pub(in crate::executor) fn may_wait(
        self: &Arc<Self>,
        ask: &dyn Fn(&dyn Fn() -> usize) -> Verdict,
    ) -> bool {
        loop {
            match ask(&|| self.jobs.len()) {
                Verdict::Wait => return true,
                Verdict::Stuck => return false,
                Verdict::Start(hired) => {
                    // If that fails, there will be no other.
                    let _ = self.start(hired, None);
                }
            }
        }
    }

    pub(super) fn threads(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All of a worker's life.
    fn live(self: Arc<Self>, hired: Hired, reports: Option<Reports>) {
        let Hired { number, tally } = hired;
        let listed = crate::thread::enter_as_daemon();
        self_wait::set_own(Some(Own::Working(Arc::clone(&self))));
        let initialized = match &self.style.on_start {
            Some(hook) => catch(|| hook(number)),
            None => Ok(()),
        };
        let failed = initialized.is_err();
        if let Some(reports) = reports {
            // Whoever starts the pool waits for it, or has given up.
            let _ = reports.send((number, initialized));
        }
        if failed {
            self.roster.fail(number);
        } else {
            self.roster.ready();
            if !self.work(number, &tally) {
                self.roster.end(number);
            }
            self_wait::set_own(Some(Own::Leaving(self.roster.pool())));
            if let Some(hook) = &self.style.on_stop {
                contain(|| hook(number));
            }
        }
        self_wait::set_own(None);
        drop(listed);
        let _ = self.roster.running.done();
    }

    /// Runs jobs; whether the worker has been counted out when it ends, or else the pool ends.
    fn work(self: &Arc<Self>, number: usize, tally: &Tally) -> bool {
        loop {
            if self.roster.has_surplus() && self.roster.dismiss(number) {
                // There may be more of them.
                self.nudge();
                return true;
            }
            match self.jobs.try_get() {
                Ok(entry) => self.run(entry, tally),
                Err(TryGetError::ShutDown) => return false,
                Err(TryGetError::Empty) => match self.rest() {
                    Ok(entry) => self.run(entry, tally),
                    Err(GetTimeoutError::ShutDown) => return false,
                    Err(GetTimeoutError::Timeout) => {
                        if self.roster.retire(number, || self.jobs.is_empty()) {
                            return true;
                        }
                    }
                },
            }
        }
    }

    /// Waits for a job, for as long as an idle worker is kept.
    fn rest(self: &Arc<Self>) -> Result<Entry, GetTimeoutError> {
        let patience = if self.elastic {
            self.roster.patience(self.style.keep_alive)
        } else {
            None
        };
        self.roster.idle.rest();
        let got = match patience {
            Some(keep_alive) => self.jobs.get_timeout(keep_alive),
            None => self.jobs.get().map_err(|_| GetTimeoutError::ShutDown),
        };
        if self.roster.idle.resume(|| self.jobs.len()) && self.elastic {
            self.grow();
        }
        got
    }

    #[inline]
    fn run(&self, entry: Entry, tally: &Tally) {
        if let Some((job, at)) = entry.open() {
            let at = || self.born + Duration::from_nanos(at);
            job.run_counted(tally, self.style.measure_time.then(at));
        }
    }

    /// An entry for the queue.
    #[inline]
    pub(super) fn entry(&self, job: Job) -> Entry {
        self.entry_of(job, self.by_priority.then_some(0))
    }

    /// An entry for the queue, with a priority if the queue is in that order.
    #[inline]
    pub(super) fn entry_of(&self, job: Job, priority: Option<i32>) -> Entry {
        let at = if self.style.measure_time {
            // Enough for 500 years.
            u64::try_from(self.born.elapsed().as_nanos()).unwrap_or(u64::MAX)
        } else {
            0
        };
        Entry::new(job, at, priority)
    }
}
