//! `shared::{Semaphore, Barrier, JoinCounter}`, above all when a process dies with them.

use std::thread;
use std::time::Duration;

use brigade::shared::{Barrier, JoinCounter, Semaphore};
use brigade::{CountOverflow, TooManyDone, TooManyPermits};

use crate::other_process::{Other, argument, await_death, say};

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(20);

fn run<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(future)
}

#[test]
fn dies_with_permits() {
    let Some(permits) = argument::<Semaphore>("shared_counts::dies_with_permits") else {
        return;
    };
    let _held = [permits.acquire(), permits.acquire()];
    permits.acquire().keep();
    say("held");
    await_death();
}

#[test]
fn permits_of_the_dead_come_back() {
    let permits = Semaphore::new(3).unwrap();
    let mut other = Other::start("shared_counts::dies_with_permits", &permits);
    assert_eq!(other.hear().as_deref(), Some("held"));
    assert_eq!(permits.available(), 0);
    assert!(permits.try_acquire().is_none());
    assert!(permits.acquire_timeout(SHORT).is_none());
    let waiting = permits.clone();
    let waiter = thread::spawn(move || waiting.acquire_timeout(LONG).is_some());
    other.stop();
    assert!(
        permits.acquire_timeout(SHORT).is_none(),
        "it is only stopped"
    );
    other.kill();
    assert!(waiter.join().unwrap());
    let held = [permits.acquire(), permits.acquire()];
    assert!(permits.try_acquire().is_none(), "the third was kept");
    permits.release(1).unwrap();
    assert!(permits.try_acquire().is_some());
    drop(held);
    assert_eq!(permits.available(), 3);
    assert_eq!(permits.release(1), Err(TooManyPermits));
}

#[test]
fn a_semaphore_can_start_empty() {
    let permits = Semaphore::with_bound(0, 2).unwrap();
    assert!(permits.try_acquire().is_none());
    assert_eq!(permits.release(3), Err(TooManyPermits));
    assert_eq!(permits.available(), 0);
    permits.release(2).unwrap();
    assert_eq!(permits.release(1), Err(TooManyPermits));
    let one = permits.acquire();
    one.keep();
    assert_eq!((permits.available(), permits.bound()), (1, 2));
    assert!(Semaphore::with_bound(2, 1).is_err());
    assert!(Semaphore::new(Semaphore::MOST + 1).is_err());
}

#[test]
fn a_task_waits_for_a_permit() {
    let permits = Semaphore::new(1).unwrap();
    let held = permits.acquire();
    thread::scope(|scope| {
        let task = scope.spawn(|| drop(run(permits.acquire_async())));
        // One that is given up takes nothing.
        drop(permits.acquire_async());
        drop(held);
        task.join().unwrap();
    });
    assert_eq!(permits.available(), 1);
}

#[test]
fn arrives_and_dies() {
    let Some(barrier) = argument::<Barrier>("shared_counts::arrives_and_dies") else {
        return;
    };
    thread::spawn(move || barrier.wait());
    say("there");
    await_death();
}

#[test]
fn nobody_waits_for_the_dead() {
    let barrier = Barrier::new(3).unwrap();
    let mut other = Other::start("shared_counts::arrives_and_dies", &barrier);
    assert_eq!(other.hear().as_deref(), Some("there"));
    let waiting = barrier.clone();
    let waiter = thread::spawn(move || waiting.wait());
    while barrier.arrived() < 2 {
        thread::yield_now();
    }
    other.kill();
    waiter.join().unwrap().unwrap_err();
    assert!(barrier.is_broken());
    barrier.wait().unwrap_err();
    barrier.reset();
    thread::scope(|scope| {
        let all: Vec<_> = (0..3).map(|_| scope.spawn(|| barrier.wait())).collect();
        let arrivals = all.into_iter().map(|one| one.join().unwrap().unwrap());
        assert_eq!(arrivals.filter(|arrival| arrival.is_leader()).count(), 1);
    });
}

#[test]
fn goes_through_five_times() {
    let Some(barrier) = argument::<Barrier>("shared_counts::goes_through_five_times") else {
        return;
    };
    for _ in 0..5 {
        barrier.wait().unwrap();
    }
}

/// Also when a process leaves in good order, in the middle of it all.
#[test]
fn processes_meet_again_and_again() {
    let barrier = Barrier::new(3).unwrap();
    let others = [(); 2].map(|()| Other::start("shared_counts::goes_through_five_times", &barrier));
    for _ in 0..5 {
        barrier.wait().unwrap();
    }
    others.into_iter().for_each(Other::join);
    assert_eq!(barrier.arrived(), 0);
}

#[test]
fn who_gives_up_has_not_arrived() {
    let barrier = Barrier::new(2).unwrap();
    assert_eq!(barrier.wait_timeout(SHORT), Ok(None));
    assert_eq!(barrier.arrived(), 0);
    thread::scope(|scope| {
        scope.spawn(|| barrier.wait().unwrap());
        barrier.wait().unwrap();
        // One who waits is told of a reset.
        let waiter = scope.spawn(|| barrier.wait());
        while barrier.arrived() == 0 {
            thread::yield_now();
        }
        barrier.reset();
        waiter.join().unwrap().unwrap_err();
    });
    assert!(!barrier.is_broken());
    assert!(Barrier::new(0).is_err());
}

#[test]
fn does_one_and_dies() {
    let Some(work) = argument::<JoinCounter>("shared_counts::does_one_and_dies") else {
        return;
    };
    work.done().unwrap();
    say("done");
    await_death();
}

#[test]
fn who_waits_for_the_work_of_the_dead_is_told() {
    let work = JoinCounter::new().unwrap();
    work.add(3).unwrap();
    let mut other = Other::start("shared_counts::does_one_and_dies", &work);
    assert_eq!(other.hear().as_deref(), Some("done"));
    let waiting = work.clone();
    let waiter = thread::spawn(move || waiting.wait());
    assert_eq!(work.wait_timeout(SHORT), Ok(false));
    other.kill();
    assert_eq!(waiter.join().unwrap().unwrap_err().count, 2);
    assert_eq!(work.wait().unwrap_err().count, 2);
    work.done().unwrap();
    work.mark_clean();
    assert_eq!(work.wait_timeout(SHORT), Ok(false));
    work.done().unwrap();
    work.wait().unwrap();
    assert_eq!(work.done(), Err(TooManyDone));
}

#[test]
fn work_is_counted_across_processes() {
    let work = JoinCounter::new().unwrap();
    assert_eq!(work.wait(), Ok(()));
    work.add(1).unwrap();
    assert_eq!(work.add(u32::MAX), Err(CountOverflow));
    let other = Other::start("shared_counts::does_one_and_leaves", &work);
    run(work.wait_async()).unwrap();
    other.join();
    assert_eq!(work.count(), 0);
}

#[test]
fn does_one_and_leaves() {
    let Some(work) = argument::<JoinCounter>("shared_counts::does_one_and_leaves") else {
        return;
    };
    work.done().unwrap();
}
