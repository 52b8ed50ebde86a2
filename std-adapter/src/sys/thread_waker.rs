//! Wakers of threads: what a thread leaves where tasks leave theirs.
//!
//! To wake by one, to copy it and to drop it are safe in a signal handler (where a wake-up of
//! [`Parker`] is): no memory is allocated or freed. So a bell is never freed. A thread that is done
//! with its bell leaves it to the next one, which may hear a late ring that was not meant for it, and
//! looks once for nothing. There are as many as threads ever waited at a time, of four bytes each.

use std::cell::Cell;
use std::ptr;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};
use std::time::Instant;

use super::park::Parker;
use crate::select::any::Bell;

/// Bells that no thread listens to at the moment.
static SPARE: Mutex<Vec<&'static Bell<Parker>>> = Mutex::new(Vec::new());

thread_local! {
    /// The bell that this thread listened to last.
    static MINE: Cell<Option<Listener>> = const { Cell::new(None) };
}

/// One that is the only to listen to its bell; leaves it to others when dropped.
struct Listener(&'static Bell<Parker>);

impl Listener {
    fn new() -> Self {
        let spare = SPARE.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Self(spare.unwrap_or_else(|| Box::leak(Box::new(Bell::new()))))
    }

    fn waker(&self) -> Waker {
        // SAFETY: the functions of the table keep the contract of `RawWaker`: the data is a bell that
        // lives for ever and may be rung by any thread, so there is nothing to count.
        unsafe { Waker::new(ptr::from_ref(self.0).cast(), &TABLE) }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        SPARE
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(self.0);
    }
}

static TABLE: RawWakerVTable = RawWakerVTable::new(copy, ring, ring, forget);

fn copy(bell: *const ()) -> RawWaker {
    RawWaker::new(bell, &TABLE)
}

fn ring(bell: *const ()) {
    // SAFETY: `Listener::waker` and `copy` are the only ones who use the table, with a pointer from a
    // `&'static Bell<Parker>`.
    unsafe { &*bell.cast::<Bell<Parker>>() }.ring();
}

fn forget(_bell: *const ()) {}

/// Whether this is the waker of a thread.
#[inline]
pub(super) fn is_of_thread(waker: &Waker) -> bool {
    ptr::eq(waker.vtable(), &raw const TABLE)
}

/// Polls until there is an answer, asleep in between, or until the deadline; `None` says that it has
/// passed.
pub(crate) fn wait_for<R>(
    deadline: Option<Instant>,
    poll: impl FnMut(&mut Context<'_>) -> Poll<R>,
) -> Option<R> {
    // Taken out meanwhile: what is polled may wait in the same way.
    let mine = MINE.try_with(Cell::take).ok().flatten();
    let listener = mine.unwrap_or_else(Listener::new);
    let answer = listener.0.wait(&listener.waker(), deadline, poll);
    // If the thread is about to end, the listener is dropped here.
    let _ = MINE.try_with(|mine| mine.set(Some(listener)));
    answer
}
