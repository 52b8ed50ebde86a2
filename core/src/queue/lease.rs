//! [`Lease`]: an item in hand, which reports itself as finished.

use core::fmt;
use core::ops::{Deref, DerefMut};
use core::time::Duration;

use super::Queue;
use crate::bounded::Container;
use crate::error::{GetError, GetTimeoutError, TryGetError, TryPutError};
use crate::wait::{Park, Spin, TimedPark};

/// An item that a consumer holds and has not finished: see [`Queue::lease`].
///
/// Dropping it, also because of a panic, drops the item and then reports it as finished, so that
/// `join` returns although a consumer failed. [`put_back`](Self::put_back) returns the item to the
/// queue for somebody else. (If [`Queue::task_done`] was called for the item as well, the drop has
/// nothing left to report.)
pub struct Lease<'a, C: Container, P: Park = Spin> {
    queue: &'a Queue<C, P>,
    /// Empty only while the lease is being used up.
    item: Option<C::Item>,
}

impl<C: Container, P: Park> Queue<C, P> {
    /// Gets an item as a lease, waiting for one if the queue is empty. Blocks.
    ///
    /// # Errors
    ///
    /// If the queue was shut down and is empty, also while waiting.
    ///
    /// ```
    /// # use brigade_core::{Queue, bounded::Ticket};
    /// let queue: Queue<Ticket<u32, 8>> = Queue::new(Ticket::new());
    /// queue.put(1).unwrap();
    /// let job = queue.lease().unwrap();
    /// assert_eq!((*job, queue.unfinished()), (1, 1));
    /// drop(job);
    /// queue.join();
    /// ```
    pub fn lease(&self) -> Result<Lease<'_, C, P>, GetError> {
        self.get().map(|item| self.leased(item))
    }

    /// Gets an item as a lease if there is one now. Never sleeps.
    ///
    /// # Errors
    ///
    /// If the queue is empty, or was shut down and is empty.
    pub fn try_lease(&self) -> Result<Lease<'_, C, P>, TryGetError> {
        self.try_get().map(|item| self.leased(item))
    }

    /// Gets an item as a lease, waiting for one if the queue is empty. Blocks, for `timeout` at
    /// most.
    ///
    /// # Errors
    ///
    /// If no item came in time, or the queue was shut down and is empty.
    pub fn lease_timeout(&self, timeout: Duration) -> Result<Lease<'_, C, P>, GetTimeoutError>
    where
        P: TimedPark,
    {
        self.get_timeout(timeout).map(|item| self.leased(item))
    }

    /// Gets an item as a lease, waiting for one if the queue is empty. Blocks, until `deadline` at
    /// most.
    ///
    /// # Errors
    ///
    /// If no item came in time, or the queue was shut down and is empty.
    pub fn lease_deadline(
        &self,
        deadline: P::Deadline,
    ) -> Result<Lease<'_, C, P>, GetTimeoutError> {
        self.get_deadline(deadline).map(|item| self.leased(item))
    }

    pub(super) fn leased(&self, item: C::Item) -> Lease<'_, C, P> {
        Lease {
            queue: self,
            item: Some(item),
        }
    }
}

impl<C: Container, P: Park> Lease<'_, C, P> {
    /// Returns the item to the queue, where it counts as unfinished again. Never sleeps.
    ///
    /// # Errors
    ///
    /// Gives the lease back if the queue is full or was shut down.
    pub fn put_back(mut self) -> Result<(), TryPutError<Self>> {
        let Some(item) = self.item.take() else {
            return Ok(());
        };
        match self.queue.try_put(item) {
            Ok(()) => Ok(()),
            Err(TryPutError::Full(item)) => {
                self.item = Some(item);
                Err(TryPutError::Full(self))
            }
            Err(TryPutError::ShutDown(item)) => {
                self.item = Some(item);
                Err(TryPutError::ShutDown(self))
            }
        }
    }

    /// Reports the item as finished and hands it out.
    #[must_use]
    pub fn finish(mut self) -> C::Item {
        match self.item.take() {
            Some(item) => item,
            None => unreachable!("only operations that use up the lease empty it"),
        }
    }
}

impl<C: Container, P: Park> Deref for Lease<'_, C, P> {
    type Target = C::Item;

    fn deref(&self) -> &C::Item {
        match &self.item {
            Some(item) => item,
            None => unreachable!("only operations that use up the lease empty it"),
        }
    }
}

impl<C: Container, P: Park> DerefMut for Lease<'_, C, P> {
    fn deref_mut(&mut self) -> &mut C::Item {
        match &mut self.item {
            Some(item) => item,
            None => unreachable!("only operations that use up the lease empty it"),
        }
    }
}

impl<C: Container, P: Park> Drop for Lease<'_, C, P> {
    fn drop(&mut self) {
        /// Reports in its own drop, which also a panicking destructor of the item cannot prevent.
        struct Report<'a, C: Container, P: Park>(&'a Queue<C, P>);

        impl<C: Container, P: Park> Drop for Report<'_, C, P> {
            fn drop(&mut self) {
                // An error says that somebody has reported the item already.
                let _ = self.0.task_done();
            }
        }

        let _report = Report(self.queue);
        drop(self.item.take());
    }
}

impl<C: Container, P: Park> fmt::Debug for Lease<'_, C, P>
where
    C::Item: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lease").field(&self.item).finish()
    }
}
