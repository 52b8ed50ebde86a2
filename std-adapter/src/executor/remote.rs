//! A task that another process runs, as this one sees it: a place for the answer.
//!
//! Two have a hand in it, as in `work.rs`: the task's owner has a [`Remote<T>`], the pool a
//! [`Receiver`], which knows nothing of the type and takes the answer as bytes. Whoever
//! [begins](Handoff::begin) decides what the answer is: the pool when it delivers one, or the owner
//! that cancels, who tells the pool then.

use std::sync::Arc;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Release},
};
use std::task::{Poll, Waker};
use std::time::Instant;

use super::handoff::{Handoff, Then};
use super::self_wait::Probe;
use super::task::TaskError;
use super::work::contain;
use crate::Parker;
use crate::panic::catch;

/// Where answers come from.
pub(super) trait Source: Send + Sync {
    /// Waits until `answer` is there, by calling `sleep`, or by fetching answers itself; `false` if the
    /// deadline passes first.
    fn wait(
        &self,
        answer: &dyn Probe,
        sleep: &dyn Fn(Option<Instant>) -> bool,
        deadline: Option<Instant>,
    ) -> bool;

    /// The owner wants no answer any more: the task is not to be run, or no further.
    fn withdraw(&self, ticket: &Ticket);
}

/// What the source knows a task by; it writes and reads it, nobody else does. Zero at first.
#[derive(Default)]
pub(super) struct Ticket(AtomicU64);

impl Ticket {
    pub(super) fn set(&self, value: u64) {
        // ORDERING: Release pairs with `get`, for sources that use no lock.
        self.0.store(value, Release);
    }

    pub(super) fn get(&self) -> u64 {
        // ORDERING: Acquire pairs with `set`.
        self.0.load(Acquire)
    }
}

/// What came of a task.
pub(super) enum Answer<'a> {
    /// It came to a value, which is written here.
    Value(&'a [u8]),
    Error(TaskError),
}

/// How a value is read.
type Decode<T> = fn(&[u8]) -> Result<T, TaskError>;

struct Place<T> {
    handoff: Handoff<Option<Result<T, TaskError>>, Parker>,
    ticket: Ticket,
    source: Arc<dyn Source>,
    decode: Decode<T>,
}

/// The pool's side.
pub(super) trait Receiver: Send + Sync {
    /// Gives the owner the answer, unless it has cancelled; what comes back is to be woken. Does not
    /// panic, whatever the user's code does that reads the value. The first answer counts.
    fn deliver(&self, answer: Answer<'_>) -> Option<Waker>;

    /// Whether an answer would be ignored.
    fn is_over(&self) -> bool;

    fn ticket(&self) -> &Ticket;
}

/// The owner's side.
trait Owner<T>: Probe + Send {
    fn cancel(&self) -> bool;
    fn wait(&self, deadline: Option<Instant>) -> bool;
    fn probe(&self) -> &dyn Probe;
    /// As [`Handoff::register`].
    ///
    /// # Safety
    ///
    /// The caller is the owner and makes one such call at a time.
    unsafe fn register(&self, waker: &Waker) -> bool;
    /// Takes the answer.
    ///
    /// # Safety
    ///
    /// As for `register`, and it is there.
    unsafe fn take(&self) -> Option<Result<T, TaskError>>;
    /// Whether `take` would take an error.
    ///
    /// # Safety
    ///
    /// As for `take`.
    unsafe fn is_error(&self) -> bool;
}

/// The owner's handle.
pub(super) struct Remote<T>(Arc<dyn Owner<T>>);

/// A place for an answer, as its two sides.
pub(super) fn new<T: Send + 'static>(
    source: Arc<dyn Source>,
    decode: Decode<T>,
) -> (Arc<dyn Receiver>, Remote<T>) {
    let place = Arc::new(Place {
        handoff: Handoff::new(None),
        ticket: Ticket::default(),
        source,
        decode,
    });
    (Arc::clone(&place) as Arc<dyn Receiver>, Remote(place))
}

