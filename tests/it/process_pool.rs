//! A pool of processes: what it is there for.

use std::sync::mpsc;

use brigade::{ProcessPool, Shutdown, TaskError};

use crate::harness::{LONG, OsThread, until};

fn pool(workers: usize) -> ProcessPool {
    ProcessPool::builder().workers(workers).build().unwrap()
}

#[test]
fn functions_run_in_other_processes() {
    let pool = pool(2);
    let task = pool.submit(std::process::id).unwrap();
    let pid = task.result().unwrap();
    assert!(pool.pids().contains(&pid));
    let task = pool.submit_with(
        |(a, b): (u32, String)| format!("{a}{b}"),
        (7, "up".to_owned()),
    );
    assert_eq!(task.unwrap().result().unwrap(), "7up");
}

#[test]
fn a_map_is_in_order() {
    let pool = pool(2);
    let squares = pool.map(0..10_000_u64, |n| n * n).into_values().unwrap();
    assert!(squares.iter().copied().eq((0..10_000).map(|n| n * n)));
}

#[test]
fn many_tasks_are_all_done() {
    let pool = pool(2);
    let tasks: Vec<_> = (0..20_000_u64)
        .map(|n| pool.submit_with(|n: u64| n + 1, n).unwrap())
        .collect();
    for (n, task) in tasks.into_iter().enumerate() {
        assert_eq!(task.result().unwrap(), n as u64 + 1);
    }
    assert_eq!(pool.stats().done, 20_000);
    until(|| pool.stats().outstanding == 0);
}

#[test]
fn long_arguments_and_results_travel() {
    let pool = pool(1);
    for length in [0, 1, 479, 480, 481, 4096, 1_000_000] {
        let bytes: Vec<u8> = (0..=250).cycle().take(length).collect();
        let task = pool
            .submit_with(|bytes: Vec<u8>| bytes, bytes.clone())
            .unwrap();
        assert_eq!(task.result().unwrap(), bytes);
    }
}

#[test]
fn a_panic_costs_one_task() {
    let pool = ProcessPool::builder()
        .workers(1)
        .name("poet")
        .build()
        .unwrap();
    let task = pool
        .submit(|| -> u32 { panic!("out of {}", "ideas") })
        .unwrap();
    let Err(TaskError::Panicked(panic)) = task.result() else {
        panic!("it has panicked");
    };
    assert_eq!(
        (panic.message(), panic.thread()),
        ("out of ideas", Some("poet-0"))
    );
    assert!(
        panic
            .location()
            .unwrap()
            .file()
            .ends_with("process_pool.rs")
    );
    assert_eq!(pool.submit(|| 1).unwrap().result().unwrap(), 1);
    assert_eq!(pool.stats().started, 1);
}

#[test]
fn a_lost_worker_costs_one_task() {
    let pool = ProcessPool::builder()
        .workers(1)
        .name("lost")
        .build()
        .unwrap();
    let lost = pool.submit(|| std::process::exit(7)).unwrap();
    let next = pool.submit(|| 2).unwrap();
    let lost: Result<(), _> = lost.result_timeout(LONG).unwrap();
    let Err(TaskError::WorkerLost(lost)) = lost else {
        panic!("its worker has ended: {lost:?}");
    };
    assert_eq!(
        (lost.worker(), lost.exit_code(), lost.attempts()),
        ("lost-0", Some(7), 1)
    );
    assert_eq!(next.result_timeout(LONG).unwrap().unwrap(), 2);
}

#[test]
fn who_waits_hears_of_a_shutdown_at_once() {
    let never = |()| loop {
        std::thread::park();
    };
    for terminate in [false, true] {
        let builder = ProcessPool::builder().grow_on_demand(0..=1);
        let pool = builder.initializer(never, ()).build().unwrap();
        let task = pool.submit(|| 1).unwrap();
        let (sender, answers) = mpsc::channel();
        let (tell, waiter) = mpsc::channel();
        std::thread::spawn(move || {
            tell.send(OsThread::current()).unwrap();
            sender.send(task.result()).unwrap();
        });
        let waiter = waiter.recv().unwrap();
        until(|| waiter.is_asleep());
        if terminate {
            pool.terminate();
        } else {
            pool.shutdown(Shutdown::Immediate);
        }
        let answer = answers.recv_timeout(LONG).unwrap();
        assert!(matches!(answer, Err(TaskError::Cancelled)), "{answer:?}");
    }
}
