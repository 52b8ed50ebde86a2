//! Processes where something is unusual: rights, closed streams, signals, wakers that start processes.

use std::future::Future;
use std::os::unix::fs::{PermissionsExt, chown};
use std::process::Command;
use std::sync::{Arc, mpsc};
use std::task::{Context, Wake, Waker};
use std::time::Duration;
use std::{env, fs, thread};

use brigade::{Process, shared};

use crate::harness::LONG;

const PRIVILEGED: &str = "BRIGADE_TEST_PRIVILEGED";

/// What a privileged process does: see below. Nothing in an ordinary run.
#[test]
fn tries_to_start_a_process() {
    if env::var_os(PRIVILEGED).is_none() {
        return;
    }
    // SAFETY: it reads what the kernel has told the process.
    let is_privileged = unsafe { libc::getauxval(libc::AT_SECURE) } != 0;
    // A child that comes to `main` must not do all of this again.
    let answer = is_privileged.then(|| Process::start(|()| (), ()).map(drop));
    println!("\nanswer: {answer:?}");
}

/// A child would not believe its environment, and come to `main`, where it is started again, and so on.
#[test]
fn a_program_with_more_rights_than_its_starter_starts_none() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let program = folder.path().join("privileged");
    // By a process of its own: what another test starts meanwhile would inherit a copy that is open for
    // writing, and for that moment nobody could run it.
    let mut copy = Command::new("cp");
    copy.arg(env::current_exe().unwrap()).arg(&program);
    assert!(copy.status().unwrap().success());
    // Only root can give the file to somebody else, whose rights it has then.
    if let Err(error) = chown(&program, Some(65_534), Some(65_534)) {
        eprintln!("skipped: {error}");
        return;
    }
    fs::set_permissions(&program, fs::Permissions::from_mode(0o4755)).unwrap();

    let mut command = Command::new(&program);
    command.env(PRIVILEGED, "1").args([
        "--exact",
        "process_limits::tries_to_start_a_process",
        "--nocapture",
    ]);
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    if text.contains("answer: None") {
        eprintln!("skipped: the file system knows no set-user-ID bit");
        return;
    }
    assert!(text.contains("answer: Some(Err(Privileged))"), "{text}");

    // Told that it is a child, it does not come to `main`.
    let mut command = Command::new(&program);
    command.env("BRIGADE_CHILD", "1:3").arg("--list");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(125));
    assert!(output.stdout.is_empty());
    assert!(output.stderr.starts_with(b"brigade: "), "{output:?}");
}

/// What is printed goes nowhere, and not into files that happen to have the numbers of the streams.
#[test]
fn streams_may_be_closed() {
    let middle = |()| {
        for stream in 0..2 {
            // SAFETY: closes a stream that nobody uses in this process.
            assert_eq!(unsafe { libc::close(stream) }, 0);
        }
        let talk = |length: usize| {
            for _ in 0..100 {
                println!("hello");
            }
            vec![7_u8; length]
        };
        let child = Process::start(talk, 300).unwrap();
        child.join().unwrap()
    };
    let result = Process::start(middle, ()).unwrap().join();
    assert_eq!(result.unwrap(), vec![7; 300]);
}

/// Starts a process and waits for it.
struct Starter(mpsc::Sender<u8>);

impl Wake for Starter {
    fn wake(self: Arc<Self>) {
        let three = Process::start(|()| 3, ()).unwrap().join().unwrap();
        let _ = self.0.send(three);
    }
}

#[test]
fn a_waker_may_start_a_process_and_wait_for_it() {
    let go = shared::Event::new().unwrap();
    let child = Process::start(|go: shared::Event| go.wait(), go.clone()).unwrap();
    let (sender, woken) = mpsc::channel();
    let waker = Waker::from(Arc::new(Starter(sender)));
    let mut join = Box::pin(child.join_async());
    let mut context = Context::from_waker(&waker);
    assert!(join.as_mut().poll(&mut context).is_pending());
    go.set();
    assert_eq!(woken.recv_timeout(LONG), Ok(3));
}

#[test]
fn one_that_panics_when_it_is_woken_is_nobodys_trouble() {
    struct Gloomy;

    impl Wake for Gloomy {
        fn wake(self: Arc<Self>) {
            panic!("it has been woken");
        }
    }

    let child = Process::start(|()| thread::sleep(Duration::from_millis(50)), ()).unwrap();
    let waker = Waker::from(Arc::new(Gloomy));
    let mut join = Box::pin(child.join_async());
    let _ = join.as_mut().poll(&mut Context::from_waker(&waker));
    let next = Process::start(|()| 4, ()).unwrap();
    assert_eq!(next.join_timeout(LONG).unwrap().unwrap(), 4);
}

/// The signals that a thread blocks.
fn blocked(thread: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{thread}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("SigBlk:"));
    u64::from_str_radix(line.unwrap().trim(), 16).unwrap()
}

#[test]
fn the_thread_that_starts_processes_gets_no_signals_and_they_do() {
    let middle = |()| {
        let child = Process::start(|()| blocked("thread-self"), ()).unwrap();
        let of_child = child.join().unwrap();
        let tasks = fs::read_dir("/proc/self/task").unwrap();
        let of_nursery = tasks
            .map(|task| task.unwrap().file_name())
            .find_map(|task| {
                let thread = format!("self/task/{}", task.to_str().unwrap());
                // Another thread may end meanwhile.
                let name = fs::read_to_string(format!("/proc/{thread}/comm")).unwrap_or_default();
                name.starts_with("brigade-nursery")
                    .then(|| blocked(&thread))
            });
        (blocked("thread-self"), of_child, of_nursery.unwrap())
    };
    let (own, of_child, of_nursery) = Process::start(middle, ()).unwrap().join().unwrap();
    assert_eq!(own, of_child);
    for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGCHLD, libc::SIGUSR1] {
        assert!(of_nursery >> (signal - 1) & 1 == 1, "{of_nursery:x}");
    }
}
