//! [`wait`]: for all of several tasks, for one, or for one that fails.

#![forbid(unsafe_code)]

use std::time::{Duration, Instant};

use super::completions::Completions;
use super::self_wait;
use super::task::Task;

/// When [`wait`] is to return.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReturnWhen {
    /// When all tasks have ended: Python's `ALL_COMPLETED`.
    All,
    /// When one has ended: Python's `FIRST_COMPLETED`.
    First,
    /// When one has ended without a value, by a panic or cancelled, or else when all have ended:
    /// Python's `FIRST_EXCEPTION`.
    FirstError,
}

/// The tasks that [`wait`] was given, each group in the order given.
#[derive(Debug)]
#[must_use = "dropping a task drops its result"]
pub struct Waited<T> {
    /// Those that have ended: [`Task::result`] returns at once.
    pub done: Vec<Task<T>>,
    /// The others.
    pub not_done: Vec<Task<T>>,
}

/// Waits for tasks and says which have ended. No result is taken: all tasks come back.
///
/// What Python calls `concurrent.futures.wait`. Blocks; of no tasks it waits for none. The tasks may
/// be of different pools.
///
/// In a task of a pool, it does not wait for tasks of the same pool when all its workers would wait
/// for the pool then: it returns, and what has not ended is in [`not_done`](Waited::not_done).
///
/// # Example
///
/// ```
/// use brigade::{Event, ReturnWhen, ThreadPool, wait};
///
/// static GO: Event = Event::new();
///
/// let pool = ThreadPool::builder().threads(2).build()?;
/// let slow = pool.submit(|| { GO.wait(); 1 })?;
/// let fast = pool.submit(|| 2)?;
///
/// let waited = wait([slow, fast], ReturnWhen::First);
/// assert_eq!((waited.done.len(), waited.not_done.len()), (1, 1));
/// GO.set();
/// let rest = wait(waited.not_done, ReturnWhen::All);
/// assert!(rest.not_done.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn wait<T>(tasks: impl IntoIterator<Item = Task<T>>, when: ReturnWhen) -> Waited<T> {
    wait_until(tasks, when, None)
}

/// Like [`wait`], for `timeout` at most: what has not ended by then is in
/// [`not_done`](Waited::not_done). With a time-out of zero it never blocks.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use brigade::{Event, ReturnWhen, ThreadPool, wait_timeout};
///
/// static GO: Event = Event::new();
///
/// let pool = ThreadPool::new()?;
/// let waited = wait_timeout([pool.submit(|| GO.wait())?], ReturnWhen::All, Duration::ZERO);
/// assert_eq!(waited.not_done.len(), 1);
/// GO.set();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn wait_timeout<T>(
    tasks: impl IntoIterator<Item = Task<T>>,
    when: ReturnWhen,
    timeout: Duration,
) -> Waited<T> {
    wait_until(tasks, when, Instant::now().checked_add(timeout))
}

/// Like [`wait`], until `deadline` at the latest: otherwise like [`wait_timeout`].
pub fn wait_deadline<T>(
    tasks: impl IntoIterator<Item = Task<T>>,
    when: ReturnWhen,
    deadline: Instant,
) -> Waited<T> {
    wait_until(tasks, when, Some(deadline))
}

fn wait_until<T>(
    tasks: impl IntoIterator<Item = Task<T>>,
    when: ReturnWhen,
    deadline: Option<Instant>,
) -> Waited<T> {
    let mut tasks: Vec<_> = tasks.into_iter().collect();
    match when {
        ReturnWhen::All => {
            let _ = tasks.iter().all(|task| until_done(task, deadline));
        }
        ReturnWhen::First => until_one(&mut tasks, deadline, |_| true),
        ReturnWhen::FirstError => until_one(&mut tasks, deadline, |task| task.promise.has_failed()),
    }
    let (done, not_done) = tasks.into_iter().partition(Task::is_done);
    Waited { done, not_done }
}

/// Whether the task has ended in time.
fn until_done<T>(task: &Task<T>, deadline: Option<Instant>) -> bool {
    let promise = &task.promise;
    match deadline {
        Some(_) => promise.wait(deadline),
        None => self_wait::wait(task.pool, promise.probe(), |until| promise.wait(until)).is_ok(),
    }
}

/// Returns when a task of this kind has ended, or all have, or the deadline passes.
fn until_one<T>(
    tasks: &mut [Task<T>],
    deadline: Option<Instant>,
    of_the_kind: impl Fn(&mut Task<T>) -> bool,
) {
    if tasks
        .iter_mut()
        .any(|task| task.is_done() && of_the_kind(task))
    {
        return;
    }
    let mut completions = Completions::new();
    for (number, task) in tasks.iter_mut().enumerate() {
        completions.watch(number, task);
    }
    for _ in 0..tasks.len() {
        match completions.next(deadline) {
            Ok(Some(number)) if !of_the_kind(&mut tasks[number]) => {}
            _ => return,
        }
    }
}
