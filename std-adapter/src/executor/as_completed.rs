//! [`as_completed`]: results of several tasks, the first to end first.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::iter::FusedIterator;
use std::time::{Duration, Instant};
use std::{error, fmt};

use super::completions::Completions;
use super::self_wait::WouldDeadlock;
use super::task::{Task, TaskError};

/// Results of tasks in the order in which the tasks end, each with the number of its task.
///
/// What Python calls `concurrent.futures.as_completed`. The numbers count the tasks from 0 in the
/// order given. More tasks can be [added](AsCompleted::add) at any time, also from different pools.
///
/// `next` blocks until one more task has ended. Dropping the iterator drops the tasks that are left:
/// they go on all the same, as does a dropped [`Task`].
///
/// In a task of a pool, `next` does not wait for tasks of the same pool when all its workers would
/// wait for the pool then: the oldest that is left comes out as
/// [`WouldDeadlock`](TaskError::WouldDeadlock), as by [`Task::result`].
///
/// # Example
///
/// ```
/// use brigade::{Event, ThreadPool, as_completed};
///
/// static GO: Event = Event::new();
///
/// let pool = ThreadPool::builder().threads(2).build()?;
/// let slow = pool.submit(|| { GO.wait(); "slow" })?;
/// let fast = pool.submit(|| "fast")?;
///
/// let mut results = as_completed([slow, fast]);
/// let (number, result) = results.next().unwrap();
/// assert_eq!((number, result?), (1, "fast"));
/// GO.set();
/// let (number, result) = results.next().unwrap();
/// assert_eq!((number, result?), (0, "slow"));
/// assert!(results.next().is_none());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn as_completed<T>(tasks: impl IntoIterator<Item = Task<T>>) -> AsCompleted<T> {
    let mut all = AsCompleted::new();
    all.extend(tasks);
    all
}

/// An iterator over results in the order in which tasks end: see [`as_completed`].
#[must_use = "the results are lost unless they are taken"]
pub struct AsCompleted<T> {
    completions: Completions,
    /// Those that are left, by their numbers.
    tasks: BTreeMap<usize, Task<T>>,
    /// The number of the next to be added.
    next: usize,
}

impl<T> AsCompleted<T> {
    /// Of no tasks yet.
    pub fn new() -> Self {
        Self {
            completions: Completions::new(),
            tasks: BTreeMap::new(),
            next: 0,
        }
    }

    /// Adds a task and returns its number. Never blocks.
    ///
    /// An iterator that has come to its end goes on after this.
    ///
    /// # Example
    ///
    /// ```
    /// use brigade::{AsCompleted, ThreadPool};
    ///
    /// let pool = ThreadPool::new()?;
    /// let mut results = AsCompleted::new();
    /// results.add(pool.submit(|| 3)?);
    /// let mut lines = Vec::new();
    /// while let Some((number, result)) = results.next() {
    ///     let left = result?;
    ///     lines.push((number, left));
    ///     if left > 0 {
    ///         results.add(pool.submit(move || left - 1)?);
    ///     }
    /// }
    /// assert_eq!(lines, [(0, 3), (1, 2), (2, 1), (3, 0)]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[allow(clippy::must_use_candidate, reason = "the numbers can be counted")]
    pub fn add(&mut self, mut task: Task<T>) -> usize {
        let number = self.next;
        self.next = number.wrapping_add(1);
        self.completions.watch(number, &mut task);
        self.tasks.insert(number, task);
        number
    }

    /// Like `next`, but waits for `timeout` at most. With a time-out of zero it never blocks.
    ///
    /// # Errors
    ///
    /// [`NoneInTime`] if no task has ended by then; all of them are still there.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    /// use brigade::{Event, ThreadPool, as_completed};
    ///
    /// static GO: Event = Event::new();
    ///
    /// let pool = ThreadPool::new()?;
    /// let mut results = as_completed([pool.submit(|| GO.wait())?]);
    /// assert!(results.next_timeout(Duration::from_millis(1)).is_err());
    /// GO.set();
    /// assert!(results.next_timeout(Duration::from_secs(10))?.is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[allow(clippy::type_complexity, reason = "an item, if there is one in time")]
    pub fn next_timeout(
        &mut self,
        timeout: Duration,
    ) -> Result<Option<(usize, Result<T, TaskError>)>, NoneInTime> {
        self.next_until(Instant::now().checked_add(timeout))
    }

