//! Pools that begin with the most urgent task.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use brigade::{Event, Queue, Shutdown, Task, ThreadPool};

use crate::harness::until;

/// A pool of one worker, which is busy until the event is set.
fn busy(pool: ThreadPool) -> (ThreadPool, Arc<Event>, Task<()>) {
    let go = Arc::new(Event::new());
    let gate = Arc::clone(&go);
    let busy = pool.submit(move || gate.wait()).unwrap();
    until(|| pool.stats().running == 1);
    (pool, go, busy)
}

fn one_by_priority() -> ThreadPool {
    ThreadPool::builder()
        .threads(1)
        .priorities()
        .build()
        .unwrap()
}

#[test]
fn the_smallest_is_begun_first_and_equal_ones_in_their_order() {
    let (pool, go, _busy) = busy(one_by_priority());
    let begun = Arc::new(Queue::unbounded());
    let say = |what: (i32, u32)| {
        let begun = Arc::clone(&begun);
        move || begun.put(what).unwrap()
    };
    let mut expected = Vec::new();
    for number in 0..100 {
        let priority = i32::try_from(number * 7 % 5).unwrap() - 2;
        expected.push((priority, number));
        let closure = say((priority, number));
        if priority == 0 && number % 2 == 0 {
            pool.submit(closure).unwrap().detach();
        } else {
            pool.submit_priority(priority, closure).unwrap().detach();
        }
    }
    for extreme in [i32::MAX, i32::MIN] {
        expected.push((extreme, 0));
        pool.submit_priority(extreme, say((extreme, 0)))
            .unwrap()
            .detach();
    }
    go.set();
    drop(pool);
    begun.shutdown(Shutdown::Drain);
    expected.sort_unstable();
    assert!(begun.iter().eq(expected));
}

#[test]
fn an_immediate_shutdown_hands_back_the_most_urgent_first() {
    let (pool, go, _busy) = busy(one_by_priority());
    let tasks = [3, 1, 2].map(|priority| pool.submit_priority(priority, move || priority).unwrap());
    let mut left = pool.shutdown(Shutdown::Immediate).into_iter();
    left.next().unwrap().run();
    assert_eq!(tasks.each_ref().map(Task::is_done), [false, true, false]);
    drop(left);
    go.set();
    assert!(pool.submit_priority(0, || ()).is_err());
}

#[test]
fn the_bound_counts_tasks_of_all_priorities() {
    let builder = ThreadPool::builder().threads(1).priorities().queue_bound(2);
    let (pool, go, _busy) = busy(builder.build().unwrap());
    let first = pool.submit_priority(5, || 5).unwrap();
    let second = pool.submit(|| 0).unwrap();
    assert!(pool.try_submit(|| ()).is_err());
    go.set();
    assert_eq!((first.result().unwrap(), second.result().unwrap()), (5, 0));
}

#[test]
fn a_pool_without_priorities_says_so() {
    let pool = ThreadPool::builder().threads(1).build().unwrap();
    let panic =
        catch_unwind(AssertUnwindSafe(|| pool.submit_priority(1, || ()).is_ok())).unwrap_err();
    let message = panic.downcast_ref::<&str>().unwrap();
    assert_eq!(*message, "the pool was built without `Builder::priorities`");
}
