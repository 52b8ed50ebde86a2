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
//! Wake-ups that are lost nevertheless, as a worker was stopped or has overwritten the bells, are made up
//! for by the supervisor (`patrol.rs`).

#![forbid(unsafe_code)]

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Instant;

use brigade_core::wait::Park;

use super::board::{Posting, Whose};
use super::hall::{Content, Kind, NONSENSE};
use super::hub::{Entry, Hub, Job};
use crate::executor::remote::{Answer, Source, Ticket};
use crate::executor::self_wait::Probe;
use crate::executor::task::TaskError;
use crate::executor::work::contain;
use crate::process::ship::decode;
use crate::{Panic, Parker};

/// Buffers for answers that are longer are not kept.
const KEPT: usize = 1 << 20;

thread_local! {
    /// What answers are read into. Whoever is called from within a delivery finds none, and makes one.
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };

    /// Its address is a name for this thread.
    static ME: u8 = const { 0 };
}

/// What was found and has not been dealt with: by whoever comes first.
#[derive(Default)]
pub(super) struct Found {
    all: VecDeque<Find>,
    /// Room for what is listed.
    listed: Vec<usize>,
    /// Blocks of what has been dealt with.
    freed: Vec<usize>,
}

enum Find {
    /// A task that is done, by this worker; nobody else will come to its block.
    Finished(Entry, usize),
    /// A block whose task is done and whose worker, which lives, may not have listed it.
    Unlisted(usize),
    Verdict(Job, TaskError),
}

impl Hub {
    /// Delivers all answers that are there, unless the deadline passes first; leaves the wakers that are
    /// to be woken for it to the collector. Whether there were any.
    fn collect(&self, deadline: Option<Instant>) -> bool {
        let mut buffer = BUFFER.take();
        let mut wakers = Vec::new();
        let mut any = false;
        while let Some(find) = self.next_find() {
            any = true;
            let block = match find {
                Find::Finished(entry, worker) => {
                    let block = entry.posting.block;
                    wakers.extend(self.deliver(entry, worker, &mut buffer));
                    Some(block)
                }
                Find::Unlisted(block) => {
                    wakers.extend(self.deliver_early(block, &mut buffer));
                    None
                }
                Find::Verdict(job, error) => {
                    wakers.extend(job.receiver.deliver(Answer::Error(error)));
                    self.forget(job);
                    None
                }
            };
            if let Some(block) = block {
                self.found().freed.push(block);
            }
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                break;
            }
        }
        if buffer.capacity() <= KEPT {
            BUFFER.set(buffer);
        }
        // Before the blocks are free: the pool may be over then, and the collector gone.
        if !wakers.is_empty() {
            self.wake_later(wakers);
        }
        let mut freed = std::mem::take(&mut self.found().freed);
        if !freed.is_empty() {
            self.freed(&mut freed);
        }
        any
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to be dealt with next.
    ///
    /// Entries are taken under the lock under which the list is: else a block could be listed, found
    /// otherwise, used again, and be taken for its new task, whose worker has yet to list it.
    fn next_find(&self) -> Option<Find> {
        let mut found = self.found();
        if found.all.is_empty() {
            // What dead workers have done and perhaps listed first: it is in the list that is taken
            // afterwards, or was in one before.
            if self.has_left() {
                let left = self.take_left();
                for posting in left.orphaned {
                    let find = self.take_finished(posting.block, Some(posting));
                    found.all.extend(find);
                }
                found
                    .all
                    .extend(left.finished.into_iter().map(Find::Unlisted));
                let verdicts = left.verdicts.into_iter();
                found
                    .all
                    .extend(verdicts.map(|(job, error)| Find::Verdict(job, error)));
            }
            let mut listed = std::mem::take(&mut found.listed);
            self.hall.board.collect(&mut listed);
            for block in listed.drain(..) {
                let find = self.take_finished(block, None);
                found.all.extend(find);
            }
            found.listed = listed;
        }
        let find = found.all.pop_front();
        // ORDERING: Release pairs with `has_answers`; the lock has the contents.
        self.has_found.store(!found.all.is_empty(), Release);
        find
    }

    /// Takes the entry of a block whose task is done, for the first who asks; only if it was posted
    /// like this, if that is said.
    fn take_finished(&self, block: usize, posting: Option<Posting>) -> Option<Find> {
        let mut place = self.entry(block);
        let entry = place.as_ref()?;
        if posting.is_some_and(|posting| posting != entry.posting) {
            return None;
        }
        match self.hall.board.whose(entry.posting) {
            Whose::Done(worker) => Some(Find::Finished(place.take()?, worker)),
            _ => None,
        }
    }

