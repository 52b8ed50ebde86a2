//! The operations, each with what has to be true after a death in it.

mod flag;

use std::fs;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use brigade::Process;
use libc::pid_t;

use crate::house::Cast;
use crate::tracee;

/// How long what has to happen may take on a busy machine. Beyond it, it counts as a hang.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// One operation, seen by those who survive it.
pub(crate) trait Scene {
    /// Puts things in order, and starts who is to die.
    fn open(&mut self) -> Result<Cast, String>;

    /// After the death: says what the operation has come to, or what is wrong.
    fn judge(&mut self) -> Result<&'static str, String>;
}

type Made = Result<Box<dyn Scene>, String>;
type Make = fn() -> Made;

fn boxed(scene: Result<impl Scene + 'static, String>) -> Made {
    Ok(Box::new(scene?))
}

/// All operations. The names are those of the report.
fn all() -> impl Iterator<Item = (&'static str, Make)> {
    flag::SCENES.iter().copied()
}

pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    all().map(|(name, _)| name)
}

pub(crate) fn named(name: &str) -> Option<Made> {
    all()
        .find(|(other, _)| *other == name)
        .map(|(_, make)| make())
}

/// In the victim: has the tracer step through this, and never comes back. What it returns lasts
/// until the end.
fn die_in<R>(operation: impl FnOnce() -> R) {
    tracee::await_tracer();
    tracee::mark();
    let result = operation();
    tracee::mark();
    // Not dropped: that would be another operation.
    std::mem::forget(result);
    unreachable!("the tracer kills here at the latest")
}

/// Asks again and again until there is an answer.
fn until<R>(what: &str, mut ask: impl FnMut() -> Option<R>) -> Result<R, String> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return Ok(answer);
        }
        if Instant::now() > deadline {
            return Err(format!("not within {PATIENCE:?}: {what}"));
        }
        thread::yield_now();
    }
}

fn pid_of<R>(process: &Process<R>) -> pid_t {
    pid_t::try_from(process.pid()).expect("process numbers have 22 bits")
}

fn in_words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// A thread that has come to rest in `wait`.
fn sleeping<R: Send + 'static>(
    wait: impl FnOnce() -> R + Send + 'static,
) -> Result<JoinHandle<R>, String> {
    let (say, hear) = mpsc::channel();
    let handle = thread::spawn(move || {
        // SAFETY: asks for a number.
        let _ = say.send(unsafe { libc::gettid() });
        wait()
    });
    let thread = hear.recv().map_err(in_words)?;
    until("a thread falls asleep", || {
        let stat = fs::read_to_string(format!("/proc/self/task/{thread}/stat"));
        // A thread that has ended does not sleep, but need not.
        stat.map_or(true, |stat| stat.contains(") S "))
            .then_some(())
    })?;
    Ok(handle)
}
