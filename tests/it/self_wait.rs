//! Pools that would wait for themselves.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use brigade::{Event, Shutdown, SubmitError, Task, TaskError, ThreadPool, WouldDeadlock};

use crate::harness::{LONG, until};

/// The result of a task that must not hang.
pub(crate) fn soon<T>(task: Task<T>) -> T {
    let Ok(result) = task.result_timeout(LONG) else {
        panic!("the pool waits for itself");
    };
    result.unwrap()
}

pub(crate) fn pool(threads: usize) -> Arc<ThreadPool> {
    Arc::new(ThreadPool::builder().threads(threads).build().unwrap())
}

#[test]
fn the_only_worker_does_not_wait_for_what_is_behind_it() {
    let pool = pool(1);
    let inner = Arc::clone(&pool);
    let outer = pool.submit(move || {
        let behind = inner.submit(|| 1).unwrap();
        behind.result()
    });
    let refused = soon(outer.unwrap());
    assert!(matches!(refused, Err(TaskError::WouldDeadlock)));
}

#[test]
fn the_last_worker_to_wait_is_told() {
    const WORKERS: usize = 3;
    let pool = pool(WORKERS);
    let meet = Arc::new(std::sync::Barrier::new(WORKERS));
    let ran = Arc::new(Event::new());
    let outer: Vec<_> = (0..WORKERS)
        .map(|_| {
            let (inner, meet, ran) = (Arc::clone(&pool), Arc::clone(&meet), Arc::clone(&ran));
            let task = pool.submit(move || {
                // All workers are here before the first of the inner tasks is queued.
                meet.wait();
                inner.submit(move || ran.set()).unwrap().result()
            });
            task.unwrap()
        })
        .collect();
    let results: Vec<_> = outer.into_iter().map(soon).collect();
    let refused = results.iter().filter(|result| result.is_err()).count();
    assert_eq!(
        refused, 1,
        "the one that has an error to handle frees the others"
    );
    assert!(ran.is_set());
}

#[test]
fn the_task_that_was_not_waited_for_is_run_all_the_same() {
    let pool = pool(1);
    let ran = Arc::new(Event::new());
    let (inner, set) = (Arc::clone(&pool), Arc::clone(&ran));
    let outer = pool.submit(move || {
        let behind = inner.submit(move || set.set()).unwrap();
        assert!(matches!(behind.result(), Err(TaskError::WouldDeadlock)));
    });
    soon(outer.unwrap());
    assert!(ran.wait_timeout(LONG));
}

#[test]
fn a_wait_with_a_deadline_goes_ahead_and_gives_the_task_back() {
    let pool = pool(1);
    let inner = Arc::clone(&pool);
    let outer = pool.submit(move || {
        let behind = inner.submit(|| 1).unwrap();
        behind
            .result_timeout(Duration::from_millis(5))
            .expect_err("nobody can run it")
    });
    let behind = soon(outer.unwrap());
    assert_eq!(soon(behind), 1);
}

#[test]
fn waiting_for_a_task_that_another_worker_runs_is_no_deadlock() {
    let pool = pool(2);
    let go = Arc::new(Event::new());
    let running = {
        let go = Arc::clone(&go);
        pool.submit(move || go.wait()).unwrap()
    };
    let (sender, receiver) = mpsc::channel();
    let waiting = pool.submit(move || {
        sender.send(()).unwrap();
        running.result()
    });
    receiver.recv_timeout(LONG).unwrap();
    // The one that runs outlasts the waiter's looking again.
    assert!(!Event::new().wait_timeout(Duration::from_millis(120)));
    go.set();
    soon(waiting.unwrap()).unwrap();
}

#[test]
fn nobody_is_refused_while_others_end_and_wait_in_turn() {
    // Two workers of which at most one waits: never a deadlock, however close they come to it.
    let pool = pool(2);
    for round in 0..2_000 {
        let inner = Arc::clone(&pool);
        let waits = pool.submit(move || inner.submit(move || round).unwrap().result());
        let other = pool.submit(|| ()).unwrap();
        assert_eq!(soon(waits.unwrap()).unwrap(), round);
        soon(other);
    }
}

