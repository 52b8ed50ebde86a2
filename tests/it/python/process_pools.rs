//! `multiprocessing.Pool` and `concurrent.futures.ProcessPoolExecutor`, with processes.

use std::cell::Cell;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use brigade::shared::{Barrier, Event};
use brigade::{
    Executor, ProcessPool, Queue, ReturnWhen, Shutdown, SubmitError, TaskError, ThreadPool,
    as_completed, process, wait,
};

use crate::harness::{LONG, until};

const SOON: Duration = Duration::from_millis(5);

fn square(n: u32) -> u32 {
    n * n
}

#[allow(
    clippy::needless_pass_by_value,
    reason = "a worker is handed its argument"
)]
fn meet(all: Barrier) -> bool {
    matches!(all.wait_timeout(LONG), Ok(Some(_)))
}

fn die(signal: i32) {
    // SAFETY: sends a signal to this process, a worker.
    unsafe { libc::raise(signal) };
}

/// `Pool()`. The trap: it hangs when a worker is killed. Here that costs one task, which tells how, and
/// another worker takes its place.
#[test]
fn process_pool_has_one_worker_per_cpu_and_survives_the_loss_of_any() {
    let cpus = thread::available_parallelism().unwrap().get();
    let pool = ProcessPool::new().unwrap();
    assert_eq!(pool.workers(), cpus);

    // All workers are there, at the same time, and once more when each of them was killed.
    for _ in 0..2 {
        let all = Barrier::new(cpus.try_into().unwrap()).unwrap();
        let tasks: Vec<_> = (0..cpus)
            .map(|_| pool.submit_with(meet, all.clone()).unwrap())
            .collect();
        for task in tasks {
            assert!(task.result().unwrap(), "a worker is missing");
        }
        for _ in 0..cpus {
            let killed = pool.submit_with(die, libc::SIGKILL).unwrap();
            let Err(TaskError::WorkerLost(lost)) = killed.result_timeout(LONG).unwrap() else {
                panic!("its worker is dead");
            };
            assert_eq!(lost.signal(), Some(libc::SIGKILL));
            assert!(lost.worker().starts_with("worker-"));
        }
    }
    assert_eq!(pool.submit_with(square, 7).unwrap().result().unwrap(), 49);
    assert_eq!(pool.stats().lost, 2 * cpus);
}

/// `apply_async`, `map`, `imap`, `imap_unordered`, `starmap`, callbacks, `initializer`, `maxtasksperchild`.
/// The trap: a backlog without bound.
#[test]
fn apply_async_map_imap_unordered_starmap_callbacks_in_processes() {
    static OFFSET: OnceLock<u32> = OnceLock::new();

    let pool = ProcessPool::builder()
        .workers(2)
        .queue_bound(4)
        .initializer(|offset| OFFSET.set(offset).unwrap(), 100)
        .tasks_per_worker(50)
        .build()
        .unwrap();

    // `apply_async`, with callbacks for what goes well and what does not.
    let task = pool.submit_with(|n| n + OFFSET.get().unwrap(), 7).unwrap();
    assert_eq!(task.result_timeout(LONG).unwrap().unwrap(), 107);
    let called = Arc::new(Queue::unbounded());
    for n in [8, 0] {
        let called = Arc::clone(&called);
        let task = pool.submit_with(|n| 64_u32.checked_div(n).unwrap(), n);
        task.unwrap()
            .on_done(move |result| called.put(result.is_ok()).unwrap());
    }
    let mut outcomes = [(); 2].map(|()| called.get_timeout(LONG).unwrap());
    outcomes.sort_unstable();
    assert_eq!(outcomes, [false, true]);

    // `map` waits for all, `imap` gives them one by one in order, `imap_unordered` in any order.
    let squares: Result<Vec<_>, _> = pool.map(0..200, square).collect();
    assert!(squares.unwrap().into_iter().eq((0..200).map(square)));
    for (n, result) in pool.map(0..10, square).chunk(1).enumerate() {
        assert_eq!(result.unwrap(), square(n.try_into().unwrap()));
    }
    let squares: Result<Vec<_>, _> = pool.map_unordered(0..200, square).collect();
    let mut squares = squares.unwrap();
    squares.sort_unstable();
    assert!(squares.into_iter().eq((0..200).map(square)));

    // The first to be ready comes first, though it was not the first to be begun.
    let second = Event::new().unwrap();
    let items = [(0, second.clone()), (1, second.clone())];
    let slow_first = |(n, second): (u32, Event)| (n, n == 1 || second.wait_timeout(LONG));
    let mut results = pool.map_unordered(items, slow_first).chunk(1);
    assert_eq!(results.next().unwrap().unwrap(), (1, true));
    second.set();
    assert_eq!(results.next().unwrap().unwrap(), (0, true));
    assert!(results.next().is_none());
    drop(results);

    // `starmap`
    let areas: Result<Vec<u32>, _> = pool.map([(2, 3), (4, 5)], |(a, b)| a * b).collect();
    assert_eq!(areas.unwrap(), [6, 20]);

    // No backlog: an input without end is looked at as far as was said.
    let taken = Cell::new(0);
    let endless = (0..).inspect(|_| taken.set(taken.get() + 1));
    let mut results = pool.map(endless, square).look_ahead(3);
    for n in 0..100 {
        assert_eq!(results.next().unwrap().unwrap(), square(n));
        assert!(taken.get() <= n + 3, "{} taken for {n}", taken.get());
    }
}