    /// Like `next`, but waits until `deadline` at the latest: otherwise like
    /// [`next_timeout`](Self::next_timeout).
    ///
    /// # Errors
    ///
    /// [`NoneInTime`] if no task has ended by then; all of them are still there.
    #[allow(clippy::type_complexity, reason = "an item, if there is one in time")]
    pub fn next_deadline(
        &mut self,
        deadline: Instant,
    ) -> Result<Option<(usize, Result<T, TaskError>)>, NoneInTime> {
        self.next_until(Some(deadline))
    }

    #[allow(clippy::type_complexity, reason = "an item, if there is one in time")]
    fn next_until(
        &mut self,
        deadline: Option<Instant>,
    ) -> Result<Option<(usize, Result<T, TaskError>)>, NoneInTime> {
        let next = self.next_task(deadline)?;
        Ok(next.map(|(number, mut task, otherwise)| {
            let result = task.promise.take();
            (number, result.unwrap_or(Err(otherwise)))
        }))
    }

    /// As `next`, but a task that cannot be waited for is cancelled, if nobody has begun with it.
    pub(super) fn next_or_cancel(&mut self) -> Option<(usize, Result<T, TaskError>)> {
        let (number, task, _) = self.next_task(None).ok()??;
        Some((number, task.give_up()))
    }

    /// Takes out the next task, with its number, and what it comes to if it has no result.
    #[allow(clippy::type_complexity, reason = "a task, if there is one in time")]
    fn next_task(
        &mut self,
        deadline: Option<Instant>,
    ) -> Result<Option<(usize, Task<T>, TaskError)>, NoneInTime> {
        while let Some((&oldest, _)) = self.tasks.first_key_value() {
            let (number, otherwise) = match self.completions.next(deadline) {
                Ok(number) => (number.ok_or(NoneInTime)?, TaskError::Taken),
                Err(WouldDeadlock) => (oldest, TaskError::WouldDeadlock),
            };
            // A task that came out because of a deadlock may end all the same.
            if let Some(task) = self.tasks.remove(&number) {
                return Ok(Some((number, task, otherwise)));
            }
        }
        Ok(None)
    }

    /// How many results are to come.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.tasks.len()
    }

    /// The tasks whose results were not taken, with their numbers, in the order given.
    #[must_use = "dropping a task drops its result"]
    pub fn into_remaining(self) -> Vec<(usize, Task<T>)> {
        self.tasks.into_iter().collect()
    }
}

impl<T> Default for AsCompleted<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Extend<Task<T>> for AsCompleted<T> {
    fn extend<I: IntoIterator<Item = Task<T>>>(&mut self, tasks: I) {
        for task in tasks {
            self.add(task);
        }
    }
}

impl<T> Iterator for AsCompleted<T> {
    type Item = (usize, Result<T, TaskError>);

    /// Waits for the next end of a task; `None` when none is left.
    fn next(&mut self) -> Option<Self::Item> {
        self.next_until(None).ok().flatten()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.tasks.len(), Some(self.tasks.len()))
    }
}

impl<T> ExactSizeIterator for AsCompleted<T> {}
impl<T> FusedIterator for AsCompleted<T> {}

impl<T> fmt::Debug for AsCompleted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsCompleted")
            .field("remaining", &self.tasks.len())
            .finish_non_exhaustive()
    }
}

/// No task has ended in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoneInTime;

impl fmt::Display for NoneInTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no task has ended in time")
    }
}

impl error::Error for NoneInTime {}
