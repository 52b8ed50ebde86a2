//! One task at a time, each awaited before the next: how long it takes to
//! have something done elsewhere.
//!
//! The floor is two threads that do nothing but wake each other.

use std::hint::black_box;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::io::Errno;
use rustix::thread::futex;

use super::Effort;
use super::pool_empty::THREADS;
use crate::contender::{Contender, Role};
use crate::measure::{Sample, Team, Whose, measure};
use crate::pool::{self, Kernel, Pool};

#[derive(Clone, Copy)]
struct ToResult {
    tasks: u64,
}

impl Kernel for ToResult {
    type Output = Sample;

    fn run<P: Pool>(self) -> Sample {
        let threads = P::start(THREADS);
        let ask = |tasks| {
            for task in 0..tasks {
                let answer = P::result(&threads, move || black_box(task) + 1);
                assert_eq!(answer, task + 1);
            }
        };
        ask(100);
        measure(Whose::Ours, self.tasks, || ask(self.tasks))
    }
}

/// Waits until `word` is `value`, sleeping at once.
fn wait_for(word: &AtomicU32, value: u32) {
    loop {
        let now = word.load(Ordering::Acquire);
        if now == value {
            return;
        }
        match futex::wait(word, futex::Flags::PRIVATE, now, None) {
            Ok(()) | Err(Errno::AGAIN | Errno::INTR) => {}
            Err(error) => panic!("futex wait: {error}"),
        }
    }
}

/// Sets `word` to `value` and wakes who sleeps on it.
fn hand_over(word: &AtomicU32, value: u32) {
    word.store(value, Ordering::Release);
    futex::wake(word, futex::Flags::PRIVATE, 1).expect("a word of ours can be woken on");
}

fn ping_pong(rounds: u32) -> Sample {
    let (there, back) = (&AtomicU32::new(0), &AtomicU32::new(0));
    let mut team = Team::default();
    team.add(move || {
        for round in 1..=rounds {
            hand_over(there, round);
            wait_for(back, round);
        }
    });
    team.add(move || {
        for round in 1..=rounds {
            wait_for(there, round);
            hand_over(back, round);
        }
    });
    team.run(u64::from(rounds))
}

pub(super) fn contenders(effort: Effort) -> Vec<Contender> {
    let tasks = effort.choose(20_000, 4_000);
    let mut all = pool::contenders(ToResult {
        tasks: u64::from(tasks),
    });
    all.push(Contender::new(
        Role::Floor,
        "raw futex ping-pong",
        "",
        move || ping_pong(tasks),
    ));
    all
}
