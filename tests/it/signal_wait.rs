//! Waiting for signals, and keeping them away.

use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{process, thread};

use brigade::Event;
use brigade::signal::{self, SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2};
use rustix::process::{Pid, Signal, getpid, kill_process};
use signal_hook::low_level::raise;

use crate::alone::{ends_by, ends_well, ends_well_under, send, so_far_so_good};
use crate::harness::{LONG, OsThread, until};
use crate::signal::{is_caught, is_in};

static EVENT: Event = Event::new();

/// To this process, on whichever thread takes it.
fn kill(signal: Signal) {
    let this: Pid = getpid();
    kill_process(this, signal).unwrap();
}

/// What a thread that waits for a signal says, once it is asleep and `meanwhile` has been done.
fn wait_on_a_thread(signals: [i32; 2], meanwhile: impl FnOnce()) -> i32 {
    let (sender, threads) = mpsc::channel();
    let waiter = thread::spawn(move || {
        sender.send(OsThread::current()).unwrap();
        signal::wait(signals).unwrap()
    });
    let thread = threads.recv().unwrap();
    until(|| is_caught(signals[0]) && is_caught(signals[1]) && thread.is_asleep());
    meanwhile();
    until(|| waiter.is_finished());
    waiter.join().unwrap()
}

#[test]
fn any_thread_can_wait_and_what_was_there_before_comes_back() {
    ends_by(SIGTERM, || {
        let send = || send("-TERM", process::id());
        assert_eq!(wait_on_a_thread([SIGINT, SIGTERM], send), SIGTERM);
        assert!(!is_caught(SIGTERM) && !is_caught(SIGINT));
        so_far_so_good();
        raise(SIGTERM).unwrap();
    });
}

#[test]
fn guards_are_told_as_well_and_do_not_decide() {
    ends_well(|| {
        let guard = signal::on([SIGUSR1], &EVENT).unwrap();
        raise(SIGUSR1).unwrap();
        assert!(EVENT.wait_timeout(LONG));
        EVENT.clear();
        // The second for the guard, which alone would end the process.
        let answer = wait_on_a_thread([SIGUSR1, SIGUSR2], || kill(Signal::USR1));
        assert_eq!(answer, SIGUSR1);
        assert!(EVENT.wait_timeout(LONG));
        assert_eq!(guard.received(), Some(SIGUSR1));
    });
}

#[test]
fn a_wait_ends_in_time() {
    ends_well(|| {
        let brief = Duration::from_millis(5);
        assert_eq!(signal::wait_timeout([SIGUSR1], brief).unwrap(), None);
        assert_eq!(
            signal::wait_deadline([SIGUSR1], Instant::now()).unwrap(),
            None
        );
        assert!(!is_caught(SIGUSR1));
    });
}

/// All threads of a child launched by this start with a mask, as those of a program do whose `main`
/// begins with one. A test is not the first to run in its process.
const MASKED: [&str; 2] = ["env", "--block-signal=HUP,USR1,USR2"];

#[test]
fn what_is_pending_is_taken_one_by_one_and_at_once() {
    ends_well_under(&MASKED, || {
        for signal in [Signal::HUP, Signal::USR1, Signal::USR2, Signal::HUP] {
            kill(signal);
        }
        let next = || signal::wait_timeout([SIGHUP, SIGUSR1, SIGUSR2], Duration::ZERO).unwrap();
        let mut taken = [next(), next(), next()];
        taken.sort_unstable();
        assert_eq!(taken, [SIGHUP, SIGUSR1, SIGUSR2].map(Some));
        assert_eq!(next(), None);
    });
}

