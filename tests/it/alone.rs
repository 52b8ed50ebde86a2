//! Tests that change or end their whole process, each in one of its own: the binary starts itself
//! again for it.

use std::any::type_name_of_val;
use std::env;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;

use crate::harness::LONG;

/// Names the test whose body a child is to run.
const TEST: &str = "BRIGADE_TEST_ALONE";

const SO_FAR_SO_GOOD: &str = "so far so good";
const DONE: &str = "done, and alive";

/// Runs the body of a test in a child, which has to come to its end.
#[track_caller]
pub(crate) fn ends_well<F: FnOnce()>(body: F) {
    ends_well_under(&[], body);
}

/// As [`ends_well`], in a child that another program has launched.
#[track_caller]
pub(crate) fn ends_well_under<F: FnOnce()>(launcher: &[&str], body: F) {
    let Some(body) = in_the_child(body) else {
        return;
    };
    let (status, text) = finish(start(&body, launcher));
    assert!(status.success() && text.contains(DONE), "{status}: {text}");
}

/// Runs the body of a test in a child, which has to be ended by this signal after it has said
/// [`so_far_so_good`].
#[track_caller]
pub(crate) fn ends_by<F: FnOnce()>(signal: i32, body: F) {
    let Some(body) = in_the_child(body) else {
        return;
    };
    let (status, text) = finish(start(&body, &[]));
    assert_eq!(status.signal(), Some(signal), "{status}: {text}");
    assert!(text.contains(SO_FAR_SO_GOOD), "{text}");
}

/// Runs the body of a test in a child, to which a signal is sent when it has said
/// [`so_far_so_good`]; it has to come to its end.
#[track_caller]
pub(crate) fn ends_well_after<F: FnOnce()>(signal: &str, body: F) {
    let Some(body) = in_the_child(body) else {
        return;
    };
    let (child, mut stdout) = start(&body, &[]);
    let mut line = String::new();
    while !line.contains(SO_FAR_SO_GOOD) {
        line.clear();
        let length = stdout.read_line(&mut line).unwrap();
        assert_ne!(length, 0, "the child ended too early");
    }
    send(signal, child.id());
    let (status, text) = finish((child, stdout));
    assert!(status.success() && text.contains(DONE), "{status}: {text}");
}

pub(crate) fn so_far_so_good() {
    println!("{SO_FAR_SO_GOOD}");
}

/// What a child says that leaves by `exit`, not by the end of its test.
pub(crate) fn done() {
    println!("{DONE}");
}

/// Has another process send a signal.
pub(crate) fn send(signal: &str, process: u32) {
    let kill = Command::new("kill")
        .args([signal, &process.to_string()])
        .status();
    assert!(kill.unwrap().success());
}

/// In the child, runs the body; in the parent, says the name of the test.
fn in_the_child<F: FnOnce()>(body: F) -> Option<String> {
    // A closure is named after the function that it stands in.
    let name = type_name_of_val(&body);
    let name = name
        .split_once("::")
        .and_then(|(_, path)| path.strip_suffix("::{{closure}}"))
        .expect("the body is a closure in the test")
        .to_owned();
    if env::var_os(TEST).is_none_or(|it| it != *name) {
        return Some(name);
    }
    body();
    done();
    None
}

/// A child that runs the body of a test, by way of `launcher` if there is one, and what it prints.
fn start(test: &str, launcher: &[&str]) -> (Child, BufReader<ChildStdout>) {
    let this = env::current_exe().unwrap();
    let mut words: Vec<OsString> = launcher.iter().map(OsString::from).collect();
    words.extend([this.into_os_string(), test.into()]);
    let mut child = Command::new(&words[0])
        .args(&words[1..])
        .args(["--exact", "--nocapture", "--test-threads=1"])
        .env(TEST, test)
        .stdin(Stdio::piped())
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
    // Its input, kept open so far, is closed by this.
    let status = child.wait().unwrap();
    reader.join().unwrap();
    (status, text.expect("the child takes too long"))
}
