//! [`Executor`]: what all that runs functions elsewhere have in common, be it threads, processes or
//! machines.

#![forbid(unsafe_code)]

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::map::{self, Map, MapUnordered, Submit};
use super::message::Message;
use super::self_wait::WouldDeadlock;
use super::task::{Task, TaskError};
use super::thread_pool::{SubmitError, ThreadPool};
use crate::Shutdown;

/// Runs functions elsewhere: what Python calls `concurrent.futures.Executor`.
///
/// Code that is written for `&impl Executor` runs on the threads of a [`ThreadPool`], and on
/// whatever else implements this: worker processes, or machines that take work from a queue. So it
/// asks of functions and data what the farthest of them needs:
///
/// - A function is `Copy`: a `fn`, or a closure that captures nothing or only what is `Copy` itself.
///   What it is to work on goes in as its argument. (Executors that run functions in other processes
///   refuse, when they are compiled, closures that capture anything.)
/// - Arguments and results are [`Message`]s.
///
/// [`ThreadPool`] has methods of the same names that take any closure and any data that may be sent
/// to another thread, so a call that does with less than that compiles with either.
///
/// Who implements it: [`submit_with`](Self::submit_with), how many run at a time, and how it ends.
/// The rest stands on these.
///
/// # Example
///
/// ```
/// use brigade::{Executor, Shutdown, TaskError, ThreadPool};
///
/// fn total_length(executor: &impl Executor, names: Vec<String>) -> Result<usize, TaskError> {
///     executor.map(names, |name: String| name.len()).sum()
/// }
///
/// let pool = ThreadPool::new()?;
/// assert_eq!(total_length(&pool, vec!["red".into(), "green".into()])?, 8);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Executor: Sync {
    /// Has `function(argument)` run elsewhere.
    ///
    /// May block while there is no room for it.
    ///
    /// # Errors
    ///
    /// Gives the argument back if the executor is shut down, or would wait for itself.
    ///
    /// # Example
    ///
    /// ```
    /// use brigade::{Executor, ThreadPool};
    ///
    /// let pool = ThreadPool::new()?;
    /// let task = pool.submit_with(|text: String| text.len(), "brigade".to_owned())?;
    /// assert_eq!(task.result()?, 7);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn submit_with<F, A, R>(&self, function: F, argument: A) -> Result<Task<R>, SubmitError<A>>
    where
        F: Fn(A) -> R + Copy + Send + 'static,
        A: Message,
        R: Message;

    /// About how many functions it runs at a time, at least one.
    fn workers(&self) -> usize;

    /// Takes no further functions. With [`Shutdown::Drain`] it runs those that it has, with
    /// [`Shutdown::Immediate`] it cancels those that have not been begun.
    ///
    /// Does not wait: [`join`](Self::join) does.
    fn shutdown(&self, how: Shutdown);

    /// Waits until it has come to its end, after a [shutdown](Self::shutdown).
    ///
    /// # Errors
    ///
    /// If one of its own tasks calls this.
    fn join(&self) -> Result<(), WouldDeadlock>;

    /// Like [`join`](Self::join), for `timeout` at most; says whether it has come to its end.
    ///
    /// # Errors
    ///
    /// If one of its own tasks calls this.
    fn join_timeout(&self, timeout: Duration) -> Result<bool, WouldDeadlock>;

    /// Has `function` run elsewhere.
    ///
    /// May block while there is no room for it.
    ///
    /// # Errors
    ///
    /// Gives the function back if the executor is shut down, or would wait for itself.
    ///
    /// # Example
    ///
    /// ```
    /// use brigade::{Executor, ThreadPool};
    ///
    /// fn answer(executor: &impl Executor) -> u32 {
    ///     executor.submit(|| 42).unwrap().result().unwrap()
    /// }
    ///
    /// assert_eq!(answer(&ThreadPool::new()?), 42);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn submit<F, R>(&self, function: F) -> Result<Task<R>, SubmitError<F>>
    where
        F: Fn() -> R + Copy + Send + 'static,
        R: Message,
    {
        let submitted = self.submit_with(move |()| function(), ());
        submitted.map_err(|error| match error {
            SubmitError::ShutDown(()) => SubmitError::ShutDown(function),
            SubmitError::WouldDeadlock(()) => SubmitError::WouldDeadlock(function),
        })
    }

    /// Runs `function` on each item, elsewhere, and yields the results in the order of the items.
    /// See [`Map`].
    ///
    /// For functions of several arguments let the items be tuples.
    fn map<I, F, R>(&self, items: I, function: F) -> Map<'_, I::IntoIter, R>
    where
        I: IntoIterator<Item: Message>,
        F: Fn(I::Item) -> R + Copy + Send + 'static,
        R: Message,
    {
        Map::new(
            items.into_iter(),
            self.workers(),
            by_argument(self, function),
        )
    }

    /// Runs `function` on each item, elsewhere, and yields the results as they come. See
    /// [`MapUnordered`].
    fn map_unordered<I, F, R>(&self, items: I, function: F) -> MapUnordered<'_, I::IntoIter, R>
    where
        I: IntoIterator<Item: Message>,
        F: Fn(I::Item) -> R + Copy + Send + 'static,
        R: Message,
    {
        MapUnordered::new(
            items.into_iter(),
            self.workers(),
            by_argument(self, function),
        )
    }
}

