//! [`Feed`]: takes items from the input of a map, no more than may be ahead of what was yielded, and
//! submits them in chunks.
//!
//! ```text
//!     input: ... l k j | i h g f e | d c b a
//!                      |   ahead   | yielded
//!              not yet | <= bound  |
//! ```
//!
//! How many items make a chunk is learnt from the time that the chunks before took: items that take
//! long go one by one, cheap ones together, so that what a chunk costs by itself, a few
//! microseconds, stays small beside its work.

use std::iter::Fuse;

use super::super::task::{Task, TaskError};
use super::chunk::{Answers, Input, Outcome};

/// As long as a chunk had better take, in nanoseconds.
const WORTHWHILE: u64 = 250_000;

/// No chunk has more items, if the caller does not say otherwise.
pub(super) const MOST: usize = 8192;

/// So many chunks for each worker are ahead, if the caller does not say otherwise: one that is run,
/// and enough that it does not run out of work while the caller does something else.
pub(super) const CHUNKS_AHEAD: usize = 4;

/// How a chunk gets to an executor.
pub(in super::super) type Submit<'a, A, R> =
    Box<dyn Fn(Input<A, R>) -> Result<Task<Outcome<A, R>>, TaskError> + Send + 'a>;

pub(super) struct Feed<'a, I: Iterator, R> {
    items: Fuse<I>,
    submit: Submit<'a, I::Item, R>,
    workers: usize,
    /// As many items may be ahead; if not said, as many chunks as above.
    look_ahead: Option<usize>,
    /// As many items make a chunk; if not said, as many as are worth while.
    fixed: Option<usize>,
    /// As many seem to be worth while.
    learnt: usize,
    items_ahead: usize,
    chunks_ahead: usize,
    /// Buffers that have come back: of items, and of values.
    spare: (Vec<Vec<I::Item>>, Vec<Vec<R>>),
}

/// A chunk that is ahead.
pub(super) struct Chunk<A, R> {
    pub(super) items: usize,
    pub(super) task: Result<Task<Outcome<A, R>>, TaskError>,
}

impl<'a, I: Iterator, R> Feed<'a, I, R> {
    pub(super) fn new(items: I, workers: usize, submit: Submit<'a, I::Item, R>) -> Self {
        Self {
            items: items.fuse(),
            submit,
            workers: workers.max(1),
            look_ahead: None,
            fixed: None,
            learnt: 1,
            items_ahead: 0,
            chunks_ahead: 0,
            spare: (Vec::new(), Vec::new()),
        }
    }

    pub(super) fn set_look_ahead(&mut self, items: usize) {
        assert!(items > 0, "a map that may take no item ahead takes none");
        self.look_ahead = Some(items);
    }

    pub(super) fn set_chunk(&mut self, items: usize) {
        assert!(items > 0, "a chunk has at least one item");
        self.fixed = Some(items);
    }

    /// How many items the next chunk has.
    fn size(&self) -> usize {
        let all = self.look_ahead.unwrap_or(usize::MAX);
        match self.fixed {
            Some(items) => items.min(all),
            // So that there are two for each worker.
            None => self.learnt.min(all / (2 * self.workers)).max(1),
        }
    }

    /// Submits the next chunk, if there is room for it ahead, and there are items.
    pub(super) fn next(&mut self) -> Option<Chunk<I::Item, R>> {
        let size = self.size();
        let room = match self.look_ahead {
            Some(items) => size <= items - self.items_ahead,
            None => self.chunks_ahead < CHUNKS_AHEAD * self.workers,
        };
        if !room {
            return None;
        }
        let (of_items, of_values) = &mut self.spare;
        let mut chunk = of_items.pop().unwrap_or_default();
        chunk.extend(self.items.by_ref().take(size));
        let items = chunk.len();
        if items == 0 {
            return None;
        }
        let mut values = of_values.pop().unwrap_or_default();
        values.reserve(items);
        self.items_ahead += items;
        self.chunks_ahead += 1;
        let task = (self.submit)((chunk, values));
        Some(Chunk { items, task })
    }

    /// What came of a chunk.
    pub(super) fn answers(
        &mut self,
        items: usize,
        outcome: Result<Outcome<I::Item, R>, TaskError>,
    ) -> Answers<R> {
        match outcome {
            Ok((values, panics, nanos, buffer)) => {
                self.learn(items, nanos);
                self.spare.0.push(buffer);
                Answers::of(values, panics)
            }
            Err(reason) => Answers::lost(items, reason),
        }
    }

    /// All answers of a chunk of so many items have been yielded.
    pub(super) fn yielded(&mut self, items: usize, answers: Answers<R>) {
        self.items_ahead -= items;
        self.chunks_ahead -= 1;
        self.spare.1.push(answers.into_buffer());
    }

    /// One time may mislead, if the worker was interrupted, so step by step.
    fn learn(&mut self, items: usize, nanos: u64) {
        let items = u64::try_from(items).unwrap_or(u64::MAX);
        let worthwhile = WORTHWHILE.saturating_mul(items) / nanos.max(1);
        let worthwhile = usize::try_from(worthwhile).unwrap_or(MOST);
        self.learnt = worthwhile
            .clamp(self.learnt / 2, self.learnt * 4)
            .clamp(1, MOST);
    }

    /// How many items have not been taken yet.
    pub(super) fn size_hint(&self) -> (usize, Option<usize>) {
        self.items.size_hint()
    }

    pub(super) fn items_ahead(&self) -> usize {
        self.items_ahead
    }
}
