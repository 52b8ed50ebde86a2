//! `threading.Event`, `signal`, and what else is waited for.

use std::sync::LazyLock;
use std::time::Duration;
use std::{process, thread};

use brigade::signal::{self, SIGUSR2};
use brigade::{Event, Queue};
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
