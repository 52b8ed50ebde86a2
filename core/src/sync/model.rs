//! Loom's atomics, with nothing left out of the search, and the backend of models.

extern crate std;

use core::convert::Infallible;
use core::marker::PhantomData;
use core::mem::MaybeUninit;
use core::panic::Location;
use core::time::Duration;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::vec::Vec;

use loom::sync::Condvar;
use loom::thread::{self, Thread, ThreadId};

use super::Ordering;
use crate::wait::{NoWakers, Park, TimedPark, Wake};

pub use loom::cell::UnsafeCell;
pub use loom::thread::yield_now as pause;

/// What takes the place of an ordering in the source; for a program that weakens one after the
/// other, to see a model fail. Told are where the access stands, which of its orderings it is, and
/// what stands there.
pub type Weaken = fn(&'static Location<'static>, Outcome, Ordering) -> Ordering;

/// Of an access with two orderings, when one of them holds; others only know success.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The access did what it is for.
    Success,
    /// It compared, and did not write.
    Failure,
}

static WEAKEN: OnceLock<Weaken> = OnceLock::new();

/// Has every ordering pass through `weaken` from now on. Only the first call counts.
pub fn weaken_orderings(weaken: Weaken) {
    let _ = WEAKEN.set(weaken);
}

#[track_caller]
fn actual(outcome: Outcome, written: Ordering) -> Ordering {
    match WEAKEN.get() {
        Some(weaken) => weaken(Location::caller(), outcome, written),
        None => written,
    }
}

/// Loom's atomic, with nothing left out of the search.
///
/// Loom (0.7) remembers one access to an atomic, the last. If two threads load, one after the
/// other, and the second then writes, the first load is forgotten and the write is never tried
/// before it. So most interleavings of two threads that load and compare-and-swap are left out,
/// silently. Here the loads of each thread leave a mark that every write touches, so that loom
/// knows of all pairs. Where threads may switch does not change: the marks are no part of what
/// is explored.
#[derive(Debug)]
pub struct AtomicU32 {
    value: loom::sync::atomic::AtomicU32,
    /// One for each thread that ever loaded. A condition variable nobody waits on is loom's
    /// plainest object: ringing it is an access, and nothing else.
    marks: Mutex<Vec<(ThreadId, Condvar)>>,
}

impl AtomicU32 {
    /// An atomic with this value.
    #[must_use]
    pub fn new(value: u32) -> Self {
        Self {
            value: loom::sync::atomic::AtomicU32::new(value),
            marks: Mutex::default(),
        }
    }

    fn note(&self, is_write: bool) {
        let me = thread::current().id();
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        if !is_write && marks.iter().all(|(id, _)| *id != me) {
            marks.push((me, Condvar::new()));
        }
        for (_, mark) in marks.iter().filter(|(id, _)| (*id == me) != is_write) {
            loom::stop_exploring();
            mark.notify_one();
            loom::explore();
        }
    }

    /// As natively.
    #[track_caller]
    pub fn load(&self, order: Ordering) -> u32 {
        let order = actual(Outcome::Success, order);
        let value = self.value.load(order);
        self.note(false);
        value
    }

    fn write<R>(&self, write: impl FnOnce(&loom::sync::atomic::AtomicU32) -> R) -> R {
        let answer = write(&self.value);
        self.note(true);
        answer
    }

    /// As natively.
    ///
    /// Loom leaves the order of a store and another thread's read-modify-write open, so a lock
    /// could be found held for ever after its release. Looking first settles it.
    #[track_caller]
    pub fn store(&self, value: u32, order: Ordering) {
        let order = actual(Outcome::Success, order);
        self.write(|atomic| {
            // ORDERING: Relaxed: no more than the store's own.
            atomic.fetch_add(0, Ordering::Relaxed);
            loom::stop_exploring();
            atomic.store(value, order);
            loom::explore();
        });
    }

    /// As natively.
    #[track_caller]
    pub fn swap(&self, value: u32, order: Ordering) -> u32 {
        let order = actual(Outcome::Success, order);
        self.write(|atomic| atomic.swap(value, order))
    }

