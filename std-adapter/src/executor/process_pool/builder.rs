//! [`ProcessPoolBuilder`]: how a pool of processes is made.

#![forbid(unsafe_code)]

use std::fmt;
use std::io;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::hall::Hall;
use super::hub::{Hub, Terms};
use super::spool::Spool;
use super::staff::Staff;
use super::worker::{self, Orders};
use super::{ProcessPool, board};
use crate::executor::Message;
use crate::executor::thread_pool::BuildError;
use crate::process::ship::{ShippedFn, encode};
use crate::shared::travel::{self, Attachments};

/// So many tasks at a time lie in the memory that the workers see; further ones wait in the pool's
/// process.
const BLOCKS: usize = 1024;

/// So many pools may be above one another: a task of a pool may use a pool, whose tasks may use another.
const DEEPEST: u32 = 3;

/// Chooses what a [`ProcessPool`] is like.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use brigade::ProcessPool;
///
/// let pool = ProcessPool::builder()
///     .workers(2)
///     .name("resize")
///     .time_limit(Duration::from_secs(60))
///     .retries(1)
///     .build()?;
/// let name = pool.submit(|| brigade::process::current_name().to_owned())?;
/// assert!(name.result()?.starts_with("resize-"));
///
/// assert!(ProcessPool::builder().workers(0).build().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct ProcessPoolBuilder {
    workers: Option<RangeInclusive<usize>>,
    name: String,
    initializer: Option<Initializer>,
    tasks_per_worker: Option<u64>,
    terms: Terms,
    queue_bound: Option<usize>,
}

/// The number of a function, its argument, and what that refers to.
type Initializer = Result<(u64, Vec<u8>, Attachments), String>;

impl ProcessPoolBuilder {
    pub(super) fn new() -> Self {
        Self {
            workers: None,
            name: "worker".into(),
            initializer: None,
            tasks_per_worker: None,
            terms: Terms::default(),
            queue_bound: None,
        }
    }

