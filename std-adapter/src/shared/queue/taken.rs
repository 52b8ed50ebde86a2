//! What comes out of a queue: [`Lease`], [`Iter`], [`Remaining`].

#![forbid(unsafe_code)]

use std::fmt;
use std::ops::{Deref, DerefMut};

#[cfg(doc)]
use super::Queue;
use crate::shared::depot::{Depot, Nothing, Ticket};
use crate::shared::queue_error::GetError;

/// An item of a [`Queue`] that this process has taken and not finished. It is finished when this is dropped, also
/// by a panic; if the process dies before, it is delivered again.
#[must_use = "dropping the lease reports the item as finished"]
pub struct Lease<'a, T> {
    // Dropped in this order: the item, then the report.
    item: T,
    ticket: Ticket<'a>,
}

impl<'a, T> Lease<'a, T> {
    pub(super) fn new(item: T, ticket: Ticket<'a>) -> Self {
        Self { item, ticket }
    }

    /// How often the item was delivered before and not finished: put back, or held by a process that died.
    /// Counted up to 65535.
    #[must_use]
    pub fn attempts(&self) -> u16 {
        self.ticket.tries()
    }

    /// Leaves the item, as it was put, to whoever asks next. It comes before all others. Never waits; lock-free.
    pub fn put_back(self) {
        self.ticket.put_back();
    }

    /// Reports the item as finished and hands it out.
    pub fn finish(self) -> T {
        self.item
    }
}

impl<T> Deref for Lease<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.item
    }
}

impl<T> DerefMut for Lease<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.item
    }
}

impl<T: fmt::Debug> fmt::Debug for Lease<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lease").field(&self.item).finish()
    }
}

/// How an item is made of what was taken.
type ItemOf<'a, T> = fn(Ticket<'a>) -> Result<T, GetError>;

/// Gets items until the queue is shut down: see [`Queue::iter`]. It goes on after an item that makes no sense.
pub struct Iter<'a, T> {
    depot: &'a Depot,
    item_of: ItemOf<'a, T>,
}

impl<'a, T> Iter<'a, T> {
    pub(in crate::shared) fn new(depot: &'a Depot, item_of: ItemOf<'a, T>) -> Self {
        Self { depot, item_of }
    }
}

impl<T> Iterator for Iter<'_, T> {
    type Item = Result<T, GetError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.depot.take_until(None) {
            Ok(ticket) => Some((self.item_of)(ticket)),
            Err(Nothing::ShutDown) => None,
            Err(nothing) => Some(Err(nothing.into())),
        }
    }
}

impl<T> fmt::Debug for Iter<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iter").finish_non_exhaustive()
    }
}

/// What was left when a queue was shut down: see [`Queue::shutdown`]. Empty after [`Shutdown::Drain`](brigade_core::Shutdown::Drain), when
/// it is the consumers'. Each item is taken as it is asked for, and finished then. Dropped, it takes the
/// rest, and drops it unread.
pub struct Remaining<'a, T> {
    depot: &'a Depot,
    item_of: ItemOf<'a, T>,
    takes: bool,
}

impl<'a, T> Remaining<'a, T> {
    pub(in crate::shared) fn new(depot: &'a Depot, item_of: ItemOf<'a, T>, takes: bool) -> Self {
        Self {
            depot,
            item_of,
            takes,
        }
    }
}

impl<T> Iterator for Remaining<'_, T> {
    type Item = Result<T, GetError>;

    fn next(&mut self) -> Option<Self::Item> {
        if !self.takes {
            return None;
        }
        match self.depot.take_in_any_case() {
            Ok(ticket) => Some((self.item_of)(ticket)),
            Err(Nothing::Empty | Nothing::ShutDown) => None,
            Err(Nothing::Corrupted) => {
                self.takes = false;
                Some(Err(GetError::Corrupted))
            }
        }
    }
}

impl<T> fmt::Debug for Remaining<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remaining").finish_non_exhaustive()
    }
}

impl<T> Drop for Remaining<'_, T> {
    fn drop(&mut self) {
        while self.takes && self.depot.take_in_any_case().is_ok() {}
    }
}
