//! `multiprocessing.Pool`, with threads.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use brigade::{
    Barrier, Event, Queue, Shutdown, SubmitError, SubmitTimeoutError, TaskError, ThreadPool,
    TrySubmitError,
};

use crate::harness::LONG;

/// `Pool()`. The trap: it hangs when a worker is lost. Nothing loses a thread, short of the process;
/// what comes closest, a panic, costs its own task and no worker.
#[test]
fn pool_has_one_worker_per_cpu() {
    let cpus = thread::available_parallelism().unwrap().get();
    let pool = ThreadPool::new().unwrap();
    assert_eq!(pool.threads(), cpus);

    for _ in 0..2 * cpus {
        let bad = pool.submit(|| panic!("a worker comes to grief")).unwrap();
        let result: Result<(), _> = bad.result_timeout(LONG).unwrap();
        assert!(matches!(result, Err(TaskError::Panicked(_))));
    }

    // All workers are there, at the same time.
    let all = Arc::new(Barrier::new(cpus.try_into().unwrap()));
    let tasks: Vec<_> = (0..cpus)
        .map(|_| {
            let all = Arc::clone(&all);
            pool.submit(move || all.wait_timeout(LONG).is_some())
                .unwrap()
        })
        .collect();
    for task in tasks {
        assert!(task.result().unwrap(), "a worker is missing");
    }
}

/// `apply_async`, `map`, `imap`, `imap_unordered`, `starmap`, callbacks. The trap: a backlog without bound.
#[test]
fn apply_async_map_imap_unordered_starmap_callbacks() {
    let pool = ThreadPool::builder()
        .threads(2)
        .queue_bound(4)
        .build()
        .unwrap();
    let square = |n: u32| n * n;

    // `apply_async`, with callbacks for what goes well and what does not.
    let task = pool.submit(move || square(7)).unwrap();
    assert_eq!(task.result_timeout(LONG).unwrap().unwrap(), 49);
    let called = Arc::new(Queue::unbounded());
    for n in [8, 0] {
        let called = Arc::clone(&called);
        let task = pool.submit(move || 64_u32.checked_div(n).unwrap()).unwrap();
        task.on_done(move |result| called.put(result.is_ok()).unwrap());
    }
    let mut outcomes = [(); 2].map(|()| called.get_timeout(LONG).unwrap());
    outcomes.sort_unstable();
    assert_eq!(outcomes, [false, true]);

    // `map` waits for all, `imap` gives them one by one in order, `imap_unordered` in any order.
    let squares: Result<Vec<_>, _> = pool.map(0..100, square).collect();
    assert!(squares.unwrap().into_iter().eq((0..100).map(square)));
    for (n, result) in pool.map(0..10, square).enumerate() {
        assert_eq!(result.unwrap(), square(n.try_into().unwrap()));
    }
    let squares: Result<Vec<_>, _> = pool.map_unordered(0..100, square).collect();
    let mut squares = squares.unwrap();
    squares.sort_unstable();
    assert!(squares.into_iter().eq((0..100).map(square)));

    // The first to be ready comes first, though it was not the first to be begun.
    let second = Arc::new(Event::new());
    let is_ready = Arc::clone(&second);
    let slow_first = move |n| n == 1 || is_ready.wait_timeout(LONG);
    let mut results = pool
        .map_unordered(0..2, move |n| (n, slow_first(n)))
        .chunk(1);
    assert_eq!(results.next().unwrap().unwrap(), (1, true));
    second.set();
    assert_eq!(results.next().unwrap().unwrap(), (0, true));
    assert!(results.next().is_none());
    drop(results);

    // `starmap`
    let areas: Result<Vec<u32>, _> = pool.map([(2, 3), (4, 5)], |(a, b)| a * b).collect();
    assert_eq!(areas.unwrap(), [6, 20]);

    // No backlog: an input without end is looked at as far as was said,
    let taken = Cell::new(0);
    let endless = (0..).inspect(|_| taken.set(taken.get() + 1));
    let mut results = pool.map(endless, square).look_ahead(3);
    for n in 0..100 {
        assert_eq!(results.next().unwrap().unwrap(), square(n));
        assert!(taken.get() <= n + 3, "{} taken for {n}", taken.get());
    }
    drop(results);
    // and who submits more than the queue may hold is told, or waits.
    let (go, begun) = (Arc::new(Event::new()), Arc::new(Queue::unbounded()));
    let work = || {
        let (go, begun) = (Arc::clone(&go), Arc::clone(&begun));
        move || {
            begun.put(()).unwrap();
            go.wait_timeout(LONG)
        }
    };
    let mut tasks: Vec<_> = (0..2).map(|_| pool.submit(work()).unwrap()).collect();
    for _ in 0..2 {
        begun.get_timeout(LONG).unwrap();
    }
    tasks.extend((0..4).map(|_| pool.submit(work()).unwrap()));
    assert!(matches!(
        pool.try_submit(work()),
        Err(TrySubmitError::Full(_))
    ));
    assert!(matches!(
        pool.submit_timeout(work(), Duration::from_millis(5)),
        Err(SubmitTimeoutError::Timeout(_))
    ));
    go.set();
    for task in tasks {
        assert!(task.result().unwrap());
    }
}

