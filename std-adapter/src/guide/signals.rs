//! `signal`: an event that Ctrl-C sets.
//!
//! <table><tr><th>Python</th><th>brigade</th></tr><tr style="vertical-align:top"><td>
//!
//! ```python
//! import signal
//! import threading
//!
//! stop = threading.Event()
//!
//! def on_signal(number, frame):
//!     stop.set()
//!
//! # In the main thread, or it raises.
//! signal.signal(signal.SIGINT, on_signal)
//! signal.signal(signal.SIGTERM, on_signal)
//!
//! def worker():
//!     while not stop.wait(0.1):
//!         pass  # a piece of work
//!
//! thread = threading.Thread(target=worker)
//! thread.start()
//! signal.raise_signal(signal.SIGTERM)
//! thread.join()
//! ```
//!
//! </td><td>
//!
//! ```rust
//! use brigade::{Event, signal};
//! use std::{process, thread, time::Duration};
//!
//! static STOP: Event = Event::new();
//! const BEAT: Duration = Duration::from_millis(100);
//!
//! // In any thread.
//! let guard = signal::on(
//!     [signal::SIGINT, signal::SIGTERM],
//!     &STOP,
//! )?;
//!
//! let worker = thread::spawn(|| {
//!     while !STOP.wait_timeout(BEAT) {
//!         // a piece of work
//!     }
//! });
//! process::Command::new("kill") // from outside
//!     .arg(process::id().to_string())
//!     .status()?;
//! worker.join().unwrap();
//! assert_eq!(guard.received(), Some(signal::SIGTERM));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! </td></tr></table>
//!
//! | Python | brigade | difference |
//! |---|---|---|
//! | `signal(SIGINT, handler)` | [`on([SIGINT], &EVENT)`](crate::signal::on) | in any thread; several signals in one call; nothing of yours runs inside a handler |
//! | the handler's `number` | [`guard.received()`](crate::signal::Guard::received) | the first signal that came |
//! | `signal(SIGINT, previous)` | `drop(guard)` | what was there before is there again |
//! | several handlers of one signal, by hand | one guard each | every guard's event is set; handlers that others installed before are called, too |
//! | the second Ctrl-C | | takes its default action: a program that is slow to stop can be stopped |
//! | `pause()`, in a loop that looks at a flag | [`EVENT.wait()`](brigade_core::Event::wait) | |
//! | `sigwait(signals)`, `sigtimedwait(signals, t)` | [`wait(signals)`], [`wait_timeout(signals, t)`] | in any thread |
//! | `pthread_sigmask(SIG_BLOCK, signals)` | [`mask(signals)`] | as before when the guard is dropped |
//! | `loop.add_signal_handler` of `asyncio` | [`EVENT.wait_async()`](brigade_core::Event::wait_async) | in any runtime |
//!
//! Two events of one signal; and a signal that is kept pending until somebody asks for it:
//!
//! ```rust
//! use brigade::{Event, signal};
//! use std::{process, sync::Arc, time::Duration};
//!
//! fn send(signal: &str) -> std::io::Result<process::ExitStatus> {
//!     let this = process::id().to_string();
//!     process::Command::new("kill").args([signal, &this]).status()
//! }
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let (reload, rotate) = (Arc::new(Event::new()), Arc::new(Event::new()));
//!     let first = signal::on([signal::SIGHUP], Arc::clone(&reload))?;
//!     let second = signal::on([signal::SIGHUP, signal::SIGUSR1], Arc::clone(&rotate))?;
//!     send("-HUP")?;
//!     assert!(reload.wait_timeout(Duration::from_secs(10)));
//!     assert!(rotate.wait_timeout(Duration::from_secs(10)));
//!     drop((first, second)); // what was there before is there again
//!
//!     let mask = signal::mask([signal::SIGUSR2])?; // before other threads are started
//!     send("-USR2")?; // it is pending
//!     assert_eq!(signal::wait([signal::SIGUSR2])?, signal::SIGUSR2);
//!     drop(mask);
//!     Ok(())
//! }
//! ```
//!
//! **The trap that is gone.** Python runs handlers in the main thread only, between two of its
//! instructions: as long as that thread computes inside a C function, the signal waits; and only it
//! may call `signal.signal`. Here the handler runs where the kernel puts it, at once, and does two
//! things that are safe there: it notes the signal and sets the event. Whoever waits for the event
//! is woken, whatever the main thread does.
//!
//! Processes that brigade starts can handle signals in the same way. The workers of a
//! [pool](super::process_pools#ctrl-c) ignore Ctrl-C.
//!
//! The example `stop_flag` is the whole program.
//!
//! [`wait(signals)`]: crate::signal::wait()
//! [`wait_timeout(signals, t)`]: crate::signal::wait_timeout
//! [`mask(signals)`]: crate::signal::mask()
