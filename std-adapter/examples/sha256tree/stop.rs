//! Stopping on a signal, in time, whatever the other threads are doing.
//!
//! ```text
//!   0 s    signal     no new file is begun; files in hand go on
//!   0.5 s  give up    workers drop what they have in hand, the output names it
//!   0.7 s             the output still waits for the disk, or for the reader of stdout: the
//!                     program ends without it
//! ```

use std::process;
use std::sync::Once;
use std::thread;
use std::time::Duration;

use brigade::{Event, Executor, Shutdown, signal};
use indicatif::BinaryBytes;

use crate::board::board;
use crate::hash::Outcome;
use crate::message::{say, say_of};
use crate::window::{Pending, Window};

static SIGNALLED: Event = Event::new();

const GRACE: Duration = Duration::from_millis(500);
const LAST_GRACE: Duration = Duration::from_millis(200);

pub(crate) fn on_signals() -> Result<signal::Guard, signal::Error> {
    signal::on([signal::SIGINT, signal::SIGTERM], &SIGNALLED)
}

/// Waits for a signal and then sees to it that the program ends, by itself or in the end from here.
pub(crate) fn supervise(guard: &signal::Guard, pool: &impl Executor, window: &Window) {
    SIGNALLED.wait();
    let Some(signal) = guard.received() else {
        return;
    };
    // The walk finds the pool shut; the output passes over what is cancelled here.
    pool.shutdown(Shutdown::Immediate);
    thread::sleep(GRACE);
    board().give_up();
    thread::sleep(LAST_GRACE);
    for pending in window.shutdown(Shutdown::Immediate) {
        let Pending::File(path, task) = pending else {
            continue;
        };
        if let Err(_) | Ok(Ok(Outcome::GivenUp)) = task.result_timeout(Duration::ZERO) {
            say_of(&path, GIVEN_UP);
        }
    }
    process::exit(last_word(signal).into());
}

/// Lets the workers go, whose results nobody waits for any more. Processes should have ended before the
/// program does, as nobody else looks after them; but not at any price.
pub(crate) fn dismiss(pool: &impl Executor) {
    pool.shutdown(Shutdown::Immediate);
    board().give_up();
    let _ = pool.join_timeout(LAST_GRACE);
}

pub(crate) const GIVEN_UP: &str = "given up, unfinished";

/// Says how far the program got, once, and returns its exit status.
pub(crate) fn last_word(signal: i32) -> u8 {
    static SAID: Once = Once::new();
    let (name, status) = match signal {
        signal::SIGINT => ("SIGINT", 130),
        _ => ("SIGTERM", 143),
    };
    SAID.call_once(|| {
        let done = board().done();
        let (files, bytes) = (done.files, BinaryBytes(done.bytes));
        say(format_args!(
            "stopped by {name}: {files} files hashed, {bytes} read"
        ));
    });
    status
}
