//! `multiprocessing.Process`: a function in a process of its own, its result, and how it ends.
//!
//! Threads run on all processors at once, so processes are for something else: for work that may
//! crash, leak or never end, and has to be stopped from outside; for memory that must be separate; for
//! libraries that can only do one thing at a time in a process.
//!
//! On Linux.
//!
//! # `multiprocessing.Process`
//!
//! <table><tr><th>Python</th><th>brigade</th></tr><tr style="vertical-align:top"><td>
//!
//! ```python
//! from multiprocessing import (
//!     Process, SimpleQueue, current_process)
//!
//! class Adder(Process):
//!     def __init__(self, numbers, total):
//!         super().__init__(name="adder")
//!         self.numbers = numbers
//!         self.total = total
//!
//!     def run(self):
//!         self.total.put(sum(self.numbers))
//!
//! def greet(whom):
//!     here = current_process()
//!     print(here.name, "greets", whom)
//!
//! if __name__ == "__main__":
//!     total = SimpleQueue()
//!     adder = Adder([1, 2, 3], total)
//!     adder.start()
//!     assert total.get() == 6
//!     adder.join()
//!     assert adder.exitcode == 0
//!
//!     greeter = Process(
//!         target=greet, args=["you"], name="host")
//!     greeter.start()
//!     print(greeter.pid)
//!     greeter.join(timeout=10)
//!     assert not greeter.is_alive()
//! ```
//!
//! </td><td>
//!
//! ```rust
//! use brigade::{Process, process};
//! use serde::{Deserialize, Serialize};
//! use std::time::Duration;
//!
//! #[derive(Serialize, Deserialize)]
//! struct Adder {
//!     numbers: Vec<u32>,
//! }
//!
//! impl Adder {
//!     fn run(self) -> u32 {
//!         self.numbers.iter().sum()
//!     }
//! }
//!
//! fn greet(whom: String) {
//!     let here = process::current_name();
//!     println!("{here} greets {whom}");
//! }
//!
//! let adder = Adder { numbers: vec![1, 2, 3] };
//! let adder = process::Builder::new()
//!     .name("adder")
//!     .start(Adder::run, adder)?;
//! assert_eq!(adder.join()?, 6); // what run returned
//!
//! let greeter = process::Builder::new()
//!     .name("host")
//!     .start(greet, "you".into())?;
//! println!("{}", greeter.pid());
//! let ended = greeter.join_timeout(Duration::from_secs(10));
//! assert!(ended.is_ok());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! </td></tr></table>
//!
//! | Python | brigade | difference |
//! |---|---|---|
//! | `Process(target=f, args=(a,))`, `start()` | [`Process::start`]`(f, a)` | one step; `f` is a function or a closure that captures nothing, `a` anything that serde can write |
//! | several arguments | a tuple: `start(\|(a, b)\| ..., (1, 2))` | |
//! | subclass with `run` | a struct with a method, that is the argument | |
//! | a queue for the result | [`join()`] returns it | with its type |
//! | `name=`, `name` | [`Builder::name`], [`name()`] | shown by `ps`, too |
//! | `current_process().name` | [`process::current_name()`] | `"main"` in the first process |
//! | `pid`, `sentinel` | [`pid()`], [`as_fd()`](std::os::fd::AsFd) | the descriptor polls as readable at the end |
//! | `join()`, `join(timeout)` | [`join()`], [`join_timeout(t)`], [`join_deadline(when)`], [`join_async()`] | the result, or what went wrong; or the process back |
//! | `is_alive()` | [`is_alive()`] | |
//! | `exitcode` | [`exit()`]: code or signal | `Some(Exit::Signal(9))` instead of `-9` |
//! | `terminate()`, `kill()` | [`terminate()`], [`kill()`] | never hits another process that has got the number since |
//! | `daemon=True` | the default | holds also when the parent is killed |
//! | `daemon=False` | [`join()`] before the end of `main` | or [`outlive_parent`] |
//! | `active_children()`, `parent_process()` | [`active_children()`], [`parent()`] | |
//! | `set_start_method("spawn")` | the only way | no copy of a process with threads; a millisecond instead of a new interpreter |
//! | `if __name__ == "__main__":` | | the child enters before `main` |
//!
//! **A trap that is gone.** A Python child finds its function by the name of its module, which it imports once
//! more. A lambda, a nested function or one typed at the prompt cannot be found, the guard is forgotten
//! once, and it fails in the child, where nobody looks. Here any function of the program will do, nested,
//! generic, or written in place; one that cannot does not compile. And if the child panics, who joins it
//! has the message, the place and, if `RUST_BACKTRACE` is set, the backtrace:
//!
//! ```rust
//! use brigade::process::{Builder, Exit, JoinError};
//!
//! let parser = Builder::new()
//!     .name("parser")
//!     .start(|text: String| text.parse::<u32>().unwrap(), "seven".into())?;
//! let Err(JoinError::Panicked(panic)) = parser.join() else { unreachable!() };
//! assert!(panic.message().contains("InvalidDigit"));
//! assert_eq!(panic.thread(), Some("parser"));
//! assert!(panic.location().is_some());
//!
//! let stuck = Builder::new().start(|()| -> u32 { loop { std::thread::park() } }, ())?;
//! assert!(stuck.is_alive());
//! stuck.terminate()?;
//! let Err(JoinError::Ended(exit)) = stuck.join() else { unreachable!() };
//! assert_eq!(exit, Exit::Signal(15));
//! assert_eq!(exit.to_string(), "killed by SIGTERM");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **Another one.** When a Python program is killed, its children go on, daemons or not, and nobody knows of
//! them. Here they die with it, at whatever moment, and theirs with them.
//!
//! # What goes along
//!
//! The argument, the environment, the working directory and the standard streams. Nothing else: a
//! `static` has its first value in the child, and a logger has to be set up there.
//!
//! Names of files are not always text. serde writes a [`PathBuf`](std::path::PathBuf) only if it is; an
//! [`OsString`](std::ffi::OsString) always:
//!
//! ```rust
//! use brigade::process::{Process, StartError};
//! use std::{ffi::OsString, os::unix::ffi::OsStringExt, path::PathBuf};
//!
//! let odd = OsString::from_vec(b"no \xff text".to_vec());
//! let length = Process::start(|name: OsString| name.len(), odd.clone())?;
//! assert_eq!(length.join()?, 9);
//!
//! let refused = Process::start(|name: PathBuf| name.exists(), odd.into());
//! assert!(matches!(refused, Err(StartError::Argument(_))));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Log lines with process names
//!
//! <table><tr><th>Python</th><th>brigade</th></tr><tr style="vertical-align:top"><td>
//!
//! ```python
//! import logging
//! from multiprocessing import Process
//!
//! def set_up():
//!     logging.basicConfig(
//!         level=logging.INFO,
//!         format="%(processName)s %(message)s")
//!
//! def dig():
//!     set_up()
//!     logging.info("at work")
//!
//! if __name__ == "__main__":
//!     set_up()
//!     logging.info("starting")
//!     digger = Process(target=dig, name="digger")
//!     digger.start()
//!     digger.join()
//! ```
//!
//! </td><td>
//!
//! ```rust
//! use brigade::process;
//! # use std::process::Stdio;
//!
//! fn set_up() {
//!     tracing_subscriber::fmt()
//!         .with_thread_names(true)
//! #       .with_ansi(false)
//!         .init();
//! }
//!
//! fn dig() {
//!     set_up();
//!     tracing::info!("at work");
//! }
//!
//! set_up();
//! tracing::info!("starting");
//! let digger = process::Builder::new()
//!     .name("digger")
//! #   .stdout(Stdio::piped())
//!     .start(|()| dig(), ())?;
//! # let mut digger = digger;
//! # let mut log = String::new();
//! # std::io::Read::read_to_string(digger.stdout().as_mut().unwrap(), &mut log)?;
//! # assert!(log.contains("digger") && log.contains("at work"), "{log}");
//! digger.join()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! </td></tr></table>
//!
//! | Python | brigade | difference |
//! |---|---|---|
//! | `%(processName)s` | `with_thread_names(true)`, as for threads | the thread that runs the function has the name of the process; any thread has it from [`process::current_name()`] |
//! | `multiprocessing.log_to_stderr()` | | brigade logs nothing |
//!
//! **The trap that is gone.** `ps` and `top` show so many processes called `python`. Here they show the names that
//! the log shows, and so does the message of a panic.
//!
//! [`Process::start`]: crate::Process::start
//! [`join()`]: crate::Process::join
//! [`join_timeout(t)`]: crate::Process::join_timeout
//! [`join_deadline(when)`]: crate::Process::join_deadline
//! [`join_async()`]: crate::Process::join_async
//! [`Builder::name`]: crate::process::Builder::name
//! [`name()`]: crate::Process::name
//! [`process::current_name()`]: crate::process::current_name
//! [`pid()`]: crate::Process::pid
//! [`is_alive()`]: crate::Process::is_alive
//! [`exit()`]: crate::Process::exit
//! [`terminate()`]: crate::Process::terminate
//! [`kill()`]: crate::Process::kill
//! [`outlive_parent`]: crate::process::Builder::outlive_parent
//! [`active_children()`]: crate::process::active_children
//! [`parent()`]: crate::process::parent
