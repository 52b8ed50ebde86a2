//! Putting and getting many items at a time: one claim, one count and one wake-up for a run of
//! them instead of one each.

use core::fmt;

use super::Queue;
use crate::bounded::{Container, Nothing, Refused, Run};
use crate::error::GetError;
use crate::wait::{Condition, EventCount, Park, Pause};

impl<C: Container, P: Park> Queue<C, P> {
    /// Puts all these items, in this order, waiting for room whenever the queue is full. Blocks.
    ///
    /// Others' items may come in between. Items are put in runs of up to 32, each at little more
    /// than the price of a single one if the container can do that ([`TwoLock`] and [`Ticket`]
    /// can). A run is taken from `items` before any of it is put: do not pass an iterator that waits
    /// for the effect of its own earlier items, and if it panics, those of its run are dropped.
    ///
    /// [`Ticket`]: crate::bounded::Ticket
    /// [`TwoLock`]: crate::bounded::TwoLock
    ///
    /// # Errors
    ///
    /// If the queue was shut down, also while waiting: [`Unput`] gives back what was not put.
    ///
    /// ```
    /// # use brigade_core::{Queue, bounded::Ticket};
    /// let queue: Queue<Ticket<u32, 8>> = Queue::new(Ticket::new());
    /// queue.put_many(1..=5).unwrap();
    /// assert_eq!(queue.len(), 5);
    /// ```
    pub fn put_many<I>(&self, items: I) -> Result<(), Unput<I::IntoIter>>
    where
        I: IntoIterator<Item = C::Item>,
    {
        let mut items = items.into_iter();
        loop {
            let mut put = PutMany {
                queue: self,
                run: Run::new(),
            };
            put.run.fill(&mut items);
            if put.run.len() == 0 {
                return Ok(());
            }
            while put.run.len() > 0 {
                let answer = put
                    .attempt()
                    .or_else(|| self.waiting.not_full.wait(&mut put, None));
                if answer == Some(Answer::ShutDown) {
                    let rest = items;
                    return Err(Unput { run: put.run, rest });
                }
            }
        }
    }

    /// Gets up to `most` items into a collection, waiting for the first; says how many. Blocks.
    ///
    /// If the collection panics, items that it has not taken by then are dropped and stay
    /// unfinished.
    ///
    /// ```
    /// # use brigade_core::{Queue, bounded::Ticket};
    /// # extern crate std; use std::vec::Vec;
    /// # let queue: Queue<Ticket<u32, 8>> = Queue::new(Ticket::new());
    /// queue.put_many(1..=5).unwrap();
    /// let mut items = Vec::new();
    /// assert_eq!(queue.get_many(3, &mut items), Ok(3));
    /// assert_eq!(items, [1, 2, 3]);
    /// ```
    ///
    /// # Errors
    ///
    /// If the queue was shut down and is empty, also while waiting.
    pub fn get_many(
        &self,
        most: usize,
        into: &mut impl Extend<C::Item>,
    ) -> Result<usize, GetError> {
        if most == 0 {
            return Ok(0);
        }
        let mut get = GetMany {
            queue: self,
            most,
            into,
        };
        get.attempt()
            .or_else(|| self.waiting.not_empty.wait(&mut get, None))
            .unwrap_or(Err(GetError))
    }
}

#[derive(PartialEq, Eq)]
enum Answer {
    Some,
    ShutDown,
}

/// Room for one or more items of a run, waited for.
struct PutMany<'a, C: Container, P: Park> {
    queue: &'a Queue<C, P>,
    run: Run<C::Item>,
}

impl<C: Container, P: Park> Condition for PutMany<'_, C, P> {
    type Output = Answer;

    fn glance(&self) -> bool {
        !self.queue.container.is_full()
    }

    fn patience(&self) -> u32 {
        self.queue.patience()
    }

    fn spins(&self) -> u32 {
        self.queue.spins()
    }

    fn attempt(&mut self) -> Option<Answer> {
        let mut pause = Pause::<P>::new();
        let answer = loop {
            let unwinding = NotifyAll(&self.queue.waiting.not_empty);
            let answer = self.queue.container.try_push_many(&mut self.run);
            core::mem::forget(unwinding);
            match answer {
                Err(Refused::Busy(())) => {
                    pause.step();
                }
                answer => break answer,
            }
        };
        match answer {
            Ok(put) => {
                let sleepers = u32::try_from(put).unwrap_or(u32::MAX);
                self.queue.waiting.not_empty.notify(sleepers);
                Some(Answer::Some)
            }
            Err(Refused::Closed(())) => Some(Answer::ShutDown),
            Err(_) => None,
        }
    }

    fn more(&self) -> bool {
        !self.queue.container.confirm_full()
    }
}

/// One item or more, waited for.
struct GetMany<'a, 'i, C: Container, P: Park, I> {
    queue: &'a Queue<C, P>,
    most: usize,
    into: &'i mut I,
}

impl<C: Container, P: Park, I: Extend<C::Item>> Condition for GetMany<'_, '_, C, P, I> {
    type Output = Result<usize, GetError>;

    fn glance(&self) -> bool {
        !self.queue.container.is_empty()
    }

    fn patience(&self) -> u32 {
        self.queue.patience()
    }

    fn spins(&self) -> u32 {
        self.queue.spins()
    }

    fn attempt(&mut self) -> Option<Self::Output> {
        let mut pause = Pause::<P>::new();
        loop {
            if self.queue.is_immediate() {
                return Some(Err(GetError));
            }
            let unwinding = NotifyAll(&self.queue.waiting.not_full);
            let answer = self.queue.container.try_pop_many(self.most, self.into);
            core::mem::forget(unwinding);
            match answer {
                Ok(got) => {
                    let room = u32::try_from(got).unwrap_or(u32::MAX);
                    self.queue.waiting.not_full.notify(room);
                    return Some(Ok(got));
                }
                Err(Nothing::Empty) => return None,
                Err(Nothing::Closed) => return Some(Err(GetError)),
                Err(Nothing::Busy) => {
                    pause.step();
                }
            }
        }
    }

    fn more(&self) -> bool {
        !self.queue.container.confirm_empty()
    }
}

/// Tells waiters of the room that a panicking collection leaves behind, or of the items that a
/// panicking comparison does.
struct NotifyAll<'a, P: Park>(&'a EventCount<P>);

impl<P: Park> Drop for NotifyAll<'_, P> {
    fn drop(&mut self) {
        self.0.notify(u32::MAX);
    }
}

/// The queue was shut down before it took all the items: an iterator over those it did not take,
/// in their order.
pub struct Unput<I: Iterator> {
    run: Run<I::Item>,
    rest: I,
}

impl<I: Iterator> Iterator for Unput<I> {
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        self.run.next().or_else(|| self.rest.next())
    }
}

impl<I: Iterator> fmt::Display for Unput<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the queue was shut down before it took all the items")
    }
}

impl<I: Iterator> fmt::Debug for Unput<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unput({self})")
    }
}

impl<I: Iterator> core::error::Error for Unput<I> {}
