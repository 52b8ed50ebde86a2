//! The ends of a queue for tasks: what blocks a thread elsewhere is a future here.

use super::{Finished, Get, Lease, Put, Queue};
use crate::bounded::Container;
use crate::error::GetError;
use crate::wait::{AsyncPark, Condition, Park, WaitAsync};

impl<C: Container, P: AsyncPark> Queue<C, P> {
    /// Puts an item when there is room.
    ///
    /// Cancel-safe: the item is in the queue or in the future, and
    /// [`into_item`](WaitAsync::into_item) takes it out again. Dropping the future drops the item
    /// that was not put. Nothing happens before the first poll.
    ///
    /// # Errors
    ///
    /// Gives the item back if the queue was shut down, also while waiting.
    ///
    /// ```
    /// # use brigade_core::{Queue, bounded::Fifo, wait::Async};
    /// # use core::task::{Context, Poll, Waker};
    /// # use core::{future::Future, pin::Pin};
    /// let queue: Queue<Fifo<char, 1>, Async> = Queue::new(Fifo::new());
    /// queue.try_put('a').unwrap();
    /// let mut put = queue.put_async('b');
    ///
    /// // What an executor does:
    /// let mut context = Context::from_waker(Waker::noop());
    /// assert_eq!(Pin::new(&mut put).poll(&mut context), Poll::Pending);
    ///
    /// // What `select` leads to when something else comes first:
    /// assert_eq!(put.into_item(), Some('b'));
    /// ```
    pub fn put_async(&self, item: C::Item) -> WaitAsync<'_, Put<'_, C, P>, P> {
        self.waiting.not_full.wait_async(Put {
            queue: self,
            item: Some(item),
        })
    }

    /// Gets an item when there is one.
    ///
    /// Cancel-safe: an item leaves the queue in the poll that returns it, and in no other.
    ///
    /// # Errors
    ///
    /// If the queue was shut down and is empty, also while waiting.
    ///
    /// ```
    /// # use brigade_core::{Queue, bounded::Fifo, wait::Async};
    /// static COMMANDS: Queue<Fifo<u8, 4>, Async> = Queue::new(Fifo::new());
    ///
    /// async fn obey() {
    ///     while let Ok(command) = COMMANDS.get_async().await {
    ///         // ...
    /// #       let _ = command;
    ///     }
    /// }
    /// # use core::task::{Context, Poll, Waker};
    /// # use core::{future::Future, pin::pin};
    /// # COMMANDS.try_put(1).unwrap();
    /// # COMMANDS.shutdown(brigade_core::Shutdown::Drain);
    /// # assert_eq!(pin!(obey()).poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(()));
    /// ```
    pub fn get_async(&self) -> WaitAsync<'_, Get<'_, C, P>, P> {
        self.waiting.not_empty.wait_async(Get { queue: self })
    }

    /// Gets an item as a lease when there is one. Cancel-safe, as [`get_async`](Self::get_async).
    ///
    /// # Errors
    ///
    /// If the queue was shut down and is empty, also while waiting.
    pub fn lease_async(&self) -> WaitAsync<'_, GetLease<'_, C, P>, P> {
        let get = Get { queue: self };
        self.waiting.not_empty.wait_async(GetLease(get))
    }

    /// Waits until every item put has been reported as finished. Cancel-safe.
    pub fn join_async(&self) -> WaitAsync<'_, Finished<'_, C>, P> {
        self.tally.wait_async(&self.container)
    }
}

impl<C: Container, P: AsyncPark> WaitAsync<'_, Put<'_, C, P>, P> {
    /// Gives up and hands the item out; `None` if it was put, or handed out with the error.
    pub fn into_item(mut self) -> Option<C::Item> {
        self.condition.item.take()
    }
}

/// An item as a lease: what [`Queue::lease_async`] waits for.
pub struct GetLease<'a, C: Container, P: Park>(Get<'a, C, P>);

impl<'a, C: Container, P: Park> Condition for GetLease<'a, C, P> {
    type Output = Result<Lease<'a, C, P>, GetError>;

    fn glance(&self) -> bool {
        self.0.glance()
    }

    fn attempt(&mut self) -> Option<Self::Output> {
        let queue = self.0.queue;
        let got = self.0.attempt()?;
        Some(got.map(|item| queue.leased(item)))
    }

    fn more(&self) -> bool {
        self.0.more()
    }
}
