//! Timers: they go off in time, or are cancelled, never both.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use brigade::Timer;
use brigade::thread::{Builder, JoinError};

use crate::harness::{LONG, OsThread, until};

const HOUR: Duration = Duration::from_secs(3600);

#[test]
fn a_timer_goes_off_when_its_time_has_come() {
    let delay = Duration::from_millis(20);
    let start = Instant::now();
    let timer = Timer::start(delay, Instant::now).unwrap();
    assert!(timer.name().starts_with("timer-"));
    let gone_off = timer.join().unwrap();
    assert!(gone_off >= start + delay, "too early");
}

#[test]
fn a_cancelled_timer_drops_its_closure_and_ends_at_once() {
    for delay in [HOUR, Duration::MAX] {
        let captured = Arc::new(());
        let inside = Arc::clone(&captured);
        let timer = Timer::start(delay, move || drop(inside)).unwrap();
        assert!(timer.is_alive());
        assert!(timer.cancel());
        assert_eq!(Arc::strong_count(&captured), 1, "the closure is gone");
        assert!(!timer.is_alive());
        assert!(!timer.cancel(), "once is enough");
        assert!(matches!(timer.join(), Err(JoinError::Cancelled)));
    }
}

#[test]
fn the_thread_of_a_cancelled_timer_ends() {
    let timer = Builder::new().name("cancelled").timer(HOUR, || ()).unwrap();
    until(|| OsThread::exists("cancelled"));
    timer.cancel();
    drop(timer);
    until(|| !OsThread::exists("cancelled"));
}

#[test]
fn a_timer_that_has_gone_off_cannot_be_cancelled() {
    let timer = Timer::start(Duration::ZERO, || 7).unwrap();
    until(|| !timer.is_alive());
    assert!(!timer.cancel());
    assert_eq!(timer.join().unwrap(), 7);
}

#[test]
fn a_timer_is_cancelled_or_goes_off() {
    let ran = Arc::new(AtomicU32::new(0));
    let mut cancelled = 0;
    for n in 0..300 {
        let ran = Arc::clone(&ran);
        let delay = Duration::from_micros(n % 100);
        let timer = Timer::start(delay, move || ran.fetch_add(1, SeqCst)).unwrap();
        let begun = Instant::now();
        until(|| begun.elapsed() >= delay);
        let was_cancelled = timer.cancel();
        cancelled += u32::from(was_cancelled);
        let is_cancelled = matches!(timer.join(), Err(JoinError::Cancelled));
        assert_eq!(is_cancelled, was_cancelled);
    }
    assert_eq!(ran.load(SeqCst) + cancelled, 300);
}

#[test]
fn a_dropped_timer_goes_off_all_the_same() {
    let (sender, receiver) = mpsc::channel();
    drop(Timer::start(Duration::from_millis(1), move || sender.send("late")).unwrap());
    assert_eq!(receiver.recv_timeout(LONG).unwrap(), "late");
}

#[test]
fn waiting_for_a_timer_can_be_given_up() {
    let short = Duration::from_millis(10);
    let timer = Timer::start(HOUR, || ()).unwrap();
    let start = Instant::now();
    let timer = timer.join_timeout(short).unwrap_err();
    assert!(start.elapsed() >= short);
    let timer = timer.join_deadline(start).unwrap_err();
    assert!(timer.cancel());
    let joined = timer.join_timeout(LONG).unwrap();
    assert!(matches!(joined, Err(JoinError::Cancelled)));
}

#[test]
fn a_timer_that_joins_itself_gets_an_error() {
    let (sender, receiver) = mpsc::channel::<Timer>();
    let (answer, error) = mpsc::channel();
    let timer = Timer::start(Duration::ZERO, move || {
        let own = receiver.recv().unwrap();
        assert!(!own.cancel(), "it has gone off");
        answer.send(own.join().unwrap_err()).unwrap();
    });
    sender.send(timer.unwrap()).unwrap();
    let error = error.recv_timeout(LONG).unwrap();
    assert!(matches!(error, JoinError::WouldDeadlock));
}

#[test]
fn panics_in_a_timer_are_errors() {
    struct Grenade;

    impl Drop for Grenade {
        fn drop(&mut self) {
            panic!("in a destructor");
        }
    }

    let timer = Timer::start(Duration::ZERO, || panic!("rude awakening")).unwrap();
    let Err(JoinError::Panicked(panic)) = timer.join() else {
        panic!("it panicked");
    };
    assert_eq!(panic.message(), "rude awakening");
    assert!(panic.thread().unwrap().starts_with("timer-"));

    // Whoever cancels drops the closure; the timer ends all the same.
    let grenade = Grenade;
    let timer = Timer::start(HOUR, move || drop(grenade)).unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| timer.cancel())).is_err());
    assert!(matches!(timer.join(), Err(JoinError::Cancelled)));
}
