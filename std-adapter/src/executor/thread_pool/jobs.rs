//! [`Jobs`]: what a pool has yet to run, in the order of submission or by priority.

#![forbid(unsafe_code)]

use std::cmp::Ordering;

use brigade_core::bounded::{Container, Nothing, Refused, Unbounded, WithCapacity};

use crate::Parker;
use crate::executor::work::Job;
use crate::queue::{ByPriority, Locked, Store};

/// The queue between submitters and workers.
pub(super) type Jobs = brigade_core::Queue<Order, Parker>;

/// What a place in the queue holds.
pub(super) enum Entry {
    Job {
        job: Job,
        /// When it was submitted, in nanoseconds from the pool's birth, if the pool measures time.
        at: u64,
    },
    /// A job with a priority. Without one: wakes a worker that has nothing to do and may be one too
    /// many. (Boxed, and in one with that, so that places without a priority are not larger for it.)
    Ranked(Option<Box<Ranked>>),
}

/// A job with a priority.
pub(super) struct Ranked {
    priority: i32,
    job: Job,
    at: u64,
}

impl Entry {
    pub(super) const NUDGE: Self = Self::Ranked(None);

    /// A job that was submitted at this time, with a priority if it is for a queue in that order.
    #[inline]
    pub(super) fn new(job: Job, at: u64, priority: Option<i32>) -> Self {
        match priority {
            None => Self::Job { job, at },
            Some(priority) => Self::ranked(job, at, priority),
        }
    }

    /// Apart, so that submitting without priorities is inlined.
    #[inline(never)]
    fn ranked(job: Job, at: u64, priority: i32) -> Self {
        Self::Ranked(Some(Box::new(Ranked { priority, job, at })))
    }

    /// The job, and when it was submitted; `None` for a nudge.
    #[inline]
    pub(super) fn open(self) -> Option<(Job, u64)> {
        match self {
            Self::Job { job, at } => Some((job, at)),
            Self::Ranked(ranked) => {
                let Ranked { job, at, .. } = *ranked?;
                Some((job, at))
            }
        }
    }

    pub(super) fn into_job(self) -> Option<Job> {
        self.open().map(|(job, _)| job)
    }

    /// What decides who comes first: the smaller. A nudge before all.
    fn rank(&self) -> Option<i32> {
        match self {
            Self::Job { .. } => Some(0),
            Self::Ranked(ranked) => ranked.as_ref().map(|ranked| ranked.priority),
        }
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Entry {}

/// What a pool's queue stands on.
#[allow(
    clippy::large_enum_variant,
    reason = "there is one in a pool, and the larger one is the common one"
)]
pub(super) enum Order {
    OfSubmission(Store<Entry>),
    ByPriority(Locked<ByPriority<Entry>>),
}

impl Order {
    /// Without a bound, or with one of this many.
    pub(super) fn new(by_priority: bool, bound: Option<usize>) -> Self {
        match (by_priority, bound) {
            (false, None) => Self::OfSubmission(Store::unbounded()),
            (false, Some(bound)) => Self::OfSubmission(Store::with_capacity(bound)),
            (true, None) => Self::ByPriority(Locked::unbounded()),
            (true, Some(bound)) => Self::ByPriority(Locked::with_capacity(bound)),
        }
    }
}

/// Hands the call to whichever container it is.
macro_rules! either {
    ($order:expr, $container:ident => $call:expr) => {
        match $order {
            Order::OfSubmission($container) => $call,
            Order::ByPriority($container) => $call,
        }
    };
}

impl Container for Order {
    type Item = Entry;

    #[inline]
    fn try_push(&self, entry: Entry) -> Result<(), Refused<Entry>> {
        either!(self, container => container.try_push(entry))
    }

    #[inline]
    fn try_pop(&self) -> Result<Entry, Nothing> {
        either!(self, container => container.try_pop())
    }

    fn close(&self) {
        either!(self, container => container.close());
    }

    fn is_closed(&self) -> bool {
        either!(self, container => container.is_closed())
    }

    #[inline]
    fn pushed(&self) -> u32 {
        either!(self, container => container.pushed())
    }

    #[inline]
    fn after(&self, pushed: u32) -> u32 {
        either!(self, container => container.after(pushed))
    }

    #[inline]
    fn between(&self, from: u32, to: u32) -> u32 {
        either!(self, container => container.between(from, to))
    }

    fn confirm_empty(&self) -> bool {
        either!(self, container => container.confirm_empty())
    }

    fn confirm_full(&self) -> bool {
        either!(self, container => container.confirm_full())
    }

    fn len(&self) -> usize {
        either!(self, container => container.len())
    }

    fn is_full(&self) -> bool {
        either!(self, container => container.is_full())
    }

    fn capacity(&self) -> usize {
        either!(self, container => container.capacity())
    }
}

#[cfg(test)]
mod tests {
    use super::Entry;

    #[test]
    fn a_place_in_the_queue_takes_three_words() {
        assert!(size_of::<Entry>() <= size_of::<usize>() * 2 + size_of::<u64>());
    }
}
