//! [`Board`]: which task is whose, in memory that the pool shares with its workers.
//!
//! A task lies in a *block*; who has the block says its *header*, one word. All that can be lost by a
//! death at any instruction is in that word, so there is nothing else to repair:
//!
//! ```text
//!               post            claim                finish              release
//!      FREE ----------> QUEUED --------> RUNNING(w) ---------> DONE(w) ----------> FREE
//!        ^   the pool     |    worker w     |       worker w             the pool
//!        |                |                 | condemn
//!        +----------------+                 v  the pool
//!        ^   withdraw                  CONDEMNED(w)
//!        |                                  |
//!        +----------------------------------+   once w is dead (also from RUNNING(w))
//!
//!      63    61 60       48 47     40 39              0
//!     +-------+------------+---------+-----------------+
//!     | state |  worker    |    0    |    position     |      header
//!     +-------+------------+---------+-----------------+
//! ```
//!
//! The position is the number of the posting; so a header tells this task from all that lay in the
//! same block before, and a compare-and-swap on it can hit no other.
//!
//! **Queue.** Only the pool posts, under a lock of its own. A ring of slots holds (position, block)
//! for each posting; workers read the slot at `head` and claim the block that it names, if its header
//! still says QUEUED at that position. `head` is a hint that anyone helps on: past a position that is
//! not QUEUED any more, which it can never be again. A slot is used again only if the posting it names
//! is not QUEUED any more, so what is queued is always found, and the answer "nothing" is exact: some
//! position was the last one at that moment, and all before it were claimed or withdrawn.
//!
//! **Finished tasks** are a list, linked through the blocks: workers push (one compare-and-swap), the
//! pool takes all at once (one swap), so there is no ABA. A worker that dies between its `finish` and
//! its push leaves a block that is DONE and not listed; the pool finds it when it
//! [looks](Board::held_by) for what a dead worker had.
//!
//! **Condemned.** A worker is killed for what it runs only after its header was made CONDEMNED; then
//! its `finish` fails and it stops for good. So the kill can hit that task, and never the next one.
//!
//! Progress: every operation is lock-free; none waits for a process that is stopped or dead. What
//! workers write is not trusted: indices are checked, and the pool's operations do bounded work
//! whatever they find.

use super::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};

/// Memory that consists of atomic words.
pub(crate) trait Words {
    /// The word of this number.
    fn word(&self, index: usize) -> &AtomicU64;
}

/// Where the words of the cursors are: each on a pair of cache lines of its own.
const TAIL: usize = 0;
const HEAD: usize = 16;
const LIST: usize = 32;
/// Where the rest begins.
const REST: usize = 48;

const STATE: u32 = 61;
const WORKER: u32 = 48;
const POSITION: u64 = (1 << 40) - 1;
/// No more workers can be told apart.
pub(crate) const MAX_WORKERS: usize = 1 << (STATE - WORKER);
/// No more blocks fit into a slot.
pub(crate) const MAX_BLOCKS: usize = 1 << 20;

const FREE: u64 = 0;
const QUEUED: u64 = 1;
const RUNNING: u64 = 2;
const CONDEMNED: u64 = 3;
const DONE: u64 = 4;

/// Which posting of which block.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Posting {
    pub(crate) block: usize,
    pub(crate) position: u64,
}

/// A task that a worker has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Claim {
    pub(crate) posting: Posting,
    worker: usize,
}

/// Whose a posted task is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Whose {
    /// It waits for a worker.
    Queued,
    /// This worker's.
    Running(usize),
    /// This worker's, which is to be killed for it.
    Condemned(usize),
    /// Finished by this worker.
    Done(usize),
    /// The posting is over.
    Nobodys,
}

/// See the [module](self).
pub(crate) struct Board<M> {
    memory: M,
    blocks: usize,
}

fn header(state: u64, worker: usize, position: u64) -> u64 {
    state << STATE | (worker as u64) << WORKER | position & POSITION
}

fn worker_of(header: u64) -> usize {
    (header >> WORKER) as usize & (MAX_WORKERS - 1)
}

fn read(header: u64, position: u64) -> Whose {
    let worker = worker_of(header);
    if header & POSITION != position & POSITION {
        return Whose::Nobodys;
    }
    match header >> STATE {
        QUEUED => Whose::Queued,
        RUNNING => Whose::Running(worker),
        CONDEMNED => Whose::Condemned(worker),
        DONE => Whose::Done(worker),
        _ => Whose::Nobodys,
    }
}

