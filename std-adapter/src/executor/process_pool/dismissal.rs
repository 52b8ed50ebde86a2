//! [`Dismissal`]: how a worker is ended that seems idle, so that no task is lost or run twice.
//!
//! ```text
//!     supervisor                                worker
//!     ----------                                ------
//!     dismissed := true                         claim a task
//!     fence                                     fence
//!     has it a task? yes: dismissed := false    dismissed? sleep until it is not
//!                    no: kill it                begin
//! ```
//!
//! Of the two fences one comes first: if the supervisor sees no task, the worker begins none, whatever
//! it claims before it is dead. The worker never waits for long: it is killed, or let go on at once.

use super::atomic::{
    Ordering::{Relaxed, SeqCst},
    fence,
};
use super::bell::Sleep;

/// Over a word that is 0 while the worker may begin tasks. See the [module](self).
pub(crate) struct Dismissal<S>(pub(crate) S);

impl<S: Sleep> Dismissal<S> {
    /// For the supervisor: dismisses the worker, unless it is seen to have a task; whether it is. It is
    /// to be killed then.
    pub(crate) fn dismiss(&self, has_task: impl FnOnce() -> bool) -> bool {
        // ORDERING: Relaxed: the fence pairs with the one in `await_permission`: either the worker sees
        // this, or we see what it has claimed.
        self.0.word().store(1, Relaxed);
        fence(SeqCst);
        let is_idle = !has_task();
        if !is_idle {
            self.take_back();
        }
        is_idle
    }

    /// The worker may begin tasks.
    pub(crate) fn take_back(&self) {
        // ORDERING: Relaxed: a word that stands for itself. The kernel compares it under the lock under
        // which it wakes.
        self.0.word().store(0, Relaxed);
        self.0.wake(u32::MAX);
    }

    /// For a worker that has claimed a task: waits until it may begin.
    pub(crate) fn await_permission(&self) {
        // ORDERING: pairs with `dismiss`; the load then needs none.
        fence(SeqCst);
        loop {
            match self.0.word().load(Relaxed) {
                0 => break,
                // Not 1 if another process has written what it pleased.
                dismissed => self.0.sleep(dismissed, None),
            };
        }
    }
}
