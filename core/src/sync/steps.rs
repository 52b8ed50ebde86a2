//! Native atomics that call a hook before each access, so that a test can do something there.
//!
//! What is done is up to the test: run another operation to its end, as an interrupt would, or let
//! a scheduler switch threads. Accesses to an [`UnsafeCell`] are steps too, for an interrupt may come
//! between them and the atomic access before.
//!
//! ```text
//!     test                        code under test, on the same thread
//!
//!     on_step(hook, || ..) -----> push --- load --- compare_exchange --- ..
//!                                           ^        ^
//!                                hook.step() before each
//! ```

extern crate std;

use core::cell::RefCell;
use std::rc::Rc;

use super::{Ordering, native};

/// What a test does at the steps of the code under test.
pub trait Hook {
    /// Called before each access to an atomic or a cell. If it uses this crate itself, it is called
    /// for the steps of that too.
    fn step(&self);

    /// Called in each turn of a loop that waits for somebody else to go on.
    fn pause(&self) {}

    /// Whether a `compare_exchange_weak` fails this time, whatever it would find.
    fn fails(&self) -> bool {
        false
    }
}

std::thread_local! {
    static HOOK: RefCell<Option<Rc<dyn Hook>>> = const { RefCell::new(None) };
}

/// Does some work with a hook at each step that it makes on this thread.
pub fn on_step<R>(hook: Rc<dyn Hook>, work: impl FnOnce() -> R) -> R {
    struct Restore(Option<Rc<dyn Hook>>);

    impl Drop for Restore {
        fn drop(&mut self) {
            HOOK.replace(self.0.take());
        }
    }

    let _restore = Restore(HOOK.replace(Some(hook)));
    work()
}

/// The hook, by a handle of its own: it may be called again before a call has returned.
fn hook() -> Option<Rc<dyn Hook>> {
    // A thread that is ending has none.
    HOOK.try_with(|hook| hook.borrow().clone()).ok().flatten()
}

fn step() {
    if let Some(hook) = hook() {
        hook.step();
    }
}

/// `core::sync::atomic::AtomicU32` with a step before each access.
#[derive(Debug)]
#[repr(transparent)]
pub struct AtomicU32(core::sync::atomic::AtomicU32);

impl AtomicU32 {
    /// An atomic with this value.
    #[must_use]
    pub const fn new(value: u32) -> Self {
        Self(core::sync::atomic::AtomicU32::new(value))
    }

    fn after_step(&self) -> &core::sync::atomic::AtomicU32 {
        step();
        &self.0
    }

    /// As natively.
    pub fn load(&self, order: Ordering) -> u32 {
        self.after_step().load(order)
    }

    /// As natively.
    pub fn store(&self, value: u32, order: Ordering) {
        self.after_step().store(value, order);
    }

    /// As natively.
    pub fn swap(&self, value: u32, order: Ordering) -> u32 {
        self.after_step().swap(value, order)
    }

    /// As natively.
    pub fn fetch_add(&self, value: u32, order: Ordering) -> u32 {
        self.after_step().fetch_add(value, order)
    }

    /// As natively.
    pub fn fetch_sub(&self, value: u32, order: Ordering) -> u32 {
        self.after_step().fetch_sub(value, order)
    }

    /// As natively.
    pub fn fetch_or(&self, value: u32, order: Ordering) -> u32 {
        self.after_step().fetch_or(value, order)
    }

    /// As natively.
    pub fn fetch_and(&self, value: u32, order: Ordering) -> u32 {
        self.after_step().fetch_and(value, order)
    }

    /// As natively.
    ///
    /// # Errors
    ///
    /// As natively.
    pub fn compare_exchange(
        &self,
        current: u32,
        new: u32,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u32, u32> {
        self.after_step()
            .compare_exchange(current, new, success, failure)
    }

    /// As natively, and fails without a reason when the hook says so.
    ///
    /// # Errors
    ///
    /// As natively.
    pub fn compare_exchange_weak(
        &self,
        current: u32,
        new: u32,
        success: Ordering,
        failure: Ordering,
    ) -> Result<u32, u32> {
        let atomic = self.after_step();
        if hook().is_some_and(|hook| hook.fails()) {
            return Err(atomic.load(failure));
        }
        atomic.compare_exchange(current, new, success, failure)
    }

    /// As natively.
    ///
    /// # Errors
    ///
    /// As natively.
    pub fn fetch_update(
        &self,
        set_order: Ordering,
        fetch_order: Ordering,
        mut update: impl FnMut(u32) -> Option<u32>,
    ) -> Result<u32, u32> {
        let mut before = self.load(fetch_order);
        while let Some(after) = update(before) {
            match self.compare_exchange_weak(before, after, set_order, fetch_order) {
                Ok(_) => return Ok(before),
                Err(now) => before = now,
            }
        }
        Err(before)
    }
}

/// The native cell with a step before each access.
#[derive(Debug)]
#[repr(transparent)]
pub struct UnsafeCell<T>(native::UnsafeCell<T>);

impl<T> UnsafeCell<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self(native::UnsafeCell::new(value))
    }

    /// Lends a pointer to read through.
    pub fn with<R>(&self, read: impl FnOnce(*const T) -> R) -> R {
        step();
        self.0.with(read)
    }

    /// Lends a pointer to write through.
    pub fn with_mut<R>(&self, write: impl FnOnce(*mut T) -> R) -> R {
        step();
        self.0.with_mut(write)
    }
}

/// Tells the hook, and the processor, that this is a busy-wait loop.
pub fn pause() {
    if let Some(hook) = hook() {
        hook.pause();
    }
    native::pause();
}
