//! A worker that runs until Ctrl-C, and stops between two pieces of work.
//!
//! ```text
//! cargo run --example stop_flag
//! ```
//!
//! The flag is an event, so the worker need not look at it every so often: its pause between two
//! pieces of work *is* the wait for the flag, and ends at once when the flag is set. A second Ctrl-C
//! ends the program there and then.

use std::error::Error;
use std::time::Duration;

use brigade::{Event, signal, thread};

static STOP: Event = Event::new();

const PERIOD: Duration = Duration::from_millis(100);

fn main() -> Result<(), Box<dyn Error>> {
    let guard = signal::on([signal::SIGINT, signal::SIGTERM], &STOP)?;

    let worker = thread::Builder::new().name("meter").spawn(|| {
        let mut readings = 0;
        thread::repeat_until(&STOP, PERIOD, || {
            readings += 1;
            println!("reading {readings}");
        });
        readings
    })?;

    println!("press Ctrl-C to stop");
    let readings = worker.join()?;
    match guard.received() {
        Some(signal) => println!("stopped by signal {signal} after {readings} readings"),
        None => println!("stopped after {readings} readings"),
    }
    Ok(())
}
