//! How tasks are taken back: by their owners, by a shutdown, or because no worker will come.
//!
//! A task that has not been begun is withdrawn from the board, or from the backlog. For one that runs,
//! its worker is condemned first and then killed; what becomes of the task is seen to when the worker is
//! dead (`bury.rs`).

#![forbid(unsafe_code)]

use std::sync::MutexGuard;

use super::board::Posting;
use super::board::Whose;
use super::hub::{Hub, Job, Posts, Sentence, posting};
use super::left::Left;
use crate::executor::remote::Ticket;
use crate::executor::task::TaskError;

impl Hub {
    /// Takes back all tasks that have not been begun.
    fn take_queued(&self, mut posts: MutexGuard<'_, Posts>) -> Vec<Job> {
        let mut jobs = Vec::new();
        for block in 0..self.blocks() {
            let mut entry = self.entry(block);
            let Some(posting) = entry.as_ref().map(|entry| entry.posting) else {
                continue;
            };
            if self.hall.board.withdraw(posting) == Whose::Queued {
                jobs.extend(entry.take().map(|entry| entry.job));
                posts.free.push(block);
            }
        }
        jobs.extend(posts.backlog.drain(..).map(|(job, _)| job));
        self.after_change(posts);
        jobs
    }

    /// The owner of a task has cancelled it.
    pub(super) fn withdraw(&self, ticket: &Ticket) {
        self.counts.cancelled();
        let mut posts = self.posts();
        // If it is in the backlog, it is dropped when its turn comes.
        let Some(posting) = posting(ticket.get()) else {
            return;
        };
        let mut entry = self.entry(posting.block);
        if entry.as_ref().is_none_or(|entry| entry.posting != posting) {
            return;
        }
        match self.hall.board.withdraw(posting) {
            Whose::Queued => {
                let job = entry.take().map(|entry| entry.job);
                drop(entry);
                posts.free.push(posting.block);
                self.after_change(posts);
                if let Some(job) = job {
                    self.forget(job);
                }
            }
            Whose::Running(_) => {
                drop((entry, posts));
                self.kill_for(posting);
            }
            Whose::Condemned(_) | Whose::Done(_) | Whose::Nobodys => {}
        }
    }

    /// No worker can be started, and there is none: everything that waits fails.
    pub(super) fn give_up(&self, reason: &str) {
        let jobs = self.take_queued(self.posts());
        if jobs.is_empty() {
            return;
        }
        let verdict = |job| (job, TaskError::NoWorkers(reason.to_owned()));
        self.leave(Left {
            verdicts: jobs.into_iter().map(verdict).collect(),
            ..Left::default()
        });
    }

    /// Takes no further tasks; with `now`, returns those that have not been begun.
    pub(super) fn shut_down(&self, now: bool) -> Vec<Job> {
        let mut posts = self.posts();
        posts.closed = true;
        self.room.notify_all();
        if now {
            return self.take_queued(posts);
        }
        self.after_change(posts);
        Vec::new()
    }

    /// Takes no further tasks, and returns those that have not been begun. Kills all workers; the tasks
    /// that they run end as cancelled.
    pub(super) fn stop_all(&self) -> Vec<Job> {
        let mut posts = self.posts();
        posts.closed = true;
        posts.stopped = true;
        self.room.notify_all();
        let jobs = self.take_queued(posts);
        for block in 0..self.blocks() {
            let mut place = self.entry(block);
            if let Some(entry) = place.as_mut() {
                entry.sentence = Some(Sentence::Stopped);
            }
        }
        // No task is begun any more, so none is hit that is not meant.
        self.staff.kill_all();
        jobs
    }

    /// Kills the worker that runs this task, if one still does.
    fn kill_for(&self, posting: Posting) {
        if let Whose::Running(worker) = self.hall.board.condemn(posting) {
            self.kill_condemned(posting, worker);
        }
    }

    /// Kills a worker that was condemned for this task.
    pub(super) fn kill_condemned(&self, posting: Posting, worker: usize) {
        // The worker stays with the task until it is dead and that has been dealt with, under the
        // staff's lock.
        self.staff.kill(worker, || {
            self.hall.board.whose(posting) == Whose::Condemned(worker)
        });
    }
}
