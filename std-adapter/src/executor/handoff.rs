//! [`Handoff`]: one word by which two owners share an allocation, pass its contents on, and free
//! it.
//!
//! The *worker* has one handle, the *owner* of the task the other. Whoever begins has the body
//! until it finishes; then it is the owner's. All of it is one word:
//!
//! ```text
//!       4      3       2      1 0
//!     +------+-------+-------+-------+
//!     | LEFT | WAKER | ASLEEP| stage |        stage: QUEUED --> BEGUN --> DONE
//!     +------+-------+-------+-------+
//! ```
//!
//! | what | belongs to |
//! |---|---|
//! | the body | nobody while `QUEUED`; whoever made it `BEGUN`; the owner once `DONE` |
//! | the waker | the owner; but while `WAKER` is set, whoever makes it `DONE` |
//! | the allocation | both; whoever finds `LEFT` set when it leaves is the last |
//!
//! A task that nobody waits for yet when it is done costs the worker two atomic updates, one to
//! begin and one to finish and leave, and its owner one, to leave. That, and not a lock, a flag and
//! a counted reference, is the reason for this file: they would be eight.

use core::marker::PhantomData;
use core::task::Waker;

use brigade_core::sync::{
    Ordering::{AcqRel, Acquire, Relaxed},
    UnsafeCell, Word,
};
use brigade_core::wait::{Park, Wake};

/// The bits that hold the stage.
const STAGE: u32 = 0b11;
/// Nobody has the body.
const QUEUED: u32 = 0;
/// Whoever began has the body.
const BEGUN: u32 = 1;
/// The owner has the body.
const DONE: u32 = 2;
/// The owner may be asleep on the word, in one thread or several. Set by the owner, never cleared.
const ASLEEP: u32 = 1 << 2;
/// The waker is to be woken. Set and cleared by the owner.
const WAKER: u32 = 1 << 3;
/// One of the two has left.
const LEFT: u32 = 1 << 4;

/// See the [module](self).
///
/// All of it is in one cell, so that a reference to it promises nothing about its bytes, not even
/// about those between the fields: an operation that leaves may return after the other side has
/// freed the allocation.
pub(crate) struct Handoff<B, P> {
    fields: UnsafeCell<Fields<B>>,
    park: PhantomData<fn() -> P>,
}

struct Fields<B> {
    word: Word,
    waker: UnsafeCell<Option<Waker>>,
    body: UnsafeCell<B>,
}

// SAFETY: the body and the waker are passed between threads and never used by two at a time, by
// the table above; `Waker` is `Send`.
unsafe impl<B: Send, P> Sync for Handoff<B, P> {}

/// Whether the caller of an operation has left with it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    Stay,
    Leave,
}

/// Who frees the allocation, after somebody has left it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "the last one frees the allocation"]
pub(crate) enum Fate {
    /// Somebody still uses it.
    Shared,
    /// The caller was the last.
    Last,
}

impl<B, P: Park> Handoff<B, P> {
    /// A body that nobody has begun with, held by two.
    pub(crate) fn new(body: B) -> Self {
        Self {
            fields: UnsafeCell::new(Fields {
                word: Word::new(QUEUED),
                waker: UnsafeCell::new(None),
                body: UnsafeCell::new(body),
            }),
            park: PhantomData,
        }
    }

    fn fields(&self) -> &Fields<B> {
        // SAFETY: the outer cell is never written through; the fields have cells of their own.
        self.fields.with(|fields| unsafe { &*fields })
    }

    fn word(&self) -> &Word {
        &self.fields().word
    }

    /// Makes the body the caller's, if nobody was first.
    pub(crate) fn begin(&self) -> bool {
        // A guess, and no load: that would fetch the cache line from whoever made the work, and the
        // update would then have to fetch it again, for writing.
        let mut word = QUEUED;
        while word & STAGE == QUEUED {
            // ORDERING: Relaxed: the caller has got its handle from whoever made the body, by way
            // of a queue or a task, and that showed it the body.
            match self
                .word()
                .compare_exchange_weak(word, word | BEGUN, Relaxed, Relaxed)
            {
                Ok(_) => return true,
                Err(now) => word = now,
            }
        }
        false
    }

    /// Works on the body.
    ///
    /// # Safety
    ///
    /// The body is the caller's, by the table above, and `work` does not come back here.
    pub(crate) unsafe fn with_body<R>(&self, work: impl FnOnce(&mut B) -> R) -> R {
        self.fields().body.with_mut(|body| {
            // SAFETY: the caller has the body to itself.
            work(unsafe { &mut *body })
        })
    }

