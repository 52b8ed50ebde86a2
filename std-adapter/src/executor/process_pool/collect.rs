//! Who fetches the answers.
//!
//! Any thread may: the board's list is taken as a whole, and whoever takes a task's entry delivers its
//! answer. So that an answer costs one wake-up and not two, a thread that waits for a task fetches
//! answers itself, as the *driver*; one thread at a time is it. While nobody is, the pool's *collector*
//! is rung:
//!
//! ```text
//!     worker: answer, fence, driven? -- yes --> ring the driver, if it sleeps
//!                               '------ no ---> ring the collector, if it sleeps
//!
//!     driver: driven := true, fetch ... own answer is there: driven := false, fence, look once more
//! ```
//!
//! A worker that found a driver has listed its answer before the driver's last look, or rung it. One
//! that found none rings the collector. Other threads that wait sleep until their answer is delivered
//! by either of the two; and whoever delivers rings the driver, whose answer it may have been.
//!
//! A driver that waits without end looks up from time to time, and wakes all workers if its task has
//! not been begun: the one that was woken for it may have been stopped by a signal.

#![forbid(unsafe_code)]

use std::cell::RefCell;
use std::sync::PoisonError;
use std::sync::atomic::Ordering::{Acquire, Release};
use std::task::Waker;
use std::time::{Duration, Instant};

use brigade_core::wait::Park;

use super::board::Whose;
use super::hall::{Content, Kind, NONSENSE};
use super::hub::{self, Entry, Hub};
use crate::executor::remote::{Answer, Source, Ticket};
use crate::executor::self_wait::Probe;
use crate::executor::task::TaskError;
use crate::executor::work::contain;
use crate::process::ship::decode;
use crate::{Panic, Parker};

/// How long a driver sleeps at a time.
const LOOK_UP: Duration = Duration::from_millis(100);

thread_local! {
    /// Buffers, to be used again. Whoever is called from within a delivery finds none, and makes some.
    static BUFFERS: RefCell<Buffers> = RefCell::default();
}

#[derive(Default)]
struct Buffers {
    finished: Vec<usize>,
    freed: Vec<usize>,
    answer: Vec<u8>,
}

impl Hub {
    /// Delivers all answers that are there, and leaves the wakers that are to be woken for it in
    /// `wakers`; whether there were any.
    fn collect(&self, wakers: &mut Vec<Waker>) -> bool {
        let mut buffers = BUFFERS.take();
        {
            // One at a time: a link is not to be written anew while it is followed.
            let _one = self
                .collecting
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            self.hall.board.collect(&mut buffers.finished);
        }
        let mut verdicts = Vec::new();
        if self.has_left() {
            let left = self.take_left();
            buffers.finished.extend(left.finished);
            verdicts = left.verdicts;
        }
        let any = !(buffers.finished.is_empty() && verdicts.is_empty());
        for block in buffers.finished.drain(..) {
            if let Some((entry, worker)) = self.take_finished(block) {
                wakers.extend(self.deliver(entry, worker, &mut buffers.answer));
                buffers.freed.push(block);
            }
        }
        if !buffers.freed.is_empty() {
            self.freed(&mut buffers.freed);
        }
        for (job, error) in verdicts {
            wakers.extend(job.receiver.deliver(Answer::Error(error)));
            self.forget(job);
        }
        BUFFERS.set(buffers);
        any
    }

    /// Takes the entry of a block whose task is done, for the first who asks.
    fn take_finished(&self, block: usize) -> Option<(Entry, usize)> {
        let mut entry = self.entry(block);
        match self.hall.board.whose(entry.as_ref()?.posting) {
            Whose::Done(worker) => Some((entry.take()?, worker)),
            _ => None,
        }
    }

    /// Gives the answer to the task's owner, and takes the block back.
    fn deliver(&self, entry: Entry, worker: usize, buffer: &mut Vec<u8>) -> Option<Waker> {
        let Entry { posting, job, .. } = entry;
        let answer = self.read(posting.block, worker, buffer);
        self.counts.finished(&answer);
        self.staff.note_work(worker);
        let waker = job.receiver.deliver(answer);
        // Not before: the worker keeps what the answer refers to until then.
        self.hall.board.release(posting);
        self.forget(job);
        waker
    }

