//! Managers: objects that a process of their own owns, used by several processes, some of which die.

mod clients;
mod death;
mod limits;
mod objects;
mod queue;
mod returns;

use std::sync::mpsc;
use std::thread;

use brigade::manager::Queue;
use brigade::{Manager, Process};
use rustix::process::{Pid, Signal, kill_process};

use crate::harness::LONG;

/// Runs it; fails the test if it takes too [`LONG`].
fn in_time<T: Send + 'static>(action: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, result) = mpsc::channel();
    thread::spawn(move || sender.send(action()));
    result
        .recv_timeout(LONG)
        .expect("it takes too long, or fails")
}

/// Kills the process and waits until nothing is left of it.
fn kill<R: brigade::Message>(process: Process<R>) {
    process.kill().unwrap();
    assert!(process.join().is_err());
}

/// Sends a signal to the manager's server.
fn signal(manager: &Manager, signal: Signal) {
    let pid = i32::try_from(manager.pid().unwrap()).unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), signal).unwrap();
}

/// Tells the test where a child has got to, and waits to be killed.
fn await_death(at: &Queue<String>) {
    at.put("here".into()).unwrap();
    loop {
        thread::park();
    }
}
