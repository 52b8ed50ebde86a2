//! [`ProcessPool`]: processes that run functions, and may be killed.
//!
//! ```text
//!     submit --> hub --> hall (shared memory) --> worker process: run
//!        |                   |                        |
//!        v                   |                        |
//!      Task <--- collector <-+------ answer ----------+
//! ```
//!
//! From the inside out: `board.rs` is the protocol by which pool and workers share tasks, in the memory
//! laid out by `hall.rs`; long data goes by `spool.rs`. `worker.rs` is a worker's life. In the pool's
//! process, `hub.rs` is what its threads have in common: those that submit (`submit.rs`), those that
//! fetch answers (`collect.rs`), those that take tasks back (`stop.rs`), and the supervisor, who starts
//! workers (`staff.rs`), sees to what dead ones had (`bury.rs`), watches over time limits
//! (`watchdog.rs`), and sees what does not go on (`patrol.rs`, `dismissal.rs`). What these leave to one another lies in
//! `left.rs`.

#![forbid(unsafe_code)]

mod board;
mod builder;
mod bury;
mod call_bell;
mod collect;
mod dismissal;
mod hall;
mod hub;
mod left;
mod patrol;
mod spool;
mod staff;
mod stats;
mod stop;
mod submit;
mod watchdog;
mod worker;

pub use builder::ProcessPoolBuilder;
pub use stats::ProcessPoolStats;
pub use submit::Submission;

use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle, ThreadId};
use std::time::{Duration, Instant};

use super::self_wait::WouldDeadlock;
use super::task::{Task, TaskError};
use super::thread_pool::{BuildError, SubmitError};
use super::{Executor, Message};
use crate::shared::{atomic, bell};
use crate::{Event, Shutdown};
use hub::{Hub, Terms};

const NOT_IN_PROGRAM: &str =
    "the function is not part of the program itself, or the program was linked without relro";

