//! Tasks that do nothing but count themselves off: what submitting, queueing
//! and running a task cost.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex};

use super::Effort;
use crate::contender::Contender;
use crate::measure::{Sample, Whose, measure};
use crate::pool::{self, Kernel, Pool};

/// Two, whatever the machine: figures of one record stay comparable.
pub(super) const THREADS: usize = 2;

/// Tells when the last task has run. Its count is the one thing that all
/// tasks share, and costs all pools the same.
struct Countdown {
    left: AtomicU64,
    ended: Mutex<bool>,
    end: Condvar,
}

impl Countdown {
    const fn new() -> Self {
        Self {
            left: AtomicU64::new(0),
            ended: Mutex::new(false),
            end: Condvar::new(),
        }
    }

    fn start(&self, tasks: u64) {
        self.left.store(tasks, Ordering::Relaxed);
        *self.ended.lock().expect("nobody panics in here") = false;
    }

    fn count(&self) {
        if self.left.fetch_sub(1, Ordering::AcqRel) == 1 {
            *self.ended.lock().expect("nobody panics in here") = true;
            self.end.notify_one();
        }
    }

    fn wait(&self) {
        let mut ended = self.ended.lock().expect("nobody panics in here");
        while !*ended {
            ended = self.end.wait(ended).expect("nobody panics in here");
        }
    }
}

/// One for all, as pools want tasks that borrow nothing.
static COUNTDOWN: Countdown = Countdown::new();

#[derive(Clone, Copy)]
struct Empty {
    tasks: u64,
}

/// Runs so many tasks. Each carries a reference, as a task of no size at all
/// would be spared its allocation by some pools.
fn submit_all<P: Pool>(threads: &P::Threads, tasks: u64) {
    let countdown: &'static Countdown = &COUNTDOWN;
    countdown.start(tasks);
    for _ in 0..tasks {
        P::submit(threads, move || countdown.count());
    }
    countdown.wait();
}

impl Kernel for Empty {
    type Output = Sample;

    fn run<P: Pool>(self) -> Sample {
        let threads = P::start(THREADS);
        submit_all::<P>(&threads, 100);
        measure(Whose::Ours, self.tasks, || {
            submit_all::<P>(&threads, self.tasks);
        })
    }
}

pub(super) fn contenders(effort: Effort) -> Vec<Contender> {
    let tasks = effort.choose(200_000, 40_000);
    pool::contenders(Empty { tasks })
}
