//! `Dismissal`: a worker that is dismissed begins no task, and one that is not goes on; whatever it had
//! claimed is found after its death.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};

use brigade_core::sync::AtomicU32;
use brigade_core::wait::Wake;
use loom::thread::{self, Thread};

use super::atomic::AtomicU64;
use super::bell::Sleep;
use super::board::{Board, Posting, Whose};
use super::board_of_tasks::Memory;
use super::dismissal::Dismissal;
use crate::harness::{Crew, exhaustive};

const WORKER: usize = 1;

/// What a killed worker unwinds with.
struct Killed;

/// The word of a worker, who may be killed while it sleeps on it. Loom knows of the word alone: it never
/// switches threads between one of its steps and the next.
struct Line {
    word: AtomicU32,
    asleep: Mutex<Option<Thread>>,
    is_killed: AtomicBool,
}

impl Line {
    fn now(&self) -> u32 {
        self.word
            .fetch_add(0, brigade_core::sync::Ordering::Relaxed)
    }

    fn kill(&self) {
        self.now();
        self.is_killed.store(true, Relaxed);
        self.rouse();
    }

    fn rouse(&self) -> u32 {
        let sleeper = self.asleep.lock().unwrap().take();
        sleeper.map_or(0, |sleeper| {
            sleeper.unpark();
            1
        })
    }

    fn die_if_killed(&self) {
        if self.is_killed.load(Relaxed) {
            resume_unwind(Box::new(Killed));
        }
    }
}

impl Sleep for &Line {
    type Deadline = ();

    fn word(&self) -> &AtomicU32 {
        &self.word
    }

    fn sleep(&self, expected: u32, _: Option<()>) -> Wake {
        let now = self.now();
        self.die_if_killed();
        if now == expected {
            *self.asleep.lock().unwrap() = Some(thread::current());
            while self.asleep.lock().unwrap().is_some() {
                thread::park();
            }
            self.die_if_killed();
        }
        Wake::Woken
    }

    fn wake(&self, _: u32) -> u32 {
        self.now();
        self.rouse()
    }

    fn step_and_wake_all(&self) {
        unreachable!("it is for bells");
    }
}

struct Pool {
    board: Board<Memory>,
    line: Line,
}

impl Pool {
    fn new() -> Self {
        let words = Board::<Memory>::words(1);
        let memory = Memory((0..words).map(|_| AtomicU64::new(0)).collect());
        Self {
            board: Board::new(memory, 1),
            line: Line {
                word: AtomicU32::new(0),
                asleep: Mutex::default(),
                is_killed: AtomicBool::new(false),
            },
        }
    }
}

#[test]
fn a_dismissed_worker_begins_nothing_and_another_goes_on() {
    exhaustive(|| {
        let begun = Arc::new(AtomicBool::new(false));
        let begins = Arc::clone(&begun);
        let mut is_dismissed = false;
        let posting = Posting {
            block: 0,
            position: 0,
        };
        let pool = Pool::new();
        pool.board.post(posting);
        let pool = Crew::new(pool)
            .and(move |pool| {
                let life = AssertUnwindSafe(|| {
                    let claim = pool.board.claim(WORKER).unwrap();
                    Dismissal(&pool.line).await_permission();
                    begins.store(true, Relaxed);
                    assert!(pool.board.finish(claim));
                });
                if let Err(cause) = catch_unwind(life) {
                    if !cause.is::<Killed>() {
                        resume_unwind(cause);
                    }
                }
            })
            .here(|pool| {
                let has_task = || !pool.board.held_by(WORKER).is_empty();
                is_dismissed = Dismissal(&pool.line).dismiss(has_task);
                if is_dismissed {
                    pool.line.kill();
                }
            });
        assert_eq!(begun.load(Relaxed), !is_dismissed);
        let whose = pool.board.whose(posting);
        if is_dismissed {
            assert_eq!(whose, Whose::Running(WORKER));
        } else {
            assert_eq!(whose, Whose::Done(WORKER));
        }
    });
}
