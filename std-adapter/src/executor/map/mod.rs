//! [`Map`] and [`MapUnordered`]: a function on each of many items, lazily.
//!
//! `feed.rs` takes items from the input and submits them, `chunk.rs` runs several of them as one
//! task. Here their answers are put in order, or taken as they come.

#![forbid(unsafe_code)]

mod chunk;
mod feed;

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::iter::FusedIterator;

use super::as_completed::AsCompleted;
use super::task::TaskError;
use chunk::Answers;
use chunk::Outcome;
pub(super) use chunk::run;
pub(super) use feed::Submit;
use feed::{Chunk, Feed};

/// What comes of the items of [`ThreadPool::map`](super::ThreadPool::map) or
/// [`Executor::map`](super::Executor::map), in the order of the items.
///
/// An iterator that submits items as it is advanced, and waits for their results. Nothing happens
/// before the first `next`. `next` blocks until the next result is there.
///
/// # Results
///
/// Each item has its result in its place: `Ok` with the value, or
/// [`Panicked`](TaskError::Panicked) if the function panicked on it; the others are not affected. If
/// the executor is shut down, the items that have not been begun, and those still to be taken, come
/// out as [`Cancelled`](TaskError::Cancelled). In a task of the same pool, chunks come out as
/// [`WouldDeadlock`](TaskError::WouldDeadlock) when all its workers would wait for the pool; they are
/// not run then, if nobody has begun with them.
///
/// # How far ahead
///
/// Of the input no more is taken than [`look_ahead`](Self::look_ahead) items beyond those yielded,
/// not one, and those only by `next`. If that is not said, up to four chunks for each worker are
/// ahead. So an input without end is fine, and so is one that does not fit into memory.
///
/// # Chunks
///
/// Items that take long are tasks of their own. Cheap ones are grouped, so that a task takes about a
/// quarter of a millisecond; how many that are is learnt on the way, from one up to 8192. A chunk that
/// was begun goes on to its end. When items of very unequal cost are mixed, say
/// [`chunk(1)`](Self::chunk).
///
/// # Dropping it
///
/// cancels the chunks that have not been begun, and does not wait for the others.
///
/// # Example
///
/// ```
/// use brigade::{TaskError, ThreadPool};
///
/// let pool = ThreadPool::new()?;
/// let halves = pool.map([8, 0, 2], |n: i32| {
///     assert_ne!(n, 0, "nothing to halve");
///     n / 2
/// });
/// let halves: Vec<_> = halves.collect();
/// assert!(matches!(halves[..], [Ok(4), Err(TaskError::Panicked(_)), Ok(1)]));
///
/// // All or nothing.
/// assert_eq!(pool.map(1..=3, |n| 10 * n).into_values()?, [10, 20, 30]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "nothing is submitted until the iterator is advanced"]
pub struct Map<'a, I: Iterator, R> {
    feed: Feed<'a, I, R>,
    ahead: VecDeque<Chunk<I::Item, R>>,
    current: Answers<R>,
    /// How many items the current chunk had, while there is one.
    current_items: Option<usize>,
}

/// What comes of the items of [`ThreadPool::map_unordered`](super::ThreadPool::map_unordered) or
/// [`Executor::map_unordered`](super::Executor::map_unordered), as it comes.
///
/// Like [`Map`] in everything but the order: the results of one chunk are together and in their
/// order, chunks come as they end. To know which result is whose, let the function return that, as
/// for items that were [numbered](Iterator::enumerate).
#[must_use = "nothing is submitted until the iterator is advanced"]
pub struct MapUnordered<'a, I: Iterator, R> {
    feed: Feed<'a, I, R>,
    ahead: AsCompleted<Outcome<I::Item, R>>,
    /// How many items each chunk has that is ahead, by its number there.
    items: HashMap<usize, usize>,
    /// Chunks that the executor did not take.
    refused: VecDeque<(usize, TaskError)>,
    current: Answers<R>,
    current_items: Option<usize>,
}

impl<'a, I: Iterator, R> Map<'a, I, R> {
    pub(super) fn new(items: I, workers: usize, submit: Submit<'a, I::Item, R>) -> Self {
        Self {
            feed: Feed::new(items, workers, submit),
            ahead: VecDeque::new(),
            current: Answers::none(),
            current_items: None,
        }
    }

    /// Goes on to the next chunk, if there is one.
    fn load(&mut self) -> bool {
        if let Some(items) = self.current_items.take() {
            let answers = std::mem::replace(&mut self.current, Answers::none());
            self.feed.yielded(items, answers);
        }
        while let Some(chunk) = self.feed.next() {
            self.ahead.push_back(chunk);
        }
        let Some(Chunk { items, task }) = self.ahead.pop_front() else {
            return false;
        };
        self.current_items = Some(items);
        let outcome = task.and_then(super::Task::result_or_cancel);
        self.current = self.feed.answers(items, outcome);
        true
    }
}

impl<'a, I: Iterator, R> MapUnordered<'a, I, R> {
    pub(super) fn new(items: I, workers: usize, submit: Submit<'a, I::Item, R>) -> Self {
        Self {
            feed: Feed::new(items, workers, submit),
            ahead: AsCompleted::new(),
            items: HashMap::new(),
            refused: VecDeque::new(),
            current: Answers::none(),
            current_items: None,
        }
    }

