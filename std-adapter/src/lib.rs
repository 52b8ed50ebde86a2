//! Queues with task accounting, events, signals, pools of threads and of processes, and what processes
//! share: what Python's `queue`, `threading`, `multiprocessing`, `signal` and `concurrent.futures` give,
//! without their traps.
//!
//! # Map
//!
//! | here | is what Python calls | guarantee |
//! |---|---|---|
//! | [`Queue`] | `queue.Queue` | first in, first out; nothing vanishes, also when it is [shut down](Shutdown) |
//! | [`LifoQueue`] | `queue.LifoQueue` | last in, first out; otherwise the same |
//! | [`PriorityQueue`] | `queue.PriorityQueue` | the smallest first, equal ones in their order; a comparison that panics loses nothing inside |
//! | [`Lease`] | `get` and `task_done` | an item in hand is finished when it is dropped, also by a panic |
//! | [`Select`], [`select`](select()) | `multiprocessing.connection.wait`, for queues and events | a fair choice; nothing is taken from who does not win |
//! | [`Event`] | `threading.Event` | [`set`](Event::set) may be called in a signal handler (Linux, Android) |
//! | [`JoinCounter`] | | one `done` too many is an error, not a wrap |
//! | [`Semaphore`] | `threading.BoundedSemaphore` | a permit comes back when it is dropped, also by a panic |
//! | [`Barrier`] | `threading.Barrier` | who gives up has not arrived; the barrier is not broken |
//! | [`signal::on`], [`wait`](signal::wait()) | `signal.signal`, `sigwait` | from any thread; the second signal ends the program; restores on drop |
//! | [`thread::spawn`], [`thread::Builder`] | `threading.Thread` | always named; a panic is an error with its location; joining oneself is an error |
//! | [`thread::join_at_exit`] | what the interpreter does at its end | threads that are no daemons are waited for |
//! | [`thread::repeat_until`], [`thread::every`] | `while not stop.wait(period)` | no drift; stops at once when it waits |
//! | [`Timer`] | `threading.Timer` | a cancelled one does not go off |
//! | [`Process`], [`process::Builder`] | `multiprocessing.Process` | any function that captures nothing; a panic comes back with its location; dies with its parent, also when that is killed |
//! | [`shared`] | `multiprocessing.Lock`, `Value`, `Event` and the like | they travel as arguments; what a killed process held comes back, and the others are told |
//! | [`shared::Queue`] | `multiprocessing.Queue`, `JoinableQueue`, `SimpleQueue` | what a killed process had leased goes to another; what cannot travel is refused by `put` |
//! | [`shared::PlainQueue`] | | the same for plain data, which is written and read where it lies |
//! | [`ThreadPool`] | `ThreadPoolExecutor` | a panic costs one task; idle workers cost nothing |
//! | [`ThreadPool::map`] | `Executor.map`, `Pool.imap` | lazy, with a bounded look-ahead; a panic costs one item |
//! | [`ProcessPool`] | `ProcessPoolExecutor`, `multiprocessing.Pool` | a worker that is killed costs one task, which says how it ended |
//! | [`Manager`] | `multiprocessing.Manager` | a dead client's locks and items come back; a dead server is an error at once |
//! | [`Executor`] | the same | one signature for threads, processes and whatever else runs functions |
//! | [`ThreadPool::submit_after`] | `threading.Timer` | on a pool; [`submit_every`](ThreadPool::submit_every) keeps to its grid |
//! | [`CancelToken`] | an `Event` | with children; never cleared |
//! | [`wait`], [`as_completed`] | the same | nothing is polled; no task is lost at a time-out |
//! | [`Task`] | `Future` | always ends: in a value, a panic or a cancellation; it can be awaited |
//!
//! The [guide] has all of it line by line, Python on the left and brigade on the right.
//!
//! Everything that waits comes with a time-out. Everything that can fail says why and hands back
//! what it did not take: the item, or the closure. Whoever waits is woken when what
//! it waits for is shut down.
//!
//! Queue, event, counter, semaphore and barrier are those of [`brigade_core`] with a way to sleep, [`Parker`]; how they
//! work, and the containers for interrupt handlers and firmware, is told there. Types of the core
//! that take a [`Park`](brigade_core::wait::Park) can be used with [`Parker`] as well: a
//! `brigade_core::Queue<Fifo<u8, 64>, Parker>` can be a `static` whose `try_put` is safe in a signal
//! handler, as long as no task of an executor waits at it: threads are woken by a system call, tasks
//! by code of the executor's. (What [`signal::on`] sets may have tasks waiting.)
//!
//! # Limitations
//!
//! - **Not lock-free.** [`Queue`] is for threads: a thread that is preempted inside an operation may
//!   hold up others for as long. No operation of [`Queue`], [`ThreadPool`] or [`Task`] may be used
//!   in a signal handler.
//! - **A closure that a thread runs cannot be stopped**, only one that waits in the queue. Give long ones an
//!   [`CancelToken`] to look at, or run them in a [`ProcessPool`], which kills.
//! - **What goes to another process** is a function that captures nothing, and data that serde can write;
//!   it finds nothing there of what this process has done: see [`process`] and [`shared`].
//! - **Two pools can wait for each other.** A pool whose workers would all wait for tasks, or for room
//!   in the queue, of the same pool gets an error ([`WouldDeadlock`]); but nobody finds out about
//!   workers that wait for another pool, or by a lock or a channel.
//! - **With `panic = "abort"`** a panic ends the process; all that is said here about panics needs
//!   unwinding. A second panic while the first is unwinding ends the process in any case.
//! - **After `fork` without `exec`** the child has none of the pool's threads. What it shares with
//!   them may be in the middle of anything.
//! - **Other systems than Linux** are less well tested. What does not exist on one is left out of
//!   the crate there, so that its use does not compile: that is [`signal`] on anything but Unix, and
//!   [`process`], [`ProcessPool`], [`shared`] and [`manager`] on anything but Linux.
//!
//! # Examples
//!
//! A pipeline: a walker feeds a bounded queue, workers take from it, and nobody is left waiting.
//!
//! ```
//! use brigade::{Queue, Shutdown};
//!
//! let names: Queue<&str> = Queue::bounded(4);
//! let lengths: Queue<usize> = Queue::unbounded();
//! std::thread::scope(|scope| {
//!     for _ in 0..2 {
//!         scope.spawn(|| {
//!             while let Ok(name) = names.lease() {
//!                 lengths.put(name.len()).unwrap();
//!             }
//!         });
//!     }
//!     for name in ["red", "green", "blue"] {
//!         names.put(name).unwrap(); // waits while four are queued
//!     }
//!     names.join(); // waits until all are finished, not only taken
//!     names.shutdown(Shutdown::Drain);
//! });
//! lengths.shutdown(Shutdown::Drain);
//! assert_eq!(lengths.iter().sum::<usize>(), 12);
//! ```
//!
//! A pool whose work stops at Ctrl-C: what is in hand is finished, the rest is handed back.
//!
//! ```
//! use brigade::{Event, Shutdown, TaskError, ThreadPool, signal};
//!
//! static STOP: Event = Event::new();
//!
//! let _guard = signal::on([signal::SIGINT, signal::SIGTERM], &STOP)?;
//! let pool = ThreadPool::builder().threads(2).name("adder").build()?;
//! let tasks = (0..100_u64)
//!     .map(|n| pool.submit(move || (0..=n).sum::<u64>()))
//!     .collect::<Result<Vec<_>, _>>()?;
//! if STOP.is_set() {
//!     // The second Ctrl-C would end the program at once.
//!     drop(pool.shutdown(Shutdown::Immediate));
//! }
//! let mut total = 0;
//! for task in tasks {
//!     match task.result() {
//!         Ok(sum) => total += sum,
//!         Err(TaskError::Cancelled) => break,
//!         Err(error) => return Err(error.into()),
//!     }
//! }
//! println!("{total}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Reading the source
//!
//! `sys/` is the only folder that knows the operating system. `event.rs`, `queue.rs` and
//! `unbounded.rs` put the core's types on it, `signal.rs` stands beside them. `panic.rs` makes errors
//! of panics, `executor/` stands on all of it, `thread/` and `timer.rs` on `executor/`'s promises.
//! `select/` is built on the futures of all of them.
//!
//! Processes come after that. `process/` ships functions to other processes, in `ship.rs`, and starts these, in
//! `nursery.rs`. `shared/` stands on `bell.rs`, by which processes sleep, `segment.rs`, which tells of deaths,
//! and `travel.rs`, by which handles get about; its queue stands on `blocks.rs` and `ring.rs`.
//! `executor/process_pool/` is built on both, around the protocol in `board.rs`; `manager/`, a server and its
//! clients, on `process/` alone.
//!
//! Unsafe code is in `sys/`, in two files of `process/`, and in five of `executor/`: `work.rs`, `remote.rs`,
//! `handoff.rs`, which has loom models, and `scope.rs` and `roster.rs` of the thread pool.

