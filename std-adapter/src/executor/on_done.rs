//! [`Task::on_done`]: a callback is a waker that takes the result.

#![forbid(unsafe_code)]

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};

use super::task::{Task, TaskError};
use super::work::contain;

impl<T: Send + 'static> Task<T> {
    /// Has `callback` called with the result, by whoever ends the task: the worker that ran the
    /// closure, or whoever cancels the task. If the task is done already, calls it here and now.
    ///
    /// What Python calls `add_done_callback`. Unlike there, the callback has the result to itself,
    /// so it gets it by value. A worker that runs a callback runs nothing else meanwhile: keep it
    /// short, or let it [`submit`](super::ThreadPool::submit) the rest.
    ///
    /// A callback that panics harms nobody: the panic hook reports it, and that is all. Does not
    /// block, unless the callback does. Costs one allocation.
    ///
    /// # Example
    ///
    /// ```
    /// use brigade::{Queue, ThreadPool};
    /// use std::sync::Arc;
    ///
    /// let squares = Arc::new(Queue::unbounded());
    /// let pool = ThreadPool::new()?;
    /// for n in 1..=3 {
    ///     let squares = Arc::clone(&squares);
    ///     pool.submit(move || n * n)?.on_done(move |square| {
    ///         squares.put(square.unwrap()).unwrap();
    ///     });
    /// }
    /// let sum: u32 = (0..3).map(|_| squares.get().unwrap()).sum();
    /// assert_eq!(sum, 14);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn on_done<F>(self, callback: F)
    where
        F: FnOnce(Result<T, TaskError>) + Send + 'static,
    {
        let place = Arc::new(Callback(Mutex::new(Some((self, callback)))));
        let waker = Waker::from(Arc::clone(&place));
        // The waker may be woken before `register` returns. It then waits for the lock.
        let is_done = match &mut *place.0.lock().unwrap_or_else(PoisonError::into_inner) {
            Some((task, _)) => task.promise.register(&waker),
            None => unreachable!("only the waker takes it out, and it has just been made"),
        };
        if is_done {
            place.call();
        }
    }
}

/// A task that nobody else has, and what to do with its result.
///
/// The task's allocation owns the waker, and this is the waker: a circle, which the end of the task
/// opens. Tasks always end.
struct Callback<T, F>(Mutex<Option<(Task<T>, F)>>);

impl<T, F: FnOnce(Result<T, TaskError>)> Callback<T, F> {
    /// The task is done.
    fn call(&self) {
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((mut task, callback)) = taken {
            let result = task.promise.take().unwrap_or(Err(TaskError::Taken));
            drop(task);
            contain(|| callback(result));
        }
    }
}

impl<T, F> Wake for Callback<T, F>
where
    T: Send + 'static,
    F: FnOnce(Result<T, TaskError>) + Send + 'static,
{
    fn wake(self: Arc<Self>) {
        self.call();
    }
}
