//! One task in memory: closure, state and result in a single allocation.
//!
//! ```text
//!                    run                     finish
//!     Queued(F) -----------> Running --------------------> Done(Result) ---> Taken
//!         \                     ^                                     take
//!          \------- cancel -----/   drops F; Done(Err(Cancelled))
//! ```
//!
//! Two parties hold the allocation, each through the trait that is its side of it: the pool holds
//! a [`Job`] (what to do, the result's type forgotten), the owner of the task holds an
//! `Arc<dyn Outcome<T>>` (what comes of it, the closure's type forgotten).
//!
//! The stage is behind a lock that is never held while code of the user's runs: closures run,
//! and closures, results and wakers are dropped, cloned and woken, outside it. `done` is set last,
//! so that waiting takes no lock.

#![forbid(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Instant;
use std::{fmt, mem};

use super::task::TaskError;
use crate::Event;

/// See the [module](self).
pub(super) struct Work<F, T> {
    state: Mutex<State<F, T>>,
    /// Set when the stage has reached `Done`.
    done: Event,
}

struct State<F, T> {
    stage: Stage<F, T>,
    /// Whom to wake when it is done.
    waker: Option<Waker>,
}

enum Stage<F, T> {
    /// Nobody has begun.
    Queued(F),
    /// The closure is being run, or dropped.
    Running,
    /// The result is here.
    Done(Result<T, TaskError>),
    /// The result was here.
    Taken,
}

impl<F, T> State<F, T> {
    /// The result, once it is there.
    fn take(&mut self) -> Option<Result<T, TaskError>> {
        match mem::replace(&mut self.stage, Stage::Taken) {
            Stage::Done(result) => Some(result),
            Stage::Taken => Some(Err(TaskError::Taken)),
            unfinished => {
                self.stage = unfinished;
                None
            }
        }
    }
}

/// The pool's side.
trait Run: Send + Sync {
    fn run(&self);
    fn cancel(&self) -> bool;
}

/// The owner's side.
pub(super) trait Outcome<T>: Send + Sync {
    /// Waits until it is done and takes the result; `None` if the deadline passes first.
    fn wait(&self, deadline: Option<Instant>) -> Option<Result<T, TaskError>>;
    /// Takes the result, or leaves a waker to be woken when it is there.
    fn poll(&self, waker: &Waker) -> Poll<Result<T, TaskError>>;
    fn is_done(&self) -> bool;
    /// Drops the closure if nobody has begun to run it.
    fn cancel(&self) -> bool;
}

impl<F, T> Work<F, T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    pub(super) fn new(closure: F) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                stage: Stage::Queued(closure),
                waker: None,
            }),
            done: Event::new(),
        })
    }

    /// Gives the closure back, of a task that no queue has taken.
    pub(super) fn reclaim(&self) -> F {
        self.begin()
            .expect("only the queue could have run the task")
    }

    fn state(&self) -> MutexGuard<'_, State<F, T>> {
        // No code of the user's runs under the lock, so no panic leaves anything half done.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the closure, once.
    fn begin(&self) -> Option<F> {
        let mut state = self.state();
        match mem::replace(&mut state.stage, Stage::Running) {
            Stage::Queued(closure) => Some(closure),
            other => {
                state.stage = other;
                None
            }
        }
    }

    fn finish(&self, result: Result<T, TaskError>) {
        let waker = {
            let mut state = self.state();
            state.stage = Stage::Done(result);
            state.waker.take()
        };
        self.done.set();
        // Contained because a destructor may be panicking already, see `cancel`.
        contain(|| waker.map_or((), Waker::wake));
    }
}

impl<F, T> Run for Work<F, T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    fn run(&self) {
        if let Some(closure) = self.begin() {
            // Unwind safety: nobody sees what the closure left behind, apart from what it shares
            // with others, and those took that on themselves by sharing it between threads.
            let result = catch_unwind(AssertUnwindSafe(closure));
            self.finish(result.map_err(TaskError::panicked));
        }
    }

    fn cancel(&self) -> bool {
        /// Finishes also when the closure's destructor panics.
        struct Finish<'a, F, T>(&'a Work<F, T>)
        where
            F: FnOnce() -> T + Send + 'static,
            T: Send + 'static;

        impl<F, T> Drop for Finish<'_, F, T>
        where
            F: FnOnce() -> T + Send + 'static,
            T: Send + 'static,
        {
            fn drop(&mut self) {
                self.0.finish(Err(TaskError::Cancelled));
            }
        }

        let Some(closure) = self.begin() else {
            return false;
        };
        let finish = Finish(self);
        drop(closure);
        drop(finish);
        true
    }
}

impl<F, T> Outcome<T> for Work<F, T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    fn wait(&self, deadline: Option<Instant>) -> Option<Result<T, TaskError>> {
        match deadline {
            Some(deadline) => drop(self.done.wait_deadline(deadline)),
            None => self.done.wait(),
        }
        self.state().take()
    }

    fn poll(&self, waker: &Waker) -> Poll<Result<T, TaskError>> {
        let waker = waker.clone();
        let mut state = self.state();
        if let Some(result) = state.take() {
            return Poll::Ready(result);
        }
        let former = state.waker.replace(waker);
        drop(state);
        drop(former);
        Poll::Pending
    }

    fn is_done(&self) -> bool {
        self.done.is_set()
    }

    fn cancel(&self) -> bool {
        Run::cancel(self)
    }
}

/// The pool's handle of a task: run it, or drop it and thereby cancel the task. Its owner never
/// waits for a task that nobody has.
pub(super) struct Job(Option<Arc<dyn Run>>);

impl Job {
    pub(super) fn new<F, T>(work: &Arc<Work<F, T>>) -> Self
    where
        F: FnOnce() -> T + Send + 'static,
        T: Send + 'static,
    {
        Self(Some(Arc::clone(work) as Arc<dyn Run>))
    }

    /// Runs the task, unless it was cancelled. Does not panic, whatever the user's closures,
    /// destructors and wakers do.
    pub(super) fn run(mut self) {
        contain(move || {
            if let Some(run) = self.0.take() {
                run.run();
            }
        });
    }

    /// Lets go of a task that was not queued after all, without cancelling it.
    pub(super) fn release(mut self) {
        self.0 = None;
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        if let Some(run) = self.0.take() {
            run.cancel();
        }
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").finish_non_exhaustive()
    }
}

/// Runs `action` and goes on if it panics. The panic has been reported by the panic hook.
pub(super) fn contain(action: impl FnOnce()) {
    let Err(payload) = catch_unwind(AssertUnwindSafe(action)) else {
        return;
    };
    // The payload's destructor is the user's code as well. One that panics on being dropped, with
    // a payload that does the same, is not dropped a third time.
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        mem::forget(again);
    }
}
