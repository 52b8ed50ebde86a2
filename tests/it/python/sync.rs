//! `threading.Event`, `signal`, and what else is waited for.

use std::cell::Cell;
use std::sync::{Arc, Condvar, LazyLock, Mutex};
use std::time::Duration;
use std::{process, thread};

use brigade::signal::{self, SIGUSR2};
use brigade::thread::JoinError;
use brigade::{Barrier, Event, Queue, Semaphore, Timer, TooManyPermits};
use rustix::process::{Pid, Signal, kill_process};

use crate::harness::LONG;

const SOON: Duration = Duration::from_millis(5);

/// `set`, `clear`, `is_set`, `wait(timeout)`: a stop flag and a wake-up.
#[test]
fn event_set_clear_is_set_wait() {
    static STOP: Event = Event::new();
    static BEATS: LazyLock<Queue<u32>> = LazyLock::new(Queue::unbounded);

    assert!(!STOP.is_set());
    assert!(!STOP.wait_timeout(SOON), "nobody has set it");

    let worker = thread::spawn(|| {
        for beat in 0.. {
            BEATS.put(beat).unwrap();
            if STOP.wait_timeout(SOON) {
                return beat;
            }
        }
        unreachable!()
    });
    let sleeper = thread::spawn(|| STOP.wait());
    assert_eq!(BEATS.get(), Ok(0));
    assert_eq!(BEATS.get(), Ok(1), "it goes on after a time-out");
    STOP.set();
    assert!(worker.join().unwrap() >= 1);
    sleeper.join().unwrap();

    assert!(STOP.is_set(), "it stays set");
    STOP.wait();
    assert!(STOP.wait_timeout(Duration::ZERO));
    STOP.clear();
    assert!(!STOP.is_set());
    assert!(!STOP.wait_timeout(SOON));
}

/// `signal.signal(SIGINT, stop)` with `stop` setting an event. The trap: only the main thread handles
/// signals, and only it may ask for them. Here it is neither asked nor awake: it is that of the test
/// harness, which waits for this test to end.
#[test]
fn signal_sets_an_event_whatever_the_main_thread_does() {
    static STOP: Event = Event::new();

    let guard = signal::on([SIGUSR2], &STOP).unwrap();
    let worker = thread::spawn(|| STOP.wait_timeout(LONG));
    let this = Pid::from_raw(process::id().try_into().unwrap()).unwrap();
    kill_process(this, Signal::USR2).unwrap();
    assert!(worker.join().unwrap(), "the worker is told to stop");
    assert_eq!(guard.received(), Some(SIGUSR2));
}

/// `Timer`, `Lock`, `RLock`, `Condition`, `Semaphore`, `Barrier`, `local`.
#[test]
fn timer_lock_rlock_condition_semaphore_barrier_local() {
    timers();
    locks_and_conditions();
    semaphores();
    barriers_and_thread_local_data();
}

fn timers() {
    let soon = Timer::start(SOON, || "gone off").unwrap();
    assert_eq!(soon.join().unwrap(), "gone off");
    let late = Timer::start(2 * LONG, || "never said").unwrap();
    assert!(late.is_alive());
    assert!(late.cancel());
    assert!(!late.cancel(), "it is cancelled already");
    let ended = late.join_timeout(LONG).expect("it ends at once");
    assert!(matches!(ended, Err(JoinError::Cancelled)));
}

fn locks_and_conditions() {
    // What holds the lock passes on what it guards: no `RLock`.
    fn deliver(parts: &mut Vec<u32>, part: u32) {
        parts.push(part);
    }

    let parts = Mutex::new(Vec::new());
    let delivered = Condvar::new();
    thread::scope(|scope| {
        let collector = scope.spawn(|| {
            let parts = parts.lock().unwrap();
            let (parts, timeout) = delivered
                .wait_timeout_while(parts, LONG, |parts| parts.len() < 4)
                .unwrap();
            assert!(!timeout.timed_out());
            parts.iter().sum::<u32>()
        });
        for part in [1, 10] {
            let mut held = parts.lock().unwrap();
            assert!(parts.try_lock().is_err(), "`acquire(blocking=False)`");
            deliver(&mut held, part);
            deliver(&mut held, 2 * part);
            delivered.notify_all();
        }
        assert_eq!(collector.join().unwrap(), 33);
    });
}

fn semaphores() {
    const DOORS: u32 = 2;
    let doors = Semaphore::new(DOORS);
    let inside = Semaphore::new(DOORS);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    let _permit = doors.acquire();
                    let _counted = inside.try_acquire().expect("no more than the doors let in");
                }
            });
        }
    });
    assert_eq!(doors.available(), DOORS);

    let first = doors.acquire();
    let second = doors.try_acquire().unwrap();
    assert!(doors.try_acquire().is_none());
    assert!(doors.acquire_timeout(SOON).is_none());
    drop(second);
    assert!(doors.acquire_timeout(LONG).is_some());
    drop(first);
    // One release too many.
    assert_eq!(doors.release(1), Err(TooManyPermits));
    // A lock that can be waited for with a time-out is a semaphore of one.
    let lock = Semaphore::new(1);
    let held = lock.acquire();
    assert!(lock.acquire_timeout(SOON).is_none());
    drop(held);
}

fn barriers_and_thread_local_data() {
    thread_local! {
        static MINE: Cell<u32> = const { Cell::new(0) };
    }
    const PARTIES: u16 = 3;
    let barrier = Arc::new(Barrier::new(PARTIES));
    // One that gives up breaks nothing.
    assert!(barrier.wait_timeout(SOON).is_none());
    assert_eq!(barrier.arrived(), 0);
    for _ in 0..2 {
        let threads: Vec<_> = (1..=PARTIES)
            .map(|number| {
                let barrier = Arc::clone(&barrier);
                thread::spawn(move || {
                    MINE.set(number.into());
                    let arrival = barrier.wait_timeout(LONG).expect("all come");
                    (arrival.is_leader(), MINE.get())
                })
            })
            .collect();
        let (leaders, mine): (Vec<_>, Vec<_>) = threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .unzip();
        assert_eq!(leaders.into_iter().filter(|leader| *leader).count(), 1);
        assert_eq!(mine, [1, 2, 3]);
        assert_eq!(MINE.get(), 0);
    }
}