    /// Goes on to the next chunk, if there is one.
    fn load(&mut self) -> bool {
        if let Some(items) = self.current_items.take() {
            let answers = std::mem::replace(&mut self.current, Answers::none());
            self.feed.yielded(items, answers);
        }
        while let Some(Chunk { items, task }) = self.feed.next() {
            match task {
                Ok(task) => drop(self.items.insert(self.ahead.add(task), items)),
                Err(reason) => self.refused.push_back((items, reason)),
            }
        }
        let (items, outcome) = if let Some((items, reason)) = self.refused.pop_front() {
            (items, Err(reason))
        } else if let Some((number, outcome)) = self.ahead.next_or_cancel() {
            (self.items.remove(&number).unwrap_or_default(), outcome)
        } else {
            return false;
        };
        self.current_items = Some(items);
        self.current = self.feed.answers(items, outcome);
        true
    }
}

macro_rules! iterator {
    ($name:ident) => {
        impl<I: Iterator, R> $name<'_, I, R> {
            /// Takes at most so many items from the input beyond those whose results were yielded.
            /// Chunks are then no larger than leaves two for each worker.
            ///
            /// # Panics
            ///
            /// If it is zero.
            ///
            /// # Example
            ///
            /// ```
            /// use std::cell::Cell;
            ///
            /// let pool = brigade::ThreadPool::new()?;
            /// let taken = Cell::new(0);
            /// let items = (0..100).inspect(|_| taken.set(taken.get() + 1));
            #[doc = concat!("let mut results = pool.", iterator!(@ $name), "(items, |n| n).look_ahead(5);")]
            /// results.next().unwrap()?;
            /// assert_eq!(taken.get(), 5);
            /// results.next().unwrap()?;
            /// assert_eq!(taken.get(), 6);
            /// # drop(results);
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            pub fn look_ahead(mut self, items: usize) -> Self {
                self.feed.set_look_ahead(items);
                self
            }

            /// Makes each so many items one task, instead of as many as seem worth while. (Fewer, if
            /// [`look_ahead`](Self::look_ahead) allows no more.) With 1, each item is a task of its
            /// own, is run as soon as a worker is free, and can be cancelled until then.
            ///
            /// # Panics
            ///
            /// If it is zero.
            pub fn chunk(mut self, items: usize) -> Self {
                self.feed.set_chunk(items);
                self
            }

            /// All values, or the first error; after an error the rest is dropped.
            ///
            /// As [`collect`](Iterator::collect) into a `Result<Vec<_>, _>` does, but by the chunk,
            /// which is faster. Blocks until all are there.
            ///
            /// # Errors
            ///
            /// The first that is among the results.
            ///
            /// # Example
            ///
            /// ```
            /// let pool = brigade::ThreadPool::new()?;
            #[doc = concat!("let mut lengths = pool.", iterator!(@ $name), "([\"red\", \"green\"], str::len).into_values()?;")]
            /// lengths.sort();
            /// assert_eq!(lengths, [3, 5]);
            /// # Ok::<(), Box<dyn std::error::Error>>(())
            /// ```
            pub fn into_values(mut self) -> Result<Vec<R>, TaskError> {
                // For an input that cannot tell, the vector grows.
                let mut values = match self.size_hint() {
                    (least, Some(most)) if least == most => Vec::with_capacity(most),
                    _ => Vec::new(),
                };
                loop {
                    self.current.values(&mut values)?;
                    if !self.load() {
                        return Ok(values);
                    }
                }
            }
        }

        impl<I: Iterator, R> Iterator for $name<'_, I, R> {
            type Item = Result<R, TaskError>;

            #[inline]
            fn next(&mut self) -> Option<Self::Item> {
                loop {
                    if let Some(answer) = self.current.next() {
                        return Some(answer);
                    }
                    if !self.load() {
                        return None;
                    }
                }
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                // Those that are ahead include all of the current chunk.
                let yielded = self.current_items.map_or(0, |items| items - self.current.len());
                let ahead = self.feed.items_ahead() - yielded;
                let (least, most) = self.feed.size_hint();
                let most = most.and_then(|most| most.checked_add(ahead));
                (least.saturating_add(ahead), most)
            }

            fn fold<B, F: FnMut(B, Self::Item) -> B>(mut self, start: B, mut step: F) -> B {
                let mut folded = start;
                loop {
                    folded = self.current.fold(folded, &mut step);
                    if !self.load() {
                        return folded;
                    }
                }
            }
        }

        impl<I: ExactSizeIterator, R> ExactSizeIterator for $name<'_, I, R> {}
        impl<I: Iterator, R> FusedIterator for $name<'_, I, R> {}

        impl<I: Iterator, R> fmt::Debug for $name<'_, I, R> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("items_ahead", &self.feed.items_ahead())
                    .finish_non_exhaustive()
            }
        }
    };
    (@ Map) => { "map" };
    (@ MapUnordered) => { "map_unordered" };
}

iterator!(Map);
iterator!(MapUnordered);

impl<I: Iterator, R> Drop for Map<'_, I, R> {
    fn drop(&mut self) {
        for task in self.ahead.drain(..).filter_map(|chunk| chunk.task.ok()) {
            task.cancel();
        }
    }
}

impl<I: Iterator, R> Drop for MapUnordered<'_, I, R> {
    fn drop(&mut self) {
        for (_, task) in std::mem::take(&mut self.ahead).into_remaining() {
            task.cancel();
        }
    }
}