#[test]
fn other_threads_and_other_pools_wait_as_ever() {
    let (one, other) = (pool(1), pool(1));
    let inner = Arc::clone(&other);
    let outer = one.submit(move || inner.submit(|| 1).unwrap().result());
    assert_eq!(soon(outer.unwrap()).unwrap(), 1);
    assert_eq!(other.submit(|| 2).unwrap().result().unwrap(), 2);
}

#[test]
fn who_waits_for_a_task_in_an_outsiders_hands_waits() {
    let pool = pool(1);
    let (sender, receiver) = mpsc::channel::<Task<i32>>();
    let waiting = pool.submit(move || receiver.recv().unwrap().result());
    let behind = pool.submit(|| 1).unwrap();
    until(|| pool.queued() == 1);
    let mut handed_back = pool.shutdown(Shutdown::Immediate);
    sender.send(behind).unwrap();
    // Long enough for the worker to look again.
    assert!(!Event::new().wait_timeout(Duration::from_millis(120)));
    handed_back.pop().unwrap().run();
    assert_eq!(soon(waiting.unwrap()).unwrap(), 1);
}

#[test]
fn the_outsider_may_drop_the_task() {
    let pool = pool(1);
    let (sender, receiver) = mpsc::channel::<Task<i32>>();
    let waiting = pool.submit(move || receiver.recv().unwrap().result());
    let behind = pool.submit(|| 1).unwrap();
    until(|| pool.queued() == 1);
    let handed_back = pool.shutdown(Shutdown::Immediate);
    sender.send(behind).unwrap();
    drop(handed_back);
    assert!(matches!(soon(waiting.unwrap()), Err(TaskError::Cancelled)));
}

#[test]
fn a_full_queue_gives_the_closure_back_to_the_last_worker() {
    let pool = Arc::new(
        ThreadPool::builder()
            .threads(1)
            .queue_bound(1)
            .build()
            .unwrap(),
    );
    let inner = Arc::clone(&pool);
    let outer = pool.submit(move || {
        let first = inner.submit(|| 1).unwrap();
        let refused = inner.submit(|| 2).unwrap_err();
        assert!(matches!(refused, SubmitError::WouldDeadlock(_)));
        (first, refused.into_inner()())
    });
    let (first, second) = soon(outer.unwrap());
    assert_eq!((soon(first), second), (1, 2));
}

#[test]
fn a_worker_waits_for_room_while_another_can_make_it() {
    let pool = Arc::new(
        ThreadPool::builder()
            .threads(2)
            .queue_bound(1)
            .build()
            .unwrap(),
    );
    let go = Arc::new(Event::new());
    let other = {
        let go = Arc::clone(&go);
        pool.submit(move || go.wait()).unwrap()
    };
    let inner = Arc::clone(&pool);
    let submitter = pool.submit(move || {
        let tasks: Vec<_> = (0..10).map(|n| inner.submit(move || n)).collect();
        tasks
            .into_iter()
            .map(|task| soon(task.unwrap()))
            .sum::<i32>()
    });
    until(|| pool.queued() == 1);
    go.set();
    assert_eq!(soon(submitter.unwrap()), 45);
    soon(other);
}

#[test]
fn a_worker_does_not_join_its_own_pool() {
    let pool = pool(2);
    let inner = Arc::clone(&pool);
    let joined = pool.submit(move || {
        inner.shutdown(Shutdown::Drain);
        (inner.join(), inner.join_timeout(LONG))
    });
    let refused = (Err(WouldDeadlock), Err(WouldDeadlock));
    assert_eq!(soon(joined.unwrap()), refused);
    assert!(pool.join_timeout(LONG).unwrap());
}
