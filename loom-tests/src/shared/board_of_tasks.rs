//! `Board`, by which a pool and its workers share tasks: each is run by one worker, or taken back; an
//! answer is there when it is found; and a worker that is killed at any access leaves a block that the
//! pool finds.
//!
//! Interruptions are bounded, as a claim makes five accesses and a finish three.

use std::sync::{Arc, Mutex};

use brigade_core::sync::UnsafeCell;

use super::atomic::{AtomicU64, killed_after};
use super::board::{Board, Claim, Posting, Whose, Words};
use crate::harness::{Crew, bounded, bounded_each};

/// More accesses than a worker makes for one task, alone.
const ACCESSES: usize = 12;

pub(super) struct Memory(pub(super) Vec<AtomicU64>);

impl Words for Memory {
    fn word(&self, index: usize) -> &AtomicU64 {
        &self.0[index]
    }
}

/// A board, with a task and an answer in each block, in which loom watches who uses them.
struct Pool {
    board: Board<Memory>,
    tasks: Vec<UnsafeCell<u32>>,
    answers: Vec<UnsafeCell<u32>>,
}

// SAFETY: the cells are only used by who has the block, and loom watches over that.
unsafe impl Sync for Pool {}

impl Pool {
    fn new(blocks: usize) -> Self {
        let words = Board::<Memory>::words(blocks);
        let memory = Memory((0..words).map(|_| AtomicU64::new(0)).collect());
        Self {
            board: Board::new(memory, blocks),
            tasks: (0..blocks).map(|_| UnsafeCell::new(0)).collect(),
            answers: (0..blocks).map(|_| UnsafeCell::new(0)).collect(),
        }
    }

    /// Posts the task of this number in this block.
    fn post(&self, block: usize, position: u64) -> Posting {
        let posting = Posting { block, position };
        self.tasks[block].with_mut(|task| {
            // SAFETY: the block is free, so it is ours.
            unsafe { *task = number(position) };
        });
        self.board.post(posting);
        posting
    }

    /// Runs a task, if there is one; which.
    fn work(&self, worker: usize) -> Option<(Claim, u32, bool)> {
        let claim = self.board.claim(worker)?;
        let block = claim.posting.block;
        // SAFETY: the block is ours.
        let task = self.tasks[block].with(|task| unsafe { *task });
        assert_eq!(task, number(claim.posting.position));
        self.answers[block].with_mut(|answer| {
            // SAFETY: the block is ours.
            unsafe { *answer = 10 * task };
        });
        Some((claim, task, self.board.finish(claim)))
    }

    /// The answer of a task that is done.
    fn answer(&self, posting: Posting) -> u32 {
        // SAFETY: it is done, so the block is the pool's.
        let answer = self.answers[posting.block].with(|answer| unsafe { *answer });
        assert_eq!(answer, 10 * number(posting.position));
        self.board.release(posting);
        answer
    }

    /// All answers in the list.
    fn collect(&self, postings: &[Posting]) -> Vec<u32> {
        let mut finished = Vec::new();
        self.board.collect(&mut finished);
        let posting = |block| {
            *postings
                .iter()
                .find(|posting| posting.block == block)
                .unwrap()
        };
        let finished = finished.into_iter().map(posting);
        let finished = finished.inspect(|&posting| {
            assert!(matches!(self.board.whose(posting), Whose::Done(_)));
        });
        finished.map(|posting| self.answer(posting)).collect()
    }
}

fn number(position: u64) -> u32 {
    u32::try_from(position).unwrap() + 1
}

#[test]
fn each_task_is_run_once() {
    bounded(2, || {
        let run = Arc::new(Mutex::new(Vec::new()));
        let (one, two) = (Arc::clone(&run), Arc::clone(&run));
        let mut postings = Vec::new();
        let mut answers = Vec::new();
        let pool = Crew::new(Pool::new(2))
            .and(move |pool| {
                let task = pool.work(1).map(|(_, task, _)| task);
                one.lock().unwrap().extend(task);
            })
            .and(move |pool| {
                let task = pool.work(2).map(|(_, task, _)| task);
                two.lock().unwrap().extend(task);
            })
            .here(|pool| {
                postings = vec![pool.post(0, 0), pool.post(1, 1)];
                answers = pool.collect(&postings);
            });
        // "Nothing" is exact: now all are found.
        while let Some((_, task, finished)) = pool.work(3) {
            assert!(finished);
            run.lock().unwrap().push(task);
        }
        answers.extend(pool.collect(&postings));
        let mut run = std::mem::take(&mut *run.lock().unwrap());
        run.sort_unstable();
        answers.sort_unstable();
        assert_eq!((run, answers), (vec![1, 2], vec![10, 20]));
    });
}

