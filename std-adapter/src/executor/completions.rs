//! [`Completions`]: which of several tasks are done, in the order in which they end.
//!
//! ```text
//!     task 0: waker 0 --+
//!     task 1: waker 1 --+--> [ 1 | 2 | 0 ] --> next: 1, then 2, then 0
//!     task 2: waker 2 --+         Queue
//! ```
//!
//! Each task gets a waker that puts the task's number into one queue. Whoever waits for any of them
//! waits in that queue's `get`: nothing is polled, and each end is one `put`.

#![forbid(unsafe_code)]

use std::sync::Arc;
use std::task::{Wake, Waker};
use std::time::Instant;

use super::task::Task;
use crate::Queue;

pub(super) struct Completions {
    ended: Arc<Queue<usize>>,
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
        }
    }

    /// Has the task's end reported under this number.
    pub(super) fn watch<T>(&self, number: usize, task: &mut Task<T>) {
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
    pub(super) fn next(&self, deadline: Option<Instant>) -> Option<usize> {
        match deadline {
            Some(deadline) => self.ended.get_deadline(deadline).ok(),
            None => self.ended.get().ok(),
        }
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
