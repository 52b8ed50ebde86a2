//! Several items of a map at a time: how a worker runs them, and how what comes of them is given out
//! one by one.
//!
//! Values and panics travel apart, so that values are as dense as in the user's own `Vec` and cost
//! no more to give out:
//!
//! ```text
//!     items    a  b  c! d  e           c panics
//!     values   A  B     D  E
//!     panics         (2, c)            after two values
//! ```

use std::time::Instant;
use std::vec;

use super::super::task::TaskError;
use crate::panic::{Panic, catch};

/// What comes of a chunk: the values, the panics, each with the number of values since the one
/// before, and how many nanoseconds it took. A tuple, so that it is a
/// [`Message`](super::super::Message) if its parts are.
pub(in super::super) type Outcome<R> = (Vec<R>, Vec<(usize, Panic)>, u64);

/// Runs the function on each item; after a panic goes on with the next.
pub(in super::super) fn run<A, R>(items: Vec<A>, function: &impl Fn(A) -> R) -> Outcome<R> {
    let begun = Instant::now();
    let mut values = Vec::with_capacity(items.len());
    let mut panics = Vec::new();
    let mut counted = 0;
    let mut items = items.into_iter();
    while let Err(panic) = catch(|| values.extend(items.by_ref().map(function))) {
        panics.push((values.len() - counted, panic));
        counted = values.len();
    }
    let nanos = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
    (values, panics, nanos)
}

/// Gives out what came of a chunk.
pub(super) struct Answers<R> {
    values: vec::IntoIter<R>,
    /// So many of the values come next.
    run: usize,
    /// And then this.
    then: Option<Panic>,
    panics: vec::IntoIter<(usize, Panic)>,
    /// Answers of a chunk that is lost, of which there is nothing else.
    lost: usize,
    /// The first of those.
    reason: Option<TaskError>,
}

impl<R> Answers<R> {
    pub(super) fn none() -> Self {
        Self::of(Vec::new(), Vec::new())
    }

    pub(super) fn of(values: Vec<R>, panics: Vec<(usize, Panic)>) -> Self {
        let mut answers = Self {
            values: values.into_iter(),
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
            if let Some(value) = self.values.next() {
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
        Some(Err(self.reason.take().unwrap_or(TaskError::Cancelled)))
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
                let values = std::mem::take(&mut self.values);
                self.run = 0;
                folded = values.fold(folded, |folded, value| step(folded, Ok(value)));
            }
            match self.next() {
                Some(answer) => folded = step(folded, answer),
                None => return folded,
            }
        }
    }
}
