//! What a pool costs while it does nothing, what a task costs while it waits, and what is left of
//! pools that are gone.
//!
//! A program of its own, since the allocator that counts would slow down what
//! `compare` measures. It ends with an error if ours breaks a promise.

use std::alloc::System;
use std::fs;
use std::process::ExitCode;
use std::sync::{Arc, Barrier, RwLock};
use std::thread;
use std::time::Duration;

use compare::contender::Role;
use compare::measure::{Whose, measure};
use compare::pool::{self, Kernel, Pool, ThreadPool};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static COUNTING: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const THREADS: usize = 2;

/// Per cent of one processor that a pool takes while it has nothing to do.
#[derive(Clone, Copy)]
struct Idle;

impl Kernel for Idle {
    type Output = f64;

    fn run<P: Pool>(self) -> f64 {
        let threads = P::start(THREADS);
        assert_eq!(P::result(&threads, || 1), 1, "it has worked before");
        // Whatever it does before it comes to rest.
        thread::sleep(Duration::from_millis(100));
        let sample = measure(Whose::Ours, 1, || thread::sleep(Duration::from_secs(1)));
        100.0 * sample.cpu / sample.wall
    }
}

/// Bytes that a task takes while it waits in the queue, beyond its closure.
#[derive(Clone, Copy)]
struct Waiting {
    tasks: u32,
}

/// What the closure of a waiting task holds.
type Cargo = [u64; 2];

impl Kernel for Waiting {
    type Output = f64;

    fn run<P: Pool>(self) -> f64 {
        let threads = P::start(THREADS);
        let gate = Arc::new(RwLock::new(()));
        let closed = gate.write().expect("nobody panics in here");
        let busy = Arc::new(Barrier::new(THREADS + 1));
        for _ in 0..THREADS {
            let (busy, gate) = (Arc::clone(&busy), Arc::clone(&gate));
            P::submit(&threads, move || {
                busy.wait();
                drop(gate.read().expect("nobody panics in here"));
            });
        }
        busy.wait();
        let region = Region::new(COUNTING);
        for task in 0..u64::from(self.tasks) {
            let cargo: Cargo = [task; 2];
            P::submit(&threads, move || {
                std::hint::black_box(cargo);
            });
        }
        let change = region.change();
        drop(closed);
        let bytes = change.bytes_allocated - change.bytes_deallocated;
        bytes as f64 / f64::from(self.tasks) - size_of::<Cargo>() as f64
    }
}

/// What this process holds.
#[derive(Debug)]
struct Holdings {
    threads: u64,
    resident_kib: u64,
    descriptors: usize,
}

impl Holdings {
    fn now() -> Self {
        let status = fs::read_to_string("/proc/self/status").expect("Linux");
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let digits = line.and_then(|line| line.split_whitespace().next());
            digits.and_then(|digits| digits.parse().ok())
        };
        Self {
            threads: number("Threads:").expect("as proc(5) says"),
            resident_kib: number("VmRSS:").expect("as proc(5) says"),
            descriptors: fs::read_dir("/proc/self/fd").expect("Linux").count(),
        }
    }
}

/// Makes pools, has each run a task, and drops them.
fn cycles(count: u32) {
    for task in 0..u64::from(count) {
        let threads = ThreadPool::start(THREADS);
        assert_eq!(ThreadPool::result(&threads, move || task), task);
    }
}

fn main() -> ExitCode {
    let mut broken = Vec::new();

    println!("### An idle pool of {THREADS} threads; 100,000 tasks that wait\n");
    println!("| contender | CPU, % of one | bytes per task beyond the closure |");
    println!("|---|--:|--:|");
    let idle = pool::contenders(Idle);
    let waiting = pool::contenders(Waiting { tasks: 100_000 });
    for (idle, waiting) in idle.iter().zip(&waiting) {
        let (cpu, bytes) = (idle.run(), waiting.run());
        println!("| {} | {cpu:.2} | {bytes:.0} |", idle.name);
        // Half of a thousandth is the measurement itself.
        if idle.role == Role::Ours && cpu > 0.05 {
            broken.push("an idle pool takes processor time");
        }
        if idle.role == Role::Ours && bytes >= 100.0 {
            broken.push("a waiting task takes 100 bytes or more");
        }
    }

    println!("\n### 50,000 pools made and dropped\n");
    println!("| | threads | resident, KiB | descriptors |");
    println!("|---|--:|--:|--:|");
    cycles(1_000);
    let before = Holdings::now();
    cycles(50_000);
    let after = Holdings::now();
    for (when, held) in [("before", &before), ("after", &after)] {
        let Holdings {
            threads,
            resident_kib,
            descriptors,
        } = held;
        println!("| {when} | {threads} | {resident_kib} | {descriptors} |");
    }
    if after.threads > before.threads {
        broken.push("pools leave threads behind");
    }
    if after.resident_kib > before.resident_kib + 1024 {
        broken.push("pools leave memory behind");
    }
    if after.descriptors > before.descriptors {
        broken.push("pools leave descriptors behind");
    }

    for promise in &broken {
        eprintln!("upkeep: {promise}");
    }
    if broken.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
