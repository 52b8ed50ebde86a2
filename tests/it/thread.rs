//! Threads: names, ends, lists, work at intervals.

use std::cell::RefCell;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use brigade::thread::{self, Builder, Info, JoinError, JoinHandle};
use brigade::{Event, Shutdown, ThreadPool};

use crate::harness::{LONG, OsThread, until};
use crate::task::block_on;

/// Far longer than a test takes: what waits for it would be killed first.
const HOUR: Duration = Duration::from_secs(3600);

/// Those of a name in the list.
fn listed(name: &str) -> Vec<Info> {
    let mut threads = thread::enumerate();
    threads.retain(|thread| thread.name() == name);
    threads
}

/// A thread that waits for the event.
fn held_back(name: &str, release: &Arc<Event>) -> JoinHandle<()> {
    let release = Arc::clone(release);
    Builder::new()
        .name(name)
        .spawn(move || release.wait())
        .unwrap()
}

#[test]
fn a_thread_has_a_result_or_a_panic() {
    assert_eq!(thread::spawn(|| 6 * 7).unwrap().join().unwrap(), 42);

    let expected = line!() + 1;
    let body = || -> u32 { panic!("no more") };
    let handle = Builder::new().name("gloomy").spawn(body).unwrap();
    let Err(JoinError::Panicked(panic)) = handle.join() else {
        panic!("it panicked");
    };
    assert_eq!(
        (panic.message(), panic.thread()),
        ("no more", Some("gloomy"))
    );
    assert_eq!(panic.location().unwrap().line(), expected);
    assert_eq!(panic.location().unwrap().file(), file!());
}