/// `close`, `join`, `terminate`. The trap: `terminate` deadlocks, and leaving `with Pool()` is one.
#[test]
fn close_join_terminate_of_processes() {
    // `close` and `join`: all that was submitted is run, and then no worker is left.
    let pool = ProcessPool::builder().workers(2).build().unwrap();
    let tasks: Vec<_> = (0..100)
        .map(|n| pool.submit_with(square, n).unwrap())
        .collect();
    pool.shutdown(Shutdown::Drain);
    assert!(pool.join_timeout(LONG).unwrap());
    assert!(pool.pids().is_empty());
    assert!(tasks.into_iter().all(|task| task.result().is_ok()));
    // What comes too late comes back.
    assert!(matches!(
        pool.submit_with(square, 5),
        Err(SubmitError::ShutDown(5))
    ));

    // `terminate`: also what runs is ended, and everybody who waits is told.
    let pool = ProcessPool::builder().workers(2).build().unwrap();
    let begun = Barrier::new(3).unwrap();
    let hang = |begun: Barrier| {
        meet(begun);
        loop {
            thread::park();
        }
    };
    let running = [(); 2].map(|()| pool.submit_with(hang, begun.clone()).unwrap());
    let queued = pool.submit_with(square, 3).unwrap();
    assert!(meet(begun));
    pool.terminate();
    assert!(pool.join_timeout(LONG).unwrap());
    assert!(pool.pids().is_empty());
    for task in running {
        let result: Result<(), _> = task.result();
        assert!(matches!(result, Err(TaskError::Cancelled)));
    }
    assert!(matches!(queued.result(), Err(TaskError::Cancelled)));

    // Leaving the scope is `close` and `join`.
    let task = {
        let pool = ProcessPool::builder().workers(1).build().unwrap();
        pool.submit_with(square, 9).unwrap()
    };
    assert!(task.is_done());
    assert_eq!(task.result().unwrap(), 81);
}

/// What is asked of any executor: `submit`, `map`, `wait`, `as_completed`, and a failure that stays where it
/// is.
fn futures(executor: &impl Executor) {
    assert_eq!(
        executor.submit_with(square, 7).unwrap().result().unwrap(),
        49
    );
    let squares: Result<Vec<_>, _> = executor.map(0..4, square).collect();
    assert_eq!(squares.unwrap(), [0, 1, 4, 9]);
    let not_one = |n| if n == 1 { panic!("not me") } else { n };
    let results: Vec<_> = executor.map(0..4, not_one).map(Result::ok).collect();
    assert_eq!(results, [Some(0), None, Some(2), Some(3)]);

    let submit = |n| executor.submit_with(square, n).unwrap();
    let both = wait((0..4).map(submit).collect::<Vec<_>>(), ReturnWhen::First);
    assert!(!both.done.is_empty());
    let tasks = both.done.into_iter().chain(both.not_done);
    let total: u32 = as_completed(tasks).map(|(_, n)| n.unwrap()).sum();
    assert_eq!(total, 14);
    executor.shutdown(Shutdown::Drain);
    assert!(executor.join_timeout(LONG).unwrap());
    assert!(executor.submit(|| 1).is_err());
}

/// `ThreadPoolExecutor` and `ProcessPoolExecutor` at the same call site. The trap: the latter breaks as a
/// whole when a worker dies.
#[test]
fn process_pool_executor_submit_map_wait_as_completed() {
    futures(&ThreadPool::new().unwrap());
    futures(&ProcessPool::new().unwrap());

    let pool = ProcessPool::builder().workers(2).build().unwrap();
    let go = Event::new().unwrap();
    let pending = |go: &Event| pool.submit_with(|go: Event| go.wait_timeout(LONG), go.clone());
    let running = pending(&go).unwrap();
    let killed = pool.submit_with(die, libc::SIGSEGV).unwrap();
    assert!(matches!(
        killed.result_timeout(LONG).unwrap(),
        Err(TaskError::WorkerLost(_))
    ));
    // Others, begun before and after, know nothing of it.
    let after = pool.submit_with(square, 3).unwrap();
    assert_eq!(after.result_timeout(LONG).unwrap().unwrap(), 9);
    let running = running.result_timeout(SOON).unwrap_err();
    go.set();
    assert!(running.result().unwrap());

    // `cancel`, also of one that runs.
    let never = Event::new().unwrap();
    let running = pending(&never).unwrap();
    until(|| pool.stats().running == 1);
    assert!(running.cancel());
    assert!(matches!(
        running.result_timeout(LONG).unwrap(),
        Err(TaskError::Cancelled)
    ));
}

/// `logging` with `%(processName)s`: what a worker says and how it fails has its name.
#[test]
fn workers_have_names() {
    let pool = ProcessPool::builder()
        .workers(1)
        .name("row-worker")
        .build()
        .unwrap();
    let name = pool.submit(|| process::current_name().to_owned()).unwrap();
    assert_eq!(name.result().unwrap(), "row-worker-0");
    let thread = pool.submit(|| thread::current().name().map(String::from));
    let thread = thread.unwrap().result().unwrap();
    assert_eq!(thread.as_deref(), Some("row-worker-0"));
    let failed = pool.submit(|| -> u32 { panic!("no spade") }).unwrap();
    let Err(TaskError::Panicked(panic)) = failed.result() else {
        panic!("it panicked");
    };
    assert_eq!(panic.thread(), Some("row-worker-0"));
    let pid = pool.pids()[0];
    let comm = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap();
    assert_eq!(comm.trim_end(), "row-worker-0");
}