/// Submits chunks as the arguments of one function.
fn by_argument<E, F, A, R>(executor: &E, function: F) -> Submit<'_, A, R>
where
    E: Executor + ?Sized,
    F: Fn(A) -> R + Copy + Send + 'static,
    A: Message,
    R: Message,
{
    Box::new(move |items| {
        let chunk = move |items| map::run(items, &function);
        executor
            .submit_with(chunk, items)
            .map_err(|error| refusal(&error))
    })
}

/// What becomes of items that were not taken.
fn refusal<A>(error: &SubmitError<A>) -> TaskError {
    match error {
        SubmitError::ShutDown(_) => TaskError::Cancelled,
        SubmitError::WouldDeadlock(_) => TaskError::WouldDeadlock,
    }
}

impl Executor for ThreadPool {
    fn submit_with<F, A, R>(&self, function: F, argument: A) -> Result<Task<R>, SubmitError<A>>
    where
        F: Fn(A) -> R + Copy + Send + 'static,
        A: Message,
        R: Message,
    {
        self.submit_kept(argument, function)
    }

    fn workers(&self) -> usize {
        self.threads()
    }

    fn shutdown(&self, how: Shutdown) {
        drop(ThreadPool::shutdown(self, how));
    }

    fn join(&self) -> Result<(), WouldDeadlock> {
        ThreadPool::join(self)
    }

    fn join_timeout(&self, timeout: Duration) -> Result<bool, WouldDeadlock> {
        ThreadPool::join_timeout(self, timeout)
    }
}

impl ThreadPool {
    /// Submits `run(argument)` so that the argument comes back if it is refused.
    pub(super) fn submit_kept<A, T>(
        &self,
        argument: A,
        run: impl FnOnce(A) -> T + Send + 'static,
    ) -> Result<Task<T>, SubmitError<A>>
    where
        A: Send + 'static,
        T: Send + 'static,
    {
        // A closure that comes back does not let out what it holds, so that is kept beside it.
        let kept = Arc::new(Mutex::new(Some(argument)));
        let take = |kept: &Mutex<Option<A>>| {
            let argument = kept.lock().unwrap_or_else(PoisonError::into_inner).take();
            argument.expect("either the closure takes it, or comes back")
        };
        let taken = Arc::clone(&kept);
        let submitted = self.submit(move || run(take(&taken)));
        submitted.map_err(|error| match error {
            SubmitError::ShutDown(_) => SubmitError::ShutDown(take(&kept)),
            SubmitError::WouldDeadlock(_) => SubmitError::WouldDeadlock(take(&kept)),
        })
    }

    /// Runs `function` on each item in the workers, and yields the results in the order of the
    /// items. What Python calls `Executor.map`.
    ///
    /// An iterator: lazy, in the order of the items, never more than a bounded number of items ahead,
    /// and with a panic as the result of the item it happened at. See [`Map`]. Cheap items are
    /// grouped.
    ///
    /// For a function of several arguments, Python's `starmap`, let the items be tuples.
    ///
    /// # Example
    ///
    /// ```
    /// use brigade::ThreadPool;
    ///
    /// let pool = ThreadPool::new()?;
    /// let pairs = [("a", 3), ("b", 2)];
    /// for line in pool.map(pairs, |(text, times)| text.repeat(times)) {
    ///     println!("{}", line?);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn map<I, F, R>(&self, items: I, function: F) -> Map<'_, I::IntoIter, R>
    where
        I: IntoIterator<Item: Send + 'static>,
        F: Fn(I::Item) -> R + Send + Sync + 'static,
        R: Send + 'static,
    {
        Map::new(items.into_iter(), self.threads(), self.by_closure(function))
    }

    /// Runs `function` on each item in the workers, and yields the results as they come. What Python
    /// calls `Pool.imap_unordered`.
    ///
    /// Otherwise like [`map`](Self::map). See [`MapUnordered`].
    ///
    /// # Example
    ///
    /// ```
    /// use brigade::ThreadPool;
    ///
    /// let pool = ThreadPool::new()?;
    /// let names = ["red", "green", "blue"].into_iter().enumerate();
    /// for result in pool.map_unordered(names, |(number, name)| (number, name.len())) {
    ///     let (number, length) = result?;
    ///     println!("name {number} has {length} letters");
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn map_unordered<I, F, R>(&self, items: I, function: F) -> MapUnordered<'_, I::IntoIter, R>
    where
        I: IntoIterator<Item: Send + 'static>,
        F: Fn(I::Item) -> R + Send + Sync + 'static,
        R: Send + 'static,
    {
        MapUnordered::new(items.into_iter(), self.threads(), self.by_closure(function))
    }

    /// Submits chunks together with a function that they share.
    fn by_closure<F, A, R>(&self, function: F) -> Submit<'_, A, R>
    where
        F: Fn(A) -> R + Send + Sync + 'static,
        A: Send + 'static,
        R: Send + 'static,
    {
        let function = Arc::new(function);
        Box::new(move |input| {
            let function = Arc::clone(&function);
            let chunk = move || map::run(input, &*function);
            self.submit(chunk).map_err(|error| refusal(&error))
        })
    }
}
