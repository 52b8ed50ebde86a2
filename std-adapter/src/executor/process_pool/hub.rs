//! [`Hub`]: what the owner of a pool of processes and the pool's threads have in common; and how tasks
//! get to the workers.
//!
//! ```text
//!     submit --> [ backlog ] --> a free block --> board --> workers
//!                                    ^                         |
//!                                    '---- collect.rs <--------'
//! ```
//!
//! Locks are taken in this order: [`Posts`], then an entry. No code of the user's runs under either.

#![forbid(unsafe_code)]

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::board::{Posting, Whose};
use super::collect::Found;
use super::hall::{Argument, Hall, SHORT};
use super::left::Leftovers;
use super::patrol::Patrol;
use super::spool::Spool;
use super::staff::Staff;
use super::stats::Counts;
use super::watchdog::Watchdog;
use crate::executor::remote::{Answer, Receiver};
use crate::executor::self_wait::PoolId;
use crate::executor::task::TaskError;
use crate::executor::work::contain;
use crate::shared::travel::Attachments;

/// See the [module](self).
pub(super) struct Hub {
    pub(super) id: PoolId,
    pub(super) hall: Hall,
    /// Arguments that are too long for a block.
    pub(super) spool: Spool,
    pub(super) staff: Staff,
    pub(super) watchdog: Watchdog,
    pub(super) patrol: Patrol,
    pub(super) counts: Counts,
    posts: Mutex<Posts>,
    /// Where submitters wait for room.
    pub(super) room: Condvar,
    /// So many tasks may be there, running ones included.
    bound: Option<usize>,
    /// Whose task lies in which block.
    entries: Box<[Mutex<Option<Entry>>]>,
    pub(super) found: Mutex<Found>,
    pub(super) has_found: AtomicBool,
    /// Which thread fetches answers for all who wait; 0 if none does.
    pub(super) driver: AtomicUsize,
    pub(super) leftovers: Leftovers,
}

/// Everything about what is posted, under one lock.
pub(super) struct Posts {
    pub(super) free: Vec<usize>,
    /// The position of the next posting.
    position: u64,
    /// Which block was posted last at each place of the ring.
    ring: Box<[Option<usize>]>,
    /// What waits for a block, with its argument, if that is short.
    pub(super) backlog: VecDeque<(Job, Box<[u8]>)>,
    /// Whether the pool has been shut down.
    pub(super) closed: bool,
    /// Whether nothing is to be run any more, not even again.
    pub(super) stopped: bool,
    /// How many submitters wait for room.
    waiting: usize,
}

/// A task on its way.
pub(super) struct Job {
    pub(super) receiver: Arc<dyn Receiver>,
    pub(super) terms: Terms,
    pub(super) function: u64,
    /// Where the argument lies, if it is long.
    pub(super) spooled: Option<(u64, usize)>,
    /// What the argument refers to.
    #[expect(dead_code, reason = "it is kept, and dropped with the task")]
    pub(super) attachments: Attachments,
    /// How often a worker was lost over it.
    pub(super) losses: u32,
}

/// What was agreed on for one task.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Terms {
    pub(super) time_limit: Option<Duration>,
    pub(super) retries: u32,
}

/// A task in a block.
pub(super) struct Entry {
    pub(super) posting: Posting,
    pub(super) job: Job,
    /// Why the pool kills its worker, if it does.
    pub(super) sentence: Option<Sentence>,
    /// Its owner has the answer; the block is still its worker's to list.
    pub(super) is_told: bool,
    /// When it was first seen running, by the clock.
    pub(super) seen_running: Option<u64>,
    /// Whose it was when the supervisor last came round.
    pub(super) seen: Option<Whose>,
}

/// Why the pool kills a worker, if not because the task was cancelled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sentence {
    /// The task took too long.
    Late,
    /// The pool is stopped.
    Stopped,
}

/// Why a task was not taken.
pub(super) enum Refusal {
    ShutDown,
    Full,
    Timeout,
}

/// How long a submitter waits for room.
#[derive(Clone, Copy)]
pub(super) enum Patience {
    None,
    Until(Instant),
    Endless,
}

impl Posts {
    /// How many tasks there are that have not come to an end.
    fn outstanding(&self) -> usize {
        self.ring.len() - self.free.len() + self.backlog.len()
    }
}