mod event;
mod executor;
#[cfg(any(doc, doctest))]
pub mod guide;
#[cfg(brigade_processes)]
pub mod manager;
mod panic;
#[cfg(brigade_processes)]
pub mod process;
mod queue;
mod select;
#[cfg(brigade_processes)]
pub mod shared;
#[cfg(unix)]
pub mod signal;
mod sys;
pub mod thread;
mod timer;
mod unbounded;

pub use brigade_core::{
    Arrival, CountOverflow, GetError, GetTimeoutError, PutError, PutTimeoutError, Shutdown,
    TooManyDone, TooManyPermits, TryGetError, TryPutError, Unput,
};
pub use event::{Barrier, Event, JoinCounter, Permit, Semaphore};
pub use executor::{
    AsCompleted, BuildError, Builder, CancelToken, Cancellable, Cancelled, Executor, Map,
    MapUnordered, Message, NoneInTime, Repeat, ReturnWhen, Scope, ScopedTask, Stats, SubmitError,
    SubmitTimeoutError, Task, TaskError, ThreadPool, Times, TrySubmitError, Waited, WorkerLost,
    WouldDeadlock, as_completed, wait, wait_deadline, wait_timeout,
};
#[cfg(brigade_processes)]
pub use executor::{ProcessPool, ProcessPoolBuilder, ProcessPoolStats, Submission};
#[cfg(brigade_processes)]
pub use manager::Manager;
pub use panic::{Panic, PanicLocation};
#[cfg(brigade_processes)]
pub use process::Process;
pub use queue::{
    Lease, LifoLease, LifoQueue, LifoStore, PriorityLease, PriorityQueue, PriorityStore, Queue,
    Store,
};
pub use select::{Select, select};
pub use sys::park::Parker;
pub use timer::Timer;
