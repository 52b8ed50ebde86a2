//! [`Loan`] and [`PlainLease`]: an item where it lies, before and after it is in the queue.

#![forbid(unsafe_code)]

use std::fmt;
use std::marker::PhantomData;
use std::time::{Duration, Instant};

#[cfg(doc)]
use super::PlainQueue;
use crate::shared::array;
use crate::shared::depot::{Filling, Hold, Ticket};
use crate::shared::queue_error::PutError;
use crate::sys::memory::{copy_in, copy_out};
use crate::sys::plain::{self, Plain};

/// A free place of a [`PlainQueue`], to write an item in and [commit](Self::commit) it. Dropped without that, also
/// by a panic or the death of the process, it is free again and nothing was put.
///
/// What is not written is what some earlier item of the queue had there, or zero.
#[must_use = "nothing is put unless the loan is committed"]
pub struct Loan<'a, T: Plain> {
    filling: Filling<'a>,
    of: PhantomData<fn(T) -> T>,
}

impl<'a, T: Plain> Loan<'a, T> {
    pub(super) fn new(filling: Filling<'a>) -> Self {
        Self {
            filling,
            of: PhantomData,
        }
    }

    /// Writes the whole item. Never waits.
    pub fn write(&mut self, item: &T) {
        let bytes = plain::bytes(std::slice::from_ref(item));
        copy_in(self.filling.words(), bytes);
    }

    /// Puts the item if there is a place in the queue now. Never waits; lock-free.
    ///
    /// # Errors
    ///
    /// Gives the loan back, and says why.
    pub fn try_commit(self) -> Result<(), PutError<Self>> {
        self.filling.commit_now().map_err(refused)
    }

    /// Puts the item, waiting if the queue was filled since the loan was made. Blocks.
    ///
    /// # Errors
    ///
    /// Gives the loan back, and says why: the queue was shut down, also while waiting, or is corrupted.
    pub fn commit(self) -> Result<(), PutError<Self>> {
        self.filling.commit_until(None).map_err(refused)
    }

    /// Puts the item, waiting for `timeout` at most. Blocks.
    ///
    /// # Errors
    ///
    /// As [`commit`](Self::commit), and if there was no place in time.
    pub fn commit_timeout(self, timeout: Duration) -> Result<(), PutError<Self>> {
        let deadline = Instant::now().checked_add(timeout);
        self.filling.commit_until(deadline).map_err(refused)
    }

    /// Puts the item, waiting until `deadline` at most. Blocks.
    ///
    /// # Errors
    ///
    /// As [`commit`](Self::commit), and if there was no place in time.
    pub fn commit_deadline(self, deadline: Instant) -> Result<(), PutError<Self>> {
        self.filling.commit_until(Some(deadline)).map_err(refused)
    }

    /// Puts the item when there is a place. Dropping the future drops the loan, unless it was committed. A thread of
    /// this process sleeps for the task.
    ///
    /// # Errors
    ///
    /// As [`commit`](Self::commit).
    pub async fn commit_async(self) -> Result<(), PutError<Self>> {
        self.filling.commit_async().await.map_err(refused)
    }
}

fn refused<T: Plain>((filling, hold): (Filling<'_>, Hold)) -> PutError<Loan<'_, T>> {
    PutError::new(Loan::new(filling), hold)
}

impl<E: Plain, const N: usize> Loan<'_, [E; N]> {
    /// Writes one element. Never waits.
    ///
    /// # Panics
    ///
    /// If there is none of this index.
    pub fn set(&mut self, index: usize, element: E) {
        self.write_from(index, &[element]);
    }

    /// Writes elements, from this index on. Never waits.
    ///
    /// # Panics
    ///
    /// If there are not so many; then none is written.
    pub fn write_from(&mut self, index: usize, elements: &[E]) {
        let place = place::<E, N>(index, elements.len());
        let bytes = plain::bytes(elements);
        array::write(self.filling.words(), place, bytes);
    }
}

impl<T: Plain> fmt::Debug for Loan<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Loan").finish_non_exhaustive()
    }
}

/// An item of a [`PlainQueue`] that this process has taken and not finished, to be read where it lies. It is
/// finished when this is dropped, also by a panic; if the process dies before, it is delivered again.
#[must_use = "dropping the lease reports the item as finished"]
pub struct PlainLease<'a, T: Plain> {
    ticket: Ticket<'a>,
    of: PhantomData<fn(T) -> T>,
}

impl<'a, T: Plain> PlainLease<'a, T> {
    #[inline]
    pub(super) fn new(ticket: Ticket<'a>) -> Self {
        ticket.vacate();
        Self {
            ticket,
            of: PhantomData,
        }
    }

    /// Reports the item as got.
    #[inline]
    pub(super) fn count(self) {
        self.ticket.count().keep();
    }

    /// The whole item. Never waits.
    #[inline]
    #[must_use]
    pub fn read(&self) -> T {
        let mut item = plain::zero();
        let bytes = plain::bytes_mut(std::slice::from_mut(&mut item));
        copy_out(self.ticket.words(), bytes);
        item
    }

    /// How often the item was delivered before and not finished: put back, or held by a process that died.
    /// Counted up to 65535.
    #[must_use]
    pub fn attempts(&self) -> u16 {
        self.ticket.tries()
    }

    /// Leaves the item to whoever asks next. It comes before all others. Never waits; lock-free.
    pub fn put_back(self) {
        self.ticket.put_back();
    }

    /// Reports the item as finished and hands it out.
    #[allow(clippy::must_use_candidate, reason = "it may have been read before")]
    pub fn finish(self) -> T {
        self.read()
    }
}

impl<E: Plain, const N: usize> PlainLease<'_, [E; N]> {
    /// One element. Never waits.
    ///
    /// # Panics
    ///
    /// If there is none of this index.
    #[must_use]
    pub fn get(&self, index: usize) -> E {
        let mut element = [plain::zero()];
        self.read_from(index, &mut element);
        element[0]
    }

    /// Reads as many elements as there is room for, from this index on. Never waits.
    ///
    /// # Panics
    ///
    /// If there are not so many.
    pub fn read_from(&self, index: usize, elements: &mut [E]) {
        let place = place::<E, N>(index, elements.len());
        let bytes = plain::bytes_mut(elements);
        array::read(self.ticket.words(), place, bytes);
    }
}

impl<T: Plain> fmt::Debug for PlainLease<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlainLease").finish_non_exhaustive()
    }
}

/// Where elements of an array begin, in bytes.
fn place<E, const N: usize>(index: usize, count: usize) -> usize {
    let fits = index.checked_add(count).is_some_and(|end| end <= N);
    assert!(fits, "{count} elements from {index} on, of {N}");
    index * size_of::<E>()
}
