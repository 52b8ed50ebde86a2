//! [`Builder`]: how a pool is made.

#![forbid(unsafe_code)]

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use super::ThreadPool;
use super::error::{BuildError, Kind};
use super::jobs::{Jobs, Order};
use super::roster::{Hired, Roster};
use super::staffing::Limits;
use super::worker::{Shared, Style};

/// Chooses what a [`ThreadPool`] is like.
///
/// # Example
///
/// ```
/// use brigade::ThreadPool;
///
/// let pool = ThreadPool::builder().threads(2).name("fetch").queue_bound(100).build()?;
/// let name = pool.submit(|| std::thread::current().name().map(String::from))
///     ?
///     .result()?;
/// assert!(name.unwrap().starts_with("fetch-"));
///
/// assert!(ThreadPool::builder().threads(0).build().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct Builder {
    threads: Option<RangeInclusive<usize>>,
    queue_bound: Option<usize>,
    priorities: bool,
    spares: usize,
    style: Style,
}

impl Builder {
    pub(super) fn new() -> Self {
        Self {
            threads: None,
            queue_bound: None,
            priorities: false,
            spares: 0,
            style: Style {
                name: "worker".into(),
                stack_size: None,
                keep_alive: Duration::from_secs(60),
                measure_time: false,
                on_start: None,
                on_stop: None,
            },
        }
    }

