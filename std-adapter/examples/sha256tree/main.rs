//! `sha256tree`: prints the SHA-256 of every file below a path, as `sha256sum` would, hashing
//! several at a time.
//!
//! ```text
//! cargo run --release --example sha256tree -- /usr/share/doc
//! ```
//!
//! Four kinds of threads, and what stands between them. With `--processes N` those that hash are
//! processes; nobody else can tell the difference.
//!
//! ```text
//!                       submit  +-------- Executor ------+
//!          +--------------------> hash | hash | hash ... |
//!          |                    +-----------|------------+
//!   walk --+                                | results
//!          |           put      +-----------v------------+    get
//!          +--------------------> Task | Task | Task ... |-----------> report --> stdout
//!                               +--- Queue (bounded) ----+
//!
//!   signal --> Event --> supervise: shuts the pool down, and ends the program in time
//! ```
//!
//! `walk.rs` finds the files, `hash.rs` hashes one, `window.rs` keeps the order and bounds the
//! look-ahead, `report.rs` prints (`lines.rs` on stdout, `message.rs` and `progress.rs` on
//! stderr), `stop.rs` handles signals, `board.rs` is what workers note and
//! look at meanwhile, `processes.rs` shares it with processes, `cli.rs` is the manual.

#[cfg(not(unix))]
compile_error!(
    "sha256tree is for Unix: names are bytes there, and programs are stopped by signals"
);

mod board;
mod cli;
mod hash;
mod lines;
mod message;
#[cfg(brigade_processes)]
mod processes;
mod progress;
mod report;
mod stop;
mod walk;
mod window;

use std::error::Error;
use std::io::ErrorKind;
use std::panic;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;

use brigade::{Executor, ThreadPool, signal};
use clap::Parser;

use cli::Args;
use message::{Plain, say};
use progress::Progress;
use report::Report;
use window::Window;

/// What a shell shows for a program that was ended by SIGPIPE.
const STDOUT_CLOSED: u8 = 128 + 13;

fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(status) => status.into(),
        Err(error) => {
            say(with_causes(&*error));
            1.into()
        }
    }
}

fn run(args: Args) -> Result<u8, Box<dyn Error>> {
    let guard = stop::on_signals()?;
    #[cfg(brigade_processes)]
    if let Some(processes) = args.processes() {
        return run_on(processes::pool(processes)?, args, guard);
    }
    let pool = ThreadPool::builder().threads(args.threads()).name("hash");
    run_on(pool.build()?, args, guard)
}

fn run_on<E>(pool: E, args: Args, guard: signal::Guard) -> Result<u8, Box<dyn Error>>
where
    E: Executor + Send + 'static,
{
    let (pool, guard) = (Arc::new(pool), Arc::new(guard));
    let window = Arc::new(Window::bounded(args.queue()));

    let report = Report::new(Progress::start(&args.paths)?)?;
    // Not joined: it ends with the program.
    thread::Builder::new().name("supervise".into()).spawn({
        let (guard, pool, window) = (guard.clone(), pool.clone(), window.clone());
        move || stop::supervise(&guard, &*pool, &window)
    })?;
    let walk = thread::Builder::new().name("walk".into()).spawn({
        let (pool, window) = (pool.clone(), window.clone());
        move || window::fill(&window, &args.paths, &*pool)
    })?;

    let printed = report.run(&window);
    stop::dismiss(&*pool);
    if let Some(signal) = guard.received() {
        return Ok(stop::last_word(signal));
    }
    match printed {
        Ok(all_well) => {
            if let Err(panic) = walk.join() {
                panic::resume_unwind(panic);
            }
            Ok(u8::from(!all_well))
        }
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(STDOUT_CLOSED),
        Err(error) => {
            say(format_args!("write error: {}", Plain(&error)));
            Ok(1)
        }
    }
}

fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