    fn read<'a>(&self, block: usize, worker: usize, buffer: &'a mut Vec<u8>) -> Answer<'a> {
        let error = |reason: String| Answer::Error(TaskError::Transfer(reason));
        let Some((kind, content)) = self.hall.answer(block) else {
            return error(NONSENSE.into());
        };
        match content {
            Content::Short(length) => {
                buffer.resize(length, 0);
                self.hall.read_answer(block, buffer);
            }
            Content::Spooled { at, length } => {
                let Some(spool) = self.staff.spool(worker) else {
                    return error(NONSENSE.into());
                };
                let read = spool.read(at, length, buffer);
                spool.forget(at, length);
                if let Err(reason) = read {
                    return error(format!("the result cannot be read: {reason}"));
                }
            }
        }
        match kind {
            Kind::Value => Answer::Value(buffer),
            Kind::Panic => match decode::<Panic>(buffer) {
                Ok(panic) => Answer::Error(TaskError::Panicked(panic)),
                Err(reason) => error(reason),
            },
            Kind::Error => error(String::from_utf8_lossy(buffer).into_owned()),
        }
    }

    /// Whether a task that was submitted still waits for a worker.
    fn is_queued(&self, ticket: &Ticket) -> bool {
        let posting = hub::posting(ticket.get());
        posting.is_some_and(|posting| self.hall.board.whose(posting) == Whose::Queued)
    }

    fn has_answers(&self) -> bool {
        self.hall.board.has_finished() || self.has_left()
    }

    /// What the pool's own thread does, until the pool has ended.
    pub(super) fn collect_always(&self) {
        let mut wakers = Vec::new();
        loop {
            let any = self.collect(&mut wakers);
            if any {
                // The driver may have waited for one of them.
                self.hall.driver().ring(1);
            }
            wakers.append(&mut self.take_wakers());
            if any || !wakers.is_empty() {
                wakers.drain(..).for_each(|waker| contain(|| waker.wake()));
                continue;
            }
            let key = self.hall.collector().announce();
            // A driver looks once more when it has ceased to be one, and what it has not seen then is
            // rung for.
            if self.has_answers() && !self.hall.is_driven() || self.has_wakers() {
                continue;
            }
            if self.staff.has_ended() && !self.has_answers() {
                return;
            }
            self.hall.collector().sleep(key, None);
        }
    }

    /// Fetches answers until there is this one; `false` if the deadline passes first.
    fn drive(&self, answer: &dyn Probe, ticket: &Ticket, deadline: Option<Instant>) -> bool {
        let mut wakers = Vec::new();
        loop {
            self.collect(&mut wakers);
            if !wakers.is_empty() {
                // They may be callbacks that take their time.
                self.wake_later(&mut wakers);
            }
            if answer.is_over() {
                return true;
            }
            let mut step = 0;
            while !self.has_answers() && !answer.is_over() && Parker::relax(step) {
                step += 1;
            }
            let key = self.hall.driver().announce();
            if self.has_answers() || answer.is_over() {
                continue;
            }
            let now = Instant::now();
            if deadline.is_some_and(|deadline| deadline <= now) {
                return false;
            }
            let look_up = now + LOOK_UP;
            let until = deadline.map_or(look_up, |deadline| deadline.min(look_up));
            self.hall.driver().sleep(key, Some(until));
            if Instant::now() >= look_up && self.is_queued(ticket) {
                self.hall.tasks().disturb();
            }
        }
    }
}

impl Source for Hub {
    fn wait(
        &self,
        answer: &dyn Probe,
        ticket: &Ticket,
        sleep: &dyn Fn(Option<Instant>) -> bool,
        deadline: Option<Instant>,
    ) -> bool {
        // ORDERING: Acquire and Release hand the part on from one driver to the next.
        if self.driven.swap(true, Acquire) {
            return sleep(deadline);
        }
        self.hall.set_driven(true);
        let is_there = self.drive(answer, ticket, deadline);
        self.hall.set_driven(false);
        self.driven.store(false, Release);
        // What was listed and not rung for while there was a driver.
        if self.has_answers() {
            self.hall.collector().ring(1);
        }
        is_there
    }

    fn withdraw(&self, ticket: &Ticket) {
        Hub::withdraw(self, ticket);
    }
}
