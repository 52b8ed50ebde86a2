//! A job queue with priorities, on which nothing gets lost: a job that fails goes back and is tried
//! again, a few times.
//!
//! ```text
//! cargo run --example jobs
//! ```

use std::cmp::Reverse;
use std::error::Error;
use std::thread;

use brigade::{PriorityQueue, Shutdown};

const WORKERS: usize = 3;
const ATTEMPTS: u32 = 3;

/// Ordered by its fields from the first on: the most urgent job is the smallest.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Job {
    urgency: Reverse<u32>,
    name: &'static str,
    attempts: u32,
}

fn main() -> Result<(), Box<dyn Error>> {
    let jobs = PriorityQueue::unbounded();
    for (urgency, name) in [
        (1, "tidy up"),
        (9, "put out the fire"),
        (5, "fetch water"),
        (2, "count the buckets"),
    ] {
        jobs.put(Job {
            urgency: Reverse(urgency),
            name,
            attempts: 0,
        })?;
    }

    thread::scope(|scope| {
        for worker in 0..WORKERS {
            let jobs = &jobs;
            scope.spawn(move || {
                while let Ok(mut job) = jobs.lease() {
                    job.attempts += 1;
                    match attempt(&job) {
                        Ok(()) => println!("worker {worker}: {}", job.name),
                        Err(why) if job.attempts < ATTEMPTS => {
                            println!("worker {worker}: {}: {why}, once more", job.name);
                            // Fails only if the queue is full or shut down; it is neither.
                            let _ = job.put_back();
                        }
                        Err(why) => println!("worker {worker}: {}: {why}, given up", job.name),
                    }
                }
            });
        }
        jobs.join(); // all done or given up, those put back too
        jobs.shutdown(Shutdown::Drain);
    });
    println!("all jobs done");
    Ok(())
}

/// Stands for work that may fail.
fn attempt(job: &Job) -> Result<(), &'static str> {
    match job.name {
        "fetch water" if job.attempts == 1 => Err("the bucket leaks"),
        "count the buckets" => Err("one is missing"),
        _ => Ok(()),
    }
}
