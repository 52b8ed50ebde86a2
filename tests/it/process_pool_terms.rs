//! A pool of processes: how its workers come and go, and how its tasks are taken back.

use std::io::{Seek, Write};
use std::process::{self, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use std::{fs, thread};

use brigade::process::Builder;
use brigade::{
    ProcessPool, ReturnWhen, Shutdown, SubmitTimeoutError, TaskError, TrySubmitError, as_completed,
};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Error as _, Serialize, Serializer};

use crate::harness::{LONG, until};

fn pool(workers: usize) -> ProcessPool {
    ProcessPool::builder().workers(workers).build().unwrap()
}

fn endless(_: ()) {
    loop {
        thread::park();
    }
}

fn number(pid: u32) -> Pid {
    Pid::from_raw(pid.try_into().unwrap()).unwrap()
}

#[test]
fn each_worker_is_initialized() {
    static PLACE: std::sync::OnceLock<String> = std::sync::OnceLock::new();

    let pool = ProcessPool::builder()
        .workers(2)
        .initializer(|text: String| PLACE.set(text).unwrap(), "here".into())
        .tasks_per_worker(1)
        .build()
        .unwrap();
    for _ in 0..4 {
        let task = pool.submit(|| PLACE.get().cloned()).unwrap();
        assert_eq!(task.result().unwrap().as_deref(), Some("here"));
    }
}

#[test]
fn an_initializer_that_fails_is_told() {
    let pool = ProcessPool::builder().workers(2);
    let error = pool
        .initializer(|reason: String| panic!("{reason}"), "not today".into())
        .build()
        .unwrap_err();
    assert!(error.to_string().contains("not today"), "{error}");
}

#[test]
fn workers_that_cannot_be_replaced_are_not_replaced_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stop");
    let pool = ProcessPool::builder()
        .workers(1)
        .initializer(
            |file: std::path::PathBuf| assert!(!file.exists(), "no more"),
            file.clone(),
        )
        .build()
        .unwrap();
    fs::write(&file, "").unwrap();
    let lost = pool.submit(|| -> () { process::exit(3) }).unwrap();
    let queued = pool.submit(|| 1).unwrap();
    assert!(matches!(lost.result(), Err(TaskError::WorkerLost(_))));
    let Err(TaskError::NoWorkers(reason)) = queued.result() else {
        panic!("nobody can run it")
    };
    assert!(reason.contains("no more"), "{reason}");
    assert_eq!(pool.stats().failed_starts, 3);
    // The next task is a reason to try again, also when the pool has come to rest.
    thread::sleep(Duration::from_millis(300));
    let late = pool.submit(|| 1).unwrap();
    assert!(matches!(late.result(), Err(TaskError::NoWorkers(_))));
    assert_eq!(pool.stats().failed_starts, 6);
    fs::remove_file(&file).unwrap();
    assert_eq!(pool.submit(|| 1).unwrap().result().unwrap(), 1);
}

#[test]
fn the_initializers_argument_is_kept_for_all_workers() {
    let event = brigade::shared::Event::new().unwrap();
    let pool = ProcessPool::builder()
        .workers(1)
        .tasks_per_worker(1)
        .initializer(|event: brigade::shared::Event| event.set(), event)
        .build()
        .unwrap();
    for _ in 0..3 {
        assert_eq!(pool.submit(|| 1).unwrap().result().unwrap(), 1);
    }
}

#[test]
fn terminate_ends_workers_that_are_starting() {
    let pool = ProcessPool::builder()
        .grow_on_demand(0..=1)
        .initializer(endless, ())
        .build()
        .unwrap();
    let task = pool.submit(|| 1).unwrap();
    until(|| !pool.pids().is_empty());
    pool.terminate();
    assert!(matches!(task.result(), Err(TaskError::Cancelled)));
    assert!(pool.join_timeout(LONG).unwrap());
}