    /// Hands the body to the owner, wakes it if it sleeps, and returns its waker if it left one.
    ///
    /// With [`Then::Leave`] the caller has left: it must not touch `self` again, unless it is told
    /// to free it.
    ///
    /// # Safety
    ///
    /// The caller has begun.
    pub(crate) unsafe fn finish(&self, then: Then) -> (Fate, Option<Waker>) {
        // ORDERING: Relaxed: the compare-and-swap decides.
        let mut word = self.word().load(Relaxed);
        loop {
            let nobody_waits = word & (ASLEEP | WAKER) == 0;
            let left = if nobody_waits && then == Then::Leave {
                LEFT
            } else {
                0
            };
            // ORDERING: the release half shows the body, and that we are through with it, to the
            // owner (`is_done`, `wait`, `register`) and to whoever frees it (`leave`). The acquire
            // half shows us the waker that the owner left (`register`), or, if we are the last,
            // that the owner is through (`leave`).
            match self.word().compare_exchange_weak(
                word,
                (word & !STAGE) | DONE | left,
                AcqRel,
                Relaxed,
            ) {
                Ok(_) if left == LEFT => return (fate(word), None),
                Ok(_) => break,
                Err(now) => word = now,
            }
        }
        if word & ASLEEP != 0 {
            // All of them: several threads may wait for one task, in a scope.
            P::unpark(self.word(), u32::MAX);
        }
        let mut waker = None;
        if word & WAKER != 0 {
            // SAFETY: the flag was set when we made it done, so the waker is ours.
            waker = self
                .fields()
                .waker
                .with_mut(|place| unsafe { &mut *place }.take());
        }
        match then {
            Then::Stay => (Fate::Shared, waker),
            Then::Leave => (self.leave(), waker),
        }
    }

    /// Gives up the caller's handle. It must not touch `self` again, unless it is told to free it.
    pub(crate) fn leave(&self) -> Fate {
        // ORDERING: the release half shows that we are through with it to whoever leaves last; the
        // acquire half shows us the same of the other.
        fate(self.word().fetch_or(LEFT, AcqRel))
    }

    /// Whether the body is the owner's.
    pub(crate) fn is_done(&self) -> bool {
        // ORDERING: Acquire pairs with `finish`.
        self.word().load(Acquire) & STAGE == DONE
    }

    /// For the owner: waits until the body is its own; `false` if the deadline passes first. An owner
    /// that is shared by several threads may wait in each of them.
    pub(crate) fn wait(&self, deadline: Option<P::Deadline>) -> bool {
        let mut step = 0;
        while !self.is_done() {
            if !P::relax(step) {
                return self.wait_asleep(deadline);
            }
            step += 1;
        }
        true
    }

    #[cold]
    fn wait_asleep(&self, deadline: Option<P::Deadline>) -> bool {
        let mut wake = Wake::Woken;
        loop {
            // ORDERING: Acquire pairs with `finish`. The release half of an update has nothing to
            // publish: it only asks `finish`, which reads the word by read-modify-write, for a
            // wake-up.
            let word = self.word().fetch_or(ASLEEP, Acquire) | ASLEEP;
            if word & STAGE == DONE {
                return true;
            }
            if wake == Wake::TimedOut {
                return false;
            }
            wake = P::park(self.word(), word, deadline);
        }
    }

    /// For the owner: has `waker` woken when the body is its own; `true` if it is already, and then
    /// the waker is not needed. The waker left before is forgotten.
    ///
    /// # Safety
    ///
    /// Only the owner calls this, not from several threads at once.
    pub(crate) unsafe fn register(&self, waker: &Waker) -> bool {
        // ORDERING: Acquire pairs with `finish`.
        let mut word = self.word().load(Acquire);
        if word & WAKER != 0 && word & STAGE != DONE {
            // ORDERING: Acquire pairs with `finish`, which may have come first.
            word = self.word().fetch_and(!WAKER, Acquire);
        }
        if word & STAGE == DONE {
            return true;
        }
        // It is not done and the flag is clear: the waker's place is ours. Its contents are
        // replaced with code of the waker's running before and after, but not meanwhile.
        let waker = waker.clone();
        // SAFETY: as just said.
        let former = self
            .fields()
            .waker
            .with_mut(|place| unsafe { &mut *place }.replace(waker));
        // ORDERING: the release half shows the waker to `finish`; the acquire half pairs with
        // `finish` if that has come meanwhile.
        let word = self.word().fetch_or(WAKER, AcqRel);
        // Last, as it may panic.
        drop(former);
        word & STAGE == DONE
    }
}

fn fate(word: u32) -> Fate {
    if word & LEFT == 0 {
        Fate::Shared
    } else {
        Fate::Last
    }
}