/// Processes that run functions and hand back what comes of them.
///
/// What Python calls `concurrent.futures.ProcessPoolExecutor`, or `multiprocessing.Pool`. It has the
/// methods of a [`ThreadPool`](crate::ThreadPool) for functions that capture nothing, with arguments and
/// results that [`serde`] can write and read, and hands out the same [`Task`]s: they are waited for,
/// awaited and combined in the same ways.
///
/// # What a death costs
///
/// A worker may crash, be killed at any instruction, or call [`exit`](std::process::exit): that costs at
/// most the one task it was running, which ends as [`WorkerLost`](crate::TaskError::WorkerLost) or is
/// [run again](ProcessPoolBuilder::retries), and another worker takes its place. The kernel tells of the
/// death, no time-out does: nothing is taken from a worker that is merely stopped. No other task is
/// lost, and none is run twice.
///
/// When the pool's process ends, in whichever way, the kernel kills the workers.
///
/// # What workers share with the terminal
///
/// Workers ignore `SIGINT`, so at Ctrl-C it is for the pool's process to decide. What they print
/// goes where the pool's process prints. Their standard input is empty: what is typed is for
/// the pool's process alone.
///
/// A panic in a task is printed by the worker, as by any thread, with the worker's name; the task's
/// owner gets it as [`Panicked`](crate::TaskError::Panicked) besides. A panic hook that the pool's
/// process has set is not there in the workers: the [initializer](ProcessPoolBuilder::initializer) can
/// set one.
///
/// # Stopping tasks
///
/// [`Task::cancel`] takes a task back that has not been begun, and kills the worker of one that has.
/// The kill can hit no other task. A [time limit](ProcessPoolBuilder::time_limit) does the same. What
/// the task was doing to the world outside may be half done then.
///
/// # Waiting
///
/// A thread that waits for a task fetches answers itself, for all who wait. Callbacks
/// ([`on_done`](Task::on_done)) and wakers are called by a thread of the pool's, one after the
/// other: keep them short. No task of the pool waits for the pool itself, as it is in another process; if
/// it makes a pool of its own, that is another one, and such nesting has an end at three.
///
/// # Limits
///
/// Up to 1024 tasks lie in the memory that the workers see, further ones wait in this process, without
/// a bound if [none](ProcessPoolBuilder::queue_bound) was set. A pool has four descriptors and one more
/// for each worker, beside those of the processes.
///
/// A worker that a signal stops (`SIGSTOP`) keeps the task that it runs: that waits until the worker goes
/// on, unless it has a time limit or is cancelled. If it was idle, it may delay the start of one task, by
/// a few tenths of a second; then others take that, and the worker is replaced if the task still waits.
/// One that is stopped while it starts is waited for: its initializer may have begun.
///
/// Dropping the pool runs what is queued and waits for the workers to end. Only if it is dropped in a
/// callback of its own, it does not wait. When there is nothing left to do, workers have two seconds to
/// end; those that are still there then, stopped, or busy with what runs at the exit of a process, are
/// killed.
///
/// # Example
///
/// ```
/// use brigade::{ProcessPool, TaskError};
///
/// let pool = ProcessPool::builder().workers(2).name("square").build()?;
/// let tasks: Vec<_> = (0..10_u64).map(|n| pool.submit_with(|n| n * n, n)).collect::<Result<_, _>>()?;
/// let mut squares = Vec::new();
/// for task in tasks {
///     squares.push(task.result()?);
/// }
/// assert_eq!(squares, [0, 1, 4, 9, 16, 25, 36, 49, 64, 81]);
///
/// let lost = pool.submit(|| -> () { std::process::abort() })?;
/// let Err(TaskError::WorkerLost(lost)) = lost.result() else { unreachable!() };
/// assert!(lost.worker().starts_with("square-") && lost.signal().is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ProcessPool {
    hub: Arc<Hub>,
    terms: Terms,
    /// Set when all workers have ended and all owners of tasks were told.
    ended: Arc<Event>,
    collector: ThreadId,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl ProcessPool {
    /// A pool with one worker per available processor and an unbounded queue.
    ///
    /// # Errors
    ///
    /// If the system cannot start the processes.
    pub fn new() -> Result<Self, BuildError> {
        Self::builder().build()
    }

    /// Chooses how many workers, their names, and the terms of their tasks.
    pub fn builder() -> ProcessPoolBuilder {
        ProcessPoolBuilder::new()
    }

    /// Starts the threads of a pool.
    fn over(hub: Arc<Hub>, terms: Terms, name: &str) -> Result<Self, BuildError> {
        let no_thread = |error| {
            BuildError::of_processes(
                "a thread of the pool cannot be started",
                Some(Box::new(error)),
            )
        };
        let ended = Arc::new(Event::new());
        let (collecting, is_over) = (Arc::clone(&hub), Arc::clone(&ended));
        let collector = thread::Builder::new()
            .name(format!("{name}-collector"))
            .spawn(move || {
                collecting.collect_always();
                is_over.set();
            });
        let supervising = Arc::clone(&hub);
        let supervisor = thread::Builder::new()
            .name(format!("{name}-supervisor"))
            .spawn(move || supervising.supervise());
        match (collector, supervisor) {
            (Ok(collector), Ok(supervisor)) => Ok(Self {
                hub,
                terms,
                ended,
                collector: collector.thread().id(),
                threads: Mutex::new(vec![collector, supervisor]),
            }),
            (Err(error), _) | (_, Err(error)) => {
                // Whichever was started ends by itself.
                drop(hub.shut_down(false));
                hub.hall.close();
                hub.staff.kill_all();
                hub.staff.give_up();
                hub.hall.collector().ring(1);
                Err(no_thread(error))
            }
        }
    }

    /// How many workers there are at most.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.hub.staff.max
    }

    /// The system's numbers of the workers that there are now, to look at.
    #[must_use]
    pub fn pids(&self) -> Vec<u32> {
        self.hub.staff.pids()
    }

    /// What the pool has done so far, and is doing. Never blocks for long.
    ///
    /// # Example
    ///
    /// See [`ProcessPoolStats`].
    #[must_use]
    pub fn stats(&self) -> ProcessPoolStats {
        ProcessPoolStats {
            workers: self.hub.staff.live(),
            outstanding: self.hub.outstanding(),
            running: self.hub.running(),
            ..self.hub.counts.report()
        }
    }

    /// Takes no further tasks. With [`Shutdown::Drain`] those that it has are run; with
    /// [`Shutdown::Immediate`], those that have not been begun are cancelled, and the others run to
    /// their end.
    ///
    /// Does not wait: [`join`](Self::join) does. Submitters that wait for room get their arguments back.
    /// May be called more than once: `Immediate` after `Drain` cuts the draining short.
    ///
    /// # Example
    ///
    /// ```
    /// use brigade::{ProcessPool, Shutdown};
    ///
    /// let pool = ProcessPool::builder().workers(1).build()?;
    /// let task = pool.submit(|| 1)?;
    /// pool.shutdown(Shutdown::Drain);
    /// assert!(pool.submit(|| 2).is_err());
    /// pool.join()?;
    /// assert_eq!(task.result()?, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn shutdown(&self, how: Shutdown) {
        for job in self.hub.shut_down(how == Shutdown::Immediate) {
            self.hub.tell(job, TaskError::Cancelled);
        }
    }

    /// Stops at once: what [`Shutdown::Immediate`] does, and kills all workers, also those that are
    /// starting or ending. The tasks that run end as [`Cancelled`](crate::TaskError::Cancelled), and
    /// are not run again. Python's `terminate`.
    ///
    /// Does not wait: [`join`](Self::join) does.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    /// use brigade::{ProcessPool, TaskError};
    ///
    /// let pool = ProcessPool::builder().workers(1).build()?;
    /// let endless = pool.submit(|| loop { std::thread::park() })?;
    /// pool.terminate();
    /// pool.join()?;
    /// let result: Result<(), _> = endless.result();
    /// assert!(matches!(result, Err(TaskError::Cancelled)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn terminate(&self) {
        for job in self.hub.stop_all() {
            self.hub.tell(job, TaskError::Cancelled);
        }
    }

    /// Waits until all workers have ended, which they do after a [shutdown](Self::shutdown), and all
    /// tasks have.
    ///
    /// Blocks; without a shutdown, until somebody else makes one.
    ///
    /// # Errors
    ///
    /// If it is called in a callback of one of the pool's tasks, by the thread that would end the others.
    pub fn join(&self) -> Result<(), WouldDeadlock> {
        self.refuse_own_thread()?;
        self.ended.wait();
        self.reap();
        Ok(())
    }

    /// Like [`join`](Self::join), for `timeout` at most; says whether all have ended.
    ///
    /// # Errors
    ///
    /// As for [`join`](Self::join), at once.
    pub fn join_timeout(&self, timeout: Duration) -> Result<bool, WouldDeadlock> {
        match Instant::now().checked_add(timeout) {
            Some(deadline) => self.join_deadline(deadline),
            None => self.join().map(|()| true),
        }
    }

    /// Like [`join`](Self::join), until `deadline` at the latest; says whether all have ended.
    ///
    /// # Errors
    ///
    /// As for [`join`](Self::join), at once.
    pub fn join_deadline(&self, deadline: Instant) -> Result<bool, WouldDeadlock> {
        self.refuse_own_thread()?;
        let ended = self.ended.wait_deadline(deadline);
        if ended {
            self.reap();
        }
        Ok(ended)
    }

    fn refuse_own_thread(&self) -> Result<(), WouldDeadlock> {
        if thread::current().id() == self.collector {
            return Err(WouldDeadlock);
        }
        Ok(())
    }

    /// Waits for the last steps of the threads.
    fn reap(&self) {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        for thread in threads.drain(..) {
            // It contains all panics of users' code.
            let _ = thread.join();
        }
    }
}

