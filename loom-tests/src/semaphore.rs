//! `Semaphore`: never more holders than permits, and no permit and no wake-up is lost.
//!
//! With three threads the interruptions are bounded: one in a waiter, between its last look and its
//! sleep, and one in whoever would wake it. `event_count.rs` tries one more.

use brigade_core::sync::{AtomicU32, Model, Ordering::Relaxed};
use brigade_core::wait::Async;
use brigade_core::{Semaphore, TooManyPermits};
use loom::cell::UnsafeCell;

use crate::harness::{Crew, block_on, bounded, exhaustive};

/// One permit, and what it protects: loom reports two threads that touch it at the same time.
type Room = (Semaphore<Model>, UnsafeCell<u32>);

fn room() -> Room {
    (Semaphore::new(1), UnsafeCell::new(0))
}

fn visit(inside: &UnsafeCell<u32>) {
    // SAFETY: who holds the only permit is alone here; loom checks it.
    inside.with_mut(|visits| unsafe { *visits += 1 });
}

#[test]
fn one_permit_is_a_lock() {
    bounded(2, || {
        let (semaphore, inside) = Crew::new(room())
            .and(|(semaphore, inside)| {
                let _permit = semaphore.acquire();
                visit(inside);
            })
            .and(|(semaphore, inside)| {
                if let Some(_permit) = semaphore.try_acquire() {
                    visit(inside);
                }
            })
            .here(|(semaphore, inside)| {
                let _permit = semaphore.acquire();
                visit(inside);
            });
        assert_eq!(semaphore.available(), 1);
        // SAFETY: nobody else is left.
        assert!(inside.with(|visits| unsafe { *visits }) >= 2);
    });
}

#[test]
fn who_gives_up_leaves_the_wake_up_to_the_others() {
    bounded(2, || {
        let semaphore = Semaphore::<Model>::new(1);
        let permit = semaphore.acquire();
        permit.keep();
        Crew::new(semaphore)
            .and(|semaphore| drop(semaphore.acquire()))
            .and(|semaphore| drop(semaphore.acquire_deadline(())))
            .here(|semaphore| semaphore.release(1).unwrap());
    });
}

/// One wake-up for two permits.
#[test]
fn two_permits_let_two_in() {
    bounded(2, || {
        Crew::new(Semaphore::<Model>::with_bound(0, 2))
            .and(|semaphore| semaphore.acquire().keep())
            .and(|semaphore| semaphore.acquire().keep())
            .here(|semaphore| semaphore.release(2).unwrap());
    });
}

#[test]
fn a_permit_shows_what_was_done_under_it() {
    exhaustive(|| {
        Crew::new((
            Semaphore::<Async<Model, 1>>::with_bound(0, 1),
            AtomicU32::new(0),
        ))
        .and(|(semaphore, work)| {
            work.store(1, Relaxed);
            semaphore.release(1).unwrap();
        })
        .here(|(semaphore, work)| {
            block_on(semaphore.acquire_async()).keep();
            assert_eq!(work.load(Relaxed), 1);
        });
    });
}

/// All permits are back: so is the work under them.
#[test]
fn who_finds_all_free_sees_the_work() {
    exhaustive(|| {
        Crew::new((Semaphore::<Model>::with_bound(0, 1), AtomicU32::new(0)))
            .and(|(semaphore, work)| {
                work.store(1, Relaxed);
                semaphore.release(1).unwrap();
            })
            .here(|(semaphore, work)| {
                if semaphore.available() == 1 {
                    assert_eq!(work.load(Relaxed), 1);
                }
            });
    });
}

/// A wake-up for nobody leaves everybody to the next one.
#[test]
fn to_release_none_loses_no_wake_up() {
    exhaustive(|| {
        Crew::new(Semaphore::<Model>::with_bound(0, 1))
            .and(|semaphore| semaphore.acquire().keep())
            .here(|semaphore| {
                semaphore.release(0).unwrap();
                semaphore.release(1).unwrap();
            });
    });
}

#[test]
fn the_bound_holds() {
    exhaustive(|| {
        let semaphore = Crew::new(Semaphore::<Model>::with_bound(0, 1))
            .and(|semaphore| semaphore.release(1))
            .here(|semaphore| semaphore.release(1));
        assert_eq!(semaphore.available(), 1);
        assert_eq!(semaphore.release(1), Err(TooManyPermits));
    });
}
