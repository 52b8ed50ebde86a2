//! Several items of a map at a time: how a worker runs them, and how what comes of them is given out
//! one by one.
//!
//! Values and panics travel apart, so that values are as dense as in the user's own `Vec` and cost
//! no more to give out; the last first, to be popped:
//!
//! ```text
//!     items    a  b  c! d  e           c panics
//!     values   E  D  B  A
//!     panics         (2, c)            after two values
//! ```
//!
//! Both buffers go there and back with the chunk and are filled again: to allocate and free some
//! ten kilobytes for each chunk would cost more than cheap items do.

use std::time::Instant;

use super::super::task::TaskError;
use crate::panic::{Panic, catch};

/// Items, and an empty buffer for the values.
pub(in super::super) type Input<A, R> = (Vec<A>, Vec<R>);

/// What comes of a chunk: the values, the panics, each with the number of values since the one
/// before, how many nanoseconds it took, and the buffer of the items, empty. A tuple, so that it is
/// a [`Message`](super::super::Message) if its parts are.
pub(in super::super) type Outcome<A, R> = (Vec<R>, Vec<(usize, Panic)>, u64, Vec<A>);

/// Runs the function on each item; after a panic goes on with the next.
pub(in super::super) fn run<A, R>(
    (mut items, mut values): Input<A, R>,
    function: &impl Fn(A) -> R,
) -> Outcome<A, R> {
    let begun = Instant::now();
    let mut panics = Vec::new();
    let mut counted = 0;
    let mut rest = items.drain(..);
    while let Err(panic) = catch(|| values.extend(rest.by_ref().map(function))) {
        panics.push((values.len() - counted, panic));
        counted = values.len();
    }
    drop(rest);
    values.reverse();
    let nanos = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
    (values, panics, nanos, items)
}

/// Gives out what came of a chunk.
pub(super) struct Answers<R> {
    /// The last first.
    values: Vec<R>,
    /// So many of the values come next.
    run: usize,
    /// And then this.
    then: Option<Panic>,
    panics: std::vec::IntoIter<(usize, Panic)>,
    /// Answers of a chunk that is lost, of which there is nothing else.
    lost: usize,
    /// Why it is.
    reason: Option<TaskError>,
}

impl<R> Answers<R> {
    pub(super) fn none() -> Self {
        Self::of(Vec::new(), Vec::new())
    }

    pub(super) fn of(values: Vec<R>, panics: Vec<(usize, Panic)>) -> Self {
        let mut answers = Self {
            values,
            run: 0,
            then: None,
            panics: panics.into_iter(),
            lost: 0,
            reason: None,
        };
        answers.next_run();
        answers
    }

    /// Of a chunk of so many items that never came back.
    pub(super) fn lost(items: usize, reason: TaskError) -> Self {
        Self {
            lost: items,
            reason: Some(reason),
            ..Self::none()
        }
    }

    fn next_run(&mut self) {
        (self.run, self.then) = match self.panics.next() {
            Some((run, panic)) => (run, Some(panic)),
            None => (self.values.len(), None),
        };
    }

    #[inline]
    pub(super) fn next(&mut self) -> Option<Result<R, TaskError>> {
        if self.run > 0 {
            self.run -= 1;
            if let Some(value) = self.values.pop() {
                return Some(Ok(value));
            }
        }
        self.next_error()
    }

    #[cold]
    fn next_error(&mut self) -> Option<Result<R, TaskError>> {
        if let Some(panic) = self.then.take() {
            self.next_run();
            return Some(Err(TaskError::Panicked(panic)));
        }
        self.lost = self.lost.checked_sub(1)?;
        let reason = self.reason.as_ref();
        let again = reason.map_or(TaskError::Cancelled, TaskError::again);
        Some(Err(self
            .reason
            .replace(again)
            .unwrap_or(TaskError::Cancelled)))
    }

    /// All values that are left, or those up to the first error.
    pub(super) fn values(&mut self, into: &mut Vec<R>) -> Result<(), TaskError> {
        loop {
            if self.then.is_none() {
                self.run = 0;
                into.extend(self.values.drain(..).rev());
            }
            match self.next() {
                Some(answer) => into.push(answer?),
                None => return Ok(()),
            }
        }
    }

    /// The buffer, for other values.
    pub(super) fn into_buffer(mut self) -> Vec<R> {
        self.values.clear();
        self.values
    }

    pub(super) fn len(&self) -> usize {
        self.values.len() + usize::from(self.then.is_some()) + self.panics.len() + self.lost
    }

    /// All that is left at once, for which the compiler can do more than one by one.
    pub(super) fn fold<B>(
        &mut self,
        mut folded: B,
        step: &mut impl FnMut(B, Result<R, TaskError>) -> B,
    ) -> B {
        loop {
            if self.then.is_none() {
                self.run = 0;
                let values = self.values.drain(..).rev();
                folded = values.fold(folded, |folded, value| step(folded, Ok(value)));
            }
            match self.next() {
                Some(answer) => folded = step(folded, answer),
                None => return folded,
            }
        }
    }
}
