//! A pool of processes whose workers die, in whichever way and at whichever moment: each death costs the
//! task that the worker was running, which is told, and nothing else.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::{Stdio, abort, exit};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{fs, hint, process, thread};

use brigade::process::Builder;
use brigade::{ProcessPool, Shutdown, Task, TaskError, WorkerLost};
use rustix::process::{Pid, Signal, kill_process};
use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use crate::harness::{LONG, until};

fn pool(workers: usize) -> ProcessPool {
    ProcessPool::builder().workers(workers).build().unwrap()
}

fn signal(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(pid.try_into().unwrap()).unwrap();
    let _ = kill_process(pid, signal);
}

fn die() -> ! {
    signal(process::id(), Signal::KILL);
    loop {
        thread::park();
    }
}

/// The result of a task, which comes in any case.
fn result<T>(task: Task<T>) -> Result<T, TaskError> {
    let Ok(result) = task.result_timeout(LONG) else {
        panic!("the task hangs");
    };
    result
}

fn lost<T>(task: Task<T>) -> WorkerLost {
    match result(task) {
        Err(TaskError::WorkerLost(lost)) => lost,
        Err(error) => panic!("it failed otherwise: {error}"),
        Ok(_) => panic!("its worker was to be lost"),
    }
}

/// Whether the process runs or sleeps; not if it is stopped, dead or not there.
fn state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// Still works, with so many workers.
fn is_sound(pool: &ProcessPool, workers: usize) {
    let tasks: Vec<_> = (0..100_u32)
        .map(|n| pool.submit_with(|n| n + 1, n).unwrap())
        .collect();
    for (n, task) in (0..).zip(tasks) {
        assert_eq!(result(task).unwrap(), n + 1);
    }
    until(|| {
        let stats = pool.stats();
        (stats.workers, stats.outstanding) == (workers, 0)
    });
}

/// Kills the process that reads it.
struct DiesBeingRead;

impl Serialize for DiesBeingRead {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for DiesBeingRead {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        die()
    }
}

/// Kills the process that writes it.
struct DiesBeingWritten;

impl Serialize for DiesBeingWritten {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        die()
    }
}

impl<'de> Deserialize<'de> for DiesBeingWritten {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        unreachable!("it was never written")
    }
}

#[test]
fn a_death_while_the_argument_is_read() {
    let pool = pool(1);
    let task = pool.submit_with(|_: DiesBeingRead| (), DiesBeingRead);
    assert_eq!(lost(task.unwrap()).signal(), Some(9));
    is_sound(&pool, 1);
}

#[test]
fn a_death_while_the_result_is_written() {
    let pool = pool(1);
    let task = pool.submit(|| DiesBeingWritten).unwrap();
    assert_eq!(lost(task).signal(), Some(9));
    is_sound(&pool, 1);
}

#[test]
fn deaths_in_the_task() {
    fn overflow(depth: u64) -> u64 {
        let room = hint::black_box([depth; 64]);
        if room[7] == u64::MAX {
            return 0;
        }
        overflow(depth + 1) + room[7]
    }

    let pool = pool(2);
    let task = pool.submit(|| -> () { die() }).unwrap();
    assert_eq!(lost(task).signal(), Some(libc::SIGKILL));
    let task = pool.submit(|| -> () { abort() }).unwrap();
    assert_eq!(lost(task).signal(), Some(libc::SIGABRT));
    let task = pool.submit(|| -> () { exit(0) }).unwrap();
    assert_eq!(lost(task).exit_code(), Some(0));
    let task = pool.submit(|| overflow(0)).unwrap();
    assert!(lost(task).signal().is_some());
    let task = pool.submit(|| signal(process::id(), Signal::TERM)).unwrap();
    assert_eq!(lost(task).signal(), Some(libc::SIGTERM));
    let stats = pool.stats();
    assert_eq!((stats.lost, stats.retried), (5, 0));
    is_sound(&pool, 2);
}

#[test]
fn idle_workers_that_die_are_replaced() {
    let pool = pool(2);
    is_sound(&pool, 2);
    for pid in pool.pids() {
        signal(pid, Signal::KILL);
    }
    until(|| pool.stats().started == 4);
    is_sound(&pool, 2);
    assert_eq!(pool.stats().lost, 0);
}

