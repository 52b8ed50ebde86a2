//! Pools of processes.

use std::collections::VecDeque;
use std::hint::black_box;

/// Processes that run tasks.
pub trait ProcessPool: 'static {
    /// The pool itself; dropping it ends its processes.
    type Workers;

    /// How many times fewer tasks it is given, because it is so slow.
    const SLOWNESS: u64 = 1;

    /// A pool of so many processes.
    fn start(processes: usize) -> Self::Workers;

    /// Submits a tiny task and waits for its result.
    fn result(workers: &Self::Workers, number: u64) -> u64;

    /// Submits all those tasks without waiting in between, and adds up their results.
    fn flow(workers: &Self::Workers, tasks: u64) -> u64;
}

/// The tiny task.
#[must_use]
pub fn next(number: u64) -> u64 {
    black_box(number) + 1
}

/// Every task of this one costs two sockets while it lives, so that so many are under way at most.
const WINDOW: usize = 200;

crate::contenders! { ProcessPool:
    Ours BrigadePool, "brigade ProcessPool", "pool" {
        type Workers = brigade::ProcessPool;
        fn start(processes: usize) -> Self::Workers {
            let builder = brigade::ProcessPool::builder().workers(processes);
            builder.build().expect("processes can be started")
        }
        fn result(workers: &Self::Workers, number: u64) -> u64 {
            let task = workers.submit_with(next, number).expect("running");
            task.result().expect("the task returned")
        }
        fn flow(workers: &Self::Workers, tasks: u64) -> u64 {
            let submit = |number| workers.submit_with(next, number).expect("running");
            let tasks: Vec<_> = (0..tasks).map(submit).collect();
            let result = |task: brigade::Task<u64>| task.result().expect("the task returned");
            tasks.into_iter().map(result).sum()
        }
    }
    Rival Procspawn, "procspawn", "pool" {
        type Workers = procspawn::Pool;
        const SLOWNESS: u64 = 10;
        fn start(processes: usize) -> Self::Workers {
            procspawn::Pool::new(processes).expect("processes can be started")
        }
        fn result(workers: &Self::Workers, number: u64) -> u64 {
            workers.spawn(number, next).join().expect("the task returned")
        }
        fn flow(workers: &Self::Workers, tasks: u64) -> u64 {
            let mut sum = 0;
            let mut under_way = VecDeque::with_capacity(WINDOW);
            for number in 0..tasks {
                if under_way.len() == WINDOW {
                    let first: procspawn::JoinHandle<u64> = under_way.pop_front().expect("many");
                    sum += first.join().expect("the task returned");
                }
                under_way.push_back(workers.spawn(number, next));
            }
            let rest = under_way.into_iter();
            sum + rest.map(|task| task.join().expect("the task returned")).sum::<u64>()
        }
    }
}
