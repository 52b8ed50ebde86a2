//! Signals, in processes of their own: this binary starts itself again for each case.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::{env, fs, thread};

use brigade::signal::{self, SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGWINCH};
use brigade::{Event, Queue, Shutdown};
use errno::{Errno, errno, set_errno};
use signal_hook::low_level::raise;

use crate::harness::{LONG, OsThread, until};

/// Names the case that a child is to play.
const CASE: &str = "BRIGADE_SIGNAL_CASE";

static EVENT: Event = Event::new();

/// A child that plays a case, by way of `launcher` if there is one, and what it prints.
fn start(case: &str, launcher: &[&str]) -> (Child, BufReader<ChildStdout>) {
    let this = env::current_exe().unwrap();
    let mut words: Vec<OsString> = launcher.iter().map(OsString::from).collect();
    words.extend([this.into_os_string(), "signal::child".into()]);
    let mut child = Command::new(&words[0])
        .args(&words[1..])
        .args(["--exact", "--nocapture", "--test-threads=1"])
        .env(CASE, case)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    (child, stdout)
}

/// Waits for a child, which is killed if it takes too long; says how it ended and what it printed.
fn finish((mut child, mut stdout): (Child, BufReader<ChildStdout>)) -> (ExitStatus, String) {
    let (sender, printed) = mpsc::channel();
    let reader = thread::spawn(move || {
        let mut text = String::new();
        let _ = stdout.read_to_string(&mut text);
        let _ = sender.send(text);
    });
    let text = printed.recv_timeout(LONG);
    if text.is_err() {
        child.kill().unwrap();
    }
    let status = child.wait().unwrap();
    reader.join().unwrap();
    (status, text.expect("the child takes too long"))
}

/// Plays a case that ends well.
#[track_caller]
fn ends_well(case: &str) {
    let (status, text) = finish(start(case, &[]));
    assert!(
        status.success() && text.contains("played"),
        "{status}: {text}"
    );
}

/// Plays a case that the signal ends.
#[track_caller]
fn ends_by(signal: i32, case: &str) {
    let (status, text) = finish(start(case, &[]));
    assert_eq!(status.signal(), Some(signal), "{status}: {text}");
    assert!(text.contains("so far so good"), "{text}");
}

fn so_far_so_good() {
    println!("so far so good");
}

/// Whether a line of `/proc/self/status` has this signal's bit set.
fn is_in(line: &str, signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let mask = status.lines().find_map(|it| it.strip_prefix(line)).unwrap();
    let mask = u64::from_str_radix(mask.trim(), 16).unwrap();
    mask >> (signal - 1) & 1 == 1
}

fn is_caught(signal: i32) -> bool {
    is_in("SigCgt:", signal)
}

fn is_ignored(signal: i32) -> bool {
    is_in("SigIgn:", signal)
}

/// Not a test: what the children do.
#[test]
fn child() {
    let Ok(case) = env::var(CASE) else { return };
    match case.as_str() {
        "errno" => errno_case(),
        "any thread" => any_thread_case(),
        "first and second" => first_and_second_case(),
        "second of the same" => second_of_the_same_case(),
        "restored" => restored_case(),
        "ignored before" => ignored_before_case(),
        "again" => again_case(),
        "two guards" => two_guards_case(),
        "another user" => another_user_case(),
        "named twice" => named_twice_case(),
        "failed" => failed_case(),
        "storm" => storm_case(),
        "waits" => waits_case(),
        _ => unreachable!("{case}"),
    }
    println!("played");
}

#[test]
fn a_handler_wakes_a_sleeper_and_leaves_errno_alone() {
    ends_well("errno");
}

fn errno_case() {
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
}

#[test]
fn any_thread_will_do() {
    ends_well("any thread");
}

fn any_thread_case() {
    let set_up = || signal::on([SIGUSR1], &EVENT).unwrap();
    let guard = thread::spawn(set_up).join().unwrap();
    thread::spawn(|| raise(SIGUSR1).unwrap()).join().unwrap();
    assert!(EVENT.wait_timeout(LONG));
    assert_eq!(guard.received(), Some(SIGUSR1));
    thread::spawn(|| drop(guard)).join().unwrap();
    assert!(!is_caught(SIGUSR1));
}

#[test]
fn the_second_signal_takes_its_default_action() {
    ends_by(SIGTERM, "first and second");
    ends_by(SIGINT, "second of the same");
}