    /// How many workers; one per available processor if not said. All are started by
    /// [`build`](Self::build), and replaced when they are lost.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = Some(workers..=workers);
        self
    }

    /// How many workers at least and at most. The least are there from the beginning; another is
    /// started when there are more tasks than workers. The least may be 0.
    ///
    /// # Example
    ///
    /// ```
    /// let pool = brigade::ProcessPool::builder().grow_on_demand(0..=2).build()?;
    /// assert_eq!(pool.stats().workers, 0);
    /// assert_eq!(pool.submit(|| 1)?.result()?, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn grow_on_demand(mut self, workers: RangeInclusive<usize>) -> Self {
        self.workers = Some(workers);
        self
    }

    /// What the workers are called: `name-0`, `name-1` and so on, `worker-...` if not said. It is shown
    /// by `ps` (15 bytes of it, with `-o comm`), stands in the messages of panics, and is
    /// [`process::current_name`](crate::process::current_name) in a task. A worker that replaces a
    /// lost one has its name.
    pub fn name(mut self, prefix: impl Into<String>) -> Self {
        self.name = prefix.into();
        self
    }

    /// What each worker does before its first task. The function is one as for
    /// [`submit_with`](ProcessPool::submit_with), and gets `argument`, each time anew; the pool keeps the
    /// shared objects in it.
    ///
    /// [`build`](Self::build) waits for it. If it panics in a worker that is started later, to replace
    /// a lost one, say, another worker is tried, after a pause; after three in a row no more are until
    /// the next task comes, and if no worker is left, the tasks that wait end as
    /// [`NoWorkers`](crate::TaskError::NoWorkers).
    ///
    /// # Example
    ///
    /// ```
    /// use std::sync::OnceLock;
    ///
    /// static GREETING: OnceLock<String> = OnceLock::new();
    ///
    /// let pool = brigade::ProcessPool::builder()
    ///     .workers(1)
    ///     .initializer(|text: String| GREETING.set(text).unwrap(), "hello".to_owned())
    ///     .build()?;
    /// assert_eq!(pool.submit(|| GREETING.get().cloned())?.result()?.unwrap(), "hello");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn initializer<F, A>(mut self, function: F, argument: A) -> Self
    where
        F: Fn(A) + Copy + Send + 'static,
        A: Message,
    {
        let shipped = ShippedFn::of(function).ok_or_else(|| super::NOT_IN_PROGRAM.to_owned());
        self.initializer = Some(shipped.and_then(|shipped| {
            let mut encoded = Vec::new();
            let (written, attachments) = travel::collect(|| encode(&argument, &mut encoded));
            written?;
            drop(argument);
            Ok((shipped.to_u64(), encoded, attachments))
        }));
        self
    }

    /// How many tasks a worker runs before a new one takes its place; without a bound if not said.
    /// Python's `max_tasks_per_child`, against functions that leak.
    pub fn tasks_per_worker(mut self, tasks: u64) -> Self {
        self.tasks_per_worker = Some(tasks);
        self
    }

    /// How long a task may run, from when a worker begins with it, decoding of the argument included;
    /// without a bound if not said. The worker of a task that takes longer is killed, and its task ends
    /// as [`TimeLimit`](crate::TaskError::TimeLimit). No other task is affected.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.terms.time_limit = Some(limit);
        self
    }

    /// How often a task is run again if its worker is lost over it; not at all if not said. It must do no
    /// harm then to run the task twice.
    ///
    /// A task that loses its worker each time ends as [`WorkerLost`](crate::TaskError::WorkerLost) after
    /// so many retries, and takes no more workers along.
    pub fn retries(mut self, retries: u32) -> Self {
        self.terms.retries = retries;
        self
    }

    /// How many tasks may wait beside those that the workers run, before
    /// [`submit`](ProcessPool::submit) waits; without a bound if not said.
    pub fn queue_bound(mut self, bound: usize) -> Self {
        self.queue_bound = Some(bound);
        self
    }

    /// Starts the workers, and waits for their initializers, if there is one.
    ///
    /// # Errors
    ///
    /// If there are to be no workers, or fewer at most than at least, the bound of the queue or the
    /// number of tasks per worker is zero, the name contains a zero byte, the initializer cannot
    /// travel or fails, the system refuses the memory or a process, or pools would be
    /// more than three above one another, which looks as if a task started pools for ever.
    pub fn build(self) -> Result<ProcessPool, BuildError> {
        let fail = |reason: &str| Err(BuildError::of_processes(reason, None));
        let workers = self.workers.clone().unwrap_or_else(|| {
            let processors = thread::available_parallelism().map_or(1, usize::from);
            processors..=processors
        });
        let (min, max) = workers.into_inner();
        if max == 0 {
            return fail("a pool of processes needs at least one worker");
        }
        if min > max {
            let reason = format!("a pool cannot have {min} workers at least and {max} at most");
            return fail(&reason);
        }
        if max > board::MAX_WORKERS {
            let reason = format!(
                "a pool of processes has {} workers at most",
                board::MAX_WORKERS
            );
            return fail(&reason);
        }
        if self.name.contains('\0') {
            return fail("the name of a process cannot contain a zero byte");
        }
        if self.queue_bound == Some(0) {
            return fail("a pool's queue must have room for at least one task");
        }
        if self.tasks_per_worker == Some(0) {
            return fail("a worker runs at least one task");
        }
        let level = worker::level() + 1;
        if level > DEEPEST {
            let reason = format!(
                "pools of processes are above one another already {DEEPEST} times: does a task start pools?"
            );
            return fail(&reason);
        }
        let initializer = self.initializer.transpose().map_err(|reason| {
            let reason = format!("the initializer cannot travel: {reason}");
            BuildError::of_processes(reason, None)
        })?;

        let (initializer, attachments) = match initializer {
            Some((function, argument, attachments)) => (Some((function, argument)), attachments),
            None => (None, Attachments::default()),
        };

        let no_memory = |error: io::Error| {
            BuildError::of_processes(
                "there is no memory to share with workers",
                Some(Box::new(error)),
            )
        };
        let hall = Hall::create(BLOCKS, max).map_err(no_memory)?;
        let spool = Spool::create().map_err(no_memory)?;
        let spools: Result<_, _> = (0..max).map(|_| Spool::create()).collect();
        let spools: Vec<_> = spools.map_err(no_memory)?;
        let is_initialized = initializer.is_some();
        let orders = Orders {
            number: 0,
            pool: std::process::id(),
            hall: (hall.descriptor(), hall.identity()),
            arguments: spool.descriptor(),
            answers: 0,
            initializer,
            tasks: self.tasks_per_worker,
            level,
        };
        let staff = Staff::new(
            min,
            max,
            self.name.clone(),
            orders,
            spools.into(),
            attachments,
        );
        let bound = self.queue_bound.map(|bound| bound.saturating_add(max));
        let hub = Arc::new(Hub::new(hall, spool, staff, bound));

        crate::panic::note_locations();
        if let Err(error) = start(&hub, is_initialized) {
            hub.staff.kill_all();
            return Err(error);
        }
        ProcessPool::over(hub, self.terms, &self.name)
    }
}

/// Starts the first workers.
fn start(hub: &Hub, are_initialized: bool) -> Result<(), BuildError> {
    let mut hired = Vec::new();
    for _ in 0..hub.staff.min {
        hired.push(hub.hire().map_err(|error| {
            let reason = "a worker process cannot be started";
            BuildError::of_processes(reason, Some(Box::new(error)))
        })?);
    }
    if are_initialized {
        for number in hired {
            hub.await_ready(number).map_err(|reason| {
                BuildError::of_processes(format!("worker {number}: {reason}"), None)
            })?;
        }
    }
    Ok(())
}

impl fmt::Debug for ProcessPoolBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessPoolBuilder")
            .field("workers", &self.workers)
            .field("name", &self.name)
            .field("tasks_per_worker", &self.tasks_per_worker)
            .field("time_limit", &self.terms.time_limit)
            .field("retries", &self.terms.retries)
            .field("queue_bound", &self.queue_bound)
            .finish_non_exhaustive()
    }
}