#[test]
fn workers_that_kill_each_other() {
    let pool = pool(3);
    let endless = |()| -> () {
        loop {
            thread::park();
        }
    };
    let victims: Vec<_> = (0..2)
        .map(|_| pool.submit_with(endless, ()).unwrap())
        .collect();
    until(|| pool.stats().running == 2);
    let murder = |pids: Vec<u32>| {
        let others = pids.into_iter().filter(|&pid| pid != process::id());
        others.inspect(|&pid| signal(pid, Signal::KILL)).count()
    };
    let murderer = pool.submit_with(murder, pool.pids()).unwrap();
    assert_eq!(result(murderer).unwrap(), 2);
    for victim in victims {
        assert_eq!(lost(victim).signal(), Some(9));
    }
    is_sound(&pool, 3);
}

#[test]
fn a_task_is_run_again_and_again_but_not_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("begun");
    let dies_twice = |file: PathBuf| {
        let mut begun = fs::read(&file).unwrap_or_default();
        begun.push(b'.');
        fs::write(&file, &begun).unwrap();
        if begun.len() < 3 {
            die();
        }
        begun.len()
    };
    let pool = ProcessPool::builder()
        .workers(2)
        .retries(2)
        .build()
        .unwrap();
    let task = pool.submit_with(dies_twice, file.clone()).unwrap();
    assert_eq!(result(task).unwrap(), 3);
    assert_eq!(pool.stats().retried, 2);

    // Its own terms come before the pool's.
    fs::remove_file(&file).unwrap();
    let task = pool.submission().retries(1);
    let lost = lost(task.submit_with(dies_twice, file).unwrap());
    assert_eq!((lost.attempts(), lost.signal()), (2, Some(9)));
    let told = "was killed by SIGKILL during the task, which was begun 2 times";
    assert!(lost.to_string().ends_with(told), "{lost}");
    // A long argument is still there for the second time.
    let long = vec![7_u8; 100_000];
    let task = pool.submit_with(
        |(file, bytes): (std::path::PathBuf, Vec<u8>)| {
            if !file.exists() {
                fs::write(file, "").unwrap();
                die();
            }
            bytes.len()
        },
        (folder.path().join("long"), long),
    );
    assert_eq!(result(task.unwrap()).unwrap(), 100_000);
    is_sound(&pool, 2);
}

/// A process that has a pool, prints the numbers of its workers, and waits.
fn has_a_pool(_: ()) {
    let pool = pool(2);
    let tasks: Vec<_> = (0..2)
        .map(|_| {
            pool.submit(|| -> () {
                println!("{}", process::id());
                loop {
                    thread::park();
                }
            })
        })
        .collect();
    for task in tasks {
        let _ = task.unwrap().result();
    }
}

#[test]
fn workers_go_when_the_process_of_the_pool_is_killed() {
    let parent = Builder::new().stdout(Stdio::piped());
    let mut parent = parent.start(has_a_pool, ()).unwrap();
    let mut pipe = BufReader::new(parent.stdout().take().unwrap());
    let mut line = String::new();
    pipe.read_line(&mut line).unwrap();
    pipe.read_line(&mut line).unwrap();
    assert_eq!(line.lines().count(), 2);
    parent.kill().unwrap();
    // The pipe has an end when all are gone who could write to it.
    assert_eq!(pipe.read_to_end(&mut Vec::new()).unwrap(), 0);
}

#[test]
fn nothing_is_taken_from_a_worker_that_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("go");
    let pool = pool(2);
    let slow = pool.submit_with(
        |file: PathBuf| {
            while !file.exists() {
                thread::sleep(Duration::from_millis(1));
            }
            process::id()
        },
        file.clone(),
    );
    let slow = slow.unwrap();
    until(|| pool.stats().running == 1);
    // Which of the two it is on shows when the other answers.
    let other = result(pool.submit(process::id).unwrap()).unwrap();
    let stopped = pool.pids().into_iter().find(|&pid| pid != other).unwrap();
    signal(stopped, Signal::STOP);
    until(|| state(stopped) == Some('T'));
    fs::write(&file, "").unwrap();
    for _ in 0..100 {
        assert_eq!(result(pool.submit(process::id).unwrap()).unwrap(), other);
    }
    assert!(!slow.is_done());
    signal(stopped, Signal::CONT);
    assert_eq!(result(slow).unwrap(), stopped);
    let stats = pool.stats();
    assert_eq!((stats.started, stats.lost, stats.retried), (2, 0, 0));
}

