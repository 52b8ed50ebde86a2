//! Signals that set events.

use std::io::{self, Read};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::sync::{Arc, LazyLock};
use std::{fs, mem, process, thread};

use brigade::signal::{self, SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGWINCH};
use brigade::{Event, Queue, Shutdown};
use errno::{Errno, errno, set_errno};
use signal_hook::low_level::raise;

use crate::alone::{
    done, ends_by, ends_well, ends_well_after, ends_well_under, send, so_far_so_good,
};
use crate::harness::{LONG, OsThread, until};

static EVENT: Event = Event::new();

/// Whether a line of `/proc/thread-self/status` has this signal's bit set.
pub(crate) fn is_in(line: &str, signal: i32) -> bool {
    let status = fs::read_to_string("/proc/thread-self/status").unwrap();
    let mask = status.lines().find_map(|it| it.strip_prefix(line)).unwrap();
    let mask = u64::from_str_radix(mask.trim(), 16).unwrap();
    mask >> (signal - 1) & 1 == 1
}

pub(crate) fn is_caught(signal: i32) -> bool {
    is_in("SigCgt:", signal)
}

fn is_ignored(signal: i32) -> bool {
    is_in("SigIgn:", signal)
}

#[test]
fn a_handler_wakes_a_sleeper_and_leaves_errno_alone() {
    ends_well(|| {
        let guard = signal::on([SIGUSR1], &EVENT).unwrap();
        let (sender, threads) = mpsc::channel();
        let sleeper = thread::spawn(move || {
            sender.send(OsThread::current()).unwrap();
            EVENT.wait_timeout(LONG)
        });
        let thread = threads.recv().unwrap();
        until(|| thread.is_asleep());
        set_errno(Errno(4321));
        raise(SIGUSR1).unwrap();
        assert_eq!(errno(), Errno(4321));
        assert!(sleeper.join().unwrap());
        assert_eq!(guard.received(), Some(SIGUSR1));
    });
}

#[test]
fn any_thread_will_do() {
    ends_well(|| {
        let set_up = || signal::on([SIGUSR1], &EVENT).unwrap();
        let guard = thread::spawn(set_up).join().unwrap();
        thread::spawn(|| raise(SIGUSR1).unwrap()).join().unwrap();
        assert!(EVENT.wait_timeout(LONG));
        assert_eq!(guard.received(), Some(SIGUSR1));
        thread::spawn(|| drop(guard)).join().unwrap();
        assert!(!is_caught(SIGUSR1));
    });
}

#[test]
fn the_second_signal_takes_its_default_action() {
    ends_by(SIGTERM, || {
        let guard = signal::on([SIGINT, SIGTERM], &EVENT).unwrap();
        assert_eq!(guard.received(), None);
        raise(SIGINT).unwrap();
        assert!(EVENT.wait_timeout(LONG));
        assert_eq!(guard.received(), Some(SIGINT));
        so_far_so_good();
        raise(SIGTERM).unwrap();
    });
}

#[test]
fn so_does_the_second_of_the_same_also_if_the_event_is_cleared() {
    ends_by(SIGINT, || {
        let _guard = signal::on([SIGTERM, SIGINT], &EVENT).unwrap();
        raise(SIGINT).unwrap();
        EVENT.clear();
        so_far_so_good();
        raise(SIGINT).unwrap();
    });
}

#[test]
fn dropping_the_guard_restores_the_default() {
    ends_by(SIGTERM, || {
        let guard = signal::on([SIGTERM, SIGINT], &EVENT).unwrap();
        assert!(is_caught(SIGTERM) && is_caught(SIGINT));
        raise(SIGTERM).unwrap();
        drop(guard);
        assert!(!is_caught(SIGTERM) && !is_caught(SIGINT));
        so_far_so_good();
        raise(SIGTERM).unwrap();
    });
}

#[test]
fn a_signal_ignored_before_is_ignored_after() {
    let launcher = ["sh", "-c", "trap '' HUP; exec \"$@\"", "sh"];
    ends_well_under(&launcher, || {
        assert!(is_ignored(SIGHUP), "as under nohup");
        let guard = signal::on([SIGHUP], &EVENT).unwrap();
        raise(SIGHUP).unwrap();
        assert!(EVENT.wait_timeout(LONG));
        drop(guard);
        assert!(is_ignored(SIGHUP));
        raise(SIGHUP).unwrap();
    });
}

