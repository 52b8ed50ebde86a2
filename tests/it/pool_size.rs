//! Pools that grow and shrink, and what their workers do first and last.

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

use brigade::{Event, Task, TaskError, ThreadPool};

use crate::harness::{LONG, OsThread, until};
use crate::self_wait::soon;

/// So many tasks that are all run at a time, or never end.
fn meet(pool: &ThreadPool, number: usize) -> Vec<Task<()>> {
    let barrier = Arc::new(Barrier::new(number));
    (0..number)
        .map(|_| {
            let barrier = Arc::clone(&barrier);
            let task = pool.submit(move || {
                barrier.wait();
            });
            task.unwrap()
        })
        .collect()
}

/// How many of the first workers of this name there are, as the system sees it.
fn threads(name: &str) -> usize {
    (0..9)
        .filter(|number| OsThread::exists(&format!("{name}-{number}")))
        .count()
}

#[test]
fn a_pool_grows_as_far_as_it_is_needed() {
    let pool = ThreadPool::builder().grow_on_demand(1..=4).build().unwrap();
    assert_eq!((pool.stats().workers, pool.threads()), (1, 4));
    for number in [1, 2, 4] {
        meet(&pool, number).into_iter().for_each(soon);
        assert!(pool.stats().workers >= number);
    }
    for n in 0..100 {
        assert_eq!(soon(pool.submit(move || n).unwrap()), n);
    }
    assert_eq!(pool.stats().workers, 4);
}

#[test]
fn one_task_at_a_time_needs_no_second_worker() {
    let pool = ThreadPool::builder().grow_on_demand(1..=4).build().unwrap();
    for n in 0..100 {
        // Otherwise it is not idle yet.
        until(|| pool.stats().idle == 1);
        assert_eq!(soon(pool.submit(move || n).unwrap()), n);
    }
    assert_eq!(pool.stats().workers, 1);
}

#[test]
fn idle_workers_end_down_to_the_least_number() {
    let pool = ThreadPool::builder()
        .grow_on_demand(2..=5)
        .keep_alive(Duration::from_millis(1))
        .name("ebb")
        .build()
        .unwrap();
    for _ in 0..3 {
        meet(&pool, 5).into_iter().for_each(soon);
        until(|| pool.stats().workers == 2);
    }
    until(|| threads("ebb") == 2);
    assert_eq!(soon(pool.submit(|| 1).unwrap()), 1);
}

#[test]
fn no_task_is_stranded_by_a_worker_that_ends() {
    // Workers give up at once, all the time; each pair of tasks needs two of them.
    let pool = ThreadPool::builder()
        .grow_on_demand(1..=2)
        .keep_alive(Duration::ZERO)
        .build()
        .unwrap();
    for _ in 0..500 {
        meet(&pool, 2).into_iter().for_each(soon);
    }
}

#[test]
fn a_pool_can_be_resized() {
    let pool = ThreadPool::builder()
        .threads(1)
        .name("size")
        .build()
        .unwrap();
    pool.resize(4).unwrap();
    assert_eq!((pool.threads(), pool.stats().workers), (4, 4));
    meet(&pool, 4).into_iter().for_each(soon);
    pool.resize(2).unwrap();
    until(|| pool.stats().workers == 2);
    until(|| threads("size") == 2);
    meet(&pool, 2).into_iter().for_each(soon);
    let text = pool.resize(0).unwrap_err().to_string();
    assert_eq!(text, "a thread pool needs at least one thread");
}

#[test]
fn workers_that_are_busy_end_after_their_task() {
    let pool = ThreadPool::builder()
        .threads(3)
        .queue_bound(1)
        .build()
        .unwrap();
    let go = Arc::new(Event::new());
    let running: Vec<_> = (0..3)
        .map(|_| {
            let go = Arc::clone(&go);
            pool.submit(move || go.wait()).unwrap()
        })
        .collect();
    until(|| pool.stats().running == 3);
    let queued = pool.submit(|| ()).unwrap();
    // There is no room to tell anybody; they find out all the same.
    pool.resize(1).unwrap();
    go.set();
    until(|| pool.stats().workers == 1);
    soon(queued);
    running.into_iter().for_each(soon);
    soon(pool.submit(|| ()).unwrap());
}

#[test]
fn a_pool_that_grows_can_be_resized() {
    let pool = ThreadPool::builder().grow_on_demand(2..=3).build().unwrap();
    pool.resize(5).unwrap();
    meet(&pool, 5).into_iter().for_each(soon);
    pool.resize(1).unwrap();
    until(|| pool.stats().workers == 1);
    soon(pool.submit(|| ()).unwrap());
}

