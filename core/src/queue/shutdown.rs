//! Shutting a queue down, and what becomes of the items inside.

use super::Queue;
use crate::bounded::{Container, Nothing};
use crate::sync::Ordering::{Acquire, Release};
use crate::wait::{Park, Pause};

/// What becomes of the items inside when a queue is shut down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shutdown {
    /// Consumers get them.
    Drain,
    /// Whoever shuts down gets them.
    Immediate,
}

impl<C: Container, P: Park> Queue<C, P> {
    /// Lets no further item in and wakes everybody who waits.
    ///
    /// Returns an iterator over the items that this call takes out of the queue: none for
    /// [`Shutdown::Drain`], all that are left for [`Shutdown::Immediate`]. Each counts as
    /// finished when it is taken; dropping the iterator takes and drops the rest, so do that, or
    /// use them up, before you [`join`](Self::join). A second call may follow a first, to turn a
    /// drain into an immediate shutdown.
    ///
    /// Items that consumers hold are theirs to finish: `join` waits for them.
    ///
    /// ```
    /// # use brigade_core::{Queue, Shutdown, bounded::Ticket};
    /// let queue: Queue<Ticket<char, 4>> = Queue::new(Ticket::new());
    /// queue.put('a').unwrap();
    /// assert!(queue.shutdown(Shutdown::Immediate).eq(['a']));
    /// assert_eq!(queue.put('b').unwrap_err().0, 'b');
    /// ```
    pub fn shutdown(&self, how: Shutdown) -> Remaining<'_, C, P> {
        if how == Shutdown::Immediate {
            // ORDERING: Release pairs with the load in `is_immediate`.
            self.waiting.immediate.store(1, Release);
        }
        self.container.close();
        self.waiting.not_empty.broadcast();
        self.waiting.not_full.broadcast();
        Remaining {
            queue: self,
            active: how == Shutdown::Immediate,
        }
    }

    /// Whether [`shutdown`](Self::shutdown) was called. If it was, nobody can undo it.
    #[must_use]
    pub fn is_shut_down(&self) -> bool {
        self.container.is_closed()
    }

    /// Whether what is left belongs to the one who shut the queue down.
    #[inline(always)]
    pub(super) fn is_immediate(&self) -> bool {
        // ORDERING: Acquire: whoever is told of the shutdown sees what was done before it. A stale
        // answer does no harm: the consumer gets an item before the drain does.
        self.waiting.immediate.load(Acquire) != 0
    }
}

/// The items that an immediate shutdown takes out: see [`Queue::shutdown`].
#[derive(Debug)]
pub struct Remaining<'a, C: Container, P: Park> {
    queue: &'a Queue<C, P>,
    active: bool,
}

impl<C: Container, P: Park> Iterator for Remaining<'_, C, P> {
    type Item = C::Item;

    fn next(&mut self) -> Option<C::Item> {
        let mut pause = Pause::<P>::new();
        while self.active {
            // Should a comparison panic, the rest stays where it is, and goes with the queue.
            self.active = false;
            let answer = self.queue.container.try_pop();
            self.active = true;
            match answer {
                Ok(item) => {
                    // An error says that a consumer has reported more than it got.
                    let _ = self.queue.task_done();
                    return Some(item);
                }
                Err(Nothing::Busy) => {
                    pause.step();
                }
                Err(Nothing::Empty | Nothing::Closed) => self.active = false,
            }
        }
        None
    }
}

impl<C: Container, P: Park> Drop for Remaining<'_, C, P> {
    fn drop(&mut self) {
        crate::bounded::finish(self);
    }
}