impl Executor for ProcessPool {
    fn submit_with<F, A, R>(&self, function: F, argument: A) -> Result<Task<R>, SubmitError<A>>
    where
        F: Fn(A) -> R + Copy + Send + 'static,
        A: Message,
        R: Message,
    {
        ProcessPool::submit_with(self, function, argument)
    }

    fn workers(&self) -> usize {
        ProcessPool::workers(self)
    }

    fn shutdown(&self, how: Shutdown) {
        ProcessPool::shutdown(self, how);
    }

    fn join(&self) -> Result<(), WouldDeadlock> {
        ProcessPool::join(self)
    }

    fn join_timeout(&self, timeout: Duration) -> Result<bool, WouldDeadlock> {
        ProcessPool::join_timeout(self, timeout)
    }
}

// Panics stay in their tasks; nothing of the pool's is left half done.
impl UnwindSafe for ProcessPool {}
impl RefUnwindSafe for ProcessPool {}

impl Drop for ProcessPool {
    fn drop(&mut self) {
        self.shutdown(Shutdown::Drain);
        // A callback does not wait for the thread that calls it.
        let _ = self.join();
    }
}

impl fmt::Debug for ProcessPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessPool")
            .field("workers", &self.workers())
            .field("outstanding", &self.hub.outstanding())
            .finish_non_exhaustive()
    }
}