#[test]
fn terminate_ends_what_is_run_again_and_again() {
    for delay in 0..20 {
        let pool = ProcessPool::builder().workers(1).retries(1_000_000);
        let pool = pool.build().unwrap();
        let task = pool.submit(|| -> () { process::abort() }).unwrap();
        until(|| pool.stats().retried > 0);
        // At different moments of its lives.
        thread::sleep(Duration::from_micros(150 * delay));
        pool.terminate();
        assert!(pool.join_timeout(LONG).unwrap());
        assert!(matches!(task.result(), Err(TaskError::Cancelled)));
    }
}

/// Does not survive its first look at what is to be done, as if killed from outside.
fn dies_later(deaths: std::path::PathBuf) {
    thread::spawn(move || {
        use std::io::Write;
        let mut file = fs::File::options().append(true).open(deaths).unwrap();
        file.write_all(b".").unwrap();
        process::exit(1);
    });
}

#[test]
fn workers_that_die_at_once_are_not_replaced_without_pause() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("deaths");
    fs::write(&file, "").unwrap();
    let builder = ProcessPool::builder().workers(1);
    let pool = builder.initializer(dies_later, file.clone()).build();
    thread::sleep(Duration::from_millis(500));
    // 10 + 20 + 40 + ... of them fit into half a second.
    assert!(fs::read(&file).unwrap().len() <= 8);
    drop(pool);
}

#[test]
fn a_worker_runs_as_many_tasks_as_it_is_to() {
    let pool = ProcessPool::builder().workers(1).tasks_per_worker(2);
    let pool = pool.build().unwrap();
    let pids: Vec<u32> = (0..6)
        .map(|_| pool.submit(process::id).unwrap().result().unwrap())
        .collect();
    assert!(pids[0] == pids[1] && pids[2] == pids[3] && pids[4] == pids[5]);
    assert!(pids[1] != pids[2] && pids[3] != pids[4]);
    assert_eq!(pool.stats().lost, 0);
}

#[test]
fn a_time_limit_ends_one_task() {
    let pool = ProcessPool::builder().workers(2);
    let pool = pool.time_limit(Duration::from_millis(200)).build().unwrap();
    let patient = pool.submission().no_time_limit();
    let slow = patient.submit(|| thread::sleep(Duration::from_millis(500)));
    let endless = pool.submit_with(endless, ()).unwrap();
    let quick: Vec<_> = (0..100).map(|_| pool.submit(|| ()).unwrap()).collect();
    assert!(matches!(endless.result(), Err(TaskError::TimeLimit)));
    slow.unwrap().result().unwrap();
    for task in quick {
        task.result().unwrap();
    }
    assert_eq!((pool.stats().late, pool.stats().lost), (1, 0));
}

#[test]
fn a_task_that_waits_is_cancelled() {
    let pool = pool(1);
    let running = pool.submit_with(endless, ()).unwrap();
    until(|| pool.stats().running == 1);
    let queued: Vec<_> = (0..2000)
        .map(|n| pool.submit_with(|n: u32| n, n).unwrap())
        .collect();
    for task in &queued[500..1500] {
        assert!(task.cancel() && !task.cancel());
    }
    assert!(running.cancel());
    for (n, task) in queued.into_iter().enumerate() {
        match task.result() {
            Ok(answer) => assert!(answer as usize == n && !(500..1500).contains(&n)),
            Err(TaskError::Cancelled) => assert!((500..1500).contains(&n)),
            Err(error) => panic!("{error}"),
        }
    }
    let stats = pool.stats();
    assert_eq!((stats.cancelled, stats.lost), (1001, 0));
    until(|| pool.stats().started == 2);
}

#[test]
fn a_task_that_runs_is_cancelled_with_its_worker() {
    let pool = pool(2);
    for _ in 0..10 {
        let running = pool.submit_with(endless, ()).unwrap();
        until(|| pool.stats().running == 1);
        let other = pool.submit(process::id).unwrap().result().unwrap();
        let mut pids = pool.pids();
        pids.retain(|&pid| pid != other);
        assert!(running.cancel());
        assert!(matches!(running.result(), Err(TaskError::Cancelled)));
        until(|| {
            pids.iter()
                .any(|&pid| test_kill_process(number(pid)).is_err())
        });
    }
}

