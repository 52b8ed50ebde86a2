//! When all is finished: what was put has been taken, leases have ended, and what was got is reported.
//!
//! It is not counted, as a death would spoil the count, but seen: from the blocks, and from a word for each process
//! that says what it has got and not reported, and counts for nothing when it is dead.

#![forbid(unsafe_code)]

use std::time::Instant;

use super::{COUNTERS, DONE, Depot};
use crate::shared::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, SeqCst},
    fence,
};
use crate::shared::corrupted::Corrupted;
use crate::shared::participants::Owner;

/// Of a counter, below the owner's tag.
const ITEMS_BELOW: u64 = (1 << 32) - 1;
/// Items that a process has got beyond so many, and not reported, are not counted.
const MOST_COUNTED: u64 = 1 << 31;

impl Depot {
    /// Whether all that was put is finished with; after an immediate shutdown, all that was taken.
    pub(in crate::shared) fn is_done(&self) -> Result<bool, Corrupted> {
        let tail = self.ring().tail()?;
        let is_done = if self.is_immediate() {
            // Nobody is to take the rest. One that is being taken at this moment may be missed.
            !self.ring().blocks().any_leased()
        } else {
            self.ring().is_done()?
        };
        if !is_done {
            return Ok(false);
        }
        // ORDERING: Acquire: after the blocks. Who got an item counts it before its block is free.
        let all_reported = (self.unreported.iter().step_by(COUNTERS))
            .all(|counter| counter.load(Acquire) & ITEMS_BELOW == 0);
        Ok(all_reported && self.ring().tail()? == tail)
    }

    /// Waits until that is so; `false` if the time is up before.
    pub(in crate::shared) fn join_until(
        &self,
        deadline: Option<Instant>,
    ) -> Result<bool, Corrupted> {
        let done = self.room.wait(DONE, deadline, || self.done());
        done.unwrap_or(Ok(false))
    }

    /// The same for a task.
    pub(in crate::shared) async fn join_async(&self) -> Result<(), Corrupted> {
        let done = self.room.wait_async(DONE, || self.done()).await;
        done.map(drop)
    }

    fn done(&self) -> Option<Result<bool, Corrupted>> {
        match self.is_done() {
            Ok(false) => None,
            answer => Some(answer),
        }
    }

    #[inline]
    fn counter(&self) -> (&AtomicU64, u64) {
        let me = self.room.me();
        let counter = &self.unreported[usize::from(me.index) * COUNTERS];
        (counter, u64::from(me.tag()) << 32)
    }

    /// Counts an item that this process has to report.
    #[inline]
    pub(super) fn count(&self) {
        let (counter, tag) = self.counter();
        // ORDERING: Relaxed: the block is freed by a release afterwards.
        let word = counter.load(Relaxed);
        if word & !ITEMS_BELOW == tag {
            // Far from the tag above, however many threads do so at a time.
            if word & ITEMS_BELOW < MOST_COUNTED {
                counter.fetch_add(1, Relaxed);
            }
        } else {
            // The first. Another thread may be as far.
            let first = |word: u64| {
                Some(
                    if word & !ITEMS_BELOW == tag {
                        word
                    } else {
                        tag
                    } + 1,
                )
            };
            let _ = counter.fetch_update(Relaxed, Relaxed, first);
        }
    }

    /// Reports an item that was got; says whether there was one to report.
    pub(in crate::shared) fn report(&self) -> bool {
        let (counter, tag) = self.counter();
        let less = |word: u64| (word > tag && word & !ITEMS_BELOW == tag).then(|| word - 1);
        // ORDERING: SeqCst, for the bell. Release pairs with `is_done`: the work is seen.
        let before = counter.fetch_update(SeqCst, Relaxed, less);
        if before == Ok(tag + 1) {
            self.ring_done();
        }
        before.is_ok()
    }

    /// Wakes those who wait until all is finished, if it may be.
    #[inline]
    pub(super) fn ring_done(&self) {
        if self.room.bell(DONE).is_waited() {
            self.ring_if_empty();
        }
    }

    #[cold]
    fn ring_if_empty(&self) {
        // ORDERING: SeqCst: of two who finish their items at the same time, one sees both taken.
        fence(SeqCst);
        if self.is_immediate() || self.len() == Ok(0) {
            self.room.ring(DONE, u32::MAX);
        }
    }

    /// Waits no longer for what a dead process has not reported.
    pub(super) fn forgive(&self, dead: Owner) {
        let Some(counter) = self.unreported.get(usize::from(dead.index) * COUNTERS) else {
            return;
        };
        // ORDERING: Relaxed: whoever looks whether all is finished is woken afterwards.
        let _ = counter.fetch_update(Relaxed, Relaxed, |word| {
            (word >> 32 == u64::from(dead.tag()) && word & ITEMS_BELOW != 0)
                .then_some(word >> 32 << 32)
        });
    }
}