/// In the loop that the documentation shows, under signals of two kinds at once, and then under as
/// many as can be sent.
#[test]
fn waiting_again_and_again_loses_none_and_survives() {
    static HANGUPS: AtomicUsize = AtomicUsize::new(0);
    static OTHERS: AtomicUsize = AtomicUsize::new(0);
    ends_well_under(&MASKED, || {
        let listener = thread::spawn(|| {
            loop {
                match signal::wait([SIGHUP, SIGUSR1, SIGUSR2]).unwrap() {
                    SIGHUP => HANGUPS.fetch_add(1, SeqCst),
                    SIGUSR1 => OTHERS.fetch_add(1, SeqCst),
                    _ => break,
                };
            }
        });
        for _ in 0..500 {
            let seen = (HANGUPS.load(SeqCst), OTHERS.load(SeqCst));
            kill(Signal::HUP);
            kill(Signal::USR1);
            until(|| HANGUPS.load(SeqCst) > seen.0 && OTHERS.load(SeqCst) > seen.1);
        }
        for _ in 0..5_000 {
            kill(Signal::HUP);
        }
        kill(Signal::USR2);
        until(|| listener.is_finished());
        listener.join().unwrap();
    });
}

fn is_blocked(signal: i32) -> bool {
    is_in("SigBlk:", signal)
}

#[test]
fn a_mask_keeps_signals_pending_for_a_scope() {
    ends_well(|| {
        let guard = signal::on([SIGUSR1], &EVENT).unwrap();
        let mask = signal::mask([SIGUSR1, SIGINT]).unwrap();
        assert!(is_blocked(SIGUSR1) && is_blocked(SIGINT));
        {
            let _inner = signal::mask([SIGUSR1, SIGHUP]).unwrap();
            raise(SIGUSR1).unwrap();
        }
        assert!(is_blocked(SIGUSR1) && !is_blocked(SIGHUP));
        assert_eq!(guard.received(), None);
        drop(mask);
        assert_eq!(guard.received(), Some(SIGUSR1));
        assert!(EVENT.wait_timeout(LONG));
        assert!(!is_blocked(SIGUSR1) && !is_blocked(SIGINT));
    });
}

#[test]
fn other_threads_take_what_one_has_masked_and_children_inherit_it() {
    ends_well(|| {
        let guard = signal::on([SIGUSR1], &EVENT).unwrap();
        let mask = signal::mask([SIGUSR1]).unwrap();
        let status = Command::new("grep")
            .args(["SigBlk:", "/proc/self/status"])
            .output();
        let status = String::from_utf8(status.unwrap().stdout).unwrap();
        assert!(status.trim_end().ends_with("200"), "{status}");

        let inherits = thread::spawn(|| {
            let _inner = signal::mask([SIGUSR1]).unwrap();
            raise(SIGUSR1).unwrap();
        });
        inherits.join().unwrap();
        assert_eq!(guard.received(), None, "pending when that thread ended");

        kill(Signal::USR1);
        until(|| guard.received().is_some());
        drop(mask);
    });
}

#[test]
fn what_a_wait_has_left_is_delivered_when_the_mask_goes() {
    ends_well(|| {
        let mask = signal::mask([SIGUSR1, SIGUSR2]).unwrap();
        raise(SIGUSR1).unwrap();
        raise(SIGUSR2).unwrap();
        let taken = signal::wait([SIGUSR1, SIGUSR2]).unwrap();
        let other = SIGUSR1 + SIGUSR2 - taken;
        let guard = signal::on([other], &EVENT).unwrap();
        drop(mask);
        assert_eq!(guard.received(), Some(other));
        assert!(EVENT.wait_timeout(LONG));
        // Once.
        drop(signal::mask([SIGUSR1, SIGUSR2]).unwrap());
    });
}

#[test]
fn a_guard_that_was_told_is_not_told_again_when_the_mask_goes() {
    ends_well(|| {
        let guards = [SIGUSR1, SIGUSR2].map(|it| signal::on([it], &EVENT).unwrap());
        let mask = signal::mask([SIGUSR1, SIGUSR2]).unwrap();
        raise(SIGUSR1).unwrap();
        raise(SIGUSR2).unwrap();
        signal::wait([SIGUSR1, SIGUSR2]).unwrap();
        let received = guards.each_ref().map(signal::Guard::received);
        assert_eq!(received, [Some(SIGUSR1), Some(SIGUSR2)]);
        drop(mask); // a second one would end the process
    });
}
