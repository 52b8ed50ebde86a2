//! `multiprocessing.Pool`, with threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::thread;

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