#[test]
fn guards_can_follow_each_other() {
    ends_by(SIGUSR1, || {
        for _ in 0..100 {
            let guard = signal::on([SIGUSR1], &EVENT).unwrap();
            assert!(is_caught(SIGUSR1));
            raise(SIGUSR1).unwrap();
            assert!(EVENT.wait_timeout(LONG));
            assert_eq!(guard.received(), Some(SIGUSR1));
            EVENT.clear();
            drop(guard);
            assert!(!is_caught(SIGUSR1));
        }
        so_far_so_good();
        raise(SIGUSR1).unwrap();
    });
}

#[test]
fn guards_can_share_a_signal() {
    ends_by(SIGUSR1, || {
        static OTHER: Event = Event::new();
        let first = signal::on([SIGUSR1], &EVENT).unwrap();
        let second = signal::on([SIGUSR1, SIGTERM], &OTHER).unwrap();
        drop(first);
        assert!(is_caught(SIGUSR1), "the other guard needs it");
        raise(SIGUSR1).unwrap();
        assert!(OTHER.wait_timeout(LONG));
        assert!(!EVENT.is_set());
        drop(second);
        so_far_so_good();
        raise(SIGUSR1).unwrap();
    });
}

#[test]
fn other_users_of_a_signal_keep_it() {
    ends_well(|| {
        let flag = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(SIGUSR1, Arc::clone(&flag)).unwrap();
        let guard = signal::on([SIGUSR1], &EVENT).unwrap();
        raise(SIGUSR1).unwrap();
        assert!(EVENT.wait_timeout(LONG));
        assert!(flag.swap(false, Ordering::SeqCst), "both are told");
        drop(guard);
        raise(SIGUSR1).unwrap();
        assert!(
            flag.load(Ordering::SeqCst),
            "they were there first and stay"
        );
    });
}

#[test]
fn a_signal_named_twice_counts_once() {
    ends_well(|| {
        let guard = signal::on([SIGUSR1, SIGUSR1], &EVENT).unwrap();
        raise(SIGUSR1).unwrap();
        assert_eq!(guard.received(), Some(SIGUSR1));
    });
}

#[test]
fn a_failure_leaves_no_handler_behind() {
    ends_well(|| {
        let no_such_signal = 63;
        for set in [[SIGUSR1, 9], [SIGUSR1, 19], [SIGUSR1, no_such_signal]] {
            signal::on(set, &EVENT).unwrap_err();
            assert!(!is_caught(SIGUSR1));
        }
    });
}

/// Signals rain on threads that work, wait and allocate; the handler sets an event that they wait
/// for, too. The default action of this signal is to be ignored, so it may come again and again.
#[test]
fn handlers_may_cut_in_anywhere() {
    ends_well(|| {
        let guard = signal::on([SIGWINCH], &EVENT).unwrap();
        let queue = Queue::bounded(2);
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let consumer = scope.spawn(|| queue.iter().sum::<u64>());
            let waiter = scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    assert!(EVENT.wait_timeout(LONG));
                    EVENT.clear();
                }
            });
            let producer = scope.spawn(|| {
                for item in 0..5_000 {
                    queue.put(item).unwrap();
                    raise(SIGWINCH).unwrap();
                }
                queue.shutdown(Shutdown::Drain);
            });
            until(|| {
                send("-WINCH", process::id());
                producer.is_finished()
            });
            over.store(true, Ordering::Relaxed);
            EVENT.set();
            producer.join().unwrap();
            waiter.join().unwrap();
            assert_eq!(consumer.join().unwrap(), (0..5_000).sum::<u64>());
        });
        assert_eq!(guard.received(), Some(SIGWINCH));
    });
}

