//! How it ends before its time: by signals, and when its output goes nowhere.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tempfile::TempDir;

use super::{HUGE, Running, add_sparse, assert_ended, names, sha256tree, text, tree};
use crate::harness::until;

/// To be run in a folder that has a file `0`.
fn more_than_a_pipe_holds(folder: &TempDir) -> Command {
    let mut command = sha256tree(vec!["0"; 10_000]);
    command.current_dir(folder);
    command
}

#[test]
fn a_closed_stdout_ends_it_quietly() {
    let folder = tree(&["0"]);
    let (running, reader) = Running::start_unread(&mut more_than_a_pipe_holds(&folder));
    let mut first = String::new();
    BufReader::new(reader).read_line(&mut first).unwrap();
    assert!(first.ends_with("  0\n"), "{first}");
    assert_ended(&running.finish(), 141, "");
}

#[test]
fn a_full_disk_is_reported() {
    let folder = tree(&["a"]);
    let full = File::options().write(true).open("/dev/full").unwrap();
    let mut command = sha256tree(["."]);
    command
        .current_dir(&folder)
        .stdout(full)
        .stderr(Stdio::piped());
    let output = Running::spawn(&mut command).finish();
    assert_ended(
        &output,
        1,
        "sha256tree: write error: No space left on device\n",
    );
}

const THREADS: [&str; 2] = ["--threads", "2"];

/// Stops it when one worker has a file in hand that takes too long, the other one has many before
/// it that do not, and `ready` holds.
pub(super) fn is_stopped(
    workers: [&str; 2],
    queue: &str,
    ready: fn(&Running) -> bool,
    stop: fn(Running) -> Output,
    (name, status): (&str, i32),
) {
    let folder = tree(&["quick"]);
    add_sparse(&folder, "huge", HUGE);
    let short = ["short-0", "short-1", "short-2"];
    for name in short {
        add_sparse(&folder, name, 512 << 10);
    }
    let begin = ["quick", "huge"];
    let paths: Vec<&str> = begin.into_iter().chain(short.repeat(1000)).collect();
    let mut command = sha256tree(workers);
    command.args(["--queue", queue]).args(&paths);
    let running = Running::start(command.current_dir(&folder).process_group(0));
    until(|| ready(&running));
    let sent = Instant::now();
    let output = stop(running);
    let took = sent.elapsed();

    let names = names(&output);
    let summary = format!("stopped by {name}: {} files hashed, ", names.len());
    let stderr: Vec<&str> = text(&output.stderr).lines().collect();
    assert_eq!(stderr[0], "sha256tree: huge: given up, unfinished");
    assert!(
        stderr[1].starts_with(&format!("sha256tree: {summary}")),
        "{stderr:?}"
    );
    assert_eq!(stderr.len(), 2, "{stderr:?}");
    assert_eq!(output.status.code(), Some(status), "{}", output.status);
    assert!(took < Duration::from_secs(1), "{took:?}");

    assert!(names.len() < 1000, "new files were begun");
    let in_order = paths.into_iter().filter(|&path| path != "huge");
    assert_eq!(names, in_order.take(names.len()).collect::<Vec<_>>());
}

#[test]
fn sigint_stops_it_within_a_second() {
    let in_hand = |it: &Running| it.has_open("huge") && it.has_open("short-");
    let stop = |it: Running| it.stop(Signal::INT).0;
    is_stopped(THREADS, "3000", in_hand, stop, ("SIGINT", 130));
}

#[test]
fn sigterm_stops_it_also_when_the_walk_waits() {
    let walk_waits = |it: &Running| it.has_open("huge") && it.is_asleep("walk");
    let stop = |it: Running| it.stop(Signal::TERM).0;
    is_stopped(THREADS, "1", walk_waits, stop, ("SIGTERM", 143));
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let folder = tree(&[]);
    add_sparse(&folder, "huge", HUGE);
    let running = Running::start(sha256tree(["."]).current_dir(&folder));
    until(|| running.has_open("huge"));
    running.signal(Signal::TERM);
    // When no thread has it pending any more, one is handling it.
    until(|| {
        let status = fs::read_to_string(running.proc("status")).unwrap();
        status.contains("\nShdPnd:\t0000000000000000\n")
    });
    let (output, _) = running.stop(Signal::TERM);
    let signal = Some(Signal::TERM.as_raw());
    assert_eq!(output.status.signal(), signal, "{}", output.status);
    assert_eq!(text(&output.stdout), "");
}

#[test]
fn a_reader_that_does_not_read_cannot_hold_it_up() {
    let folder = tree(&["0"]);
    let mut command = more_than_a_pipe_holds(&folder);
    let (running, _reader) = Running::start_unread(command.args(["--queue=5000", "--threads=1"]));
    // When both have nothing to do, 5000 lines are ready to be written.
    until(|| running.is_asleep("walk") && running.is_asleep("hash-0"));
    let (output, took) = running.stop(Signal::INT);
    let stderr = text(&output.stderr);
    assert!(
        stderr.starts_with("sha256tree: stopped by SIGINT: "),
        "{stderr}"
    );
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert_eq!(output.status.code(), Some(130), "{}", output.status);
    assert!(took < Duration::from_secs(1), "{took:?}");
}
