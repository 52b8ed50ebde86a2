//! [`Builder`]: how a pool is made.

use std::sync::{Arc, Mutex};
use std::thread;

use super::ThreadPool;
use super::error::{BuildError, Kind};
use super::roster::Roster;
use super::worker::{self, Shared};
use crate::{JoinCounter, Queue};

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
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until `build`"]
pub struct Builder {
    threads: Option<usize>,
    name: String,
    queue_bound: Option<usize>,
    stack_size: Option<usize>,
}

impl Builder {
    pub(super) fn new() -> Self {
        Self {
            threads: None,
            name: "worker".into(),
            queue_bound: None,
            stack_size: None,
        }
    }

    /// How many workers; one per available processor if not said.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = Some(threads);
        self
    }

    /// What the workers are called: `name-0`, `name-1` and so on, `worker-...` if not said.
    ///
    /// The operating system may show the first bytes only; Linux shows 15.
    pub fn name(mut self, prefix: impl Into<String>) -> Self {
        self.name = prefix.into();
        self
    }

    /// How many closures may wait for a worker before [`submit`](ThreadPool::submit) does; without
    /// a bound if not said.
    pub fn queue_bound(mut self, bound: usize) -> Self {
        self.queue_bound = Some(bound);
        self
    }

    /// How much stack each worker has, in bytes; what the standard library chooses if not said.
    pub fn stack_size(mut self, bytes: usize) -> Self {
        self.stack_size = Some(bytes);
        self
    }

    /// Starts the workers.
    ///
    /// # Errors
    ///
    /// If the number of threads or the bound of the queue is zero, the bound is more than a queue
    /// can hold (2^28), the name contains a zero byte, or the system cannot start all of the
    /// threads; those that were started have then ended again.
    pub fn build(self) -> Result<ThreadPool, BuildError> {
        let threads = self
            .threads
            .unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
        if threads == 0 {
            return Err(Kind::NoThreads.into());
        }
        if self.name.contains('\0') {
            return Err(Kind::Name.into());
        }
        let queue = match self.queue_bound {
            None => Queue::unbounded(),
            Some(0) => return Err(Kind::NoQueue.into()),
            Some(bound) if bound > brigade_core::storage::MAX_CAPACITY => {
                return Err(Kind::QueueTooLong(bound).into());
            }
            Some(bound) => Queue::bounded(bound),
        };
        crate::panic::note_locations();
        // Should a start fail, dropping the pool ends those that were started.
        let mut pool = ThreadPool {
            shared: Arc::new(Shared {
                queue,
                roster: Arc::new(Roster::new()),
                running: JoinCounter::new(),
            }),
            workers: Mutex::new(Vec::new()),
            threads,
        };
        for number in 0..threads {
            self.start(number, &mut pool)?;
        }
        Ok(pool)
    }

    fn start(&self, number: usize, pool: &mut ThreadPool) -> Result<(), BuildError> {
        let mut builder = thread::Builder::new().name(format!("{}-{number}", self.name));
        if let Some(bytes) = self.stack_size {
            builder = builder.stack_size(bytes);
        }
        let shared = Arc::clone(&pool.shared);
        let running = &pool.shared.running;
        running.add(1).map_err(|_| Kind::TooManyThreads)?;
        pool.shared.roster.begin();
        let work = move || worker::work(&shared);
        let worker = builder.spawn(work).map_err(|source| {
            pool.shared.roster.end();
            let _ = running.done();
            Kind::Start { number, source }
        })?;
        pool.workers().push(worker);
        Ok(())
    }
}
