//! The end of the program: who is waited for. All threads of the process matter to it, so it is
//! tested in child processes, where there are no others.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::time::{Duration, Instant};

use brigade::thread::{self, Builder, ExitError, JoinHandle};
use brigade::{Event, Timer};

use crate::harness::{Child, LONG, OsThread, case, until};

/// Far longer than a test takes: what waits for it would be killed first.
const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn the_guard_waits_for_threads_but_not_for_daemons() {
    Child::start("at_exit::child", "daemon or not").ends_well();
}

#[test]
fn the_guard_waits_for_timers_and_what_threads_start() {
    Child::start("at_exit::child", "started late").ends_well();
}

#[test]
fn the_guard_waits_when_main_panics() {
    Child::start("at_exit::child", "panic").ends_well();
}

#[test]
fn the_guard_tells_who_is_still_alive() {
    Child::start("at_exit::child", "too late").ends_well();
}

#[test]
fn a_thread_that_joins_all_and_itself_gets_an_error() {
    Child::start("at_exit::child", "itself").ends_well();
}

#[test]
fn a_second_guard_has_nothing_left_to_wait_for() {
    Child::start("at_exit::child", "twice").ends_well();
}

#[test]
fn the_whole_program_waits_and_ends() {
    let (status, text) = Child::start("at_exit::child", "to the end").finish();
    assert_eq!(status.code(), Some(7), "{text}");
    assert!(text.contains("waited for 1"), "{text}");
}

static DONE: AtomicU32 = AtomicU32::new(0);

/// A thread that ends when `waiter` has fallen asleep.
fn slow(builder: Builder, waiter: &OsThread) -> JoinHandle<()> {
    let waiter = waiter.clone();
    let body = move || {
        until(|| waiter.is_asleep());
        DONE.fetch_add(1, SeqCst);
    };
    builder.spawn(body).unwrap()
}

/// Not a test: what the children do.
#[test]
fn child() {
    static NEVER: Event = Event::new();
    let stuck = |builder: Builder| drop(builder.spawn(|| NEVER.wait()).unwrap());

    let Some(case) = case() else { return };
    let main = OsThread::current();
    match &*case {
        "daemon or not" => {
            let guard = thread::join_at_exit();
            stuck(Builder::new().daemon());
            drop(slow(Builder::new(), &main));
            drop(guard);
            assert_eq!(DONE.load(SeqCst), 1);
        }
        "started late" => {
            let guard = thread::join_at_exit();
            let waiter = main.clone();
            Timer::start(Duration::from_millis(10), move || {
                until(|| waiter.is_asleep());
                slow(Builder::new(), &waiter);
            })
            .unwrap();
            drop(guard);
            assert_eq!(DONE.load(SeqCst), 1);
        }
        "panic" => {
            let main_panics = AssertUnwindSafe(|| {
                let _threads = thread::join_at_exit();
                drop(slow(Builder::new(), &main));
                panic!("main gives up");
            });
            assert!(catch_unwind(main_panics).is_err());
            assert_eq!(DONE.load(SeqCst), 1);
        }
        "too late" => {
            stuck(Builder::new().name("stuck-1"));
            stuck(Builder::new().name("ignored").daemon());
            stuck(Builder::new().name("stuck-2"));
            let start = Instant::now();
            let short = Duration::from_millis(10);
            let error = thread::join_at_exit().join_timeout(short).unwrap_err();
            assert!(start.elapsed() >= short);
            assert_eq!(
                error.to_string(),
                "threads are still alive: stuck-1, stuck-2"
            );
            let again = thread::join_at_exit().join_deadline(start);
            assert_eq!(again, Err(error));
        }
        "itself" => {
            let own = thread::spawn(|| {
                let joined = thread::join_at_exit().join();
                assert_eq!(joined, Err(ExitError::WouldDeadlock));
                let joined = thread::join_at_exit().join_timeout(HOUR);
                assert_eq!(joined, Err(ExitError::WouldDeadlock));
                drop(thread::join_at_exit());
            });
            own.unwrap().join().unwrap();
            // A daemon is not waited for, so it may wait.
            let join = || thread::join_at_exit().join();
            let daemon = Builder::new().daemon().spawn(join).unwrap();
            daemon.join().unwrap().unwrap();
        }
        "twice" => {
            let (outer, inner) = (thread::join_at_exit(), thread::join_at_exit());
            drop(slow(Builder::new(), &main));
            inner.join_timeout(LONG).unwrap();
            assert_eq!(DONE.load(SeqCst), 1);
            outer.join().unwrap();
        }
        "to the end" => {
            let run = || {
                let _threads = thread::join_at_exit();
                stuck(Builder::new().daemon());
                drop(slow(Builder::new(), &main));
            };
            run();
            println!("waited for {}", DONE.load(SeqCst));
            std::process::exit(6 + i32::try_from(DONE.load(SeqCst)).unwrap());
        }
        _ => unreachable!("{case}"),
    }
}