    /// As natively.
    #[track_caller]
    pub fn fetch_add(&self, value: u32, order: Ordering) -> u32 {
        let order = actual(Outcome::Success, order);
        self.write(|atomic| atomic.fetch_add(value, order))
    }

    /// As natively.
    #[track_caller]
    pub fn fetch_sub(&self, value: u32, order: Ordering) -> u32 {
        let order = actual(Outcome::Success, order);
        self.write(|atomic| atomic.fetch_sub(value, order))
    }

    /// As natively.
    #[track_caller]
    pub fn fetch_or(&self, value: u32, order: Ordering) -> u32 {
        let order = actual(Outcome::Success, order);
        self.write(|atomic| atomic.fetch_or(value, order))
    }

    /// As natively.
    #[track_caller]
    pub fn fetch_and(&self, value: u32, order: Ordering) -> u32 {
        let order = actual(Outcome::Success, order);
        self.write(|atomic| atomic.fetch_and(value, order))
    }

    /// As natively.
    ///
    /// # Errors
    ///
    /// As natively.
    #[track_caller]
    pub fn compare_exchange(
        &self,
        current: u32,
        new: u32,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u32, u32> {
        let success = actual(Outcome::Success, success);
        let failure = actual(Outcome::Failure, failure);
        self.write(|atomic| atomic.compare_exchange(current, new, success, failure))
    }

    /// As natively, but does not fail without a reason.
    ///
    /// # Errors
    ///
    /// As natively.
    #[track_caller]
    pub fn compare_exchange_weak(
        &self,
        current: u32,
        new: u32,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u32, u32> {
        self.compare_exchange(current, new, success, failure)
    }

    /// As natively.
    ///
    /// # Errors
    ///
    /// As natively.
    #[track_caller]
    pub fn fetch_update(
        &self,
        set_order: Ordering,
        fetch_order: Ordering,
        mut update: impl FnMut(u32) -> Option<u32>,
    ) -> Result<u32, u32> {
        let fetch = actual(Outcome::Failure, fetch_order);
        let mut before = self.value.load(fetch);
        self.note(false);
        while let Some(after) = update(before) {
            match self.compare_exchange(before, after, set_order, fetch_order) {
                Ok(_) => return Ok(before),
                Err(now) => before = now,
            }
        }
        Err(before)
    }
}

/// An atomic that is only ever loaded and stored.
pub type LoadStoreU32 = AtomicU32;

/// Neighbouring cells, lent as one slice to read and write.
///
/// Loom's cells do not lie side by side, so the slice is a copy that goes back in the end. To loom
/// all of them are being written meanwhile.
#[derive(Debug)]
pub struct CellSlice<'a, T> {
    // Given back in this order: the content, then the leave to touch it.
    copy: Vec<MaybeUninit<T>>,
    cells: Vec<loom::cell::MutPtr<MaybeUninit<T>>>,
    lifetime: PhantomData<&'a mut [T]>,
}

impl<'a, T> CellSlice<'a, T> {
    /// As natively.
    ///
    /// # Safety
    ///
    /// As natively.
    #[must_use]
    pub unsafe fn new(cells: &'a [UnsafeCell<MaybeUninit<T>>]) -> Self {
        let cells: Vec<_> = cells.iter().map(UnsafeCell::get_mut).collect();
        // SAFETY: the pointers are to the cells, which the caller lends; the content is not used
        // there until it is back.
        let read = |place: *mut MaybeUninit<T>| unsafe { place.read() };
        Self {
            copy: cells.iter().map(|cell| cell.with(read)).collect(),
            cells,
            lifetime: PhantomData,
        }
    }
}

impl<T> Drop for CellSlice<'_, T> {
    fn drop(&mut self) {
        for (cell, content) in self.cells.iter().zip(self.copy.drain(..)) {
            // SAFETY: as in `new`.
            cell.with(|place| unsafe { place.write(content) });
        }
    }
}

impl<T> core::ops::Deref for CellSlice<'_, T> {
    type Target = [MaybeUninit<T>];

    fn deref(&self) -> &[MaybeUninit<T>] {
        &self.copy
    }
}

impl<T> core::ops::DerefMut for CellSlice<'_, T> {
    fn deref_mut(&mut self) -> &mut [MaybeUninit<T>] {
        &mut self.copy
    }
}

