//! `Handoff`, from the adapter's executor: the body has one user at a time, the owner is woken, and
//! exactly one of the two frees the allocation, when the other is through with it.
//!
//! It is the adapter's own file, compiled here on loom's types.

#[path = "../../std-adapter/src/executor/handoff.rs"]
#[allow(dead_code, unreachable_pub, reason = "it is written for another crate")]
mod original;

use std::sync::Arc;
use std::task::{Wake, Waker};

use brigade_core::sync::{Model, UnsafeCell};
use loom::sync::Notify;

use self::original::{Fate, Handoff, Then};
use crate::harness::{Crew, exhaustive};

/// A body that counts who has been at it: 0 as submitted, 1 run, 2 cancelled.
struct Shared {
    work: Handoff<u32, Model>,
    /// Touched by everybody who uses the allocation; written by whoever frees it. Loom sees to it
    /// that all uses come before.
    allocation: UnsafeCell<bool>,
    bell: Arc<Bell>,
}

/// A waker that a model can wait for.
struct Bell(Notify);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.notify();
    }
}

impl Shared {
    fn new() -> Self {
        Self {
            work: Handoff::new(0),
            allocation: UnsafeCell::new(false),
            bell: Arc::new(Bell(Notify::new())),
        }
    }

    fn work(&self) -> &Handoff<u32, Model> {
        self.allocation.with(|freed| {
            // SAFETY: only read here; loom tells if it is written at the same time.
            assert!(!unsafe { *freed }, "used after it was freed");
        });
        &self.work
    }

    fn settle(&self, fate: Fate) {
        if fate == Fate::Last {
            self.allocation.with_mut(|freed| {
                // SAFETY: nobody else uses it; loom tells if somebody does.
                let freed = unsafe { &mut *freed };
                assert!(!std::mem::replace(freed, true), "freed twice");
            });
            let check = |body: &mut u32| assert_ne!(*body, 0, "freed before it was done");
            // SAFETY: as above.
            unsafe { self.work.with_body(check) };
        }
    }

    /// What a worker does, or whoever cancels.
    fn finish(&self, result: u32, then: Then) -> bool {
        if !self.work().begin() {
            if then == Then::Leave {
                self.settle(self.work().leave());
            }
            return false;
        }
        // SAFETY: we have begun.
        unsafe {
            self.work().with_body(|body| {
                assert_eq!(*body, 0);
                *body = result;
            });
        }
        // SAFETY: we have begun.
        let (fate, waker) = unsafe { self.work().finish(then) };
        self.settle(fate);
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    fn run(&self) {
        self.finish(1, Then::Leave);
    }

    fn leave(&self) {
        self.settle(self.work().leave());
    }

    fn take(&self) -> u32 {
        // SAFETY: the callers have found it done, and are its owner.
        unsafe { self.work().with_body(|body| *body) }
    }

    /// Returns when the bell has been rung for good; loom's may also ring without a reason.
    fn wait_for_bell(&self) {
        while !self.work().is_done() {
            self.bell.0.wait();
        }
    }

    fn poll(&self) -> bool {
        let waker = Waker::from(Arc::clone(&self.bell));
        // SAFETY: the callers are its owner.
        unsafe { self.work().register(&waker) }
    }
}

/// After all is over the allocation has been freed.
fn freed(shared: &Shared) {
    shared.allocation.with(|freed| {
        // SAFETY: the model's other threads have ended.
        assert!(unsafe { *freed }, "never freed");
    });
}

#[test]
fn wait() {
    exhaustive(|| {
        freed(&Crew::new(Shared::new()).and(Shared::run).here(|shared| {
            assert!(shared.work().wait(None));
            assert_eq!(shared.take(), 1);
            shared.leave();
        }));
    });
}

#[test]
fn give_up_and_wait_again() {
    exhaustive(|| {
        freed(&Crew::new(Shared::new()).and(Shared::run).here(|shared| {
            if shared.work().wait(Some(())) || shared.work().wait(None) {
                assert_eq!(shared.take(), 1);
            }
            shared.leave();
        }));
    });
}

#[test]
fn give_up_and_leave() {
    exhaustive(|| {
        freed(&Crew::new(Shared::new()).and(Shared::run).here(|shared| {
            if shared.work().wait(Some(())) {
                assert_eq!(shared.take(), 1);
            }
            shared.leave();
        }));
    });
}

#[test]
fn leave_at_once() {
    exhaustive(|| {
        freed(
            &Crew::new(Shared::new())
                .and(Shared::run)
                .here(Shared::leave),
        );
    });
}

#[test]
fn cancel() {
    exhaustive(|| {
        freed(&Crew::new(Shared::new()).and(Shared::run).here(|shared| {
            let cancelled = shared.finish(2, Then::Stay);
            assert!(shared.work().wait(None));
            assert_eq!(shared.take(), if cancelled { 2 } else { 1 });
            shared.leave();
        }));
    });
}

#[test]
fn cancel_twice() {
    exhaustive(|| {
        let shared = Crew::new(Shared::new())
            .and(|shared| shared.finish(2, Then::Stay))
            .and(Shared::run)
            .here(|shared| shared.finish(2, Then::Stay));
        assert_ne!(shared.take(), 0);
        shared.leave();
        freed(&shared);
    });
}

#[test]
fn poll() {
    exhaustive(|| {
        freed(&Crew::new(Shared::new()).and(Shared::run).here(|shared| {
            if !shared.poll() {
                shared.wait_for_bell();
            }
            assert_eq!(shared.take(), 1);
            shared.leave();
        }));
    });
}

#[test]
fn poll_twice_and_cancel() {
    exhaustive(|| {
        freed(&Crew::new(Shared::new()).and(Shared::run).here(|shared| {
            if !shared.poll() && !shared.poll() {
                shared.finish(2, Then::Stay);
                shared.wait_for_bell();
            }
            assert_ne!(shared.take(), 0);
            shared.leave();
        }));
    });
}

#[test]
fn poll_then_wait() {
    exhaustive(|| {
        freed(&Crew::new(Shared::new()).and(Shared::run).here(|shared| {
            shared.poll();
            assert!(shared.work().wait(None));
            assert_eq!(shared.take(), 1);
            shared.leave();
        }));
    });
}

#[test]
fn poll_and_leave() {
    exhaustive(|| {
        freed(&Crew::new(Shared::new()).and(Shared::run).here(|shared| {
            shared.poll();
            shared.leave();
        }));
    });
}