#[test]
fn names_are_seen_by_the_thread_and_by_the_system() {
    let name = "name-of-16-bytes";
    let handle = Builder::new()
        .name(name)
        .spawn(|| {
            let here = std::thread::current().name().map(String::from);
            (here, OsThread::current().name())
        })
        .unwrap();
    assert_eq!(handle.name(), name);
    let (here, os) = handle.join().unwrap();
    assert_eq!(here.as_deref(), Some(name));
    assert_eq!(os, name[..15]);

    let [one, two] = [(); 2].map(|()| thread::spawn(|| ()).unwrap());
    assert!(one.name().starts_with("thread-"), "{one:?}");
    assert_ne!(one.name(), two.name());

    let error = Builder::new().name("a\0b").spawn(|| ()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
}

#[test]
fn names_are_in_the_log() {
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_thread_names(true)
        .with_writer(move || writer.clone())
        .finish();
    let tell = move || tracing::subscriber::with_default(subscriber, || tracing::info!("hello"));
    let handle = Builder::new().name("chatterbox").spawn(tell).unwrap();
    handle.join().unwrap();
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(
        text.contains("chatterbox") && text.contains("hello"),
        "{text}"
    );
}

#[test]
fn join_waits_until_the_thread_is_gone() {
    struct Last {
        waiter: OsThread,
        dropped: Arc<AtomicBool>,
    }

    impl Drop for Last {
        fn drop(&mut self) {
            // Takes its time.
            until(|| self.waiter.is_asleep());
            self.dropped.store(true, SeqCst);
        }
    }

    thread_local! {
        static LOCAL: RefCell<Option<Last>> = const { RefCell::new(None) };
    }

    let dropped = Arc::new(AtomicBool::new(false));
    let last = Last {
        waiter: OsThread::current(),
        dropped: Arc::clone(&dropped),
    };
    let handle = thread::spawn(move || LOCAL.set(Some(last))).unwrap();
    let id = handle.id();
    handle.join().unwrap();
    assert!(dropped.load(SeqCst), "thread-local values are dropped");
    assert!(thread::enumerate().iter().all(|thread| thread.id() != id));
}

#[test]
fn waiting_for_a_thread_can_be_given_up() {
    let release = Arc::new(Event::new());
    let handle = held_back("patient", &release);
    let short = Duration::from_millis(10);
    let start = Instant::now();
    let handle = handle.join_timeout(short).unwrap_err();
    assert!(start.elapsed() >= short, "it gave up too early");
    let handle = handle.join_deadline(start).unwrap_err();
    assert!(handle.is_alive());
    release.set();
    handle.join_timeout(LONG).unwrap().unwrap();

    let handle = thread::spawn(|| 7).unwrap();
    until(|| !handle.is_alive());
    assert_eq!(handle.join_timeout(Duration::ZERO).unwrap().unwrap(), 7);
    let endless = thread::spawn(|| 7).unwrap().join_timeout(Duration::MAX);
    assert_eq!(endless.unwrap().unwrap(), 7);
}

#[test]
fn a_thread_that_joins_itself_gets_an_error() {
    type Own = Option<JoinHandle<bool>>;
    fn with_own_handle(join: impl FnOnce(JoinHandle<bool>) -> bool + Send + 'static) {
        let (sender, receiver) = mpsc::channel::<Own>();
        let handle = thread::spawn(move || join(receiver.recv().unwrap().unwrap())).unwrap();
        sender.send(Some(handle)).unwrap();
    }

    let (sender, answers) = mpsc::channel();
    let tell = sender.clone();
    with_own_handle(move |own| tell.send(own.join().unwrap_err()).is_ok());
    let tell = sender.clone();
    with_own_handle(move |own| {
        let inner = own.join_timeout(HOUR).expect("an answer at once");
        tell.send(inner.unwrap_err()).is_ok()
    });
    for _ in 0..2 {
        let error = answers.recv_timeout(LONG).unwrap();
        assert!(matches!(error, JoinError::WouldDeadlock));
        assert_eq!(error.to_string(), "a thread cannot wait for its own end");
    }
}

#[test]
fn a_thread_can_be_awaited() {
    assert_eq!(block_on(thread::spawn(|| 7).unwrap()).unwrap(), 7);
    let mut handle = thread::spawn(|| panic!("ouch")).unwrap();
    let Err(JoinError::Panicked(panic)) = block_on(&mut handle) else {
        panic!("it panicked");
    };
    assert_eq!(panic.message(), "ouch");
    assert!(matches!(block_on(&mut handle), Err(JoinError::Taken)));
    assert!(matches!(handle.join(), Err(JoinError::Taken)));
}

#[test]
fn all_threads_of_ours_are_listed_while_they_live() {
    let release = Arc::new(Event::new());
    let flag = Arc::clone(&release);
    let (sender, os_threads) = mpsc::channel();
    let daemon = Builder::new()
        .name("listed-1")
        .daemon()
        .spawn(move || {
            sender.send(OsThread::current()).unwrap();
            flag.wait();
        })
        .unwrap();
    let plain = held_back("listed-2", &release);
    let timer = Builder::new().name("listed-3").timer(HOUR, || ()).unwrap();
    let pool = ThreadPool::builder()
        .threads(1)
        .name("listed-pool")
        .build()
        .unwrap();
    pool.submit(|| ()).unwrap().result().unwrap();

    let names: Vec<_> = thread::enumerate()
        .into_iter()
        .map(|thread| thread.name().to_string())
        .filter(|name| name.starts_with("listed-"))
        .collect();
    assert_eq!(names, ["listed-1", "listed-2", "listed-3", "listed-pool-0"]);

    let os_thread = os_threads.recv_timeout(LONG).unwrap();
    let [info] = &listed("listed-1")[..] else {
        panic!("it is listed once");
    };
    assert!(info.is_alive() && info.is_daemon());
    assert_eq!(info.id(), daemon.id());
    assert_eq!(os_thread.name(), "listed-1");
    if let Some(id) = info.os_id() {
        let task = format!("/proc/self/task/{id}/comm");
        assert_eq!(std::fs::read_to_string(task).unwrap(), "listed-1\n");
    }
    assert!(!listed("listed-2")[0].is_daemon());
    assert!(!listed("listed-3")[0].is_daemon());
    assert!(
        listed("listed-pool-0")[0].is_daemon(),
        "the pool waits for it"
    );

    assert!(timer.cancel());
    assert!(matches!(timer.join(), Err(JoinError::Cancelled)));
    release.set();
    daemon.join().unwrap();
    plain.join().unwrap();
    pool.shutdown(Shutdown::Drain);
    pool.join().unwrap();
    assert!(!info.is_alive());
    assert!(
        thread::enumerate()
            .iter()
            .all(|thread| !thread.name().starts_with("listed-"))
    );
}

#[test]
fn a_thread_that_cannot_start_leaves_nothing_behind() {
    let captured = Arc::new(());
    let inside = Arc::clone(&captured);
    let error = Builder::new()
        .name("doomed")
        .stack_size(1 << 47)
        .spawn(move || drop(inside));
    assert!(error.is_err(), "the address space is not that large");
    assert_eq!(Arc::strong_count(&captured), 1, "the closure is dropped");
    assert!(listed("doomed").is_empty());
}

#[test]
fn handles_can_be_sent_and_shared() {
    fn check<S: Send + Sync + Unpin + std::panic::UnwindSafe>() {}

    check::<JoinHandle<std::cell::Cell<u32>>>();
    check::<JoinError>();
    check::<Info>();
}

// --- Work at intervals ------------------------------------------------------------------------

#[test]
fn repeated_work_keeps_its_period_and_catches_up_on_nothing() {
    let stop = Event::new();
    let period = Duration::from_millis(20);
    let begin = Instant::now();
    let mut starts = Vec::new();
    let mut first_end = begin;
    thread::repeat_until(&stop, period, || {
        starts.push(Instant::now());
        if starts.len() == 1 {
            // Five periods too late.
            until(|| begin.elapsed() > period * 6);
            first_end = Instant::now();
        }
        if starts.len() == 3 {
            stop.set();
        }
    });
    assert_eq!(starts.len(), 3, "it is stopped by its own work");
    assert!(starts[0] >= begin + period, "it begins with a wait");
    assert!(
        starts[2] >= first_end + period,
        "what was missed stays missed"
    );

    // An event that is set already: no work at all, also without a pause in between.
    thread::repeat_until(&stop, Duration::ZERO, || unreachable!());
    thread::repeat_until(&stop, Duration::MAX, || unreachable!());
}

#[test]
fn an_event_of_many_stops_a_loop_that_waits() {
    static STOP: Event = Event::new();

    let threads = [HOUR, Duration::MAX].map(|period| {
        thread::spawn(move || thread::repeat_until(&STOP, period, || unreachable!())).unwrap()
    });
    STOP.set();
    for thread in threads {
        thread.join_timeout(LONG).unwrap().unwrap();
    }
}

#[test]
fn a_periodic_thread_works_until_it_is_stopped() {
    let (sender, ticks) = mpsc::channel();
    let mut count = 0;
    let worker = thread::every(Duration::from_millis(1), move || {
        count += 1;
        let _ = sender.send((count, std::thread::current().name().map(String::from)));
    })
    .unwrap();
    for n in 1..=3 {
        let (count, name) = ticks.recv_timeout(LONG).unwrap();
        assert_eq!(count, n);
        assert!(name.unwrap().starts_with("periodic-"));
    }
    assert!(worker.is_alive());
    worker.stop();
    worker.stop();
    worker.join().unwrap();
    // The thread is gone, and its closure with the sender.
    while ticks.recv().is_ok() {}
}

#[test]
fn dropping_a_periodic_thread_stops_it_and_waits() {
    let captured = Arc::new(());
    let inside = Arc::clone(&captured);
    let begun = Instant::now();
    drop(thread::every(HOUR, move || drop(Arc::clone(&inside))).unwrap());
    assert!(begun.elapsed() < HOUR);
    assert_eq!(Arc::strong_count(&captured), 1, "it has ended");
}

#[test]
fn a_periodic_thread_may_drop_itself_and_may_panic() {
    let (sender, receiver) = mpsc::channel();
    let (done, dropped) = mpsc::channel();
    let worker = thread::every(Duration::from_millis(1), move || {
        let own: thread::Periodic = receiver.recv().unwrap();
        own.stop();
        drop(own);
        done.send(()).unwrap();
    });
    sender.send(worker.unwrap()).unwrap();
    dropped.recv_timeout(LONG).unwrap();

    let worker = thread::every(Duration::ZERO, || panic!("out of order")).unwrap();
    until(|| !worker.is_alive());
    let Err(JoinError::Panicked(panic)) = worker.join() else {
        panic!("it panicked");
    };
    assert_eq!(panic.message(), "out of order");
}