impl Hub {
    pub(super) fn new(hall: Hall, spool: Spool, staff: Staff, bound: Option<usize>) -> Self {
        let blocks = hall.board.blocks();
        Self {
            id: PoolId::new(),
            hall,
            spool,
            staff,
            watchdog: Watchdog::new(),
            patrol: Patrol::default(),
            counts: Counts::default(),
            posts: Mutex::new(Posts {
                free: (0..blocks).rev().collect(),
                position: 0,
                ring: vec![None; blocks].into(),
                backlog: VecDeque::new(),
                closed: false,
                stopped: false,
                waiting: 0,
            }),
            room: Condvar::new(),
            bound,
            entries: (0..blocks).map(|_| Mutex::new(None)).collect(),
            found: Mutex::default(),
            has_found: AtomicBool::new(false),
            driver: AtomicUsize::new(0),
            leftovers: Leftovers::default(),
        }
    }

    pub(super) fn posts(&self) -> MutexGuard<'_, Posts> {
        self.posts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn entry(&self, block: usize) -> MutexGuard<'_, Option<Entry>> {
        let entry = &self.entries[block];
        entry.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn blocks(&self) -> usize {
        self.entries.len()
    }

    /// Has a task run. A task that cannot be run although the pool is open is told why.
    ///
    /// # Errors
    ///
    /// Nothing of it is kept then.
    pub(super) fn submit(
        &self,
        mut job: Job,
        argument: &[u8],
        patience: Patience,
    ) -> Result<(), Refusal> {
        let mut short = argument;
        if argument.len() > SHORT {
            match self.spool.append(argument) {
                Ok(at) => job.spooled = Some((at, argument.len())),
                Err(error) => {
                    let reason = format!("there is no memory for the argument: {error}");
                    self.tell(job, TaskError::Transfer(reason));
                    return Ok(());
                }
            }
            short = &[];
        }
        let mut posts = match self.await_room(patience) {
            Ok(posts) => posts,
            Err(refusal) => {
                self.forget(job);
                return Err(refusal);
            }
        };
        let placed = if posts.backlog.is_empty() {
            self.place(&mut posts, job, short)
        } else {
            Err(job)
        };
        let is_placed = placed.is_ok();
        if let Err(job) = placed {
            posts.backlog.push_back((job, short.into()));
        }
        let outstanding = posts.outstanding();
        drop(posts);
        if is_placed {
            self.hall.tasks().ring(1);
        }
        // Both, as each takes note of the task.
        let (is_first, are_too_few) = (
            self.patrol.is_to_begin(),
            self.staff.are_too_few(outstanding),
        );
        if is_first || are_too_few {
            self.staff.call();
        }
        Ok(())
    }