    /// How many workers; one per available processor if not said.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads..=threads);
        self
    }

    /// How many workers at least and at most. The least are there from the beginning to the end;
    /// another is started when a task is queued that none of the idle ones will take, and ends when
    /// it has been idle for [long](Self::keep_alive).
    ///
    /// If the system cannot start one, the others run the tasks, and no more are started before the
    /// next [`resize`](ThreadPool::resize); [`Stats::failed_starts`](super::Stats::failed_starts)
    /// tells.
    ///
    /// # Example
    ///
    /// ```
    /// use std::sync::{Arc, Barrier};
    ///
    /// let pool = brigade::ThreadPool::builder().grow_on_demand(1..=2).build()?;
    /// assert_eq!(pool.stats().workers, 1);
    /// // Two tasks that need each other: one worker could not run them.
    /// let meet = Arc::new(Barrier::new(2));
    /// let other = Arc::clone(&meet);
    /// let tasks = [pool.submit(move || { meet.wait(); })?, pool.submit(move || { other.wait(); })?];
    /// for task in tasks {
    ///     task.result()?;
    /// }
    /// assert_eq!(pool.stats().workers, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn grow_on_demand(mut self, threads: RangeInclusive<usize>) -> Self {
        self.threads = Some(threads);
        self
    }

    /// How long a worker above the least number may be idle before it ends; a minute if not said.
    pub fn keep_alive(mut self, idle: Duration) -> Self {
        self.style.keep_alive = idle;
        self
    }

    /// Lets the pool start up to so many spare workers, each for as long as a worker waits for a task
    /// of its own pool or for room in its queue; none if not said.
    ///
    /// Without a spare one, the last worker to wait like that gets
    /// [`TaskError::WouldDeadlock`](crate::TaskError::WouldDeadlock). A spare worker that is one too
    /// many ends when it is through with its task.
    ///
    /// For a wait with a time-out or a deadline no spare worker is started: it ends by itself.
    ///
    /// # Example
    ///
    /// ```
    /// use std::sync::Arc;
    /// use brigade::ThreadPool;
    ///
    /// let pool = Arc::new(ThreadPool::builder().threads(1).spare_threads(1).build()?);
    /// let inner = Arc::clone(&pool);
    /// let sum = pool.submit(move || 1 + inner.submit(|| 2).unwrap().result().unwrap())?;
    /// assert_eq!(sum.result()?, 3);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn spare_threads(mut self, most: usize) -> Self {
        self.spares = most;
        self
    }

    /// What each worker does before its first task. It is told the number in its name.
    ///
    /// If it panics, that worker takes no tasks: [`build`](Self::build) and
    /// [`resize`](ThreadPool::resize) fail; a pool that grows on demand does with the workers it has,
    /// as if the system could not start this one.
    ///
    /// # Example
    ///
    /// ```
    /// use std::cell::Cell;
    ///
    /// thread_local!(static NUMBER: Cell<Option<usize>> = const { Cell::new(None) });
    ///
    /// let pool = brigade::ThreadPool::builder()
    ///     .threads(1)
    ///     .on_start(|number| NUMBER.set(Some(number)))
    ///     .build()?;
    /// assert_eq!(pool.submit(|| NUMBER.get())?.result()?, Some(0));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn on_start(mut self, hook: impl Fn(usize) + Send + Sync + 'static) -> Self {
        self.style.on_start = Some(Arc::new(hook));
        self
    }

    /// What each worker does after its last task, if its [start](Self::on_start) did not panic. The
    /// number may be a new worker's by then. If it panics, the worker ends all the same.
    pub fn on_stop(mut self, hook: impl Fn(usize) + Send + Sync + 'static) -> Self {
        self.style.on_stop = Some(Arc::new(hook));
        self
    }

    /// Has the pool measure how long tasks wait and run, for its [`Stats`](super::Stats). It costs
    /// three looks at the clock for each task.
    pub fn measure_time(mut self) -> Self {
        self.style.measure_time = true;
        self
    }

    /// What the workers are called: `name-0`, `name-1` and so on, `worker-...` if not said.
    ///
    /// The operating system may show the first bytes only; Linux shows 15.
    pub fn name(mut self, prefix: impl Into<String>) -> Self {
        self.style.name = prefix.into();
        self
    }

    /// How many closures may wait for a worker before [`submit`](ThreadPool::submit) does; without
    /// a bound if not said.
    pub fn queue_bound(mut self, bound: usize) -> Self {
        self.queue_bound = Some(bound);
        self
    }

    /// Has tasks begun in the order of their priorities, the smallest first, and equal ones in the
    /// order in which they were submitted. See [`submit_priority`](ThreadPool::submit_priority).
    ///
    /// A task costs a second allocation then, and the queue has one lock for both ends.
    pub fn priorities(mut self) -> Self {
        self.priorities = true;
        self
    }

    /// How much stack each worker has, in bytes; what the standard library chooses if not said.
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.style.stack_size = Some(bytes);
        self
    }

    /// Starts the workers, and waits for their initializers, if there are any.
    ///
    /// # Errors
    ///
    /// If there are to be no threads, or fewer at most than at least, the bound of the queue is zero
    /// or more than a queue can hold (2^28), the name contains a zero byte, an initializer panics, or
    /// the system cannot start all of the threads; those that were started have then ended again.
    pub fn build(self) -> Result<ThreadPool, BuildError> {
        let threads = self.threads.unwrap_or_else(|| {
            let processors = thread::available_parallelism().map_or(1, usize::from);
            processors..=processors
        });
        let (min, max) = threads.into_inner();
        if min == 0 {
            return Err(Kind::NoThreads.into());
        }
        if min > max {
            return Err(Kind::FewerThanLeast { min, max }.into());
        }
        if self.style.name.contains('\0') {
            return Err(Kind::Name.into());
        }
        match self.queue_bound {
            Some(0) => return Err(Kind::NoQueue.into()),
            Some(bound) if bound > brigade_core::storage::MAX_CAPACITY => {
                return Err(Kind::QueueTooLong(bound).into());
            }
            _ => {}
        }
        crate::panic::note_locations();
        // Should a start fail, dropping the pool ends those that were started.
        let pool = ThreadPool {
            shared: Arc::new(Shared {
                jobs: Jobs::new(Order::new(self.priorities, self.queue_bound)),
                by_priority: self.priorities,
                roster: Roster::new(Limits {
                    workers: 0,
                    starting: 0,
                    waiting: 0,
                    min,
                    max,
                    spares: self.spares,
                    barren: false,
                }),
                style: self.style,
                born: Instant::now(),
                grows_on_demand: min < max,
                elastic: min < max || self.spares > 0,
                threads: Mutex::new(Vec::new()),
            }),
        };
        let mut left = min;
        start_all(&pool.shared, || {
            left = left.checked_sub(1)?;
            pool.shared.roster.first()
        })?;
        Ok(pool)
    }
}

/// Starts the workers that are hired, and waits for their initializers, if there are any.
pub(super) fn start_all(
    shared: &Arc<Shared>,
    mut hire: impl FnMut() -> Option<Hired>,
) -> Result<(), BuildError> {
    let (sender, reports) = mpsc::channel();
    let sender = shared.style.on_start.is_some().then_some(sender);
    while let Some(hired) = hire() {
        let number = hired.number;
        shared
            .start(hired, sender.clone())
            .map_err(|source| Kind::Start { number, source })?;
    }
    drop(sender);
    for (number, initialized) in reports {
        initialized.map_err(|source| Kind::Initializer { number, source })?;
    }
    Ok(())
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("threads", &self.threads)
            .field("name", &self.style.name)
            .field("queue_bound", &self.queue_bound)
            .field("priorities", &self.priorities)
            .field("stack_size", &self.style.stack_size)
            .field("spare_threads", &self.spares)
            .field("keep_alive", &self.style.keep_alive)
            .field("measure_time", &self.style.measure_time)
            .finish_non_exhaustive()
    }
}