#[test]
fn a_pool_that_grows_starts_as_many_as_have_work() {
    let pool = ThreadPool::builder().grow_on_demand(1..=2).build().unwrap();
    let tasks = meet(&pool, 5);
    until(|| pool.stats().running == 2);
    pool.resize(5).unwrap();
    tasks.into_iter().for_each(soon);
}

#[test]
fn sizes_that_cannot_be_are_refused() {
    let refuse = |builder: brigade::Builder| builder.build().unwrap_err().to_string();
    assert_eq!(
        refuse(ThreadPool::builder().grow_on_demand(0..=1)),
        "a thread pool needs at least one thread"
    );
    #[allow(clippy::reversed_empty_ranges, reason = "it is refused")]
    let reversed = 3..=2;
    assert_eq!(
        refuse(ThreadPool::builder().grow_on_demand(reversed)),
        "a thread pool cannot have 3 threads at least and 2 at most"
    );
}

/// Each task waits for another, so many deep; how deep they got.
fn descend(pool: &Arc<ThreadPool>, depth: usize) -> usize {
    if depth == 0 {
        return 0;
    }
    let inner = Arc::clone(pool);
    let task = pool.submit(move || descend(&inner, depth - 1)).unwrap();
    match task.result() {
        Ok(below) => below + 1,
        Err(error) => {
            assert!(matches!(error, TaskError::WouldDeadlock));
            0
        }
    }
}

#[test]
fn spare_workers_stand_in_for_those_that_wait() {
    let pool = Arc::new(
        ThreadPool::builder()
            .threads(1)
            .spare_threads(3)
            .build()
            .unwrap(),
    );
    for _ in 0..20 {
        let inner = Arc::clone(&pool);
        let outer = pool.submit(move || descend(&inner, 3)).unwrap();
        assert_eq!(soon(outer), 3);
    }
    let inner = Arc::clone(&pool);
    let outer = pool.submit(move || descend(&inner, 4)).unwrap();
    assert_eq!(soon(outer), 3, "the fourth wait is one too many");
    until(|| pool.stats().workers == 1);
}

#[test]
fn a_pool_that_may_grow_does_so_rather_than_be_stuck() {
    let pool = Arc::new(ThreadPool::builder().grow_on_demand(1..=2).build().unwrap());
    let inner = Arc::clone(&pool);
    let outer = pool.submit(move || inner.submit(|| 1).unwrap().result());
    assert_eq!(soon(outer.unwrap()).unwrap(), 1);
}

#[test]
fn each_worker_is_initialized_and_finalized() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let (starts, stops) = (Arc::clone(&log), Arc::clone(&log));
    let pool = ThreadPool::builder()
        .threads(3)
        .on_start(move |number| starts.lock().unwrap().push(("start", number)))
        .on_stop(move |number| stops.lock().unwrap().push(("stop", number)))
        .build()
        .unwrap();
    let sorted = || {
        let mut log = log.lock().unwrap().clone();
        log.sort_unstable();
        log
    };
    assert_eq!(sorted(), [("start", 0), ("start", 1), ("start", 2)]);
    drop(pool);
    assert_eq!(sorted()[3..], [("stop", 0), ("stop", 1), ("stop", 2)]);
}

#[test]
fn a_pool_whose_initializer_panics_is_not_built() {
    let stopped = Arc::new(AtomicUsize::new(0));
    let stops = Arc::clone(&stopped);
    let error = ThreadPool::builder()
        .threads(3)
        .on_start(|number| assert_ne!(number, 2, "not this one"))
        .on_stop(move |_| {
            stops.fetch_add(1, Ordering::Relaxed);
        })
        .build()
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the initializer of thread number 2 panicked"
    );
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert!(source.contains("not this one"), "{source}");
    assert_eq!(stopped.load(Ordering::Relaxed), 2, "the others have ended");
}

#[test]
fn a_pool_goes_on_when_a_later_initializer_panics() {
    let pool = ThreadPool::builder()
        .grow_on_demand(1..=3)
        .on_start(|number| assert_ne!(number, 1, "not this one"))
        .build()
        .unwrap();
    let go = Arc::new(Event::new());
    let tasks: Vec<_> = (0..3)
        .map(|_| {
            let go = Arc::clone(&go);
            pool.submit(move || assert!(go.wait_timeout(LONG))).unwrap()
        })
        .collect();
    until(|| pool.stats().failed_starts == 1);
    go.set();
    tasks.into_iter().for_each(soon);
    soon(pool.submit(|| ()).unwrap());
}

