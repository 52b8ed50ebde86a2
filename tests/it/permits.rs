//! Semaphores and barriers between threads.

use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use brigade::Parker;
use brigade_core::{Barrier, Semaphore, TooManyPermits};

use crate::harness::LONG;

#[test]
fn never_more_holders_than_permits() {
    let semaphore = Semaphore::<Parker>::new(2);
    let (inside, most) = (AtomicU32::new(0), AtomicU32::new(0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..2_000 {
                    let _permit = semaphore.acquire();
                    most.fetch_max(inside.fetch_add(1, SeqCst) + 1, SeqCst);
                    thread::yield_now();
                    inside.fetch_sub(1, SeqCst);
                }
            });
        }
    });
    assert_eq!(semaphore.available(), 2);
    assert!((1..=2).contains(&most.into_inner()));
}

#[test]
fn a_permit_comes_back_by_a_panic_and_not_when_it_is_kept() {
    let semaphore = Semaphore::<Parker>::new(1);
    thread::scope(|scope| {
        let holder = scope.spawn(|| {
            let _permit = semaphore.acquire();
            panic!("on purpose");
        });
        assert!(holder.join().is_err());
    });
    assert_eq!(semaphore.available(), 1);
    semaphore.acquire().keep();
    assert!(semaphore.try_acquire().is_none());
    semaphore.release(1).unwrap();
    assert_eq!(semaphore.release(1), Err(TooManyPermits));
    assert_eq!(semaphore.release(u32::MAX), Err(TooManyPermits));
    assert_eq!((semaphore.available(), semaphore.bound()), (1, 1));
}

#[test]
fn a_permit_is_waited_for_and_given_up() {
    let semaphore = Semaphore::<Parker>::with_bound(0, 5);
    assert!(semaphore.acquire_timeout(Duration::ZERO).is_none());
    assert!(
        semaphore
            .acquire_timeout(Duration::from_millis(1))
            .is_none()
    );
    thread::scope(|scope| {
        let waiters = [(); 3].map(|()| scope.spawn(|| semaphore.acquire_timeout(LONG).is_some()));
        semaphore.release(1).unwrap();
        for waiter in waiters {
            // Each drops its permit, which lets the next one in.
            assert!(waiter.join().unwrap());
        }
    });
    assert_eq!(semaphore.available(), 1);
}

#[test]
#[should_panic(expected = "more permits than its bound")]
fn a_semaphore_cannot_start_beyond_its_bound() {
    let _ = Semaphore::<Parker>::with_bound(2, 1);
}

#[test]
fn all_meet_again_and_again_with_one_leader_each_time() {
    const PARTIES: u16 = 4;
    const ROUNDS: u32 = 1_000;
    let barrier = Barrier::<Parker>::new(PARTIES);
    let (arrived, leaders) = (AtomicU32::new(0), AtomicU32::new(0));
    thread::scope(|scope| {
        for _ in 0..PARTIES {
            scope.spawn(|| {
                for round in 1..=ROUNDS {
                    arrived.fetch_add(1, SeqCst);
                    if barrier.wait().is_leader() {
                        leaders.fetch_add(1, SeqCst);
                    }
                    assert!(arrived.load(SeqCst) >= round * u32::from(PARTIES));
                    barrier.wait();
                }
            });
        }
    });
    assert_eq!(leaders.into_inner(), ROUNDS);
    assert_eq!(barrier.arrived(), 0);
}

#[test]
fn who_gives_up_at_a_barrier_has_not_arrived() {
    let barrier = Barrier::<Parker>::new(2);
    assert_eq!(barrier.wait_timeout(Duration::from_millis(1)), None);
    assert_eq!(barrier.arrived(), 0);
    thread::scope(|scope| {
        let other = scope.spawn(|| barrier.wait_timeout(LONG).unwrap().is_leader());
        let here = barrier.wait_timeout(LONG).unwrap().is_leader();
        assert_ne!(here, other.join().unwrap());
    });
}
