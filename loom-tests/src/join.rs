//! `JoinCounter`: the last `done` wakes those who wait, and shows them all the work.
//!
//! With three threads the interruptions are bounded: a lost wake-up needs one in the waiter, between
//! its last look and its sleep, and one in whoever would wake it; a third lets somebody else come in
//! between.

use std::sync::atomic::{AtomicU32 as Counter, Ordering::SeqCst};

use brigade_core::JoinCounter;
use brigade_core::sync::{AtomicU32, Model, Ordering::Relaxed};

use crate::harness::{Crew, bounded, exhaustive};

/// A counter, and the work of two.
type Job = (JoinCounter<Model>, [AtomicU32; 2]);

fn job(begun: u32) -> Job {
    let counter = JoinCounter::new();
    counter.add(begun).unwrap();
    (counter, [AtomicU32::new(0), AtomicU32::new(0)])
}

fn finish((counter, work): &Job, which: usize) {
    work[which].store(1, Relaxed);
    counter.done().unwrap();
}

#[test]
fn the_last_done_wakes_the_waiter_and_shows_all_the_work() {
    bounded(3, || {
        Crew::new(job(2))
            .and(|job| finish(job, 0))
            .and(|job| finish(job, 1))
            .here(|(counter, work)| {
                counter.wait();
                assert_eq!(work.each_ref().map(|done| done.load(Relaxed)), [1, 1]);
            });
    });
}

#[test]
fn a_zero_that_is_seen_shows_all_the_work() {
    exhaustive(|| {
        Crew::new(job(1))
            .and(|job| finish(job, 0))
            .here(|(counter, work)| {
                if counter.count() == 0 {
                    assert_eq!(work[0].load(Relaxed), 1);
                }
            });
    });
}

#[test]
fn the_last_done_wakes_all_waiters() {
    bounded(3, || {
        Crew::new(job(1))
            .and(|(counter, _)| counter.wait())
            .and(|(counter, _)| counter.wait())
            .here(|job| finish(job, 0));
    });
}

/// More work is begun while some ends: whoever waits sees the end of all.
#[test]
fn work_that_is_added_meanwhile_counts() {
    exhaustive(|| {
        Crew::new(job(1))
            .and(|job| {
                job.0.add(1).unwrap();
                finish(job, 0);
                finish(job, 1);
            })
            .here(|(counter, work)| {
                counter.wait();
                assert_eq!(work.each_ref().map(|done| done.load(Relaxed)), [1, 1]);
            });
    });
}

#[test]
fn one_done_too_many_is_an_error_for_exactly_one() {
    exhaustive(|| {
        let errors = std::sync::Arc::new(Counter::new(0));
        let count = |errors: &Counter, (counter, _): &Job| {
            errors.fetch_add(u32::from(counter.done().is_err()), SeqCst);
        };
        let there = std::sync::Arc::clone(&errors);
        Crew::new(job(1))
            .and(move |job: &Job| count(&there, job))
            .here(|job| count(&errors, job));
        assert_eq!(errors.load(SeqCst), 1);
    });
}

#[test]
fn a_time_out_takes_nobody_elses_wake_up() {
    bounded(3, || {
        Crew::new(job(1))
            .and(|(counter, _)| counter.wait())
            .and(|(counter, _)| counter.wait_deadline(()))
            .here(|job| finish(job, 0));
    });
}
