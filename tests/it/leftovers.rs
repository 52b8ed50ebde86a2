//! What is left of a test that fails while processes work for it: nothing.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fs};

use brigade::shared::Lock;
use brigade::{Process, ProcessPool};

use crate::harness::LONG;

const ARMED: &str = "BRIGADE_TEST_FAILS";

/// Does nothing in an ordinary run.
#[test]
fn fails_with_processes_at_work_if_told_to() {
    let Ok(how) = env::var(ARMED) else {
        return;
    };
    let lock = Lock::new(0_u64).unwrap();
    let hold = |lock: Lock<u64>| {
        let _guard = lock.lock();
        thread::sleep(Duration::from_secs(3600));
    };
    let process = Process::start(hold, lock).unwrap();
    let pool = ProcessPool::builder().workers(2).build().unwrap();
    let ready = pool.submit(std::process::id).unwrap().result().unwrap();
    let _busy = pool
        .submit(|| thread::sleep(Duration::from_secs(3600)))
        .unwrap();
    println!("started: {} {ready}", process.pid());
    for pid in pool.pids() {
        println!("started: {pid}");
    }
    println!("started all");
    if how == "abort" {
        std::process::abort();
    }
    // Unwinding would wait for the task of an hour.
    std::mem::forget(pool);
    panic!("as it was told");
}

#[test]
fn nothing_is_left_of_a_test_that_fails() {
    for how in ["panic", "abort", "kill"] {
        let mut test = Command::new(env::current_exe().unwrap())
            .args([
                "--exact",
                "leftovers::fails_with_processes_at_work_if_told_to",
                "--nocapture",
            ])
            .env(ARMED, how)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut started = Vec::new();
        for line in BufReader::new(test.stdout.take().unwrap())
            .lines()
            .map_while(Result::ok)
        {
            if let Some((_, pids)) = line.split_once("started: ") {
                started.extend(pids.split(' ').map(str::to_owned));
            }
            if line.ends_with("started all") {
                break;
            }
        }
        if how == "kill" {
            test.kill().unwrap();
        }
        assert!(!test.wait().unwrap().success(), "{how}");
        assert!(started.len() >= 3, "{how}: {started:?}");
        let deadline = Instant::now() + LONG;
        while started.iter().any(|pid| runs(pid)) {
            assert!(Instant::now() < deadline, "{how}: {started:?}");
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Whether a process has not ended. Of one that has, its name may remain until its new parent, which is none
/// of ours, has asked for it.
fn runs(pid: &str) -> bool {
    let stat = fs::read_to_string(Path::new("/proc").join(pid).join("stat"));
    stat.is_ok_and(|stat| {
        let state = stat.rsplit(')').next().unwrap_or_default();
        !state.trim_start().starts_with('Z')
    })
}