#[test]
fn an_idle_worker_that_is_stopped_keeps_no_task_waiting_for_ever() {
    let pool = pool(2);
    is_sound(&pool, 2);
    let [stopped, other] = pool.pids()[..] else {
        panic!("two workers")
    };
    signal(stopped, Signal::STOP);
    until(|| state(stopped) == Some('T'));
    for _ in 0..4 {
        assert_eq!(result(pool.submit(process::id).unwrap()).unwrap(), other);
    }
    signal(stopped, Signal::CONT);
    is_sound(&pool, 2);
}

/// Stops all workers, of which the pool may be about to replace one.
fn stop_all(pool: &ProcessPool) -> Vec<u32> {
    let pids = pool.pids();
    for &pid in &pids {
        signal(pid, Signal::STOP);
        until(|| !matches!(state(pid), Some('R' | 'S' | 'D')));
    }
    pids
}

#[test]
fn a_task_starts_although_nobody_waits_for_it_and_idle_workers_are_stopped() {
    let pool = pool(2);
    is_sound(&pool, 2);
    let stopped = pool.pids()[0];
    signal(stopped, Signal::STOP);
    until(|| state(stopped) == Some('T'));
    for _ in 0..4 {
        let task = pool.submit(process::id).unwrap();
        until(|| task.is_done());
        assert_ne!(result(task).unwrap(), stopped);
    }
    is_sound(&pool, 2);
}

#[test]
fn idle_workers_that_are_all_stopped_are_replaced() {
    let pool = pool(2);
    is_sound(&pool, 2);
    for _ in 0..2 {
        let stopped = stop_all(&pool);
        let task = pool.submit(process::id).unwrap();
        until(|| task.is_done());
        assert!(!stopped.contains(&result(task).unwrap()));
    }
    is_sound(&pool, 2);
    let stats = pool.stats();
    assert_eq!((stats.lost, stats.retried), (0, 0));
}

#[test]
fn to_be_replaced_is_no_failure() {
    // More than may come to nothing in a row. The initializer has them ready when the pool is.
    let builder = ProcessPool::builder().workers(12).initializer(|()| (), ());
    let pool = builder.build().unwrap();
    let stopped = stop_all(&pool);
    let task = pool.submit(process::id).unwrap();
    assert!(!stopped.contains(&result(task).unwrap()));
    assert_eq!(pool.stats().lost, 0);
}

#[test]
fn a_pool_ends_although_idle_workers_are_stopped() {
    for how in [Shutdown::Drain, Shutdown::Immediate] {
        let pool = pool(2);
        is_sound(&pool, 2);
        let stopped = stop_all(&pool);
        pool.shutdown(how);
        assert!(pool.join_timeout(LONG).unwrap());
        assert!(stopped.into_iter().all(|pid| state(pid).is_none()));
    }
    let pool = pool(1);
    is_sound(&pool, 1);
    stop_all(&pool);
    drop(pool);
}

#[test]
fn a_drain_waits_for_a_task_whose_worker_is_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("go");
    let pool = pool(2);
    let slow = |file: PathBuf| {
        while !file.exists() {
            thread::sleep(Duration::from_millis(1));
        }
        process::id()
    };
    let slow = pool.submit_with(slow, file.clone()).unwrap();
    until(|| pool.stats().running == 1);
    let stopped = stop_all(&pool);
    pool.shutdown(Shutdown::Drain);
    fs::write(&file, "").unwrap();
    assert!(!pool.join_timeout(Duration::from_millis(500)).unwrap());
    for &pid in &stopped {
        signal(pid, Signal::CONT);
    }
    assert!(stopped.contains(&result(slow).unwrap()));
    assert!(pool.join_timeout(LONG).unwrap());
    assert_eq!(pool.stats().lost, 0);
}

/// The memory of the pool in this process, a worker, to be overwritten; and where it begins.
fn memory_of_the_pool() -> (fs::File, u64) {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let hall = maps.lines().find(|line| line.contains("brigade-pool"));
    let (start, _) = hall.unwrap().split_once('-').unwrap();
    let start = u64::from_str_radix(start, 16).unwrap();
    let memory = fs::OpenOptions::new().write(true).open("/proc/self/mem");
    (memory.unwrap(), start)
}

/// Writes nonsense over the words that others sleep on, as long as its pool lasts.
fn overwrites_bells(_: ()) {
    let (memory, start) = memory_of_the_pool();
    loop {
        // Where the drivers, and who sleeps, are said.
        for (at, word) in [(256, 1_u32), (384, 0), (512, 0), (640, 0)] {
            memory
                .write_all_at(&word.to_ne_bytes(), start + at)
                .unwrap();
        }
    }
}

