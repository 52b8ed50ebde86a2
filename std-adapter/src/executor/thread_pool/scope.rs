//! [`ThreadPool::scope`]: tasks that borrow from the stack of whoever waits for them.
//!
//! ```text
//!     caller   scope( body: submit, submit, ... )  finish: run what nobody has begun,
//!                       |       |                          wait for the rest         --> return
//!     worker            +-------|--> task
//!     worker                    +--> task
//! ```
//!
//! **Why this is sound.** A pool's queue takes closures without borrows, so the lifetime of a scoped
//! one is hidden from it, in [`Scope::submit`]. What has to be shown is that nothing borrowed is
//! touched after `scope` has returned. A task counts as *done* only when its closure has been run or
//! dropped, and with it all that it had captured; what is left in memory then is a `()`. `scope` does
//! not return, and does not unwind, before every task that was submitted to it is done; and none can
//! be submitted later, as the reference to the scope is captured by its tasks or its body alone, all
//! of which have ended.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::ThreadPool;
use crate::executor::self_wait::{self, WouldDeadlock};
use crate::executor::task::{Task, TaskError};
use crate::panic::catch;

impl ThreadPool {
    /// Runs `body` on this thread; it may submit tasks that borrow from outside of it. Returns when
    /// all of these are done.
    ///
    /// Blocks until then. When `body` has returned, the calling thread runs those tasks that no
    /// worker has begun with, and waits for the others. So a scope in a task of the same pool gets
    /// on also if all other workers are busy.
    ///
    /// # Panics
    ///
    /// If `body` panics, or a task whose result was not asked for; with the payload of that, when all
    /// tasks are done.
    ///
    /// # Example
    ///
    /// ```
    /// let pool = brigade::ThreadPool::new()?;
    /// let text = String::from("a bucket brigade passes water down a line of hands");
    /// let mut longest = "";
    /// let words = pool.scope(|scope| {
    ///     scope.submit(|| longest = text.split(' ').max_by_key(|word| word.len()).unwrap());
    ///     let words = scope.submit(|| text.split(' ').count());
    ///     words.result()
    /// })?;
    /// assert_eq!((words, longest), (10, "brigade"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn scope<'env, R>(
        &'env self,
        body: impl for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> R,
    ) -> R {
        let scope = Scope {
            pool: self,
            tasks: Mutex::new(Tasks::default()),
            unasked: Arc::default(),
            lasts: PhantomData,
            borrows: PhantomData,
        };
        let result = catch_unwind(AssertUnwindSafe(|| body(&scope)));
        scope.finish();
        let result = result.unwrap_or_else(|panic| resume_unwind(panic));
        if let Some(panic) = lock(&scope.unasked).take() {
            resume_unwind(panic);
        }
        result
    }
}

/// Takes tasks that may borrow: see [`ThreadPool::scope`].
///
/// `'scope` is how long the scope lasts, `'env` is how long that lasts which its tasks may borrow.
pub struct Scope<'scope, 'env: 'scope> {
    pool: &'env ThreadPool,
    tasks: Mutex<Tasks>,
    /// What the first task panicked with whose result nobody has asked for.
    unasked: Unasked,
    // Both lifetimes are exactly what they are: neither can be made longer or shorter.
    lasts: PhantomData<&'scope mut &'scope ()>,
    borrows: PhantomData<&'env mut &'env ()>,
}

type Unasked = Arc<Mutex<Option<Box<dyn Any + Send>>>>;

/// Those that may not be done.
#[derive(Default)]
struct Tasks {
    list: Vec<Arc<Task<()>>>,
    /// How long the list may get before those that are done are taken out of it.
    sweep_at: usize,
}

