//! The count of unfinished items: those put and not yet reported as done.
//!
//! ```text
//!     items ever put:     | finished           | unfinished      |
//!                         0                   done             pushed
//! ```
//!
//! The container knows how many items were ever pushed; a third cursor follows behind and says how
//! many of them are done. So a put costs nothing for it, and none can be counted too early or too
//! late.

use crate::bounded::Container;
use crate::error::TooManyDone;
use crate::sync::{
    AtomicU32,
    Ordering::{AcqRel, Acquire, Relaxed},
};
use crate::wait::{AsyncPark, Condition, EventCount, Park, WaitAsync};

/// How much of what was pushed into a container is done.
pub(super) struct Tally<P: Park> {
    done: AtomicU32,
    zero: EventCount<P>,
}

impl<P: Park> Tally<P> {
    crate::sync::const_fn! {
        pub(super) const fn new() -> Self {
            Self { done: AtomicU32::new(0), zero: EventCount::new() }
        }
    }

    /// Counts one more item as done; the last one wakes those who wait for zero.
    pub(super) fn done(&self, container: &impl Container) -> Result<(), TooManyDone> {
        // ORDERING: the acquire halves show the pushes of all items that are done so far, so that
        // `pushed` cannot seem to lie behind. The release half hands our work to the waiter
        // (`Finished`), through the later reports if there are any. The acquire half of the update
        // also takes over a waiter's announcement if it checked before us.
        let mut done = self.done.load(Acquire);
        loop {
            if done == container.pushed() {
                return Err(TooManyDone);
            }
            let next = container.after(done);
            match self.done.compare_exchange_weak(done, next, AcqRel, Acquire) {
                Ok(_) => {
                    if next == container.pushed() {
                        self.zero.notify(u32::MAX);
                    }
                    return Ok(());
                }
                Err(now) => done = now,
            }
        }
    }

    /// How many items are unfinished.
    pub(super) fn count(&self, container: &impl Container) -> u32 {
        // ORDERING: Acquire pairs with `done`. The container second: it never lies behind.
        let done = self.done.load(Acquire);
        container.between(done, container.pushed())
    }

    /// Waits until none is unfinished; says whether that was before the deadline.
    pub(super) fn wait(&self, container: &impl Container, deadline: Option<P::Deadline>) -> bool {
        let mut finished = self.finished(container);
        finished
            .attempt()
            .or_else(|| self.zero.wait(&mut finished, deadline))
            .is_some()
    }

    /// As [`wait`](Self::wait), for a task.
    pub(super) fn wait_async<'a, C: Container>(
        &'a self,
        container: &'a C,
    ) -> WaitAsync<'a, Finished<'a, C>, P>
    where
        P: AsyncPark,
    {
        self.zero.wait_async(self.finished(container))
    }

    fn finished<'a, C>(&'a self, container: &'a C) -> Finished<'a, C> {
        Finished {
            done: &self.done,
            container,
        }
    }
}

/// Every item put has been reported as finished: what [`Queue::join_async`] waits for.
///
/// [`Queue::join_async`]: crate::Queue::join_async
pub struct Finished<'a, C> {
    done: &'a AtomicU32,
    container: &'a C,
}

impl<C: Container> Condition for Finished<'_, C> {
    type Output = ();

    fn glance(&self) -> bool {
        // ORDERING: Relaxed: only an attempt counts.
        self.done.load(Relaxed) == self.container.pushed()
    }

    fn attempt(&mut self) -> Option<()> {
        // ORDERING: the acquire half takes over the finished work; the release half makes a "no"
        // happen before the last report, which then sees our announcement.
        (self.done.fetch_add(0, AcqRel) == self.container.pushed()).then_some(())
    }
}