#[test]
fn a_drain_runs_what_there_is() {
    let pool = pool(2);
    let tasks: Vec<_> = (0..5000)
        .map(|n| pool.submit_with(|n: u32| n, n).unwrap())
        .collect();
    pool.shutdown(Shutdown::Drain);
    assert!(pool.submit(|| 1).is_err());
    assert!(pool.join_timeout(LONG).unwrap());
    for (n, task) in (0..).zip(tasks) {
        assert!(task.is_done());
        assert_eq!(task.result().unwrap(), n);
    }
    assert!(pool.pids().is_empty());
}

#[test]
fn an_immediate_shutdown_finishes_what_runs() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("go");
    let pool = pool(1);
    let waits = |file: std::path::PathBuf| {
        while !file.exists() {
            thread::sleep(Duration::from_millis(1));
        }
    };
    let running = pool.submit_with(waits, file.clone()).unwrap();
    until(|| pool.stats().running == 1);
    let queued: Vec<_> = (0..2000).map(|_| pool.submit(|| ()).unwrap()).collect();
    pool.shutdown(Shutdown::Immediate);
    for task in queued {
        assert!(matches!(task.result(), Err(TaskError::Cancelled)));
    }
    assert!(!pool.join_timeout(Duration::from_millis(10)).unwrap());
    fs::write(file, "").unwrap();
    running.result().unwrap();
    pool.join().unwrap();
}

#[test]
fn terminate_kills_what_runs() {
    let pool = pool(2);
    let running: Vec<_> = (0..4)
        .map(|_| pool.submit_with(endless, ()).unwrap())
        .collect();
    until(|| pool.stats().running == 2);
    pool.terminate();
    pool.join().unwrap();
    for task in running {
        assert!(matches!(task.result(), Err(TaskError::Cancelled)));
    }
}

#[test]
fn a_full_queue_gives_the_argument_back() {
    let pool = ProcessPool::builder()
        .workers(1)
        .queue_bound(1)
        .build()
        .unwrap();
    let running = pool.submit_with(endless, ()).unwrap();
    let queued = pool.submit(|| 1).unwrap();
    let submission = pool.submission();
    let text = || "text".to_owned();
    let full = submission.try_submit_with(|text: String| text, text());
    assert!(matches!(full, Err(TrySubmitError::Full(given)) if given == "text"));
    let short = Duration::from_millis(10);
    let full = submission.submit_with_timeout(|text: String| text, text(), short);
    assert!(matches!(full, Err(SubmitTimeoutError::Timeout(given)) if given == "text"));
    // Who waits for room gets it, or hears of the end.
    thread::scope(|scope| {
        let waiting = scope.spawn(|| pool.submit(|| 2).unwrap().result().unwrap());
        assert!(running.cancel());
        assert_eq!((waiting.join().unwrap(), queued.result().unwrap()), (2, 1));
    });
}

#[test]
fn a_pool_grows_on_demand() {
    let pool = ProcessPool::builder()
        .grow_on_demand(0..=3)
        .build()
        .unwrap();
    assert!(pool.pids().is_empty());
    assert_eq!(pool.submit(|| 1).unwrap().result().unwrap(), 1);
    assert_eq!(pool.stats().workers, 1);
    let tasks: Vec<_> = (0..5)
        .map(|_| pool.submit_with(endless, ()).unwrap())
        .collect();
    until(|| pool.stats().running == 3);
    assert_eq!(pool.stats().workers, 3);
    for task in tasks {
        task.cancel();
    }
}

