//! `threading.Thread`: named threads, their results, and who waits for whom at the end.
//!
//! # `threading.Thread`
//!
//! <table><tr><th>Python</th><th>brigade</th></tr><tr style="vertical-align:top"><td>
//!
//! ```python
//! import threading
//!
//! class Adder(threading.Thread):
//!     def __init__(self, numbers):
//!         super().__init__(name="adder")
//!         self.numbers = numbers
//!
//!     def run(self):
//!         self.total = sum(self.numbers)
//!
//! adder = Adder([1, 2, 3])
//! assert adder.name == "adder"  # getName()
//! adder.start()
//! adder.join()
//! assert adder.total == 6
//!
//! def greet(whom):
//!     here = threading.current_thread()
//!     print(here.name, "greets", whom)
//!
//! greeter = threading.Thread(
//!     target=greet, args=["you"], name="host")
//! greeter.start()
//! greeter.join(timeout=10)
//! assert not greeter.is_alive()
//! ```
//!
//! </td><td>
//!
//! ```rust
//! use brigade::thread;
//! use std::time::Duration;
//!
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
//! let adder = Adder { numbers: vec![1, 2, 3] };
//! let adder = thread::Builder::new()
//!     .name("adder")
//!     .spawn(|| adder.run())?; // it has started
//! assert_eq!(adder.name(), "adder");
//! assert_eq!(adder.join()?, 6); // what run returned
//!
//! fn greet(whom: &str) {
//!     let here = std::thread::current();
//!     println!("{:?} greets {whom}", here.name());
//! }
//!
//! let greeter = thread::Builder::new()
//!     .name("host")
//!     .spawn(|| greet("you"))?;
//! let ended = greeter.join_timeout(Duration::from_secs(10));
//! assert!(ended.is_ok());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! </td></tr></table>
//!
//! | Python | brigade | difference |
//! |---|---|---|
//! | `Thread(target=f, args=a)`, `start()` | [`spawn(move \|\| f(a))`] | one step: no thread is forgotten, or started twice |
//! | subclass with `run` | a struct with a method, or a closure | what `run` needs it owns |
//! | `name=` | [`Builder::name`] | the name is the system's too: `top` and debuggers show it |
//! | `name`, `getName()` | [`handle.name()`](crate::thread::JoinHandle::name) | |
//! | `current_thread()` | [`std::thread::current()`] | |
//! | `join()` | [`join()`] | returns the result, or the panic |
//! | `join(timeout)`, and then `is_alive()` | [`join_timeout(t)`], [`join_deadline(when)`] | the result, or the handle back |
//! | `is_alive()` | [`is_alive()`] | |
//! | `ident`, `native_id` | [`handle.id()`](crate::thread::JoinHandle::id), [`Info::os_id`] | |
//! | `enumerate()` | [`enumerate()`](crate::thread::enumerate()) | threads that brigade has started |
//! | `daemon=True` | [`Builder::daemon`] | matters only with the guard [below](#daemons-and-the-end-of-the-program) |
//! | `while not stop.wait(t): work()` | [`repeat_until`], [`every`] | at regular times, that do not drift |
//! | `excepthook` | `Err(`[`JoinError::Panicked`]`(panic))` | and the usual message on standard error |
//!
//! **A trap that is gone.** An exception that ends a Python thread is printed, and then it is as if
//! nothing had happened: `join` returns `None` either way. Here who joins is told, with the message
//! and the place:
//!
//! ```rust
//! use brigade::thread::{self, JoinError};
//!
//! let parser = thread::Builder::new()
//!     .name("parser")
//!     .spawn(|| "seven".parse::<u32>().unwrap())?;
//! let Err(JoinError::Panicked(panic)) = parser.join() else { unreachable!() };
//! assert!(panic.message().contains("InvalidDigit"));
//! assert_eq!(panic.thread(), Some("parser"));
//! assert!(panic.location().is_some());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Daemons, and the end of the program
//!
//! <table><tr><th>Python</th><th>brigade</th></tr><tr style="vertical-align:top"><td>
//!
//! ```python
//! import threading
//!
//! never = threading.Event()
//!
//! def save():
//!     print("saved")
//!
//! clock = threading.Thread(
//!     target=never.wait, name="clock",
//!     daemon=True)
//! clock.start()
//! saver = threading.Thread(
//!     target=save, name="saver")
//! saver.start()
//!
//! names = [thread.name for thread
//!          in threading.enumerate()]
//! assert "clock" in names
//! # Ends when `saver` has.
//! ```
//!
//! </td><td>
//!
//! ```rust
//! use brigade::{Event, thread};
//!
//! static NEVER: Event = Event::new();
//!
//! fn save() {
//!     println!("saved");
//! }
//!
//! fn main() -> std::io::Result<()> {
//!     let _threads = thread::join_at_exit();
//!     thread::Builder::new()
//!         .name("clock")
//!         .daemon()
//!         .spawn(|| NEVER.wait())?;
//!     thread::Builder::new()
//!         .name("saver")
//!         .spawn(save)?;
//!
//!     let threads = thread::enumerate();
//!     let mut names = threads.iter().map(|it| it.name());
//!     assert!(names.any(|name| name == "clock"));
//!     Ok(())
//! } // waits for `saver`
//! ```
//!
//! </td></tr></table>
//!
//! | Python | brigade | difference |
//! |---|---|---|
//! | at the end the interpreter waits for threads | [`join_at_exit()`] at the top of `main` | a program of Rust ends with `main`, unless it says so |
//! | except for those with `daemon=True` | except for those by [`Builder::daemon`] | not inherited from the thread that starts it |
//! | | [`guard.join_timeout(t)`](crate::thread::ExitGuard::join_timeout) | for so long and no longer |
//!
//! **The trap that is gone.** A Python program that does not end has a thread somewhere that is no
//! daemon, and nothing says which. One that is a daemon is cut off in the middle of a write. Here
//! the wait is a line in `main` that can be read, can give up, and names those that are left. Whoever
//! must end in order looks at an event, as the [worker with a stop flag](super::sync#threadingevent).
//!
//! ```rust
//! use std::time::Duration;
//! use brigade::{Event, thread};
//!
//! static NEVER: Event = Event::new();
//!
//! let threads = thread::join_at_exit();
//! thread::Builder::new().name("stuck").spawn(|| NEVER.wait())?;
//! let error = threads.join_timeout(Duration::from_millis(10)).unwrap_err();
//! assert_eq!(error.to_string(), "threads are still alive: stuck");
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Log lines with thread names
//!
//! <table><tr><th>Python</th><th>brigade</th></tr><tr style="vertical-align:top"><td>
//!
//! ```python
//! import logging
//! import threading
//!
//! logging.basicConfig(
//!     level=logging.INFO,
//!     format="%(threadName)s %(message)s")
//!
//! def dig():
//!     logging.info("at work")
//!
//! digger = threading.Thread(
//!     target=dig, name="digger")
//! digger.start()
//! digger.join()
//! ```
//!
//! </td><td>
//!
//! ```rust
//! use brigade::thread;
//! # use std::{fs, process, sync::Mutex};
//! # let path = std::env::temp_dir().join(format!("guide-{}.log", process::id()));
//! # let file = fs::File::create(&path)?;
//!
//! tracing_subscriber::fmt()
//!     .with_thread_names(true)
//! #   .with_writer(Mutex::new(file))
//!     .init();
//!
//! fn dig() {
//!     tracing::info!("at work");
//! }
//!
//! let digger = thread::Builder::new()
//!     .name("digger")
//!     .spawn(dig)?;
//! digger.join()?;
//! # let log = fs::read_to_string(&path)?;
//! # fs::remove_file(path)?;
//! # assert!(log.contains("digger") && log.contains("at work"), "{log}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! </td></tr></table>
//!
//! | Python | brigade | difference |
//! |---|---|---|
//! | `%(threadName)s` | [`with_thread_names(true)`] of `tracing-subscriber` | any logger that asks [`std::thread::current()`] will do |
//! | `thread_name_prefix` of an executor | [`name`](crate::Builder::name) of a pool: `fetch-0`, `fetch-1` ... | |
//! | `Thread-1 (dig)` without a name | `thread-1` | every thread has a name |
//!
//! **The trap that is gone.** Before Python 3.14 the name of a thread was known to Python alone, and `top`
//! and `gdb` showed so many threads called `python`. Here they show the name that the log shows; Linux
//! cuts it off after 15 bytes, so put what differs first.
//!
//! The example `log_names` is the whole program, with a pool.
//!
//! [`spawn(move \|\| f(a))`]: crate::thread::spawn
//! [`Builder::name`]: crate::thread::Builder::name
//! [`Builder::daemon`]: crate::thread::Builder::daemon
//! [`join()`]: crate::thread::JoinHandle::join
//! [`join_timeout(t)`]: crate::thread::JoinHandle::join_timeout
//! [`join_deadline(when)`]: crate::thread::JoinHandle::join_deadline
//! [`is_alive()`]: crate::thread::JoinHandle::is_alive
//! [`Info::os_id`]: crate::thread::Info::os_id
//! [`repeat_until`]: crate::thread::repeat_until
//! [`every`]: crate::thread::every
//! [`JoinError::Panicked`]: crate::thread::JoinError::Panicked
//! [`join_at_exit()`]: crate::thread::join_at_exit
//! [`with_thread_names(true)`]: https://docs.rs/tracing-subscriber/latest/tracing_subscriber/fmt/struct.SubscriberBuilder.html#method.with_thread_names