    /// Gives the answer to the task's owner, and takes the block back.
    fn deliver(&self, entry: Entry, worker: usize, buffer: &mut Vec<u8>) -> Option<Waker> {
        let Entry {
            posting,
            job,
            is_told,
            ..
        } = entry;
        let mut waker = None;
        if !is_told {
            let answer = self.read(posting.block, worker, buffer);
            self.counts.finished(&answer);
            waker = job.receiver.deliver(answer);
        }
        self.staff.note_work(worker);
        // Not before: the worker keeps what the answer refers to until then.
        self.hall.board.release(posting);
        self.forget(job);
        waker
    }

    /// Gives the answer to the task's owner. The block stays taken until its worker has listed it, or
    /// is dead: it may be about to.
    fn deliver_early(&self, block: usize, buffer: &mut Vec<u8>) -> Option<Waker> {
        let mut place = self.entry(block);
        let entry = place.as_mut().filter(|entry| !entry.is_told)?;
        let Whose::Done(worker) = self.hall.board.whose(entry.posting) else {
            return None;
        };
        entry.is_told = true;
        let receiver = Arc::clone(&entry.job.receiver);
        let answer = self.read(block, worker, buffer);
        drop(place);
        self.counts.finished(&answer);
        receiver.deliver(answer)
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

    /// Whether a thread waits for its answer, and fetches all meanwhile.
    pub(super) fn has_driver(&self) -> bool {
        // ORDERING: Relaxed: a hint. Who has just become the driver has a task that is seen otherwise.
        self.driver.load(Relaxed) != 0
    }

    pub(super) fn has_answers(&self) -> bool {
        // ORDERING: Acquire pairs with `next_find`.
        self.hall.board.has_finished() || self.has_left() || self.has_found.load(Acquire)
    }

    /// What the pool's own thread does, until the pool has ended.
    pub(super) fn collect_always(&self) {
        loop {
            let any = self.collect(None);
            if any {
                // The driver may have waited for one of them.
                self.hall.driver().ring(1);
            }
            let wakers = self.take_wakers();
            if any || !wakers.is_empty() {
                for waker in wakers {
                    contain(|| waker.wake());
                }
                continue;
            }
            let key = self.hall.collector().announce();
            // A driver looks once more when it has ceased to be one, and what it has not seen then is
            // rung for.
            if self.has_answers() && !self.hall.is_driven() || self.has_wakers() {
                continue;
            }
            if self.staff.has_ended() && !self.has_answers() {
                if self.wake_no_more() {
                    return;
                }
                continue;
            }
            self.hall.collector().sleep(key, None);
        }
    }

    /// Fetches answers until there is this one; `false` if the deadline passes first.
    fn drive(&self, answer: &dyn Probe, deadline: Option<Instant>) -> bool {
        loop {
            self.collect(deadline);
            if answer.is_over() {
                return true;
            }
            // On a single processor, yielding lets a worker do several tasks in a row. If there is but this
            // one, it would only have the idle ones run, too.
            if self.outstanding() > 1 || Parker::spin() {
                let mut step = 0;
                while !self.has_answers() && !answer.is_over() && Parker::relax(step) {
                    step += 1;
                }
            }
            let key = self.hall.driver().announce();
            if self.has_answers() || answer.is_over() {
                continue;
            }
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                return false;
            }
            self.hall.driver().sleep(key, deadline);
        }
    }
}

impl Source for Hub {
    fn wait(
        &self,
        answer: &dyn Probe,
        sleep: &dyn Fn(Option<Instant>) -> bool,
        deadline: Option<Instant>,
    ) -> bool {
        let me = ME.with(|me| std::ptr::from_ref(me).addr());
        // ORDERING: Acquire pairs with the end of `Driver`: the part is handed on.
        match self.driver.compare_exchange(0, me, Acquire, Relaxed) {
            Ok(_) => {
                self.hall.set_driven(true);
                let driver = Driver(self);
                driver.0.drive(answer, deadline)
            }
            // Reading an answer waits for another one, which nobody else will fetch.
            Err(driver) if driver == me => self.drive(answer, deadline),
            Err(_) => sleep(deadline),
        }
    }

    fn withdraw(&self, ticket: &Ticket) {
        Hub::withdraw(self, ticket);
    }
}

/// The part of the driver, until it is dropped.
struct Driver<'a>(&'a Hub);

impl Drop for Driver<'_> {
    fn drop(&mut self) {
        let hub = self.0;
        hub.hall.set_driven(false);
        // ORDERING: Release hands the part on to the next driver.
        hub.driver.store(0, Release);
        // What was listed and not rung for while there was a driver.
        if hub.has_answers() {
            hub.hall.collector().ring(1);
        }
    }
}