#[test]
fn tasks_are_awaited_and_combined_as_others() {
    let pool = pool(2);
    let square = |n: u32| n * n;
    let submit = |n| pool.submit_with(square, n).unwrap();
    assert_eq!(smol::block_on(submit(3)).unwrap(), 9);
    let (sender, receiver) = mpsc::channel();
    submit(4).on_done(move |result| sender.send(result.unwrap()).unwrap());
    assert_eq!(receiver.recv_timeout(LONG).unwrap(), 16);
    let mut squares: Vec<u32> = as_completed((0..50).map(submit))
        .map(|(_, result)| result.unwrap())
        .collect();
    squares.sort_unstable();
    assert!(squares.into_iter().eq((0..50).map(square)));
    let waited = brigade::wait((0..50).map(submit), ReturnWhen::All);
    assert_eq!(waited.done.len(), 50);
    let mut sum = 0;
    for item in pool.map_unordered(0..1000, square) {
        sum += item.unwrap();
    }
    assert_eq!(sum, (0..1000).map(square).sum::<u32>());
    // Several threads at a time: one of them fetches the answers of all.
    thread::scope(|scope| {
        for first in 0..4 {
            scope.spawn(move || {
                for n in (first..2000).step_by(4) {
                    assert_eq!(submit(n).result().unwrap(), n * n);
                }
            });
        }
    });
}

#[test]
fn a_callback_may_wait_for_another_task_but_not_for_the_end() {
    let pool = std::sync::Arc::new(pool(1));
    let inside = std::sync::Arc::clone(&pool);
    let (sender, receiver) = mpsc::channel();
    pool.submit(|| 1).unwrap().on_done(move |one| {
        let two = inside.submit(|| 2).unwrap().result().unwrap();
        let joined = inside.join();
        sender.send((one.unwrap() + two, joined.is_err())).unwrap();
    });
    assert_eq!(receiver.recv_timeout(LONG).unwrap(), (3, true));
}

#[test]
fn workers_have_names_and_ignore_interrupts() {
    let pool = ProcessPool::builder()
        .workers(1)
        .name("namely")
        .build()
        .unwrap();
    let pid = pool.submit(process::id).unwrap().result().unwrap();
    let read = |what| fs::read_to_string(format!("/proc/{pid}/{what}")).unwrap();
    assert_eq!(read("comm").trim_end(), "namely-0");
    assert!(read("cmdline").starts_with("namely-0"));
    kill_process(number(pid), Signal::INT).unwrap();
    assert_eq!(pool.submit(process::id).unwrap().result().unwrap(), pid);
}

/// How much a worker can read of what this process has as its standard input.
fn lines_for_a_worker(_: ()) -> usize {
    let lines = pool(1).submit(|| std::io::stdin().lines().count());
    lines.unwrap().result().unwrap()
}

#[test]
fn workers_have_nothing_to_read() {
    let mut typed = tempfile::tempfile().unwrap();
    typed.write_all(b"for the process of the pool\n").unwrap();
    typed.rewind().unwrap();
    let owner = Builder::new().stdin(Stdio::from(typed));
    let owner = owner.start(lines_for_a_worker, ()).unwrap();
    assert_eq!(owner.join().unwrap(), 0);
}

#[test]
fn a_task_may_have_a_pool() {
    let sum = |n: u32| -> u32 {
        let pool = pool(2);
        pool.map(0..n, |n| n + 1)
            .into_values()
            .unwrap()
            .iter()
            .sum()
    };
    let pool = pool(1);
    assert_eq!(pool.submit_with(sum, 10).unwrap().result().unwrap(), 55);
}

/// Cannot be written.
struct Unwritable;

impl Serialize for Unwritable {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(S::Error::custom("no"))
    }
}

impl<'de> Deserialize<'de> for Unwritable {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(D::Error::custom("no"))
    }
}

/// Cannot be read.
struct Unreadable;

impl Serialize for Unreadable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Unreadable {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(D::Error::custom("no"))
    }
}