/// A 32-bit atomic that somebody may sleep on; see [`Park`].
#[derive(Debug)]
pub struct Word {
    atomic: AtomicU32,
    /// In the order in which they fell asleep. Loom need not know of the lock: it never
    /// switches threads while it is held.
    asleep: Mutex<VecDeque<Sleeper>>,
}

#[derive(Debug)]
struct Sleeper {
    thread: Thread,
    timed: bool,
}

impl Word {
    /// A word with this value and nobody asleep on it.
    #[must_use]
    pub fn new(value: u32) -> Self {
        Self {
            atomic: AtomicU32::new(value),
            asleep: Mutex::default(),
        }
    }

    fn asleep(&self) -> MutexGuard<'_, VecDeque<Sleeper>> {
        self.asleep.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value of this instant. As a read-modify-write it cannot be stale, and loom tries it
    /// before and after every change of the word.
    fn now(&self) -> u32 {
        // ORDERING: Relaxed: like a futex's check, it orders nothing.
        self.atomic.fetch_add(0, Ordering::Relaxed)
    }
}

impl core::ops::Deref for Word {
    type Target = AtomicU32;

    fn deref(&self) -> &AtomicU32 {
        &self.atomic
    }
}

/// The backend of models: sleeps in loom's scheduler, which reports a thread that is never
/// woken as a deadlock.
///
/// A deadline is modelled as a return at any moment: a sleeper with a deadline wakes by itself
/// whenever loom lets it run, unless somebody woke it before.
///
/// Nobody waits busily first: in loom a pause would hide from the following loads the old
/// values that the preceding ones saw, and with them the mistakes that models look for.
#[derive(Debug)]
pub struct Model(Infallible);

impl Park for Model {
    type Deadline = ();
    type Wakers = NoWakers;

    fn park(word: &Word, expected: u32, deadline: Option<()>) -> Wake {
        // From here to the next step loom lets nobody else run: comparing and falling asleep
        // are one.
        if word.now() != expected {
            return Wake::Woken;
        }
        let me = thread::current();
        let (thread, timed) = (me.clone(), deadline.is_some());
        word.asleep().push_back(Sleeper { thread, timed });
        if timed {
            // Whoever is let in before this step may still wake us.
            word.now();
            let mut asleep = word.asleep();
            let place = asleep.iter().position(|it| it.thread.id() == me.id());
            return match place.and_then(|place| asleep.remove(place)) {
                Some(_) => Wake::TimedOut,
                None => Wake::Woken,
            };
        }
        while word.asleep().iter().any(|it| it.thread.id() == me.id()) {
            thread::park();
        }
        Wake::Woken
    }

    fn unpark(word: &Word, sleepers: u32) {
        word.now();
        let mut asleep = word.asleep();
        let woken = asleep
            .len()
            .min(usize::try_from(sleepers).unwrap_or(usize::MAX));
        for sleeper in asleep.drain(..woken).filter(|it| !it.timed) {
            sleeper.thread.unpark();
        }
    }

    fn relax(step: u32) -> bool {
        if step > 0 {
            pause();
        }
        false
    }
}

impl TimedPark for Model {
    fn deadline_after(_timeout: Duration) -> Option<()> {
        Some(())
    }
}

macro_rules! const_fn {
    ($(#[$meta:meta])* $vis:vis const fn $($rest:tt)*) => {
        $(#[$meta])* $vis fn $($rest)*
    };
}

macro_rules! array {
    ($value:expr; $len:expr) => {
        core::array::from_fn(|_| $value)
    };
}

macro_rules! constant {
    ($(#[$meta:meta])* const $name:ident: $type:ty;) => {
        $(#[$meta])*
        #[allow(non_snake_case, reason = "natively it is a constant")]
        fn $name() -> $type;
    };
    ($(#[$meta:meta])* const $name:ident: $type:ty = $value:expr;) => {
        $(#[$meta])* fn $name() -> $type {
            $value
        }
    };
}

macro_rules! made {
    ($($constant:tt)*) => {
        $($constant)*()
    };
}

pub(crate) use {array, const_fn, constant, made};