    /// Waits for room.
    fn await_room(&self, patience: Patience) -> Result<MutexGuard<'_, Posts>, Refusal> {
        let mut posts = self.posts();
        while !posts.closed && self.bound.is_some_and(|bound| posts.outstanding() >= bound) {
            posts.waiting += 1;
            posts = match patience {
                Patience::None => {
                    posts.waiting -= 1;
                    return Err(Refusal::Full);
                }
                Patience::Endless => self
                    .room
                    .wait(posts)
                    .unwrap_or_else(PoisonError::into_inner),
                Patience::Until(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        posts.waiting -= 1;
                        return Err(Refusal::Timeout);
                    }
                    let waited = self.room.wait_timeout(posts, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
            posts.waiting -= 1;
        }
        if posts.closed {
            return Err(Refusal::ShutDown);
        }
        Ok(posts)
    }

    /// Posts a task, if there is a block for it.
    fn place(&self, posts: &mut Posts, job: Job, short: &[u8]) -> Result<(), Job> {
        let position = posts.position;
        let place = position % posts.ring.len() as u64;
        let place = usize::try_from(place).unwrap_or(0);
        let Some(&block) = posts.free.last() else {
            return Err(job);
        };
        if !self.hall.board.has_room(position, posts.ring[place]) {
            return Err(job);
        }
        posts.free.pop();
        posts.ring[place] = Some(block);
        posts.position += 1;
        let argument = match job.spooled {
            Some((at, length)) => Argument::Spooled { at, length },
            None => Argument::Short(short),
        };
        let limit = job.terms.time_limit;
        self.hall
            .write_task(block, job.function, &argument, limit.is_some());
        let posting = Posting { block, position };
        job.receiver.ticket().set(ticket(posting));
        *self.entry(block) = Some(Entry {
            posting,
            job,
            sentence: None,
            is_told: false,
            seen_running: None,
            seen: None,
        });
        self.hall.board.post(posting);
        if limit.is_some_and(|limit| self.watchdog.looks_too_late(limit)) {
            self.staff.call();
        }
        Ok(())
    }

    /// Posts what waits for blocks; how many.
    fn feed(&self, posts: &mut Posts) -> u32 {
        let mut fed = 0;
        while let Some((job, short)) = posts.backlog.pop_front() {
            if job.receiver.is_over() {
                // It was cancelled; its owner has been told.
                self.forget(job);
            } else if let Err(job) = self.place(posts, job, &short) {
                posts.backlog.push_front((job, short));
                break;
            } else {
                fed += 1;
            }
        }
        fed
    }

    /// Blocks have become free.
    pub(super) fn freed(&self, blocks: &mut Vec<usize>) {
        let mut posts = self.posts();
        posts.free.append(blocks);
        self.after_change(posts);
    }

    /// A task that has lost its worker is to be run again, before all others.
    ///
    /// # Errors
    ///
    /// Gives the task back if the pool is stopped; its block is still taken then.
    pub(super) fn again(&self, block: usize, job: Job) -> Result<(), Job> {
        let mut short = Vec::new();
        if job.spooled.is_none() {
            short = self.hall.read_back(block);
        }
        let mut posts = self.posts();
        if posts.stopped {
            return Err(job);
        }
        posts.free.push(block);
        posts.backlog.push_front((job, short.into()));
        self.after_change(posts);
        Ok(())
    }

    /// Goes on after tasks have ended or were taken back.
    pub(super) fn after_change(&self, mut posts: MutexGuard<'_, Posts>) {
        let fed = self.feed(&mut posts);
        let is_over = posts.closed && posts.outstanding() == 0;
        if posts.waiting > 0 {
            self.room.notify_all();
        }
        drop(posts);
        if fed > 0 {
            self.hall.tasks().ring(fed);
        }
        if is_over {
            self.hall.close();
            self.staff.call();
        }
    }

    /// Ends a task, with this error. Calls the waker that its owner has left.
    pub(super) fn tell(&self, job: Job, error: TaskError) {
        let waker = job.receiver.deliver(Answer::Error(error));
        // The driver may wait for this one.
        self.hall.driver().ring(1);
        if let Some(waker) = waker {
            contain(|| waker.wake());
        }
        self.forget(job);
    }

    /// Drops what was kept for a task.
    pub(super) fn forget(&self, job: Job) {
        if let Some((at, length)) = job.spooled {
            self.spool.forget(at, length);
        }
        // Its owner may have left a result, and that a destructor.
        contain(|| drop(job));
    }

    pub(super) fn is_closed(&self) -> bool {
        self.posts().closed
    }

    /// How many tasks have not come to an end.
    pub(super) fn outstanding(&self) -> usize {
        self.posts().outstanding()
    }

    /// Whether the pool was shut down and nothing is left.
    pub(super) fn is_over(&self) -> bool {
        let posts = self.posts();
        posts.closed && posts.outstanding() == 0
    }

    /// How many tasks a worker has begun and not finished.
    pub(super) fn running(&self) -> usize {
        let is_running = |&block: &usize| {
            let entry = self.entry(block);
            entry.as_ref().is_some_and(|entry| {
                let whose = self.hall.board.whose(entry.posting);
                matches!(whose, Whose::Running(_))
            })
        };
        (0..self.blocks()).filter(is_running).count()
    }
}

const BLOCK_BITS: u32 = 20;

/// What a task's ticket says about it: neither 0 nor that of any other for days.
fn ticket(Posting { block, position }: Posting) -> u64 {
    (position + 1) << BLOCK_BITS | block as u64
}

/// `None` if it has not been posted.
pub(super) fn posting(ticket: u64) -> Option<Posting> {
    let position = (ticket >> BLOCK_BITS).checked_sub(1)?;
    let block = (ticket & ((1 << BLOCK_BITS) - 1)) as usize;
    Some(Posting { block, position })
}
