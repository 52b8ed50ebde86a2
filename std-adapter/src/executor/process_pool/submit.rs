//! Submitting: how functions with their arguments get to the [`Hub`](super::hub::Hub), or back.

#![forbid(unsafe_code)]

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::ProcessPool;
use super::hub::{Job, Patience, Refusal, Terms};
use crate::executor::promise::Promise;
use crate::executor::remote::{self, Source};
use crate::executor::task::{Task, TaskError};
use crate::executor::{Executor, Map, MapUnordered, Message};
use crate::executor::{SubmitError, SubmitTimeoutError, TrySubmitError};
use crate::process::ship::{ShippedFn, decode, encode};
use crate::shared::travel;

/// Buffers for arguments that are longer are not kept.
const KEPT: usize = 1 << 20;

thread_local! {
    /// What arguments are encoded into.
    static ENCODED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl ProcessPool {
    /// Has `function` run by a worker process.
    ///
    /// As for [`submit_with`](Self::submit_with), without an argument.
    ///
    /// # Errors
    ///
    /// Gives the function back if the pool is shut down.
    ///
    /// # Example
    ///
    /// ```
    /// let pool = brigade::ProcessPool::builder().workers(1).build()?;
    /// let task = pool.submit(|| std::process::id())?;
    /// assert_ne!(task.result()?, std::process::id());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn submit<F, R>(&self, function: F) -> Result<Task<R>, SubmitError<F>>
    where
        F: Fn() -> R + Copy + Send + 'static,
        R: Message,
    {
        Executor::submit(self, function)
    }

    /// Has `function(argument)` run by a worker process.
    ///
    /// The function is a `fn` item or a closure that captures nothing; another is refused when it is
    /// compiled. The argument is encoded here, and the result comes back in the same way. Both may be of
    /// any size; up to 480 bytes of each travel at the least cost. What cannot be encoded or decoded ends
    /// the task as [`Transfer`](TaskError::Transfer). Shared objects in the argument are kept until the
    /// task is done.
    ///
    /// Blocks while a [bounded](super::ProcessPoolBuilder::queue_bound) queue is full.
    ///
    /// # Errors
    ///
    /// Gives the argument back if the pool is shut down, also while it waits.
    ///
    /// # Example
    ///
    /// ```
    /// let pool = brigade::ProcessPool::builder().workers(1).build()?;
    /// let task = pool.submit_with(|text: String| text.len(), "brigade".to_owned())?;
    /// assert_eq!(task.result()?, 7);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// ```compile_fail
    /// let pool = brigade::ProcessPool::new()?;
    /// let offset = 1;
    /// // It captures `offset`: send that along in the argument.
    /// let task = pool.submit_with(move |n: u32| n + offset, 2)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn submit_with<F, A, R>(&self, function: F, argument: A) -> Result<Task<R>, SubmitError<A>>
    where
        F: Fn(A) -> R + Copy + Send + 'static,
        A: Message,
        R: Message,
    {
        self.submission().submit_with(function, argument)
    }

    /// To submit tasks on other terms than the pool's.
    ///
    /// # Example
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let pool = brigade::ProcessPool::builder().workers(1).build()?;
    /// let patient = pool.submission().time_limit(Duration::from_secs(600)).retries(2);
    /// assert_eq!(patient.submit_with(|n: u32| n * n, 3)?.result()?, 9);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn submission(&self) -> Submission<'_> {
        Submission {
            pool: self,
            terms: self.terms,
        }
    }

    /// Runs `function` on each item in the workers, and yields the results in the order of the
    /// items. What Python calls `Executor.map`, or `Pool.imap`.
    ///
    /// An iterator: lazy, never more than a bounded number of items ahead, and with a panic as the
    /// result of the item it happened at. See [`Map`]. Cheap items are grouped; all items of a group
    /// share its fate if their worker is lost, so say [`chunk(1)`](Map::chunk) if that matters.
    ///
    /// # Example
    ///
    /// ```
    /// let pool = brigade::ProcessPool::builder().workers(2).build()?;
    /// let lengths = pool.map(["red", "green"].map(String::from), |name: String| name.len());
    /// assert_eq!(lengths.into_values()?, [3, 5]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn map<I, F, R>(&self, items: I, function: F) -> Map<'_, I::IntoIter, R>
    where
        I: IntoIterator<Item: Message>,
        F: Fn(I::Item) -> R + Copy + Send + 'static,
        R: Message,
    {
        Executor::map(self, items, function)
    }

    /// Runs `function` on each item in the workers, and yields the results as they come. What Python
    /// calls `Pool.imap_unordered`. Otherwise like [`map`](Self::map). See [`MapUnordered`].
    pub fn map_unordered<I, F, R>(&self, items: I, function: F) -> MapUnordered<'_, I::IntoIter, R>
    where
        I: IntoIterator<Item: Message>,
        F: Fn(I::Item) -> R + Copy + Send + 'static,
        R: Message,
    {
        Executor::map_unordered(self, items, function)
    }
}

/// Submits tasks on terms of their own: see [`ProcessPool::submission`].
#[derive(Clone, Copy)]
#[must_use = "nothing is submitted yet"]
pub struct Submission<'a> {
    pool: &'a ProcessPool,
    terms: Terms,
}

