//! How processes end together: a child dies with its parent, however that dies and whoever started it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, Write};
use std::os::fd::AsRawFd;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::{env, thread};

use brigade::Process;
use brigade::process::{Builder, Exit, JoinError};

use crate::harness::LONG;
use crate::process::sleep;

/// Says that it is there and sleeps.
#[allow(clippy::needless_pass_by_value, reason = "it is to be an argument")]
fn announce(who: String) {
    println!("{who}");
    sleep(());
}

/// As [`announce`], with a child that does the same.
fn with_child(from_a_thread_that_ends: bool) {
    let start = || Process::start(announce, "grandchild".into()).unwrap();
    let _child = if from_a_thread_that_ends {
        thread::spawn(start).join().unwrap()
    } else {
        start()
    };
    sleep(());
}

/// Waits until all are gone who could write to the pipe, which have printed nothing more.
#[track_caller]
fn at_end(mut pipe: impl Read + Send + 'static) {
    let (sender, rest) = mpsc::channel();
    thread::spawn(move || sender.send(pipe.read_to_end(&mut Vec::new()).unwrap()));
    assert_eq!(rest.recv_timeout(LONG), Ok(0), "somebody is left");
}

/// Reads a line that the child has printed.
fn line(pipe: &mut impl BufRead) -> String {
    let mut line = String::new();
    pipe.read_line(&mut line).unwrap();
    line.trim_end().into()
}

#[test]
fn grandchildren_die_when_their_parent_is_killed() {
    for from_a_thread_that_ends in [false, true] {
        let middle = Builder::new().stdout(Stdio::piped());
        let mut middle = middle.start(with_child, from_a_thread_that_ends).unwrap();
        let mut pipe = BufReader::new(middle.stdout().take().unwrap());
        assert_eq!(line(&mut pipe), "grandchild");
        middle.kill().unwrap();
        at_end(pipe);
        assert!(matches!(
            middle.join(),
            Err(JoinError::Ended(Exit::Signal(9)))
        ));
    }
}

#[test]
fn grandchildren_die_when_their_parent_returns() {
    let leave = |()| {
        let child = Builder::new().stdout(Stdio::piped());
        let mut child = child.start(announce, "grandchild".into()).unwrap();
        line(&mut BufReader::new(child.stdout().take().unwrap()))
    };
    // The grandchild has its standard error from here.
    let mut middle = Builder::new()
        .stderr(Stdio::piped())
        .start(leave, ())
        .unwrap();
    at_end(middle.stderr().take().unwrap());
    assert_eq!(middle.join().unwrap(), "grandchild");
}

#[test]
fn a_child_outlives_the_thread_that_started_it() {
    let echo = |()| line(&mut std::io::stdin().lock());
    let start = move || {
        Builder::new()
            .stdin(Stdio::piped())
            .start(echo, ())
            .unwrap()
    };
    let mut child = thread::spawn(start).join().unwrap();
    child.stdin().take().unwrap().write_all(b"alive\n").unwrap();
    assert_eq!(child.join().unwrap(), "alive");
}

#[test]
fn a_child_that_is_told_so_outlives_its_parent() {
    fn echo((): ()) {
        println!("ready");
        println!("{}", line(&mut std::io::stdin().lock()));
    }

    let middle = |()| {
        let _child = Builder::new().outlive_parent().start(echo, ()).unwrap();
        sleep(());
    };
    let builder = Builder::new().stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut middle = builder.start(middle, ()).unwrap();
    let mut pipe = BufReader::new(middle.stdout().take().unwrap());
    assert_eq!(line(&mut pipe), "ready");
    let mut stdin = middle.stdin().take().unwrap();
    middle.kill().unwrap();
    assert!(middle.join().is_err());
    stdin.write_all(b"alone\n").unwrap();
    assert_eq!(line(&mut pipe), "alone");
    at_end(pipe);
}

#[test]
fn an_interrupt_ends_a_child_unless_it_ignores_them() {
    // Where the tests run in the background they ignore interrupts, and so would those they start.
    // SAFETY: zeroes are such a structure.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: writes to it.
    let read = unsafe { libc::sigaction(libc::SIGINT, std::ptr::null(), &raw mut action) };
    assert_eq!(read, 0);
    if action.sa_sigaction == libc::SIG_IGN {
        // SAFETY: sets what a program in the foreground has.
        unsafe { libc::signal(libc::SIGINT, libc::SIG_DFL) };
    }
    let wait = |()| {
        println!("ready");
        line(&mut std::io::stdin().lock())
    };
    for ignores in [false, true] {
        let mut builder = Builder::new().stdin(Stdio::piped()).stdout(Stdio::piped());
        if ignores {
            builder = builder.ignore_interrupts();
        }
        let mut child = builder.start(wait, ()).unwrap();
        let mut pipe = BufReader::new(child.stdout().take().unwrap());
        assert_eq!(line(&mut pipe), "ready");
        let pid = child.pid().try_into().unwrap();
        // SAFETY: sends a signal to a child that has not been joined.
        assert_eq!(unsafe { libc::kill(pid, libc::SIGINT) }, 0);
        if !ignores {
            assert!(matches!(
                child.join(),
                Err(JoinError::Ended(Exit::Signal(2)))
            ));
            continue;
        }
        child.stdin().take().unwrap().write_all(b"later\n").unwrap();
        assert_eq!(child.join_timeout(LONG).unwrap().unwrap(), "later");
    }
}

/// This program, told that it is a child, but not by brigade.
fn told(variable: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command.env("BRIGADE_CHILD", variable);
    command
}

#[test]
fn a_child_of_another_program_refuses() {
    let mut letter = tempfile::tempfile().unwrap();
    letter.write_all(b"brigade?").unwrap();
    letter.write_all(&[0xa5; 32]).unwrap();
    letter.write_all(b"what that program has to say").unwrap();
    let variable = format!("{}:{}", std::process::id(), letter.as_raw_fd());
    let status = told(&variable).status().unwrap();
    assert_eq!(status.code(), Some(1));

    let mut answer = Vec::new();
    letter.rewind().unwrap();
    letter.read_to_end(&mut answer).unwrap();
    assert_eq!(answer, b"brigade!\x04\0\0\0\0\0\0\0");
}

#[test]
fn a_process_that_is_told_nonsense_says_so_and_does_not_come_to_main() {
    let file = File::open("/proc/self/stat").unwrap();
    let own = std::process::id();
    for variable in [
        "",
        "nonsense",
        "1:x",
        // Not its parent.
        "1:3",
        // No such descriptor, and one that is no request.
        &format!("{own}:999999"),
        &format!("{own}:{}", file.as_raw_fd()),
    ] {
        let output = told(variable).output().unwrap();
        assert_eq!(output.status.code(), Some(125), "{variable}");
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(errors.starts_with("brigade: "), "{errors}");
        assert!(output.stdout.is_empty(), "{:?}", output.stdout);
    }
}

#[test]
fn a_child_whose_parent_has_ended_says_nothing() {
    let mut ended = Command::new("true").spawn().unwrap();
    assert!(ended.wait().unwrap().success());
    let output = told(&format!("{}:3", ended.id())).output().unwrap();
    assert_eq!(output.status.code(), Some(125));
    assert!(output.stderr.is_empty(), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
}

#[test]
fn programs_that_a_child_starts_are_none() {
    // The environment that the child has is given to what it starts.
    let list = |()| {
        let output = Command::new(env::current_exe().unwrap())
            .arg("--list")
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let text = Process::start(list, ()).unwrap().join().unwrap();
    assert!(text.contains("programs_that_a_child_starts_are_none"));
}
