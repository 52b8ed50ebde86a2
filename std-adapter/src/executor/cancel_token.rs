//! [`CancelToken`]: how work that runs learns that it is not wanted any more.
//!
//! ```text
//!     token: Event, children ---> child: Event, children ---> ...
//!            cancel: set                 set too
//! ```

#![forbid(unsafe_code)]

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::task::{Task, TaskError};
use super::thread_pool::{SubmitError, ThreadPool};
use crate::Event;

/// Asks work to stop: one side [cancels](Self::cancel), the other looks.
///
/// Python has an `Event` for this. A token is one that is shared by cloning, is never cleared, and
/// can have [children](Self::child). A closure that runs cannot be stopped from outside; one that
/// looks at a token between two steps, or waits by it instead of sleeping, stops by itself.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use brigade::{CancelToken, ThreadPool};
///
/// let pool = ThreadPool::new()?;
/// let token = CancelToken::new();
/// let watched = token.clone();
/// let task = pool.submit(move || {
///     let mut rounds = 0;
///     // Waits a moment between rounds, but not when it is to stop.
///     while !watched.wait_timeout(Duration::from_millis(1)) {
///         rounds += 1;
///     }
///     rounds
/// })?;
/// token.cancel();
/// println!("stopped after {} rounds", task.result()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct CancelToken {
    inner: Arc<Inner>,
}

struct Inner {
    cancelled: Event,
    /// Kept alive by its children, so that what is cancelled above it reaches them.
    parent: Option<Arc<Inner>>,
    /// Those that are there at least, and maybe some that are not.
    children: Mutex<Vec<Weak<Inner>>>,
}

impl CancelToken {
    /// A token that is not cancelled.
    #[must_use]
    pub fn new() -> Self {
        Self::with_parent(None)
    }

    fn with_parent(parent: Option<Arc<Inner>>) -> Self {
        Self {
            inner: Arc::new(Inner {
                cancelled: Event::new(),
                parent,
                children: Mutex::new(Vec::new()),
            }),
        }
    }

    /// A token that is cancelled with this one, and can be by itself.
    ///
    /// # Example
    ///
    /// ```
    /// let all = brigade::CancelToken::new();
    /// let (one, other) = (all.child(), all.child());
    /// one.cancel();
    /// assert!(!other.is_cancelled() && !all.is_cancelled());
    /// all.cancel();
    /// assert!(other.is_cancelled());
    /// ```
    #[must_use]
    pub fn child(&self) -> Self {
        let child = Self::with_parent(Some(Arc::clone(&self.inner)));
        let mut children = self.inner.children();
        // Whoever cancels sets the event first and then asks for the children.
        if self.is_cancelled() {
            drop(children);
            child.cancel();
            return child;
        }
        if children.len() == children.capacity() {
            children.retain(|child| child.strong_count() > 0);
        }
        children.push(Arc::downgrade(&child.inner));
        drop(children);
        child
    }

    /// Asks all who have a clone or a child of the token to stop; for good.
    ///
    /// Does not wait for them. What was done before is visible to whoever finds the token
    /// cancelled. Not for signal handlers: let one set an [`Event`].
    pub fn cancel(&self) {
        self.inner.cancelled.set();
        let mut children = std::mem::take(&mut *self.inner.children());
        // Not by recursion, so that generations do not eat up the stack.
        while let Some(child) = children.pop() {
            if let Some(child) = child.upgrade() {
                child.cancelled.set();
                children.append(&mut child.children());
            }
        }
    }

    /// Whether it was cancelled. Never blocks; costs one load.
    #[must_use]
    #[inline]
    pub fn is_cancelled(&self) -> bool {
        self.inner.cancelled.is_set()
    }

    /// Waits until it is cancelled. Blocks.
    pub fn wait(&self) {
        self.inner.cancelled.wait();
    }

    /// Waits until it is cancelled, for `timeout` at most; says whether it is. In place of a sleep
    /// it makes a pause that ends when it should.
    #[must_use = "a time-out is reported by the return value alone"]
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        self.inner.cancelled.wait_timeout(timeout)
    }

    /// Waits until it is cancelled, until `deadline` at the latest; says whether it is.
    #[must_use = "a time-out is reported by the return value alone"]
    pub fn wait_deadline(&self, deadline: Instant) -> bool {
        self.inner.cancelled.wait_deadline(deadline)
    }

    /// A future that is ready when it is cancelled; on any runtime.
    pub fn wait_async(&self) -> impl Future<Output = ()> + Send + '_ {
        self.inner.cancelled.wait_async()
    }
}

impl Inner {
    fn children(&self) -> MutexGuard<'_, Vec<Weak<Inner>>> {
        self.children.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // Not by recursion either.
        let mut above = self.parent.take();
        while let Some(mut last) = above.and_then(Arc::into_inner) {
            above = last.parent.take();
        }
    }
}

impl Default for CancelToken {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for CancelToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CancelToken")
            .field("is_cancelled", &self.is_cancelled())
            .finish_non_exhaustive()
    }
}

impl ThreadPool {
    /// Queues a closure that can be asked to stop, by the token that it is given.
    ///
    /// Otherwise like [`submit`](Self::submit).
    ///
    /// # Errors
    ///
    /// As for [`submit`](Self::submit).
    ///
    /// # Example
    ///
    /// ```
    /// let pool = brigade::ThreadPool::new()?;
    /// let count = pool.submit_cancellable(|token| {
    ///     let mut count = 0_u64;
    ///     while !token.is_cancelled() {
    ///         count += 1;
    ///     }
    ///     count
    /// })?;
    /// if !count.cancel() {
    ///     // It had begun, so it has a result.
    ///     println!("counted to {}", count.result()?);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn submit_cancellable<F, T>(&self, closure: F) -> Result<Cancellable<T>, SubmitError<F>>
    where
        F: FnOnce(&CancelToken) -> T + Send + 'static,
        T: Send + 'static,
    {
        let token = CancelToken::new();
        let given = token.clone();
        let task = self.submit_kept(closure, move |closure| closure(&given))?;
        Ok(Cancellable { task, token })
    }
}

/// A task and the token by which it can be asked to stop: see
/// [`ThreadPool::submit_cancellable`].
///
/// Dropping it neither cancels the task nor waits for it.
#[derive(Debug)]
#[must_use = "dropping a task drops its result"]
pub struct Cancellable<T> {
    task: Task<T>,
    token: CancelToken,
}

impl<T> Cancellable<T> {
    /// Cancels the task if it has not begun, and then says `true`: its result is
    /// [`TaskError::Cancelled`]. Otherwise asks it to stop, and says `false`: its result is what it
    /// makes of that. Does not wait for it.
    #[allow(clippy::must_use_candidate, reason = "cancelling is often best effort")]
    pub fn cancel(&self) -> bool {
        // For those whom the closure has given a clone.
        self.token.cancel();
        self.task.cancel()
    }

    /// The token that the closure is given.
    #[must_use]
    pub fn token(&self) -> &CancelToken {
        &self.token
    }

    /// Waits for the result and takes it: see [`Task::result`].
    ///
    /// # Errors
    ///
    /// As for [`Task::result`].
    pub fn result(self) -> Result<T, TaskError> {
        self.task.result()
    }

    /// The task, to be waited for in other ways; goes on by the name of [`token`](Self::token).
    pub fn into_task(self) -> Task<T> {
        self.task
    }
}