impl<T> Place<T> {
    /// Puts the answer in, and wakes the threads that wait. The caller has begun.
    fn finish(&self, answer: Result<T, TaskError>) -> Option<Waker> {
        // SAFETY: the caller has begun, so the body is its own.
        unsafe { self.handoff.with_body(|body| *body = Some(answer)) };
        // SAFETY: as above. The allocation is freed by its count, not by the fate.
        let (_, waker) = unsafe { self.handoff.finish(Then::Stay) };
        waker
    }
}

impl<T: Send> Receiver for Place<T> {
    fn deliver(&self, answer: Answer<'_>) -> Option<Waker> {
        if !self.handoff.begin() {
            return None;
        }
        let answer = match answer {
            // How a value is read is the user's code, too.
            Answer::Value(bytes) => catch(|| (self.decode)(bytes))
                .unwrap_or_else(|panic| Err(TaskError::Panicked(panic))),
            Answer::Error(error) => Err(error),
        };
        self.finish(answer)
    }

    fn is_over(&self) -> bool {
        self.handoff.is_done()
    }

    fn ticket(&self) -> &Ticket {
        &self.ticket
    }
}

impl<T: Send> Probe for Place<T> {
    fn is_over(&self) -> bool {
        self.handoff.is_done()
    }
}

impl<T: Send> Owner<T> for Place<T> {
    fn cancel(&self) -> bool {
        if !self.handoff.begin() {
            return false;
        }
        let waker = self.finish(Err(TaskError::Cancelled));
        self.source.withdraw(&self.ticket);
        if let Some(waker) = waker {
            contain(|| waker.wake());
        }
        true
    }

    fn wait(&self, deadline: Option<Instant>) -> bool {
        let sleep = |deadline| self.handoff.wait(deadline);
        self.handoff.is_done() || self.source.wait(self, &sleep, deadline)
    }

    fn probe(&self) -> &dyn Probe {
        self
    }

    unsafe fn register(&self, waker: &Waker) -> bool {
        // SAFETY: passed on to the caller.
        unsafe { self.handoff.register(waker) }
    }

    unsafe fn take(&self) -> Option<Result<T, TaskError>> {
        // SAFETY: it is done and the caller its owner.
        unsafe { self.handoff.with_body(Option::take) }
    }

    unsafe fn is_error(&self) -> bool {
        // SAFETY: it is done and the caller its owner.
        unsafe { self.handoff.with_body(|body| !matches!(body, Some(Ok(_)))) }
    }
}

impl<T> Remote<T> {
    pub(super) fn cancel(&self) -> bool {
        self.0.cancel()
    }

    pub(super) fn is_done(&self) -> bool {
        self.0.is_over()
    }

    pub(super) fn probe(&self) -> &dyn Probe {
        self.0.probe()
    }

    pub(super) fn wait(&self, deadline: Option<Instant>) -> bool {
        self.0.wait(deadline)
    }

    pub(super) fn take(&mut self) -> Option<Result<T, TaskError>> {
        self.is_done().then(|| {
            // SAFETY: it is done, and we are the owner, exclusively borrowed.
            unsafe { self.0.take() }.unwrap_or(Err(TaskError::Taken))
        })
    }

    pub(super) fn has_failed(&mut self) -> bool {
        // SAFETY: if it is done, it is ours: we are the owner, exclusively borrowed.
        self.is_done() && unsafe { self.0.is_error() }
    }

    pub(super) fn register(&mut self, waker: &Waker) -> bool {
        // SAFETY: we are the owner, exclusively borrowed.
        unsafe { self.0.register(waker) }
    }

    pub(super) fn poll(&mut self, waker: &Waker) -> Poll<Result<T, TaskError>> {
        if self.register(waker) {
            Poll::Ready(self.take().unwrap_or(Err(TaskError::Taken)))
        } else {
            Poll::Pending
        }
    }
}