fn first_and_second_case() {
    let guard = signal::on([SIGINT, SIGTERM], &EVENT).unwrap();
    assert_eq!(guard.received(), None);
    raise(SIGINT).unwrap();
    assert!(EVENT.wait_timeout(LONG));
    assert_eq!(guard.received(), Some(SIGINT));
    so_far_so_good();
    raise(SIGTERM).unwrap();
}

fn second_of_the_same_case() {
    let _guard = signal::on([SIGTERM, SIGINT], &EVENT).unwrap();
    raise(SIGINT).unwrap();
    EVENT.clear();
    so_far_so_good();
    raise(SIGINT).unwrap();
}

#[test]
fn dropping_the_guard_restores_the_default() {
    ends_by(SIGTERM, "restored");
}

fn restored_case() {
    let guard = signal::on([SIGTERM, SIGINT], &EVENT).unwrap();
    assert!(is_caught(SIGTERM) && is_caught(SIGINT));
    raise(SIGTERM).unwrap();
    drop(guard);
    assert!(!is_caught(SIGTERM) && !is_caught(SIGINT));
    so_far_so_good();
    raise(SIGTERM).unwrap();
}

#[test]
fn a_signal_ignored_before_is_ignored_after() {
    let launcher = ["sh", "-c", "trap '' HUP; exec \"$@\"", "sh"];
    let (status, text) = finish(start("ignored before", &launcher));
    assert!(
        status.success() && text.contains("played"),
        "{status}: {text}"
    );
}

fn ignored_before_case() {
    assert!(is_ignored(SIGHUP), "as under nohup");
    let guard = signal::on([SIGHUP], &EVENT).unwrap();
    raise(SIGHUP).unwrap();
    assert!(EVENT.wait_timeout(LONG));
    drop(guard);
    assert!(is_ignored(SIGHUP));
    raise(SIGHUP).unwrap();
}

#[test]
fn guards_can_follow_each_other() {
    ends_by(SIGUSR1, "again");
}

fn again_case() {
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
}

#[test]
fn guards_can_share_a_signal() {
    ends_by(SIGUSR1, "two guards");
}

fn two_guards_case() {
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
}

#[test]
fn other_users_of_a_signal_keep_it() {
    ends_well("another user");
}

fn another_user_case() {
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
}

#[test]
fn a_signal_named_twice_counts_once() {
    ends_well("named twice");
}

fn named_twice_case() {
    let guard = signal::on([SIGUSR1, SIGUSR1], &EVENT).unwrap();
    raise(SIGUSR1).unwrap();
    assert_eq!(guard.received(), Some(SIGUSR1));
}

#[test]
fn a_failure_leaves_no_handler_behind() {
    ends_well("failed");
}

fn failed_case() {
    let no_such_signal = 63;
    for set in [[SIGUSR1, 9], [SIGUSR1, 19], [SIGUSR1, no_such_signal]] {
        signal::on(set, &EVENT).unwrap_err();
        assert!(!is_caught(SIGUSR1));
    }
}

#[test]
fn handlers_may_cut_in_anywhere() {
    ends_well("storm");
}

/// Signals rain on threads that work, wait and allocate; the handler sets an event that they wait
/// for, too. The default action of this signal is to be ignored, so it may come again and again.
fn storm_case() {
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
        let own = std::process::id().to_string();
        until(|| {
            let kill = Command::new("kill").args(["-WINCH", &own]).status();
            assert!(kill.unwrap().success());
            producer.is_finished()
        });
        over.store(true, Ordering::Relaxed);
        EVENT.set();
        producer.join().unwrap();
        waiter.join().unwrap();
        assert_eq!(consumer.join().unwrap(), (0..5_000).sum::<u64>());
    });
    assert_eq!(guard.received(), Some(SIGWINCH));
}

#[test]
fn a_signal_from_outside_ends_a_wait() {
    let (child, mut stdout) = start("waits", &[]);
    let mut line = String::new();
    while !line.contains("so far so good") {
        line.clear();
        assert_ne!(
            stdout.read_line(&mut line).unwrap(),
            0,
            "the child ended too early"
        );
    }
    let kill = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    let (status, text) = finish((child, stdout));
    assert!(
        status.success() && text.contains("stopped by 15"),
        "{status}: {text}"
    );
}

fn waits_case() {
    let guard = signal::on([SIGINT, SIGTERM], &EVENT).unwrap();
    so_far_so_good();
    assert!(EVENT.wait_timeout(LONG));
    println!("stopped by {}", guard.received().unwrap());
}
