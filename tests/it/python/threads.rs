//! `threading.Thread` and `logging`.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use brigade::thread::{self, Builder, ExitError, JoinError};
use brigade::{Event, ThreadPool};

use crate::harness::{Child, LONG, OsThread, case};

const SOON: Duration = Duration::from_millis(5);

/// What a subclass of `threading.Thread` would be.
struct Adder {
    numbers: Vec<u32>,
}

impl Adder {
    fn run(self) -> u32 {
        self.numbers.iter().sum()
    }
}

/// A subclass with `run`, `name`, `start`, `join`, `getName`, `current_thread`, `enumerate`. The trap: of
/// a thread that fails nobody learns.
#[test]
fn named_threads() {
    let adder = Adder {
        numbers: vec![1, 2, 3],
    };
    let handle = Builder::new()
        .name("row-adder")
        .spawn(|| adder.run())
        .unwrap();
    assert_eq!(handle.name(), "row-adder");
    assert_eq!(handle.join().unwrap(), 6);

    // The name inside, outside, in the system, and among all threads.
    let go = Arc::new(Event::new());
    let (asked, inside) = std::sync::mpsc::channel();
    let wait = Arc::clone(&go);
    let handle = Builder::new().name("row-host").spawn(move || {
        let here = std::thread::current();
        asked
            .send((here.name().map(String::from), OsThread::current().name()))
            .unwrap();
        wait.wait_timeout(LONG)
    });
    let handle = handle.unwrap();
    let (name, in_the_system) = inside.recv_timeout(LONG).unwrap();
    assert_eq!(name.as_deref(), Some("row-host"));
    assert_eq!(in_the_system, "row-host");
    let listed = thread::enumerate();
    let listed: Vec<_> = listed.iter().filter(|it| it.id() == handle.id()).collect();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].name(), "row-host");
    assert!(!listed[0].is_daemon());

    // `join(timeout)`, `is_alive`.
    assert!(handle.is_alive());
    let handle = handle.join_timeout(SOON).unwrap_err();
    go.set();
    let id = handle.id();
    assert!(handle.join().unwrap());
    assert!(thread::enumerate().iter().all(|it| it.id() != id));

    // One without a name has one all the same.
    let handle = thread::spawn(|| std::thread::current().name().map(String::from)).unwrap();
    let name = handle.name().to_owned();
    assert!(!name.is_empty());
    assert_eq!(handle.join().unwrap(), Some(name));

    // Who joins a thread that failed is told.
    let failed = Builder::new()
        .name("row-failed")
        .spawn(|| -> u32 { panic!("{} buckets are missing", 3) })
        .unwrap();
    let Err(JoinError::Panicked(panic)) = failed.join() else {
        panic!("it panicked");
    };
    assert_eq!(panic.message(), "3 buckets are missing");
    assert_eq!(panic.thread(), Some("row-failed"));
    assert_eq!(panic.location().unwrap().file(), file!());
}

/// `daemon`. The trap: a thread that is none keeps the process alive and nobody knows which, one that is
/// is cut off. In a process of its own, since all of its threads are waited for.
#[test]
fn daemons_and_those_who_are_waited_for() {
    static NEVER: Event = Event::new();
    static GO: Event = Event::new();

    if case().is_none() {
        let text = Child::start(
            "python::threads::daemons_and_those_who_are_waited_for",
            "play",
        )
        .ends_well();
        assert!(text.contains("saved"), "{text}");
        return;
    }
    let daemon = Builder::new().name("clock").daemon();
    let clock = daemon.spawn(|| NEVER.wait()).unwrap();
    let saver = Builder::new().name("saver").spawn(|| {
        GO.wait();
        println!("saved");
    });
    assert!(thread::enumerate().iter().any(thread::Info::is_daemon));

    // The wait can give up, and says whom it waited for.
    let left = thread::join_at_exit().join_timeout(SOON);
    let Err(ExitError::StillAlive(left)) = left else {
        panic!("somebody is alive: {left:?}");
    };
    assert!(left.iter().any(|it| it.name() == "saver"));
    assert!(left.iter().all(|it| it.name() != "clock"));

    let guard = thread::join_at_exit();
    GO.set();
    drop(guard);
    assert!(!saver.unwrap().is_alive());
    assert!(clock.is_alive(), "nobody waits for a daemon");
}

/// What is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// `logging` with `%(threadName)s`: threads, and the workers of a pool.
#[test]
fn log_lines_show_thread_names() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_thread_names(true)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .finish();
    let subscriber = tracing::Dispatch::new(subscriber);
    let say = |what: &'static str| {
        let subscriber = subscriber.clone();
        move || tracing::dispatcher::with_default(&subscriber, || tracing::info!("{what}"))
    };

    let digger = Builder::new().name("digger").spawn(say("at work"));
    digger.unwrap().join().unwrap();
    let pool = ThreadPool::builder()
        .threads(1)
        .name("bucket")
        .build()
        .unwrap();
    pool.submit(say("passed on")).unwrap().result().unwrap();

    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let said = |thread: &str, what: &str| {
        log.lines()
            .any(|line| line.contains(thread) && line.contains(what))
    };
    assert!(said("digger", "at work"), "{log}");
    assert!(said("bucket-0", "passed on"), "{log}");
}