impl Submission<'_> {
    /// As [`ProcessPoolBuilder::time_limit`](super::ProcessPoolBuilder::time_limit), for these tasks.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.terms.time_limit = Some(limit);
        self
    }

    /// Lets these tasks run for as long as they take.
    pub fn no_time_limit(mut self) -> Self {
        self.terms.time_limit = None;
        self
    }

    /// As [`ProcessPoolBuilder::retries`](super::ProcessPoolBuilder::retries), for these tasks.
    pub fn retries(mut self, retries: u32) -> Self {
        self.terms.retries = retries;
        self
    }

    /// As [`ProcessPool::submit`].
    ///
    /// # Errors
    ///
    /// Gives the function back if the pool is shut down.
    pub fn submit<F, R>(&self, function: F) -> Result<Task<R>, SubmitError<F>>
    where
        F: Fn() -> R + Copy + Send + 'static,
        R: Message,
    {
        let submitted = self.submit_with(move |()| function(), ());
        submitted.map_err(|_| SubmitError::ShutDown(function))
    }

    /// As [`ProcessPool::submit_with`].
    ///
    /// # Errors
    ///
    /// Gives the argument back if the pool is shut down, also while it waits.
    pub fn submit_with<F, A, R>(&self, function: F, argument: A) -> Result<Task<R>, SubmitError<A>>
    where
        F: Fn(A) -> R + Copy + Send + 'static,
        A: Message,
        R: Message,
    {
        let submitted = self.put(function, &argument, Patience::Endless);
        submitted.map_err(|_| SubmitError::ShutDown(argument))
    }

    /// Submits if there is room now. Never blocks for long.
    ///
    /// # Errors
    ///
    /// Gives the argument back if the queue is full or the pool is shut down.
    pub fn try_submit_with<F, A, R>(
        &self,
        function: F,
        argument: A,
    ) -> Result<Task<R>, TrySubmitError<A>>
    where
        F: Fn(A) -> R + Copy + Send + 'static,
        A: Message,
        R: Message,
    {
        let submitted = self.put(function, &argument, Patience::None);
        submitted.map_err(|refusal| match refusal {
            Refusal::ShutDown => TrySubmitError::ShutDown(argument),
            Refusal::Full | Refusal::Timeout => TrySubmitError::Full(argument),
        })
    }

    /// Submits, waiting for room for `timeout` at most.
    ///
    /// # Errors
    ///
    /// Gives the argument back if the queue is still full then, or the pool is shut down.
    pub fn submit_with_timeout<F, A, R>(
        &self,
        function: F,
        argument: A,
        timeout: Duration,
    ) -> Result<Task<R>, SubmitTimeoutError<A>>
    where
        F: Fn(A) -> R + Copy + Send + 'static,
        A: Message,
        R: Message,
    {
        let deadline = Instant::now().checked_add(timeout);
        let patience = deadline.map_or(Patience::Endless, Patience::Until);
        let submitted = self.put(function, &argument, patience);
        submitted.map_err(|refusal| match refusal {
            Refusal::ShutDown => SubmitTimeoutError::ShutDown(argument),
            Refusal::Full | Refusal::Timeout => SubmitTimeoutError::Timeout(argument),
        })
    }

    fn put<F, A, R>(
        &self,
        function: F,
        argument: &A,
        patience: Patience,
    ) -> Result<Task<R>, Refusal>
    where
        F: Fn(A) -> R + Copy + Send + 'static,
        A: Message,
        R: Message,
    {
        let hub = &self.pool.hub;
        let source = Arc::clone(hub) as Arc<dyn Source>;
        let (receiver, remote) = remote::new(source, read::<R>);
        let task = Task::new(Promise::Elsewhere(remote), hub.id);

        // Whoever is called from within the encoding finds none, and makes one.
        let mut encoded = ENCODED.take();
        encoded.clear();
        let (written, attachments) = travel::collect(|| encode(argument, &mut encoded));
        let function = match (ShippedFn::of(function), written) {
            (Some(function), Ok(())) => function.to_u64(),
            (None, _) => return Ok(fail(&*receiver, task, super::NOT_IN_PROGRAM.to_owned())),
            (_, Err(reason)) => {
                let reason = format!("the argument cannot be encoded: {reason}");
                return Ok(fail(&*receiver, task, reason));
            }
        };
        let job = Job {
            receiver,
            terms: self.terms,
            function,
            spooled: None,
            attachments,
            losses: 0,
        };
        let submitted = hub.submit(job, &encoded, patience);
        if encoded.capacity() <= KEPT {
            ENCODED.set(encoded);
        }
        submitted.map(|()| task)
    }
}

/// A task that comes to nothing.
fn fail<R>(receiver: &dyn remote::Receiver, task: Task<R>, reason: String) -> Task<R> {
    let error = TaskError::Transfer(reason);
    // Nobody has left a waker yet.
    drop(receiver.deliver(remote::Answer::Error(error)));
    task
}

fn read<R: Message>(bytes: &[u8]) -> Result<R, TaskError> {
    decode(bytes)
        .map_err(|reason| TaskError::Transfer(format!("the result cannot be decoded: {reason}")))
}

impl fmt::Debug for Submission<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Submission")
            .field("time_limit", &self.terms.time_limit)
            .field("retries", &self.terms.retries)
            .finish_non_exhaustive()
    }
}
