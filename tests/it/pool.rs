//! Thread pools.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use brigade::{
    Event, Shutdown, SubmitError, SubmitTimeoutError, Task, TaskError, ThreadPool, TrySubmitError,
};

use crate::harness::{LONG, OsThread, until};

/// A pool of one worker, which is running a task that waits for the event.
pub(crate) fn held_back(release: &Arc<Event>) -> (ThreadPool, Task<()>) {
    let pool = ThreadPool::builder().threads(1).build().unwrap();
    let begun = Arc::new(Event::new());
    let holder = {
        let (begun, release) = (Arc::clone(&begun), Arc::clone(release));
        pool.submit(move || {
            begun.set();
            release.wait();
        })
        .unwrap()
    };
    assert!(begun.wait_timeout(LONG));
    (pool, holder)
}

/// What the task panicked with.
pub(crate) fn message<T: std::fmt::Debug>(result: Result<T, TaskError>) -> String {
    match result {
        Err(TaskError::Panicked(panic)) => panic.message().into(),
        other => panic!("expected a panic, got {other:?}"),
    }
}

#[test]
fn draining_runs_what_is_queued() {
    let release = Arc::new(Event::new());
    let (pool, holder) = held_back(&release);
    let tasks: Vec<_> = (0..10).map(|n| pool.submit(move || n).unwrap()).collect();
    assert!(pool.shutdown(Shutdown::Drain).is_empty());
    assert!(
        !pool.join_timeout(Duration::from_millis(5)).unwrap(),
        "the holder still runs"
    );
    let refused = pool.submit(|| "mine").unwrap_err();
    assert!(matches!(refused, SubmitError::ShutDown(_)));
    assert_eq!(
        refused.into_inner()(),
        "mine",
        "after a shutdown the closure comes back"
    );
    assert!(matches!(
        pool.try_submit(|| ()),
        Err(TrySubmitError::ShutDown(_))
    ));
    release.set();
    assert!(pool.join_timeout(LONG).unwrap());
    pool.join().unwrap();
    holder.result().unwrap();
    for (n, task) in tasks.into_iter().enumerate() {
        assert!(task.is_done());
        assert_eq!(task.result().unwrap(), n);
    }
}

#[test]
fn an_immediate_shutdown_hands_back_what_is_queued() {
    let release = Arc::new(Event::new());
    let (pool, holder) = held_back(&release);
    let tasks: Vec<_> = (0..4).map(|n| pool.submit(move || n).unwrap()).collect();
    let mut cancelled = pool.shutdown(Shutdown::Immediate).into_iter();
    assert_eq!(cancelled.len(), 4);
    assert_eq!(pool.queued(), 0);
    release.set();
    pool.join().unwrap();
    holder.result().unwrap();
    let mut tasks = tasks.into_iter();

    let task = tasks.next().unwrap();
    let task = task
        .result_timeout(Duration::ZERO)
        .expect_err("its fate is open");
    cancelled.next().unwrap().run();
    assert_eq!(task.result().unwrap(), 0, "the oldest first, and by hand");

    let task = tasks.next().unwrap();
    drop(cancelled.next());
    assert!(matches!(task.result(), Err(TaskError::Cancelled)));

    let task = tasks.next().unwrap();
    assert!(task.cancel());
    cancelled.next().unwrap().run();
    assert!(
        matches!(task.result(), Err(TaskError::Cancelled)),
        "cancelled before it was run"
    );

    drop(cancelled);
    assert!(matches!(
        tasks.next().unwrap().result(),
        Err(TaskError::Cancelled)
    ));
}

#[test]
fn submitters_that_wait_for_room_get_their_closure_back() {
    let release = Arc::new(Event::new());
    let pool = ThreadPool::builder()
        .threads(1)
        .queue_bound(1)
        .build()
        .unwrap();
    let holder = {
        let release = Arc::clone(&release);
        pool.submit(move || release.wait()).unwrap()
    };
    until(|| pool.queued() == 0);
    let queued = pool.submit(|| 1).unwrap();
    assert!(matches!(
        pool.try_submit(|| ()),
        Err(TrySubmitError::Full(_))
    ));
    let Err(SubmitTimeoutError::Timeout(closure)) =
        pool.submit_timeout(|| 2, Duration::from_millis(5))
    else {
        panic!("there was no room");
    };
    assert_eq!(closure(), 2);
    thread::scope(|scope| {
        let (sender, threads) = mpsc::channel();
        let waiting = scope.spawn(|| {
            let sender = sender;
            sender.send(OsThread::current()).unwrap();
            let refused = pool.submit(|| 3).unwrap_err();
            assert!(matches!(refused, SubmitError::ShutDown(_)));
            refused.into_inner()()
        });
        let submitter = threads.recv().unwrap();
        until(|| submitter.is_asleep());
        pool.shutdown(Shutdown::Drain);
        assert_eq!(waiting.join().unwrap(), 3);
    });
    release.set();
    pool.join().unwrap();
    holder.result().unwrap();
    assert_eq!(queued.result().unwrap(), 1);
}

