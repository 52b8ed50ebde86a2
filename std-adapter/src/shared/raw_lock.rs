//! The lock under all that locks: a word that says who holds it.
//!
//! ```text
//!     63      43 42          21 20          1      0
//!     +---------+--------------+------------+-----------+
//!     | again   | thread       | owner      | ABANDONED |      owner 0: free
//!     +---------+--------------+------------+-----------+
//! ```
//!
//! One compare-and-swap takes the lock and says for whom. So whoever learns of the owner's death can take it
//! back, also if the owner died in the very instruction: `ABANDONED` stays in the word, and tells all
//! who take the lock later, until one of them says that things are in order. A holder that was stopped keeps it.
//!
//! The thread is in it so that one which would wait for itself is told so. `again` counts how often the holder
//! of a reentrant lock has taken it besides.

use std::cell::Cell;
use std::sync::Arc;
use std::time::Instant;

use super::atomic::{AtomicU64, Ordering};
use super::participants::Owner;
use super::segment::Room;
use crate::sys::memory::Words;
use crate::sys::thread_id;

const ABANDONED: u64 = 1;
const OWNER_SHIFT: u32 = 1;
const OWNER: u64 = ((1 << Owner::TAG_BITS) - 1) << OWNER_SHIFT;
const THREAD_SHIFT: u32 = OWNER_SHIFT + Owner::TAG_BITS;
const AGAIN_SHIFT: u32 = THREAD_SHIFT + 22;
const AGAIN: u64 = 1 << AGAIN_SHIFT;
/// The holder, thread and all.
const HOLDER: u64 = (AGAIN - 1) & !ABANDONED;

/// A lock in a segment.
#[derive(Debug)]
pub(crate) struct RawLock {
    word: Words,
    room: Arc<Room>,
    bell: usize,
}

/// An answer of the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// The caller holds it.
    Clean,
    /// The caller holds it; a former holder died with it, and nobody has put things in order.
    Abandoned,
    /// The calling thread has held it before; it has not been taken again.
    Mine,
}

impl RawLock {
    /// The lock whose word is this far from the beginning of the contents, and who waits by this bell.
    pub(crate) fn attach(room: &Arc<Room>, offset: usize, bell: usize) -> Option<Self> {
        Some(Self {
            word: room.words(offset, 1).filter(|_| bell < room.bells())?,
            room: Arc::clone(room),
            bell,
        })
    }

    fn word(&self) -> &AtomicU64 {
        &self.word[0]
    }

    /// The calling thread, as a holder.
    fn me(&self) -> u64 {
        thread_local! {
            static THREAD: Cell<u32> = const { Cell::new(0) };
        }
        if THREAD.get() == 0 {
            THREAD.set(thread_id::current().unwrap_or(0));
        }
        u64::from(THREAD.get()) << THREAD_SHIFT | u64::from(self.room.me().tag()) << OWNER_SHIFT
    }

    /// Takes the lock if it is free, or the caller's already. Lock-free.
    pub(crate) fn try_take(&self) -> Option<Taken> {
        self.attempt().or_else(|| {
            // The holder may be dead, and nobody may have looked after it.
            self.room.ensure_watched();
            self.attempt()
        })
    }

    /// Takes the lock, or waits until the deadline has passed.
    pub(crate) fn take(&self, deadline: Option<Instant>) -> Option<Taken> {
        self.room.wait(self.bell, deadline, || self.attempt())
    }

    fn attempt(&self) -> Option<Taken> {
        let me = self.me();
        // ORDERING: Relaxed: the compare-and-swap decides.
        let mut word = self.word().load(Ordering::Relaxed);
        loop {
            if word & HOLDER == me {
                return Some(Taken::Mine);
            }
            if word & OWNER != 0 {
                return None;
            }
            let flag = word & ABANDONED;
            // ORDERING: Acquire pairs with `release` and `recover`: what was done under the lock is
            // visible.
            match self.word().compare_exchange_weak(
                word,
                me | flag,
                Ordering::Acquire,
                Ordering::Relaxed,
            ) {
                Ok(_) if flag == 0 => return Some(Taken::Clean),
                Ok(_) => return Some(Taken::Abandoned),
                Err(now) => word = now,
            }
        }
    }

    /// For the holder: takes it once more. `false` if that was too often.
    pub(crate) fn take_again(&self) -> bool {
        // ORDERING: Relaxed: only the holder writes to the word.
        let word = self.word().load(Ordering::Relaxed);
        let again = word.checked_add(AGAIN);
        if let Some(again) = again {
            self.word().store(again, Ordering::Relaxed);
        }
        again.is_some()
    }

    /// For the holder: gives it back, the last time for good.
    pub(crate) fn release(&self) {
        // ORDERING: Relaxed: only the holder writes to the word.
        let word = self.word().load(Ordering::Relaxed);
        if word >= AGAIN {
            self.word().store(word - AGAIN, Ordering::Relaxed);
            return;
        }
        // ORDERING: Release pairs with `attempt`.
        self.word().store(word & ABANDONED, Ordering::Release);
        self.room.ring(self.bell, 1);
    }

    /// For the holder: what the dead one left is in order.
    pub(crate) fn mark_clean(&self) {
        // ORDERING: Relaxed: only the holder writes to the word.
        let word = self.word().load(Ordering::Relaxed);
        self.word().store(word & !ABANDONED, Ordering::Relaxed);
    }

    /// Whether nobody has put things in order since a holder died.
    pub(crate) fn is_abandoned(&self) -> bool {
        // ORDERING: Relaxed: old news as soon as it is read.
        self.word().load(Ordering::Relaxed) & ABANDONED != 0
    }

    /// Takes it back from one who is dead.
    pub(crate) fn recover(&self, dead: Owner) {
        let dead = u64::from(dead.tag()) << OWNER_SHIFT;
        // ORDERING: Release pairs with `attempt`: who takes it next sees what we know of the dead.
        // Relaxed: the compare-and-swap decides.
        let _ = self
            .word()
            .fetch_update(Ordering::Release, Ordering::Relaxed, |word| {
                (word & OWNER == dead).then_some(ABANDONED)
            });
    }
}