/// From now on answers of this worker are hardly ever listed, or not for long.
fn wipes_the_list(_: ()) -> u32 {
    let (memory, start) = memory_of_the_pool();
    thread::spawn(move || {
        loop {
            memory.write_all_at(&[0; 8], start + 1024).unwrap();
        }
    });
    process::id()
}

#[test]
fn answers_that_are_not_listed_are_fetched_and_leave_nothing() {
    let pool = pool(1);
    let worker = result(pool.submit_with(wipes_the_list, ()).unwrap()).unwrap();
    for n in 0..20_u32 {
        let task = pool.submit_with(|n| n + 1, n).unwrap();
        until(|| task.is_done());
        assert_eq!(result(task).unwrap(), n + 1);
    }
    signal(worker, Signal::KILL);
    pool.shutdown(Shutdown::Drain);
    assert!(pool.join_timeout(LONG).unwrap());
}

#[test]
fn a_worker_that_overwrites_the_bells_stops_nobody_for_ever() {
    let pool = pool(2);
    let hostile = pool.submit_with(overwrites_bells, ()).unwrap();
    for n in 0..20_u32 {
        let task = pool.submit_with(|n| n + 1, n).unwrap();
        if n % 2 == 0 {
            until(|| task.is_done());
        }
        assert_eq!(result(task).unwrap(), n + 1);
    }
    assert!(hostile.cancel());
    is_sound(&pool, 2);
}

#[test]
fn a_time_limit_kills_a_worker_that_is_stopped() {
    let pool = pool(1);
    let pid = pool.pids()[0];
    let terms = pool.submission().time_limit(Duration::from_millis(300));
    let stops = || -> () {
        signal(process::id(), Signal::STOP);
        // It may take effect a moment later.
        loop {
            thread::park();
        }
    };
    let task = terms.submit(stops).unwrap();
    assert!(matches!(result(task), Err(TaskError::TimeLimit)));
    assert!(!pool.pids().contains(&pid));
    is_sound(&pool, 1);
}

#[test]
fn pools_that_start_pools_come_to_an_end() {
    fn bomb() -> Result<u32, String> {
        let pool = ProcessPool::builder().workers(2).build();
        let pool = pool.map_err(|error| error.to_string())?;
        let tasks = [pool.submit(bomb).unwrap(), pool.submit(bomb).unwrap()];
        tasks.into_iter().map(|task| task.result().unwrap()).sum()
    }

    let error = bomb().unwrap_err();
    assert!(error.contains("3 times"), "{error}");
}

#[test]
fn workers_killed_at_random_cost_one_task_each() {
    const TASKS: u32 = 3000;

    let pool = pool(2);
    let (sender, stop) = mpsc::channel::<()>();
    let (kills, outcomes) = thread::scope(|scope| {
        let pool = &pool;
        let killer = scope.spawn(move || {
            let (mut kills, mut completed) = (0, 0);
            while stop.recv_timeout(Duration::from_millis(7)).is_err() && kills < 50 {
                // However long a worker takes to start: not all of them are killed before that.
                let goes_on = pool.stats().done > completed;
                if let Some(&pid) = pool.pids().get(kills % 2).filter(|_| goes_on) {
                    completed = pool.stats().done;
                    signal(pid, Signal::KILL);
                    kills += 1;
                }
            }
            kills
        });
        let tasks: Vec<_> = (0..TASKS)
            .map(|n| {
                let work = |n: u32| {
                    let until = Instant::now() + Duration::from_micros(100);
                    while Instant::now() < until {
                        hint::spin_loop();
                    }
                    n
                };
                pool.submit_with(work, n).unwrap()
            })
            .collect();
        let outcomes: Vec<_> = tasks.into_iter().map(result).collect();
        let _ = sender.send(());
        (killer.join().unwrap(), outcomes)
    });
    let mut lost = 0;
    for (n, outcome) in (0..).zip(outcomes) {
        match outcome {
            Ok(answer) => assert_eq!(answer, n),
            Err(TaskError::WorkerLost(_)) => lost += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(lost <= kills, "{lost} tasks for {kills} kills");
    assert_eq!(pool.stats().lost, lost);
    is_sound(&pool, 2);
}