#[test]
fn a_task_is_run_or_taken_back() {
    bounded(3, || {
        let mut withdrawn = Whose::Nobodys;
        let pool = Pool::new(1);
        let posting = pool.post(0, 0);
        let pool = Crew::new(pool)
            .and(|pool| {
                let _ = pool.work(1);
            })
            .here(|pool| withdrawn = pool.board.withdraw(posting));
        let answers = pool.collect(&[posting]);
        match withdrawn {
            Whose::Queued => assert!(answers.is_empty()),
            Whose::Running(1) | Whose::Done(1) => assert_eq!(answers, [10]),
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn who_is_condemned_does_not_finish() {
    bounded(3, || {
        let finished = Arc::new(Mutex::new(None));
        let says = Arc::clone(&finished);
        let mut condemned = Whose::Nobodys;
        let pool = Pool::new(1);
        let posting = pool.post(0, 0);
        let pool = Crew::new(pool)
            .and(move |pool| {
                *says.lock().unwrap() = pool.work(1).map(|(_, _, finished)| finished);
            })
            .here(|pool| condemned = pool.board.condemn(posting));
        let finished = finished.lock().unwrap().take().unwrap();
        assert_eq!(finished, condemned != Whose::Running(1));
        assert_eq!(pool.collect(&[posting]).len(), usize::from(finished));
        if !finished {
            assert_eq!(pool.board.whose(posting), Whose::Condemned(1));
            assert_eq!(pool.board.held_by(1), [0]);
        }
    });
}

/// A worker that comes late to a block that is used again by now takes the new task or none.
#[test]
fn a_block_is_used_again() {
    bounded(3, || {
        let run = Arc::new(Mutex::new(Vec::new()));
        let late = Arc::clone(&run);
        let pool = Pool::new(1);
        let first = pool.post(0, 0);
        let mut second = None;
        let pool = Crew::new(pool)
            .and(move |pool| {
                let task = pool.work(1).map(|(_, task, _)| task);
                late.lock().unwrap().extend(task);
            })
            .here(|pool| {
                if pool.board.withdraw(first) == Whose::Queued {
                    assert!(pool.board.has_room(1, Some(0)));
                    second = Some(pool.post(0, 1));
                }
            });
        let mut run = std::mem::take(&mut *run.lock().unwrap());
        run.extend(pool.work(2).map(|(_, task, _)| task));
        let last = second.unwrap_or(first);
        assert_eq!(run, [number(last.position)]);
        assert_eq!(pool.collect(&[last]), [10 * number(last.position)]);
    });
}

/// The pool looks for what the dead worker had while another works, and finds each task once.
#[test]
fn a_death_at_any_access_costs_one_task() {
    bounded_each(1, 0..ACCESSES, |accesses| {
        let run = Arc::new(Mutex::new(Vec::new()));
        let other = Arc::clone(&run);
        let pool = Pool::new(2);
        let postings = [pool.post(0, 0), pool.post(1, 1)];
        let mut answers = Vec::new();
        let mut lost = Vec::new();
        let pool = Crew::new(pool)
            .and(move |pool| {
                let task = pool.work(2).map(|(_, task, _)| task);
                other.lock().unwrap().extend(task);
            })
            .here(|pool| {
                killed_after(accesses, || pool.work(1));
                // The kernel has told of its death.
                answers = pool.collect(&postings);
                for block in pool.board.held_by(1) {
                    let posting = postings[block];
                    match pool.board.whose(posting) {
                        Whose::Done(1) => answers.push(pool.answer(posting)),
                        Whose::Running(1) => {
                            pool.board.release(posting);
                            lost.push(10 * number(posting.position));
                        }
                        other => panic!("{other:?}"),
                    }
                }
            });
        while pool.work(3).is_some() {}
        answers.extend(pool.collect(&postings));
        assert!(lost.len() <= 1);
        answers.append(&mut lost);
        answers.sort_unstable();
        assert_eq!(answers, [10, 20]);
    });
}
