//! The operations, each with what has to be true after a death in it.

mod count;
mod flag;
mod lock;
mod pool;
mod queue;

use std::fs;
use std::io;
use std::iter;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use brigade::Process;
use brigade::process::{Exit, JoinError, StartError};
use brigade::shared::{Lock, LockTimeoutError};
use libc::pid_t;

use crate::house::Cast;
use crate::tracee::{self, VICTIM, thread_named};

/// How long what has to happen may take on a busy machine. Beyond it, it counts as a hang.
pub(crate) const PATIENCE: Duration = Duration::from_secs(45);
/// How long a thread sleeps for what is to come. It looks once more when that time is over, and whoever
/// was not woken must not pass for one who was: hence so much longer.
const SLEEP: Duration = PATIENCE.saturating_mul(4);

/// One operation, seen by those who survive it.
pub(crate) trait Scene {
    /// Puts things in order, and starts who is to die.
    fn open(&mut self) -> Result<Cast, String>;

    /// After the death: says what the operation has come to, or what is wrong.
    fn judge(&mut self) -> Result<&'static str, String>;
}

type Made = Result<Box<dyn Scene>, String>;

/// An operation, what it has come to when the victim has completed it, and the scene.
type Entry = (&'static str, &'static str, fn() -> Made);

type Started = Result<Process<()>, StartError>;

/// What most scenes are made of.
struct Play<T, W> {
    things: T,
    /// Starts the victim; or, if there is somebody to be swept after, that one.
    enter: fn(&T) -> Started,
    /// Starts who is to sweep, as the victim.
    sweep: Option<fn(&T) -> Started>,
    /// What the house does meanwhile: mostly, have a thread wait.
    meanwhile: fn(&T) -> Result<W, String>,
    judge: fn(&T, W) -> Result<&'static str, String>,
    running: Option<(Vec<Process<()>>, W)>,
}

/// One who dies in an operation.
fn play<T: 'static, W: 'static>(
    things: io::Result<T>,
    enter: fn(&T) -> Started,
    meanwhile: fn(&T) -> Result<W, String>,
    judge: fn(&T, W) -> Result<&'static str, String>,
) -> Made {
    Ok(Box::new(Play {
        things: things.map_err(in_words)?,
        enter,
        sweep: None,
        meanwhile,
        judge,
        running: None,
    }))
}

/// One who dies while it [has](hold) something, and another who dies in taking that back.
fn play_sweep<T: 'static, W: 'static>(
    things: io::Result<T>,
    enter: fn(&T) -> Started,
    sweep: fn(&T) -> Started,
    meanwhile: fn(&T) -> Result<W, String>,
    judge: fn(&T, W) -> Result<&'static str, String>,
) -> Made {
    Ok(Box::new(Play {
        things: things.map_err(in_words)?,
        enter,
        sweep: Some(sweep),
        meanwhile,
        judge,
        running: None,
    }))
}

impl<T, W> Scene for Play<T, W> {
    fn open(&mut self) -> Result<Cast, String> {
        let mut processes = Vec::new();
        let mut cast = Vec::new();
        for enter in iter::once(self.enter).chain(self.sweep) {
            let process = enter(&self.things).map_err(in_words)?;
            let pid = pid_of(&process);
            processes.push(process);
            // It has what it is to have before.
            thread_named(pid, VICTIM).map_err(in_words)?;
            cast.push(pid);
        }
        self.running = Some((processes, (self.meanwhile)(&self.things)?));
        match cast[..] {
            [victim] => Ok(Cast { victim, prey: None }),
            [prey, victim] => Ok(Cast {
                victim,
                prey: Some(prey),
            }),
            _ => Err("nobody was to die".to_owned()),
        }
    }

    fn judge(&mut self) -> Result<&'static str, String> {
        let (processes, meanwhile) = self.running.take().ok_or("nobody was to die")?;
        processes.into_iter().try_for_each(buried)?;
        (self.judge)(&self.things, meanwhile)
    }
}

/// Waits for one who was killed.
fn buried(process: Process<()>) -> Result<(), String> {
    match process.join() {
        Err(JoinError::Ended(Exit::Signal(libc::SIGKILL))) => Ok(()),
        other => Err(format!("the victim ended by itself: {other:?}")),
    }
}

/// All operations. The names are those of the report.
fn all() -> impl Iterator<Item = Entry> {
    [
        queue::SCENES,
        lock::SCENES,
        flag::SCENES,
        count::SCENES,
        pool::SCENES,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// Each operation, and what it has come to when the victim has completed it.
pub(crate) fn names() -> impl Iterator<Item = (&'static str, &'static str)> {
    all().map(|(name, complete, _)| (name, complete))
}

pub(crate) fn named(name: &str) -> Option<Made> {
    all()
        .find(|(other, ..)| *other == name)
        .map(|(_, _, make)| make())
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

/// In the victim: keeps this until the end.
fn hold<R>(what: R) {
    std::mem::forget(what);
    tracee::be_found();
    loop {
        thread::park();
    }
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

/// What a call returns that waits for what is there already, or comes with the news of a death. An answer
/// that it has found only when its time was over was never told to it.
fn promptly<R>(what: &str, wait: impl FnOnce(Duration) -> R) -> Result<R, String> {
    let began = Instant::now();
    let answer = wait(PATIENCE);
    if began.elapsed() < PATIENCE {
        Ok(answer)
    } else {
        Err(format!("not within {PATIENCE:?}: {what}"))
    }
}

/// Waits until the death is known of who has this lock. Deaths are told of what was made before it first.
fn hear(knell: &Lock<()>) -> Result<(), String> {
    match promptly("the news of the death", |time| knell.lock_timeout(time))? {
        Err(LockTimeoutError::OwnerDied(guard)) => {
            guard.mark_clean();
            Ok(())
        }
        other => Err(format!("no news of the death: {other:?}")),
    }
}

/// What such a thread has heard.
fn heard<R>(sleeper: JoinHandle<R>) -> Result<R, String> {
    until("a waiting thread comes back", || {
        sleeper.is_finished().then_some(())
    })?;
    sleeper
        .join()
        .map_err(|_| "a waiting thread has panicked".to_owned())
}

#[expect(clippy::unnecessary_wraps, reason = "one of several")]
fn nothing<T>(_: &T) -> Result<(), String> {
    Ok(())
}
