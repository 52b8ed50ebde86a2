//! Waiting for any of several futures on a thread: a bell that their wakers ring.
//!
//! ```text
//!     waiter                                      waker, maybe in a signal handler
//!
//!     1  poll all: who has nothing keeps a        a  change the condition, take the waker
//!        waker, which rings the bell              b  ring: word := RUNG;
//!     2  word QUIET? then ASLEEP; park if it is       was it ASLEEP? then unpark
//!     3  word := QUIET, poll all again
//! ```
//!
//! **No wake-up is lost.** A ring between 1 and 2 makes 2 fail, one after it wakes the sleeper, and one
//! after 3 is before the next 2. That each future either sees its change or has its waker found is
//! their own promise.
//!
//! **Nothing is taken from who does not win.** Polling ends at the first that is ready; the others are
//! dropped, and hand a wake-up that had come to them on to the next in line.
//!
//! This file knows neither threads nor queues; the models of `loom-tests` compile it as it stands.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use brigade_core::sync::{Ordering, Word};
use brigade_core::wait::{Park, Wake};

/// Nobody has rung.
const QUIET: u32 = 0;
/// Somebody has rung and has not been heard.
const RUNG: u32 = 1;
/// As `QUIET`, and the one who listens is asleep or about to fall asleep.
const ASLEEP: u32 = 2;

/// What one thread at a time listens to, and anybody may ring.
pub(crate) struct Bell<P> {
    word: Word,
    park: PhantomData<fn() -> P>,
}

impl<P: Park> Bell<P> {
    pub(crate) fn new() -> Self {
        Self {
            word: Word::new(QUIET),
            park: PhantomData,
        }
    }

    /// Wakes the one who listens, now or when it does next. An atomic update and at most one wake-up
    /// of the backend.
    pub(crate) fn ring(&self) {
        // ORDERING: Release pairs with `listen`: what was changed before is seen in the next poll.
        if self.word.swap(RUNG, Ordering::Release) == ASLEEP {
            P::unpark(&self.word, 1);
        }
    }

    /// Sleeps until somebody rings or has done so since the last call. May return early without a
    /// reason.
    fn listen(&self, deadline: Option<P::Deadline>) -> Wake {
        let mut step = 0;
        // ORDERING: Relaxed, here and below: the swap acquires.
        while self.word.load(Ordering::Relaxed) == QUIET && P::relax(step) {
            step += 1;
        }
        let _ = self
            .word
            .compare_exchange(QUIET, ASLEEP, Ordering::Relaxed, Ordering::Relaxed);
        // If it has rung this does not sleep, but tells whether the time is up: sources that ring at
        // every poll must not keep us here.
        let wake = P::park(&self.word, ASLEEP, deadline);
        // ORDERING: Acquire pairs with `ring`.
        self.word.swap(QUIET, Ordering::Acquire);
        wake
    }

    /// Polls until there is an answer, or until the deadline, with one last look when it has passed.
    /// The waker rings this bell.
    pub(crate) fn wait<R>(
        &self,
        waker: &Waker,
        deadline: Option<P::Deadline>,
        mut poll: impl FnMut(&mut Context<'_>) -> Poll<R>,
    ) -> Option<R> {
        let mut context = Context::from_waker(waker);
        let mut wake = Wake::Woken;
        loop {
            if let Poll::Ready(answer) = poll(&mut context) {
                return Some(answer);
            }
            if wake == Wake::TimedOut {
                return None;
            }
            wake = self.listen(deadline);
        }
    }
}

/// Polls these in turn, beginning with the one at `start`, and stops at the first that is ready.
pub(crate) fn poll_any<F: Future + Unpin>(
    futures: &mut [F],
    start: usize,
    context: &mut Context<'_>,
) -> Poll<F::Output> {
    let (before, from) = futures.split_at_mut(start);
    for future in from.iter_mut().chain(before) {
        let answer = Pin::new(future).poll(context);
        if answer.is_ready() {
            return answer;
        }
    }
    Poll::Pending
}