impl<M: Words> Board<M> {
    /// How many words it takes.
    pub(crate) const fn words(blocks: usize) -> usize {
        REST + 3 * blocks
    }

    /// Over memory that was all zeroes when the first came.
    pub(crate) fn new(memory: M, blocks: usize) -> Self {
        assert!((1..=MAX_BLOCKS).contains(&blocks), "as many blocks fit");
        Self { memory, blocks }
    }

    pub(crate) fn blocks(&self) -> usize {
        self.blocks
    }

    fn header(&self, block: usize) -> &AtomicU64 {
        assert!(block < self.blocks, "no such block");
        self.memory.word(REST + block)
    }

    fn slot(&self, position: u64) -> &AtomicU64 {
        let index = position % self.blocks as u64;
        let index = usize::try_from(index).unwrap_or(0);
        self.memory.word(REST + self.blocks + index)
    }

    fn link(&self, block: usize) -> &AtomicU64 {
        assert!(block < self.blocks, "no such block");
        self.memory.word(REST + 2 * self.blocks + block)
    }
}

/// What the pool does.
impl<M: Words> Board<M> {
    /// Whether the place in the ring for this position may be used again: not while the posting still
    /// waits that was made there a lap ago, of this block, if there was one.
    pub(crate) fn has_room(&self, position: u64, lap_ago: Option<usize>) -> bool {
        let lap = self.blocks as u64;
        lap_ago.is_none_or(|block| {
            // ORDERING: Relaxed: what is not queued any more will never be.
            let header = self.header(block).load(Relaxed);
            read(header, position.wrapping_sub(lap)) != Whose::Queued
        })
    }

    /// Queues a block that is free, at the end, where there must be room.
    ///
    /// For one caller at a time, who counts the positions, from 0.
    pub(crate) fn post(&self, posting: Posting) {
        let Posting { block, position } = posting;
        // ORDERING: Release, the three of them. The header's pairs with `claim`, and shows the
        // worker what is in the block. The slot's pairs with `claim`'s load of it, for a worker that
        // reads the new slot before it sees the new tail. The tail's shows slot and header.
        self.header(block)
            .store(header(QUEUED, 0, position), Release);
        self.slot(position)
            .store((block as u64) << 40 | position & POSITION, Release);
        self.memory.word(TAIL).store(position + 1, Release);
    }

    /// Takes a task back that no worker has claimed; says whose it was. After `Queued` the block is
    /// free.
    pub(crate) fn withdraw(&self, posting: Posting) -> Whose {
        self.change(posting, Whose::Queued, FREE)
    }

    /// Stops the worker that runs the task from finishing it; says whose it was. After `Running` it
    /// is to be killed.
    pub(crate) fn condemn(&self, posting: Posting) -> Whose {
        match self.whose(posting) {
            running @ Whose::Running(_) => self.change(posting, running, CONDEMNED),
            other => other,
        }
    }

    /// From one state to another, which keeps the worker; says in which it was.
    fn change(&self, posting: Posting, from: Whose, to: u64) -> Whose {
        let word = self.header(posting.block);
        let (state, worker) = match from {
            Whose::Queued => (QUEUED, 0),
            Whose::Running(worker) => (RUNNING, worker),
            _ => return from,
        };
        let former = header(state, worker, posting.position);
        let new = match to {
            FREE => FREE,
            state => header(state, worker, posting.position),
        };
        // ORDERING: Acquire pairs with `finish`, if that came first: the answer is there. What is
        // written by success is shown by nothing but itself.
        match word.compare_exchange(former, new, Acquire, Acquire) {
            Ok(_) => from,
            Err(now) => read(now, posting.position),
        }
    }

    /// Whose the task is.
    pub(crate) fn whose(&self, posting: Posting) -> Whose {
        // ORDERING: Acquire pairs with `finish`: if it is done, the answer is there.
        read(self.header(posting.block).load(Acquire), posting.position)
    }

    /// Takes a block back whose task is done, or whose worker is dead.
    pub(crate) fn release(&self, posting: Posting) {
        // ORDERING: Relaxed: the next to touch the block is the pool, which posts it by `post`.
        self.header(posting.block).store(FREE, Relaxed);
    }

