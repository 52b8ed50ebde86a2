//! [`Promise`]: the owner's side of a task, wherever it is run.
//!
//! A closure that a thread of this process runs shares one allocation with its result (`work.rs`). Of
//! what other processes run there is only a place for the answer here (`remote.rs`).

#![forbid(unsafe_code)]

use std::task::{Poll, Waker};
use std::time::Instant;

use super::remote::Remote;
use super::self_wait::Probe;
use super::task::TaskError;
use super::work;

/// The owner's handle of a task.
pub(super) enum Promise<T> {
    /// Run by a thread of this process.
    Here(work::Promise<T>),
    /// Run by another process.
    #[cfg_attr(
        not(brigade_processes),
        allow(dead_code, reason = "for pools of processes")
    )]
    Elsewhere(Remote<T>),
}

impl<T> Promise<T> {
    /// Sees to it that the function is not run, or no further, if that can be done; says whether it
    /// did.
    pub(super) fn cancel(&self) -> bool {
        match self {
            Self::Here(promise) => promise.cancel(),
            Self::Elsewhere(remote) => remote.cancel(),
        }
    }

    /// Runs the closure on this thread, if it is here and nobody has begun with it; says whether it
    /// did.
    pub(super) fn run_here(&self) -> bool {
        match self {
            Self::Here(promise) => promise.run_here(),
            Self::Elsewhere(_) => false,
        }
    }

    pub(super) fn is_done(&self) -> bool {
        match self {
            Self::Here(promise) => promise.is_done(),
            Self::Elsewhere(remote) => remote.is_done(),
        }
    }

    /// Tells whether the result is there.
    pub(super) fn probe(&self) -> &dyn Probe {
        match self {
            Self::Here(promise) => promise.probe(),
            Self::Elsewhere(remote) => remote.probe(),
        }
    }

    /// Waits until the result is there; `false` if the deadline passes first.
    pub(super) fn wait(&self, deadline: Option<Instant>) -> bool {
        match self {
            Self::Here(promise) => promise.wait(deadline),
            Self::Elsewhere(remote) => remote.wait(deadline),
        }
    }

    /// Takes the result, if it is there.
    pub(super) fn take(&mut self) -> Option<Result<T, TaskError>> {
        match self {
            Self::Here(promise) => promise.take(),
            Self::Elsewhere(remote) => remote.take(),
        }
    }

    /// Whether there is a result and it is an error. Leaves it where it is.
    pub(super) fn has_failed(&mut self) -> bool {
        match self {
            Self::Here(promise) => promise.has_failed(),
            Self::Elsewhere(remote) => remote.has_failed(),
        }
    }

    /// Has the waker woken, once, when the result is there; `true` if it is there already, and then
    /// the waker is not. The waker left before is forgotten.
    pub(super) fn register(&mut self, waker: &Waker) -> bool {
        match self {
            Self::Here(promise) => promise.register(waker),
            Self::Elsewhere(remote) => remote.register(waker),
        }
    }

    /// Takes the result, or has the waker woken when it is there.
    pub(super) fn poll(&mut self, waker: &Waker) -> Poll<Result<T, TaskError>> {
        match self {
            Self::Here(promise) => promise.poll(waker),
            Self::Elsewhere(remote) => remote.poll(waker),
        }
    }
}