#[test]
fn what_cannot_travel_is_told() {
    fn why<T>(task: brigade::Task<T>) -> String {
        match task.result() {
            Err(TaskError::Transfer(reason)) => reason,
            Err(error) => panic!("{error}"),
            Ok(_) => panic!("it cannot travel"),
        }
    }

    let pool = pool(1);
    let reason = why(pool.submit_with(|_: Unwritable| (), Unwritable).unwrap());
    assert!(reason.contains("argument cannot be encoded"), "{reason}");
    let reason = why(pool.submit_with(|_: Unreadable| (), Unreadable).unwrap());
    assert!(reason.contains("argument cannot be decoded"), "{reason}");
    let reason = why(pool.submit(|| Unwritable).unwrap());
    assert!(reason.contains("result cannot be encoded"), "{reason}");
    let reason = why(pool.submit(|| Unreadable).unwrap());
    assert!(reason.contains("result cannot be decoded"), "{reason}");
    assert_eq!(pool.submit(|| 1).unwrap().result().unwrap(), 1);
}

#[test]
fn shared_objects_go_there_and_back() {
    let pool = pool(1);
    let event = brigade::shared::Event::new().unwrap();
    let task = pool.submit_with(|event: brigade::shared::Event| event.wait(), event.clone());
    event.set();
    task.unwrap().result().unwrap();
    let made = pool
        .submit(|| brigade::shared::Event::new().unwrap())
        .unwrap();
    let made = made.result().unwrap();
    assert!(!made.is_set());
    made.set();
}

static POOL: std::sync::Mutex<Option<std::sync::Arc<ProcessPool>>> = std::sync::Mutex::new(None);

/// Whoever reads it has the pool at hand do something for it, and waits.
struct NeedsThePool;

impl Serialize for NeedsThePool {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for NeedsThePool {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        let pool = POOL.lock().unwrap().take().expect("it is read once");
        let task = pool.submit(|| 1).unwrap();
        let done = task.result_timeout(LONG).is_ok_and(|result| result.is_ok());
        done.then_some(Self).ok_or(D::Error::custom("it hangs"))
    }
}

#[test]
fn reading_a_result_may_wait_for_another_one() {
    let pool = std::sync::Arc::new(pool(1));
    let waiting = thread::spawn(move || {
        *POOL.lock().unwrap() = Some(std::sync::Arc::clone(&pool));
        let task = pool.submit(|| {
            // Most times long enough that it is this thread that reads it, and not the pool's own.
            thread::sleep(Duration::from_millis(100));
            NeedsThePool
        });
        task.unwrap().result().is_ok()
    });
    assert!(waiting.join().unwrap());
}

#[test]
fn no_time_at_all_is_a_limit_too() {
    let pool = ProcessPool::builder().workers(1).time_limit(Duration::ZERO);
    let pool = pool.build().unwrap();
    let task = pool.submit_with(endless, ()).unwrap();
    let Ok(result) = task.result_timeout(LONG) else {
        panic!("the task hangs");
    };
    assert!(matches!(result, Err(TaskError::TimeLimit)));
}

/// How much memory the files of this process take in which pools of processes leave long data.
fn spooled() -> u64 {
    use std::os::unix::fs::MetadataExt;
    let files = fs::read_dir("/proc/self/fd").unwrap();
    let spools = files.filter_map(|file| {
        let path = file.ok()?.path();
        let link = fs::read_link(&path).ok()?;
        let is_spool = link.to_string_lossy().contains("brigade-spool");
        is_spool.then(|| fs::metadata(path).map_or(0, |file| file.blocks() * 512))
    });
    spools.sum()
}

#[test]
fn a_long_result_that_is_not_finished_leaves_nothing() {
    const LENGTH: usize = 200_000_000;
    let pool = pool(1);
    let task = pool.submit(|| "a".repeat(LENGTH)).unwrap();
    until(|| spooled() > 50_000_000);
    task.cancel();
    // Other tests leave less.
    until(|| spooled() < 40_000_000);
    assert_eq!(pool.submit(|| 1).unwrap().result().unwrap(), 1);
}