impl<'scope> Scope<'scope, '_> {
    /// Submits a closure that may borrow what outlives the scope. May be called by the scope's tasks
    /// too.
    ///
    /// Blocks while the pool's queue is full. If the pool does not take it, because it is shut down
    /// or would wait for itself, the closure is run here and now. Costs four allocations.
    ///
    /// # Example
    ///
    /// ```
    /// let pool = brigade::ThreadPool::new()?;
    /// let mut numbers = [1, 2, 3, 4];
    /// let (left, right) = numbers.split_at_mut(2);
    /// pool.scope(|scope| {
    ///     scope.submit(|| left.reverse());
    ///     scope.submit(|| right.reverse());
    /// });
    /// assert_eq!(numbers, [2, 1, 4, 3]);
    /// # Ok::<(), brigade::BuildError>(())
    /// ```
    #[allow(clippy::must_use_candidate, reason = "the scope waits for the task")]
    pub fn submit<F, T>(&'scope self, closure: F) -> ScopedTask<'scope, T>
    where
        F: FnOnce() -> T + Send + 'scope,
        T: Send + 'scope,
    {
        let slot = Arc::new(Slot {
            result: Mutex::new(None),
            unasked: Arc::clone(&self.unasked),
        });
        let run: Box<dyn FnOnce() + Send + 'scope> = {
            let slot = Arc::clone(&slot);
            Box::new(move || {
                let result = catch(closure).map_err(TaskError::Panicked);
                *lock(&slot.result) = Some(result);
                // A result that nobody wants is dropped here, and may panic as well.
                let unasked = Arc::clone(&slot.unasked);
                if let Err(panic) = catch(|| drop(slot)) {
                    lock(&unasked).get_or_insert(panic.into_payload());
                }
            })
        };
        // SAFETY: the types differ in a lifetime alone. That the closure is gone before the lifetime
        // is over is shown at the top.
        let run = unsafe {
            mem::transmute::<Box<dyn FnOnce() + Send + 'scope>, Box<dyn FnOnce() + Send>>(run)
        };
        let submitted = {
            let unlisted = AbortOnUnwind;
            let submitted = self.pool.submit(run).map(|task| self.keep(task));
            mem::forget(unlisted);
            submitted
        };
        let task = match submitted {
            Ok(task) => Some(task),
            Err(refused) => {
                refused.into_inner()();
                None
            }
        };
        ScopedTask {
            slot,
            task,
            pool: self.pool,
        }
    }

    /// Remembers a task until it is done.
    fn keep(&self, task: Task<()>) -> Arc<Task<()>> {
        const FEW: usize = 64;

        let task = Arc::new(task);
        let mut tasks = lock(&self.tasks);
        if tasks.list.len() >= tasks.sweep_at {
            tasks.list.retain(|task| !task.is_done());
            tasks.sweep_at = 2 * tasks.list.len() + FEW;
        }
        tasks.list.push(Arc::clone(&task));
        task
    }

    /// Returns when all tasks are done, those that were submitted meanwhile included.
    fn finish(&self) {
        loop {
            // Not in the loop's condition: that would hold the lock for as long as the loop.
            let last = lock(&self.tasks).list.pop();
            let Some(task) = last else { return };
            if !run(self.pool, &task) {
                let promise = &task.promise;
                self_wait::wait_patiently(task.pool, promise.probe(), |until| promise.wait(until));
            }
        }
    }
}

/// Ends the process if it is dropped: a task that is queued and not listed could outlive what it
/// borrows. Nothing panics in between; this is for the day when something does.
struct AbortOnUnwind;

impl Drop for AbortOnUnwind {
    fn drop(&mut self) {
        std::process::abort();
    }
}

/// Runs the task if nobody has begun with it; whether it is done.
fn run(pool: &ThreadPool, task: &Task<()>) -> bool {
    task.is_done() || self_wait::help(&pool.shared, || task.promise.run_here())
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scope").finish_non_exhaustive()
    }
}

/// The result-to-be of a closure submitted to a [`Scope`].
///
/// It may be dropped: the scope waits for the task all the same, and passes its panic on.
pub struct ScopedTask<'scope, T> {
    slot: Arc<Slot<T>>,
    /// `None` if it was run in `submit`.
    task: Option<Arc<Task<()>>>,
    pool: &'scope ThreadPool,
}

impl<T> ScopedTask<'_, T> {
    /// Waits for the result and takes it. If no worker has begun with the closure, it is run here.
    ///
    /// Blocks until the task is done.
    ///
    /// # Errors
    ///
    /// [`TaskError::Panicked`] if the closure panicked, [`TaskError::Cancelled`] if it was dropped
    /// without being run, by whoever received it from [`ThreadPool::shutdown`].
    ///
    /// [`TaskError::WouldDeadlock`] in a task of the same pool, if somebody has begun with the
    /// closure and all workers of the pool would wait for the pool then. The scope waits for the
    /// closure all the same; its result is dropped.
    pub fn result(self) -> Result<T, TaskError> {
        if let Some(task) = &self.task {
            if !run(self.pool, task) {
                let promise = &task.promise;
                self_wait::wait(task.pool, promise.probe(), |until| promise.wait(until))
                    .map_err(|WouldDeadlock| TaskError::WouldDeadlock)?;
            }
        }
        let result = lock(&self.slot.result).take();
        result.unwrap_or(Err(TaskError::Cancelled))
    }

    /// Whether the task is done. Never blocks.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.task.as_ref().is_none_or(|task| task.is_done())
    }
}

impl<T> fmt::Debug for ScopedTask<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedTask")
            .field("done", &self.is_done())
            .finish_non_exhaustive()
    }
}

/// Where the result goes.
struct Slot<T> {
    result: Mutex<Option<Result<T, TaskError>>>,
    unasked: Unasked,
}

impl<T> Drop for Slot<T> {
    fn drop(&mut self) {
        let result = self
            .result
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(Err(TaskError::Panicked(_))) = result {
            if let Some(Err(TaskError::Panicked(panic))) = result.take() {
                lock(&self.unasked).get_or_insert(panic.into_payload());
            }
        }
    }
}

/// No code of the user's runs under these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
