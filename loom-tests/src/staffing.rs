//! `Idle` and `Limits`, from the adapter's thread pool: no job is left to a worker that does not come.
//!
//! It is the adapter's own file, compiled here on loom's types, with a pool around it that does what
//! `worker.rs` does, over the core's own queue. Job `A` ends only after job `B`: if `B` is left lying
//! while there might be another worker, loom finds all threads asleep.
//!
//! Interruptions are bounded: the mistake takes one in the worker, between taking a job, or giving up,
//! and ceasing to be idle, and one in whoever submits, between putting the job and counting the idle.

#[path = "../../std-adapter/src/executor/thread_pool/staffing.rs"]
#[allow(dead_code, reason = "it is written for another crate")]
mod original;

use std::sync::Arc;

use brigade_core::bounded::TwoLock;
use brigade_core::sync::Model;
use brigade_core::{Event, GetTimeoutError, Queue, Shutdown, TryGetError};
use loom::sync::Mutex;

use self::original::{Idle, Limits};
use crate::harness::bounded;

#[derive(Debug)]
enum Job {
    /// Waits for the other.
    A,
    /// Lets the other end.
    B,
}

struct Pool {
    jobs: Queue<TwoLock<Job, 2>, Model>,
    idle: Idle,
    limits: Mutex<Limits>,
    met: Event<Model>,
    ended: Event<Model>,
}

impl Pool {
    fn new(workers: usize) -> Arc<Self> {
        Arc::new(Self {
            jobs: Queue::new(TwoLock::new()),
            idle: Idle::new(),
            limits: Mutex::new(Limits {
                workers,
                starting: 0,
                waiting: 0,
                min: 1,
                max: 2,
                spares: 0,
                barren: false,
            }),
            met: Event::new(),
            ended: Event::new(),
        })
    }

    fn submit(self: &Arc<Self>, job: Job) {
        self.jobs.put(job).unwrap();
        if self.idle.too_few(|| self.jobs.len()) {
            self.grow();
        }
    }

    fn grow(self: &Arc<Self>) {
        let mut limits = self.limits.lock().unwrap();
        if self.jobs.len() > self.idle.count() && limits.hire() {
            limits.end_start();
            drop(limits);
            self.start();
        }
    }

    fn start(self: &Arc<Self>) {
        let pool = Arc::clone(self);
        loom::thread::spawn(move || pool.live());
    }

    fn live(self: &Arc<Self>) {
        loop {
            match self.jobs.try_get() {
                Ok(job) => self.run(&job),
                Err(TryGetError::ShutDown) => return,
                Err(TryGetError::Empty) => {
                    self.idle.rest();
                    let got = self.jobs.get_deadline(());
                    if self.idle.resume(|| self.jobs.len()) {
                        self.grow();
                    }
                    match got {
                        Ok(job) => self.run(&job),
                        Err(GetTimeoutError::ShutDown) => return,
                        Err(GetTimeoutError::Timeout) => {
                            let mut limits = self.limits.lock().unwrap();
                            if limits.retire(|| self.jobs.is_empty()) {
                                return;
                            }
                        }
                    }
                }
            }
        }
    }

    fn run(&self, job: &Job) {
        match job {
            Job::A => {
                self.met.wait();
                self.ended.set();
            }
            Job::B => self.met.set(),
        }
    }

    fn finish(&self) {
        self.ended.wait();
        assert_eq!(self.jobs.shutdown(Shutdown::Drain).count(), 0);
        let limits = self.limits.lock().unwrap();
        assert!((1..=2).contains(&limits.workers));
    }
}

#[test]
fn a_job_is_not_left_to_a_worker_that_gives_up() {
    bounded(2, || {
        let pool = Pool::new(2);
        let busy = Arc::clone(&pool);
        loom::thread::spawn(move || busy.run(&Job::A));
        pool.start();
        pool.submit(Job::B);
        pool.finish();
    });
}