/// A pool whose second worker takes its time, until `fail`, and then fails to start.
fn with_a_second_that_fails(threads: RangeInclusive<usize>, fail: &Arc<Event>) -> ThreadPool {
    let fail = Arc::clone(fail);
    ThreadPool::builder()
        .grow_on_demand(threads)
        .keep_alive(Duration::from_millis(1))
        .on_start(move |number| {
            if number == 1 {
                assert!(fail.wait_timeout(LONG));
                panic!("not this one");
            }
        })
        .build()
        .unwrap()
}

#[test]
fn an_idle_worker_does_not_rely_on_one_that_fails_to_start() {
    let (fail, go) = (Arc::new(Event::new()), Arc::new(Event::new()));
    let pool = with_a_second_that_fails(1..=2, &fail);
    let going = Arc::clone(&go);
    let first = pool.submit(move || going.wait()).unwrap();
    let second = pool.submit(|| ()).unwrap();
    until(|| pool.stats().workers == 2);
    go.set();
    [first, second].into_iter().for_each(soon);
    // Much longer than an idle worker is kept.
    assert!(!Event::new().wait_timeout(Duration::from_millis(50)));
    fail.set();
    until(|| pool.stats().failed_starts == 1);
    soon(pool.submit(|| ()).unwrap());
}

#[test]
fn a_worker_that_is_one_too_many_does_not_rely_on_one_that_fails_to_start() {
    let fail = Arc::new(Event::new());
    let pool = with_a_second_that_fails(1..=1, &fail);
    thread::scope(|threads| {
        let larger = threads.spawn(|| pool.resize(2));
        until(|| pool.stats().workers == 2);
        pool.resize(1).unwrap();
        soon(pool.submit(|| ()).unwrap());
        fail.set();
        assert!(larger.join().unwrap().is_err());
    });
    until(|| pool.stats().failed_starts == 1);
    soon(pool.submit(|| ()).unwrap());
}

#[test]
fn a_finalizer_that_panics_harms_nobody() {
    let pool = ThreadPool::builder()
        .threads(2)
        .on_stop(|_| panic!("at the end"))
        .build()
        .unwrap();
    soon(pool.submit(|| ()).unwrap());
    drop(pool);
}

#[test]
fn statistics_add_up() {
    let pool = ThreadPool::builder()
        .threads(2)
        .measure_time()
        .build()
        .unwrap();
    let go = Arc::new(Event::new());
    let running: Vec<_> = (0..2)
        .map(|_| {
            let go = Arc::clone(&go);
            pool.submit(move || go.wait()).unwrap()
        })
        .collect();
    until(|| pool.stats().running == 2);
    let queued = pool.submit(|| ()).unwrap();
    let cancelled = pool.submit(|| ()).unwrap();
    assert!(cancelled.cancel());
    let bad = pool.submit(|| panic!("counted")).unwrap();
    let stats = pool.stats();
    assert_eq!((stats.workers, stats.idle, stats.queued), (2, 0, 3));
    assert_eq!(stats.done + stats.panicked + stats.skipped, 0);
    assert!(!Event::new().wait_timeout(Duration::from_millis(5)));
    go.set();
    running.into_iter().for_each(soon);
    soon(queued);
    assert!(bad.result().is_err());
    // The one that was cancelled came before the one that panics; both workers may be at work.
    until(|| pool.stats().skipped == 1);
    until(|| pool.stats().idle == 2);
    let stats = pool.stats();
    assert_eq!((stats.running, stats.done, stats.panicked), (0, 3, 1));
    assert_eq!((stats.waited.count, stats.ran.count), (4, 4));
    assert!(stats.ran.max >= Duration::from_millis(5));
    assert!(stats.waited.max >= Duration::from_millis(5), "those behind");
    assert!(stats.ran.mean() <= stats.ran.max && stats.ran.max <= stats.ran.total);
}

#[test]
fn statistics_outlive_the_workers() {
    let pool = ThreadPool::builder().threads(3).build().unwrap();
    meet(&pool, 3).into_iter().for_each(soon);
    pool.resize(1).unwrap();
    until(|| pool.stats().workers == 1);
    assert_eq!(pool.stats().done, 3);
    assert_eq!(pool.stats().waited, brigade::Times::default());
}