#[test]
fn a_signal_from_outside_ends_a_wait() {
    ends_well_after("-TERM", || {
        let guard = signal::on([SIGINT, SIGTERM], &EVENT).unwrap();
        so_far_so_good();
        assert!(EVENT.wait_timeout(LONG));
        assert_eq!(guard.received(), Some(SIGTERM));
    });
}

/// Ctrl-C while the main thread does this; a worker notices, and has the last word.
fn stops_a_worker_while(the_main_thread: impl FnOnce(&Queue<u8>)) {
    static QUEUE: LazyLock<Queue<u8>> = LazyLock::new(|| Queue::bounded(1));
    let guard = signal::on([SIGINT], &EVENT).unwrap();
    let worker = thread::spawn(move || {
        assert!(EVENT.wait_timeout(LONG));
        assert_eq!(guard.received(), Some(SIGINT));
        done();
        process::exit(0);
    });
    so_far_so_good();
    the_main_thread(&QUEUE);
    worker.join().unwrap();
}

#[test]
fn it_stops_a_worker_while_the_main_thread_is_in_a_system_call() {
    ends_well_after("-INT", || {
        // Its input stays open, and nobody writes.
        stops_a_worker_while(|_| drop(io::stdin().read(&mut [0])));
    });
}

#[test]
fn it_stops_a_worker_while_the_main_thread_waits_for_an_item() {
    ends_well_after("-INT", || {
        stops_a_worker_while(|queue| {
            let _ = queue.get();
        });
    });
}

#[test]
fn it_stops_a_worker_while_the_main_thread_computes() {
    ends_well_after("-INT", || {
        stops_a_worker_while(|_| {
            until(|| false);
        });
    });
}

#[test]
fn it_stops_the_main_thread_that_computes() {
    ends_well_after("-INT", || {
        let _guard = signal::on([SIGINT], &EVENT).unwrap();
        so_far_so_good();
        until(|| EVENT.is_set());
    });
}

#[test]
fn the_newest_guard_decides_about_the_default_action() {
    ends_by(SIGUSR1, || {
        let _older = signal::on([SIGUSR1], &EVENT).unwrap();
        raise(SIGUSR1).unwrap();
        let newer = signal::on([SIGUSR1, SIGINT], &EVENT).unwrap();
        let other = signal::on([SIGINT], &EVENT).unwrap();
        raise(SIGUSR1).unwrap(); // the second for one, the first for the other
        assert_eq!(newer.received(), Some(SIGUSR1));
        assert_eq!(other.received(), None);
        drop(newer);
        so_far_so_good();
        raise(SIGUSR1).unwrap();
    });
}

/// At every moment there is a guard that has received nothing yet.
#[test]
fn a_guard_that_takes_over_from_another_gets_what_that_one_misses() {
    ends_well(|| {
        static BEGUN: AtomicUsize = AtomicUsize::new(0);
        static ENDED: AtomicUsize = AtomicUsize::new(0);
        // They make the handler's walk long.
        let _others: Vec<_> = (0..64)
            .map(|_| signal::on([SIGWINCH], &EVENT).unwrap())
            .collect();
        let rounds = 2_000;
        let sender = thread::spawn(move || {
            for round in 1..=rounds {
                until(|| BEGUN.load(Ordering::SeqCst) == round);
                raise(SIGUSR1).unwrap();
                ENDED.store(round, Ordering::SeqCst);
            }
        });
        for round in 1..=rounds {
            let mut guard = signal::on([SIGUSR1], &EVENT).unwrap();
            BEGUN.store(round, Ordering::SeqCst);
            while ENDED.load(Ordering::SeqCst) < round {
                let next = signal::on([SIGUSR1], &EVENT).unwrap();
                drop(mem::replace(&mut guard, next));
            }
        }
        sender.join().unwrap();
    });
}

#[test]
fn an_event_can_be_shared_with_a_guard() {
    ends_well(|| {
        let event = Arc::new(Event::new());
        let guard = signal::on([SIGWINCH], Arc::clone(&event)).unwrap();
        raise(SIGWINCH).unwrap();
        assert!(event.wait_timeout(LONG));
        drop(guard);
        // The courier may hold a share a moment longer.
        until(|| Arc::strong_count(&event) == 1);
    });
}