#[test]
fn shutdown_among_submitters_accounts_for_every_closure() {
    for how in [Shutdown::Drain, Shutdown::Immediate] {
        let pool = ThreadPool::builder()
            .threads(2)
            .queue_bound(2)
            .build()
            .unwrap();
        let ran = Arc::new(AtomicUsize::new(0));
        let (results, cancelled, refused, handed_back) = thread::scope(|scope| {
            let submitters: Vec<_> = (0..3)
                .map(|_| {
                    scope.spawn(|| {
                        let mut tasks = Vec::new();
                        let mut refused = 0;
                        while refused < 3 {
                            let ran = Arc::clone(&ran);
                            match pool.submit(move || ran.fetch_add(1, Ordering::Relaxed)) {
                                Ok(task) => tasks.push(task),
                                Err(error) => {
                                    assert!(matches!(error, SubmitError::ShutDown(_)));
                                    refused += 1;
                                }
                            }
                        }
                        let total = tasks.len();
                        let results = tasks.into_iter().map(Task::result);
                        let good = results.flatten().count();
                        (good, total - good, refused)
                    })
                })
                .collect();
            until(|| ran.load(Ordering::Relaxed) > 50);
            let handed_back = pool.shutdown(how).len();
            let mut sum = (0, 0, 0);
            for submitter in submitters {
                let (good, cancelled, refused) = submitter.join().unwrap();
                sum = (sum.0 + good, sum.1 + cancelled, sum.2 + refused);
            }
            (sum.0, sum.1, sum.2, handed_back)
        });
        pool.join().unwrap();
        assert_eq!(results, ran.load(Ordering::Relaxed));
        assert_eq!(cancelled, handed_back, "{how:?}");
        assert_eq!(refused, 9);
        assert!(how == Shutdown::Immediate || cancelled == 0);
    }
}

#[test]
fn an_idle_pool_uses_no_processor_time() {
    let pool = ThreadPool::builder().threads(2).build().unwrap();
    let meet = Arc::new(std::sync::Barrier::new(2));
    let tasks: Vec<_> = (0..2)
        .map(|_| {
            let meet = Arc::clone(&meet);
            pool.submit(move || {
                meet.wait();
                OsThread::current()
            })
            .unwrap()
        })
        .collect();
    let workers: Vec<_> = tasks
        .into_iter()
        .map(|task| task.result().unwrap())
        .collect();
    let never = Event::new();
    until(|| {
        // Workers that wake up by themselves, however seldom, run in each such pause.
        let effort = || workers.iter().map(OsThread::effort).collect::<Vec<_>>();
        let before = effort();
        assert!(!never.wait_timeout(Duration::from_millis(100)));
        effort() == before
    });
}

#[test]
fn workers_have_their_names() {
    let pool = ThreadPool::builder()
        .threads(2)
        .name("named")
        .build()
        .unwrap();
    let seen = pool
        .submit(|| OsThread::current().name())
        .unwrap()
        .result()
        .unwrap();
    assert!(
        ["named-0", "named-1"].contains(&seen.as_str()),
        "the system sees {seen}"
    );
    until(|| OsThread::exists("named-0") && OsThread::exists("named-1"));
    drop(pool);
    assert!(
        !OsThread::exists("named-0"),
        "dropping waits for the threads"
    );
}

#[test]
fn a_pool_may_be_dropped_by_its_own_worker() {
    for _ in 0..50 {
        let pool = Arc::new(ThreadPool::builder().threads(2).build().unwrap());
        let go = Arc::new(Event::new());
        let last = {
            let (pool, go) = (Arc::clone(&pool), Arc::clone(&go));
            pool.clone().submit(move || {
                go.wait();
                drop(pool);
            })
        };
        let queued: Vec<_> = (0..10).map(|n| pool.submit(move || n).unwrap()).collect();
        drop(pool);
        go.set();
        let last = last.unwrap().result_timeout(LONG);
        assert!(matches!(last, Ok(Ok(()))), "the worker waits for itself");
        for task in queued {
            task.result_timeout(LONG).unwrap().unwrap();
        }
    }
}

#[test]
fn a_pool_that_cannot_be_says_why() {
    let text = |builder: brigade::Builder| builder.build().unwrap_err().to_string();
    let builder = ThreadPool::builder;
    assert_eq!(
        text(builder().threads(0)),
        "a thread pool needs at least one thread"
    );
    assert_eq!(
        text(builder().queue_bound(0)),
        "a thread pool's queue must have room for at least one"
    );
    assert_eq!(
        text(builder().queue_bound((1 << 28) + 1)),
        "a bounded queue holds at most 2^28 items, not 268435457"
    );
    assert_eq!(
        text(builder().name("nul\0")),
        "the name of a thread cannot contain a zero byte"
    );
    let error: std::io::Error = builder().threads(0).build().unwrap_err().into();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}

#[test]
fn threads_that_cannot_start_take_the_others_down() {
    // Sixteen tebibytes of stack each: the address space has room for a few.
    let error = ThreadPool::builder()
        .threads(1_000)
        .name("doomed")
        .stack_size(1 << 44)
        .build()
        .unwrap_err();
    assert!(
        error.to_string().starts_with("cannot start thread number "),
        "{error}"
    );
    assert!(std::error::Error::source(&error).is_some());
    assert!(
        !OsThread::exists("doomed-0"),
        "those that were started have ended"
    );
}

/// Counts the allocations of each thread.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: all work is the system allocator's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on; `pointer` came from `alloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[test]
fn a_task_is_one_allocation() {
    let count = || ALLOCATIONS.with(Cell::get);
    let pool = ThreadPool::builder()
        .threads(1)
        .queue_bound(8)
        .build()
        .unwrap();
    let run = |n: usize| pool.submit(move || n).unwrap().result().unwrap();
    let of_worker = || pool.submit(count).unwrap().result().unwrap();
    for warm_up in 0..10 {
        run(warm_up);
    }
    let (here, there) = (count(), of_worker());
    for n in 0..100 {
        assert_eq!(run(n), n);
    }
    assert_eq!(of_worker() - there, 0, "running a task allocates nothing");
    // The two questions to the worker are tasks as well.
    assert_eq!(count() - here, 102);
}
