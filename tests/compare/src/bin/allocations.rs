//! Counts what each pool allocates for a task.
//!
//! A program of its own, since the allocator that counts would slow down what
//! `compare` measures.

use std::alloc::System;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use compare::pool::{self, Kernel, Pool};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static COUNTING: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const TASKS: u32 = 10_000;

/// Allocations per task: submitted and forgotten, and awaited.
#[derive(Clone, Copy)]
struct Allocations;

impl Kernel for Allocations {
    type Output = (f64, f64);

    fn run<P: Pool>(self) -> (f64, f64) {
        let threads = P::start(2);
        let forgotten = || submit_all::<P>(&threads);
        let awaited = || {
            for task in 0..u64::from(TASKS) {
                assert_eq!(P::result(&threads, move || task), task);
            }
        };
        (per_task(forgotten), per_task(awaited))
    }
}

fn submit_all<P: Pool>(threads: &P::Threads) {
    static RUN: AtomicU64 = AtomicU64::new(0);
    let run: &'static AtomicU64 = &RUN;
    run.store(0, Ordering::Relaxed);
    for _ in 0..TASKS {
        P::submit(threads, move || {
            run.fetch_add(1, Ordering::Release);
        });
    }
    while run.load(Ordering::Acquire) < TASKS.into() {
        thread::yield_now();
    }
}

/// How often `work` allocates for each of its tasks, the second time.
fn per_task(work: impl Fn()) -> f64 {
    work();
    let region = Region::new(COUNTING);
    work();
    let change = region.change();
    (change.allocations + change.reallocations) as f64 / f64::from(TASKS)
}

fn main() {
    println!("### Allocations per task, steady state\n");
    println!("| contender | submitted and forgotten | awaited |");
    println!("|---|--:|--:|");
    for contender in pool::contenders(Allocations) {
        let (forgotten, awaited) = contender.run();
        println!("| {} | {forgotten:.2} | {awaited:.2} |", contender.name);
    }
}
