//! `Handoff`, from the adapter's executor: the body has one user at a time, the owner is woken, and
//! exactly one of the two frees the allocation, when the other is through with it.
//!
//! It is the adapter's own file, compiled here on loom's types.

#[path = "../../std-adapter/src/executor/handoff.rs"]
#[allow(dead_code, unreachable_pub, reason = "it is written for another crate")]
mod original;

use std::sync::Arc;
use std::task::{Wake, Waker};

use brigade_core::Queue;
use brigade_core::bounded::Fifo;
use brigade_core::sync::{Model, UnsafeCell};
use loom::sync::{Mutex, Notify};

use self::original::{Fate, Handoff, Then};
use crate::harness::{Crew, bounded, exhaustive};

/// A body that counts who has been at it: 0 as submitted, 1 run, 2 cancelled.
struct Shared {
    work: Handoff<u32, Model>,
    /// Touched by everybody who uses the allocation; written by whoever frees it. Loom sees to it
    /// that all uses come before.
    allocation: UnsafeCell<bool>,
    bell: Arc<Bell>,
}

// SAFETY: the cell is only used as `work` and `settle` do, and loom watches over that.
unsafe impl Sync for Shared {}

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

/// The owner is shared by two threads, as in a scope: one of them leaves for both.
#[test]
fn two_wait() {
    bounded(2, || {
        let wait = |shared: &Shared| assert!(shared.work().wait(None));
        let shared = Crew::new(Shared::new())
            .and(Shared::run)
            .and(wait)
            .here(wait);
        assert_eq!(shared.take(), 1);
        shared.leave();
        freed(&shared);
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

/// The owner looks at a result, as `wait` does for the first error, and takes it later.
#[test]
fn poll_and_look_before_taking() {
    exhaustive(|| {
        freed(&Crew::new(Shared::new()).and(Shared::run).here(|shared| {
            if shared.poll() {
                assert_eq!(shared.take(), 1);
            }
            assert!(shared.work().wait(None));
            assert_eq!(shared.take(), 1);
            shared.leave();
        }));
    });
}

/// In time, too late, cancelled in the meantime: one of them, and only one. Three interruptions:
/// for the worker to come in between any two of the owner's three steps, and the owner once between
/// the worker's.
#[test]
fn give_up_and_cancel() {
    bounded(3, || {
        freed(&Crew::new(Shared::new()).and(Shared::run).here(|shared| {
            let in_time = shared.work().wait(Some(()));
            let cancelled = shared.finish(2, Then::Stay);
            assert!(!(in_time && cancelled), "cancelled after it was done");
            assert!(shared.work().wait(None));
            assert_eq!(shared.take(), if cancelled { 2 } else { 1 });
            shared.leave();
        }));
    });
}

/// Cancelled and dropped at once; or given up, cancelled and dropped.
#[test]
fn cancel_and_leave() {
    exhaustive(|| {
        freed(&Crew::new(Shared::new()).and(Shared::run).here(|shared| {
            shared.finish(2, Then::Stay);
            shared.leave();
        }));
    });
}

#[test]
fn give_up_cancel_and_leave() {
    exhaustive(|| {
        freed(&Crew::new(Shared::new()).and(Shared::run).here(|shared| {
            if !shared.work().wait(Some(())) {
                shared.finish(2, Then::Stay);
            }
            shared.leave();
        }));
    });
}

/// As `Task::on_done`: the waker is the owner, and takes the result and leaves.
struct Callback {
    shared: Arc<Shared>,
    /// Whether the task is still there; locked while the waker is left.
    place: Mutex<bool>,
}

impl Callback {
    /// Leaves the waker; or calls, if it is done.
    fn begin(shared: Arc<Shared>) {
        let callback = Arc::new(Self {
            shared,
            place: Mutex::new(true),
        });
        let waker = Waker::from(Arc::clone(&callback));
        let is_done = {
            let place = callback.place.lock().unwrap();
            assert!(*place);
            // SAFETY: we are the owner; the waker, which is so after us, waits for the lock.
            unsafe { callback.shared.work().register(&waker) }
        };
        if is_done {
            callback.call();
        }
    }

    fn call(&self) {
        if std::mem::replace(&mut *self.place.lock().unwrap(), false) {
            assert!(self.shared.work().is_done(), "called too early");
            assert_ne!(self.shared.take(), 0);
            self.shared.leave();
        }
    }
}

impl Wake for Callback {
    fn wake(self: Arc<Self>) {
        self.call();
    }
}

/// Whoever ends it calls, or whoever finds it ended; once, as the allocation is freed once.
fn callback(end: fn(&Shared)) {
    let shared = Arc::new(Shared::new());
    Crew::new(Arc::clone(&shared))
        .and(move |shared| end(shared))
        .here(|shared| Callback::begin(Arc::clone(shared)));
    freed(&shared);
}

#[test]
fn callback_and_run() {
    exhaustive(|| callback(Shared::run));
}

/// The pool drops what it did not run.
#[test]
fn callback_and_abandon() {
    exhaustive(|| {
        callback(|shared| {
            shared.finish(2, Then::Leave);
        });
    });
}

/// Two tasks that report to one queue, as for `as_completed`.
struct Several {
    tasks: [Shared; 2],
    ended: Arc<Queue<Fifo<usize, 2>, Model>>,
}

struct Report(usize, Arc<Queue<Fifo<usize, 2>, Model>>);

impl Wake for Report {
    fn wake(self: Arc<Self>) {
        self.1.try_put(self.0).unwrap();
    }
}

/// Each end is reported once, also one that comes while the reports are asked for, and a report
/// shows the result. Two interruptions: a report that is lost takes one in whoever asks for it, and
/// one that comes twice another in whoever ends the task.
#[test]
fn each_end_is_reported() {
    bounded(2, || {
        let several = Several {
            tasks: [Shared::new(), Shared::new()],
            ended: Arc::new(Queue::new(Fifo::new())),
        };
        let several = Crew::new(several)
            .and(|several| several.tasks.iter().for_each(Shared::run))
            .here(|several| {
                for (number, task) in several.tasks.iter().enumerate().rev() {
                    let report = Arc::new(Report(number, Arc::clone(&several.ended)));
                    // SAFETY: we are the owner.
                    if unsafe { task.work().register(&Waker::from(Arc::clone(&report))) } {
                        report.wake();
                    }
                }
                let mut left = [true; 2];
                for _ in 0..2 {
                    let number = several.ended.get().unwrap();
                    assert!(std::mem::replace(&mut left[number], false));
                    assert!(several.tasks[number].work().is_done());
                    assert_eq!(several.tasks[number].take(), 1);
                    several.tasks[number].leave();
                }
            });
        several.tasks.iter().for_each(freed);
    });
}