    /// Takes all blocks that are in the list of finished tasks, the first first.
    ///
    /// For one caller at a time. Who deals with them asks [whose](Self::whose) they are: the list is
    /// not to be trusted, and another may have found one of them [otherwise](Self::held_by).
    pub(crate) fn collect(&self, into: &mut Vec<usize>) {
        let list = self.memory.word(LIST);
        // ORDERING: Relaxed: a look, so that an empty list costs no update.
        if list.load(Relaxed) == 0 {
            return;
        }
        let first = into.len();
        // ORDERING: Acquire pairs with `push`: links, headers and answers of all that is listed are
        // there, as each push continues the release sequences of those before.
        let mut next = list.swap(0, Acquire);
        // No more than there are blocks, whatever the links say.
        for _ in 0..self.blocks {
            let Some(block) = usize::try_from(next)
                .ok()
                .and_then(|next| next.checked_sub(1))
            else {
                break;
            };
            if block >= self.blocks {
                break;
            }
            into.push(block);
            // ORDERING: Relaxed: shown by the push of this block.
            next = self.link(block).load(Relaxed);
        }
        into[first..].reverse();
    }

    /// Whether the list of finished tasks has something.
    pub(crate) fn has_finished(&self) -> bool {
        // ORDERING: Relaxed: whoever sleeps if it is empty has a fence between saying so and this.
        self.memory.word(LIST).load(Relaxed) != 0
    }

    /// The blocks that a dead worker has: running, condemned, or done and perhaps not listed.
    pub(crate) fn held_by(&self, worker: usize) -> Vec<usize> {
        let held = (0..self.blocks).filter(|&block| {
            // ORDERING: Relaxed: who deals with them asks whose they are.
            let word = self.header(block).load(Relaxed);
            let has_worker = matches!(word >> STATE, RUNNING | CONDEMNED | DONE);
            has_worker && worker_of(word) == worker
        });
        held.collect()
    }
}

/// What workers do.
impl<M: Words> Board<M> {
    /// Takes the oldest task that is queued.
    pub(crate) fn claim(&self, worker: usize) -> Option<Claim> {
        let (head, tail) = (self.memory.word(HEAD), self.memory.word(TAIL));
        // ORDERING: Acquire, both: as the next comment says for the tail; a head that was helped on
        // shows what its helper saw.
        let mut position = head.load(Acquire);
        loop {
            // ORDERING: Acquire pairs with `post`: slots before the tail are there.
            let end = tail.load(Acquire);
            if position >= end {
                return None;
            }
            // ORDERING: Acquire pairs with `post`: the header that goes with this slot is there.
            let slot = self.slot(position).load(Acquire);
            let block = (slot >> 40) as usize;
            let next = if slot & POSITION == position & POSITION && block < self.blocks {
                let queued = header(QUEUED, 0, position);
                let running = header(RUNNING, worker, position);
                // ORDERING: Acquire pairs with `post`: the task is there. Nothing is shown.
                let claimed = self
                    .header(block)
                    .compare_exchange(queued, running, Acquire, Relaxed);
                if claimed.is_ok() {
                    self.help(position, position + 1);
                    let posting = Posting { block, position };
                    return Some(Claim { posting, worker });
                }
                position + 1
            } else {
                // The slot is used again: nothing before the last lap waits.
                end.saturating_sub(self.blocks as u64).max(position + 1)
            };
            position = self.help(position, next);
        }
    }

    /// Moves the head on, unless others have; where to go on.
    fn help(&self, from: u64, to: u64) -> u64 {
        // ORDERING: Release and Acquire: who goes on from here has seen what we have, and that
        // nothing before is queued.
        match self
            .memory
            .word(HEAD)
            .compare_exchange(from, to, AcqRel, Acquire)
        {
            Ok(_) => to,
            Err(now) => now,
        }
    }

    /// Says that the answer is in the block, and lists it; `false` if the worker is condemned and may
    /// do nothing any more but wait for its end.
    pub(crate) fn finish(&self, claim: Claim) -> bool {
        let Claim { posting, worker } = claim;
        let running = header(RUNNING, worker, posting.position);
        let done = header(DONE, worker, posting.position);
        // ORDERING: Release pairs with the pool's loads: the answer is there.
        let finished = self
            .header(posting.block)
            .compare_exchange(running, done, Release, Relaxed);
        if finished.is_err() {
            return false;
        }
        self.push(posting.block);
        true
    }

    fn push(&self, block: usize) {
        let list = self.memory.word(LIST);
        // ORDERING: Relaxed: the exchange decides.
        let mut first = list.load(Relaxed);
        loop {
            // ORDERING: Relaxed: shown by the exchange.
            self.link(block).store(first, Relaxed);
            // ORDERING: Release pairs with `collect`.
            match list.compare_exchange(first, block as u64 + 1, Release, Relaxed) {
                Ok(_) => return,
                Err(now) => first = now,
            }
        }
    }
}
