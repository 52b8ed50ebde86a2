//! [`Completions`]: which of several tasks are done, in the order in which they end.
//!
//! ```text
//!     task 0: waker 0 --+
//!     task 1: waker 1 --+--> [ 1 | 2 | 0 ] --> next: 1, then 2, then 0
//!     task 2: waker 2 --+         Queue
//! ```
//!
//! Each task gets a waker that puts the task's number into one queue. Whoever waits for any of them
//! waits in that queue's `get`: each end is one `put`. A worker that waits for tasks of its own pool
//! does it by way of [`self_wait`], as everybody does.

#![forbid(unsafe_code)]

use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::Instant;

use super::self_wait::{self, PoolId, WouldDeadlock};
use super::task::Task;
use crate::Queue;

pub(super) struct Completions {
    ended: Arc<Queue<usize>>,
    pools: Pools,
}

/// Whose tasks are watched.
enum Pools {
    None,
    One(PoolId),
    Several,
}

/// Reports the end of one task.
struct Report {
    number: usize,
    ended: Arc<Queue<usize>>,
}

impl Completions {
    pub(super) fn new() -> Self {
        Self {
            ended: Arc::new(Queue::unbounded()),
            pools: Pools::None,
        }
    }

    /// Has the task's end reported under this number.
    pub(super) fn watch<T>(&mut self, number: usize, task: &mut Task<T>) {
        self.pools = match self.pools {
            Pools::None => Pools::One(task.pool),
            Pools::One(pool) if pool == task.pool => Pools::One(pool),
            _ => Pools::Several,
        };
        let report = Arc::new(Report {
            number,
            ended: Arc::clone(&self.ended),
        });
        if task.promise.register(&Waker::from(Arc::clone(&report))) {
            report.send();
        }
    }

    /// Waits for the next end of a task; `None` if the deadline passes first. There must be a task
    /// whose end has not been returned yet.
    ///
    /// # Errors
    ///
    /// In a worker of the pool to which all the tasks belong, if the pool would wait for itself.
    pub(super) fn next(&self, deadline: Option<Instant>) -> Result<Option<usize>, WouldDeadlock> {
        if let Some(deadline) = deadline {
            return Ok(self.ended.get_deadline(deadline).ok());
        }
        let Pools::One(pool) = self.pools else {
            return Ok(self.ended.get().ok());
        };
        let mut next = None;
        let sleep = |until| {
            next = match until {
                Some(deadline) => self.ended.get_deadline(deadline).ok(),
                None => self.ended.get().ok(),
            };
            next.is_some()
        };
        self_wait::wait(pool, &|| !self.ended.is_empty(), sleep)?;
        Ok(next)
    }
}

impl Report {
    fn send(&self) {
        // Nobody shuts the queue down, and it has no bound.
        let _ = self.ended.put(self.number);
    }
}

impl Wake for Report {
    fn wake(self: Arc<Self>) {
        self.send();
    }
}
