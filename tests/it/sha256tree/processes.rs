//! With worker processes: the same output, whatever becomes of a worker, and nothing left behind.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::stopping::is_stopped;
use super::{HUGE, Running, add_sparse, assert_ended, names, run, sha256tree, tree};
use crate::harness::until;
use crate::program::has_open;

const PROCESSES: [&str; 2] = ["--processes", "2"];

fn kill(pid: u32) {
    let pid = Pid::from_raw(pid.try_into().unwrap()).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
}

/// The workers that have not ended.
fn workers(running: &Running) -> Vec<u32> {
    let running = running.pid().as_raw_pid().try_into().ok();
    let all = fs::read_dir("/proc").unwrap();
    all.filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok())
        .filter(|&pid| parent(pid) == running)
        .collect()
}

/// Whose child the process is, unless it has ended.
fn parent(pid: u32) -> Option<u32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // After the name, which is in parentheses, comes the state.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    if matches!(fields.next()?, "Z" | "X") {
        return None;
    }
    fields.next()?.parse().ok()
}

/// The worker that has such a file open.
fn who_has(running: &Running, prefix: &str) -> Option<u32> {
    workers(running)
        .into_iter()
        .find(|&worker| has_open(worker, prefix))
}

#[test]
fn the_output_is_that_of_threads_byte_for_byte() {
    let folder = tree(&["plain", "a/b/c", "a/d", "new\nline", "back\\slash", "tab\t"]);
    let odd: &[u8] = b"\xff\xfe not utf-8 \xc3";
    fs::write(folder.path().join(OsStr::from_bytes(odd)), "odd").unwrap();
    add_sparse(&folder, "large", 3 << 20);
    let paths = ["missing", ".", "/proc/self/mem", "plain"];
    let with = |workers: [&str; 2]| run(workers.iter().chain(&paths), &folder);

    let threads = with(["--threads", "2"]);
    assert_eq!(threads.status.code(), Some(1));
    assert_eq!(threads.stdout.split(|&byte| byte == b'\n').count(), 10);
    for number in ["1", "2", "7"] {
        assert_eq!(with(["--processes", number]), threads);
    }
}

#[test]
fn a_killed_worker_costs_the_file_that_it_had_in_hand() {
    let folder = tree(&["a", "b", "c"]);
    add_sparse(&folder, "huge", HUGE);
    for processes in ["1", "2"] {
        let mut command = sha256tree(["--processes", processes, "a", "huge", "b", "c"]);
        let running = Running::start(command.current_dir(&folder));
        until(|| who_has(&running, "huge").is_some());
        kill(who_has(&running, "huge").unwrap());
        let output = running.finish();
        assert_eq!(names(&output), ["a", "b", "c"]);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(
            stderr.starts_with("sha256tree: huge: the worker process 'hash-"),
            "{stderr}"
        );
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert_eq!(output.status.code(), Some(1), "{}", output.status);
    }
}

#[test]
fn a_killed_idle_worker_costs_nothing() {
    let folder = tree(&["a"]);
    add_sparse(&folder, "huge", HUGE);
    // One worker has the file in hand that all others wait for.
    let mut command = sha256tree(["--processes", "2", "--queue", "1", "huge", "a", "a", "a"]);
    let running = Running::start(command.current_dir(&folder));
    until(|| running.is_asleep("walk") && who_has(&running, "huge").is_some());
    let busy = who_has(&running, "huge").unwrap();
    let idle = workers(&running).into_iter().find(|&pid| pid != busy);
    kill(idle.unwrap());
    until(|| workers(&running).len() == 2 && parent(idle.unwrap()).is_none());
    kill(busy);
    let output = running.finish();
    assert_eq!(names(&output), ["a", "a", "a"]);
    assert_eq!(output.status.code(), Some(1), "{}", output.status);
}

/// At Ctrl-C the terminal signals the workers, too.
#[test]
fn ctrl_c_stops_it_within_a_second_and_leaves_no_worker() {
    is_stopped(
        PROCESSES,
        "3000",
        |it| who_has(it, "huge").is_some() && who_has(it, "short-").is_some(),
        |it| {
            let workers = workers(&it);
            assert_eq!(workers.len(), 2);
            kill_process_group(it.pid(), Signal::INT).unwrap();
            let output = it.finish();
            assert!(workers.into_iter().all(|pid| parent(pid).is_none()));
            output
        },
        ("SIGINT", 130),
    );
}

#[test]
fn workers_die_with_a_program_that_is_killed() {
    let folder = tree(&[]);
    add_sparse(&folder, "huge", HUGE);
    let mut command = sha256tree(PROCESSES);
    let running = Running::start(command.arg("huge").current_dir(&folder));
    until(|| who_has(&running, "huge").is_some());
    let workers = workers(&running);
    drop(running.stop(Signal::KILL));
    until(|| workers.iter().all(|&pid| parent(pid).is_none()));
}

#[test]
fn processes_and_threads_exclude_one_another() {
    let folder = tree(&["a"]);
    let output = run(["--processes", "2", "--threads", "2", "a"], &folder);
    assert_eq!(output.status.code(), Some(2));
    let output = run(["--processes", "1", "a"], &folder);
    assert_ended(&output, 0, "");
    assert_eq!(names(&output), ["a"]);
}