/// `close`, `join`, `terminate`. The trap: `terminate` deadlocks, and leaving `with Pool()` is one.
#[test]
fn close_join_terminate() {
    // `close` and `join`: all that was submitted is run.
    let pool = ThreadPool::builder().threads(2).build().unwrap();
    let ran = Arc::new(AtomicU32::new(0));
    let work = |ran: &Arc<AtomicU32>| {
        let ran = Arc::clone(ran);
        move || ran.fetch_add(1, Relaxed)
    };
    for _ in 0..100 {
        pool.submit(work(&ran)).unwrap().detach();
    }
    pool.shutdown(Shutdown::Drain);
    assert!(pool.join_timeout(LONG).unwrap());
    pool.join().unwrap();
    assert_eq!(ran.load(Relaxed), 100);

    // Work that comes too late is not lost, it comes back.
    let Err(SubmitError::ShutDown(closure)) = pool.submit(|| 1) else {
        panic!("the pool is shut down");
    };
    assert_eq!(closure(), 1);
    assert!(matches!(
        pool.try_submit(|| 1),
        Err(TrySubmitError::ShutDown(_))
    ));
    assert!(matches!(
        pool.submit_timeout(|| 1, LONG),
        Err(SubmitTimeoutError::ShutDown(_))
    ));

    // `terminate`: what runs is finished, the rest is handed back; it may be run elsewhere.
    let pool = ThreadPool::builder().threads(1).build().unwrap();
    let go = Arc::new(Event::new());
    let began = Arc::new(Event::new());
    let running = pool.submit({
        let (go, began) = (Arc::clone(&go), Arc::clone(&began));
        move || {
            began.set();
            go.wait_timeout(LONG)
        }
    });
    assert!(began.wait_timeout(LONG));
    let rescued = pool.submit(work(&ran)).unwrap();
    let dropped = pool.submit(work(&ran)).unwrap();
    let mut left = pool.shutdown(Shutdown::Immediate).into_iter();
    go.set();
    assert!(pool.join_timeout(LONG).unwrap());
    assert!(running.unwrap().result().unwrap());
    left.next().unwrap().run();
    drop(left);
    assert_eq!(rescued.result().unwrap(), 100);
    assert!(matches!(dropped.result(), Err(TaskError::Cancelled)));

    // Leaving the scope is `close` and `join`.
    {
        let pool = ThreadPool::builder().threads(2).build().unwrap();
        for _ in 0..100 {
            pool.submit(work(&ran)).unwrap().detach();
        }
    }
    assert_eq!(ran.load(Relaxed), 201);
}

/// `terminate` while tasks are being submitted, run, and waited for: everybody is told.
#[test]
fn terminate_in_the_middle() {
    let pool = ThreadPool::builder()
        .threads(2)
        .queue_bound(2)
        .build()
        .unwrap();
    let begun = Queue::unbounded();
    thread::scope(|scope| {
        let (pool, begun) = (&pool, &begun);
        let submitters: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(move || {
                    while let Ok(task) = pool.submit(|| ()) {
                        begun.put(()).unwrap();
                        match task.result_timeout(LONG).expect("somebody ends it") {
                            Ok(()) => {}
                            Err(TaskError::Cancelled) => return,
                            Err(other) => panic!("{other}"),
                        }
                    }
                })
            })
            .collect();
        for _ in 0..100 {
            begun.get_timeout(LONG).unwrap();
        }
        drop(pool.shutdown(Shutdown::Immediate));
        for submitter in submitters {
            submitter.join().unwrap();
        }
    });
    assert!(pool.join_timeout(LONG).unwrap());
}
