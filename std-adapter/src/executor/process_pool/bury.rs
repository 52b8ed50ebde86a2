//! What becomes of the tasks of a worker that has ended, and of its place.
//!
//! ```text
//!     its task was     its owner has cancelled it     nobody is told
//!                      it was late                    TimeLimit
//!                      the pool was stopped           Cancelled
//!                      it has retries left            queued again, before all others
//!                      else                           WorkerLost
//!     it was done      whoever collects fetches the answer
//! ```
//!
//! The supervisor does it, before it starts another worker of the same number: until then nobody else
//! answers to that number, and what it had stays its own.

#![forbid(unsafe_code)]

use std::sync::Arc;
use std::task::{Context, Poll};

use signal_hook::low_level::signal_name;

use super::board::Whose;
use super::hall::Stage;
use super::hub::{Hub, Sentence};
use super::left::Left;
use super::staff::{self, Record};
use super::worker::End;
use crate::executor::task::TaskError;
use crate::executor::worker_lost::{self, WorkerLost};
use crate::process::{Child, Exit, JoinError};

impl Hub {
    /// A worker has ended, which had a task or not: what follows for those that come after it?
    fn take_note(
        &self,
        record: &mut Record,
        number: usize,
        had: bool,
        end: Result<End, JoinError>,
    ) {
        let stage = self.hall.stage(number);
        let has_worked = had || self.staff.has_worked(number);
        if stage == Stage::Retired || stage == Stage::Ready && has_worked {
            *record = Record::default();
            return;
        }
        if stage == Stage::Ready {
            record.failures = 0;
        } else {
            self.counts.failed_start();
        }
        // Somebody may have killed it, and that may pass.
        match end {
            Err(JoinError::Ended(_)) => record.setbacks += 1,
            _ if stage == Stage::Ready => record.setbacks += 1,
            _ => record.failures += 1,
        }
        self.note_setback(record, staff::why(end));
    }

    /// Deals with the workers that have ended.
    pub(super) fn bury_all(&self, record: &mut Record) {
        let waker = self.staff.waker();
        let mut context = Context::from_waker(&waker);
        for number in 0..self.staff.max {
            let mut seats = self.staff.seats();
            let Some(worker) = seats[number].worker.as_mut() else {
                continue;
            };
            let Poll::Ready(end) = worker.end.as_mut().poll(&mut context) else {
                continue;
            };
            let child = Arc::clone(&worker.child);
            let is_dismissed = worker.is_dismissed;
            worker.end = Box::pin(std::future::pending());
            drop(seats);
            let had = !self.hall.board.held_by(number).is_empty();
            let (mut freed, left) = self.bury(number, &child, is_dismissed);
            // A death of the pool's own doing says nothing of those that come after it.
            if !is_dismissed {
                self.take_note(record, number, had, end);
            }
            // Not before no task names it any more; and before anybody is told.
            self.staff.vacate(number);
            if !freed.is_empty() {
                self.freed(&mut freed);
            }
            if !left.is_empty() {
                self.leave(left);
            }
            // It may have been woken for a task and not come to claim it.
            self.hall.tasks().disturb();
        }
    }

    /// Sees to the tasks that a dead worker had; which blocks are free now, and what is to be told.
    fn bury(&self, number: usize, child: &Child, is_dismissed: bool) -> (Vec<usize>, Left) {
        let mut left = Left::default();
        let mut freed = Vec::new();
        let held = self.hall.board.held_by(number);
        for block in held {
            let mut place = self.entry(block);
            let Some(entry) = place.as_ref() else {
                continue;
            };
            match self.hall.board.whose(entry.posting) {
                Whose::Running(by) | Whose::Condemned(by) if by == number => {}
                Whose::Done(_) => {
                    left.orphaned.push(entry.posting);
                    continue;
                }
                _ => continue,
            }
            let Some(entry) = place.take() else {
                continue;
            };
            drop(place);
            self.hall.board.release(entry.posting);
            let mut job = entry.job;
            // A worker that was dismissed has not begun it.
            job.losses += u32::from(!is_dismissed);
            let error = match entry.sentence {
                _ if job.receiver.is_over() => None,
                Some(Sentence::Late) => {
                    self.counts.late();
                    Some(TaskError::TimeLimit)
                }
                Some(Sentence::Stopped) => Some(TaskError::Cancelled),
                None if is_dismissed || job.losses <= job.terms.retries => {
                    match self.again(block, job) {
                        Ok(()) => {
                            if !is_dismissed {
                                self.counts.retried();
                            }
                            continue;
                        }
                        Err(refused) => {
                            job = refused;
                            None
                        }
                    }
                }
                None => {
                    self.counts.lost();
                    let name = child.name().to_owned();
                    Some(TaskError::WorkerLost(WorkerLost::new(
                        name,
                        end_of(child),
                        job.losses,
                    )))
                }
            };
            freed.push(block);
            left.verdicts
                .push((job, error.unwrap_or(TaskError::Cancelled)));
        }
        // What it was writing when it was killed; unless an answer of its is still to be read, whose
        // block says that it is done.
        if self.hall.board.held_by(number).is_empty() {
            self.staff.clear_spool(number);
        }
        (freed, left)
    }
}

fn end_of(child: &Child) -> worker_lost::End {
    match child.exit() {
        Some(Exit::Code(code)) => worker_lost::End::Exited(code),
        Some(Exit::Signal(signal)) => worker_lost::End::Killed(signal, signal_name(signal)),
        _ => worker_lost::End::Unknown,
    }
}
