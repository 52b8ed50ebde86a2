//! `EventCount`: no wake-up is lost, whoever takes it, and one is enough for all that is there.
//!
//! With three threads the interruptions are bounded: a lost wake-up needs one in the waiter, between
//! its last look and its sleep, and one in whoever would wake it; a third lets somebody else come in
//! between.

use brigade_core::sync::{
    AtomicU32, Model,
    Ordering::{AcqRel, Relaxed},
};
use brigade_core::wait::{Condition, EventCount};

use crate::harness::{Crew, bounded, exhaustive};

/// Things to take, and where to wait for one: the smallest queue there is.
struct Heap {
    things: AtomicU32,
    more: EventCount<Model>,
}

impl Heap {
    fn new(things: u32) -> Self {
        Self {
            things: AtomicU32::new(things),
            more: EventCount::new(),
        }
    }

    fn give(&self, things: u32) {
        self.things.fetch_add(things, AcqRel);
        self.more.notify(1);
    }

    fn take(&self) {
        self.more
            .wait(&mut One(&self.things), None)
            .expect("no deadline");
    }

    fn take_in_time(&self) -> bool {
        self.more.wait(&mut One(&self.things), Some(())).is_some()
    }
}

struct One<'a>(&'a AtomicU32);

impl Condition for One<'_> {
    type Output = ();

    fn glance(&self) -> bool {
        self.0.load(Relaxed) > 0
    }

    fn attempt(&mut self) -> Option<()> {
        let mut things = self.0.fetch_add(0, AcqRel);
        while let Some(fewer) = things.checked_sub(1) {
            match self.0.compare_exchange(things, fewer, AcqRel, Relaxed) {
                Ok(_) => return Some(()),
                Err(now) => things = now,
            }
        }
        None
    }

    fn more(&self) -> bool {
        self.0.fetch_add(0, AcqRel) > 0
    }
}

#[test]
fn a_change_wakes_the_waiter() {
    exhaustive(|| {
        Crew::new(Heap::new(0))
            .and(Heap::take)
            .here(|heap| heap.give(1));
    });
}

#[test]
fn two_changes_wake_two_waiters() {
    bounded(3, || {
        Crew::new(Heap::new(0))
            .and(Heap::take)
            .and(Heap::take)
            .here(|heap| {
                heap.give(1);
                heap.give(1);
            });
    });
}

/// One wake-up for two things: the first waiter to take one wakes the second.
#[test]
fn a_wake_up_is_passed_on_while_there_is_more() {
    bounded(3, || {
        Crew::new(Heap::new(0))
            .and(Heap::take)
            .and(Heap::take)
            .here(|heap| heap.give(2));
    });
}

/// The wake-up may go to somebody who gives up at that moment.
#[test]
fn who_gives_up_leaves_the_wake_up_to_the_others() {
    bounded(3, || {
        Crew::new(Heap::new(0))
            .and(Heap::take)
            .and(|heap| {
                if heap.take_in_time() {
                    heap.give(1);
                }
            })
            .here(|heap| heap.give(1));
    });
}

/// Somebody who never waited takes what the wake-up was for; the next change wakes again.
#[test]
fn who_takes_without_waiting_disturbs_nobody() {
    bounded(3, || {
        Crew::new(Heap::new(0))
            .and(Heap::take)
            .and(|heap| {
                if One(&heap.things).attempt().is_some() {
                    heap.give(1);
                }
            })
            .here(|heap| heap.give(1));
    });
}

/// A change that nothing orders, as a shutdown is.
struct Over<'a>(&'a AtomicU32);

impl Condition for Over<'_> {
    type Output = ();

    fn glance(&self) -> bool {
        self.0.load(Relaxed) == 1
    }

    fn attempt(&mut self) -> Option<()> {
        (self.0.load(Relaxed) == 1).then_some(())
    }
}

#[test]
fn a_broadcast_needs_no_order() {
    exhaustive(|| {
        Crew::new(Heap::new(0))
            .and(|heap| heap.more.wait(&mut Over(&heap.things), None))
            .here(|heap| {
                heap.things.store(1, Relaxed);
                heap.more.broadcast();
            });
    });
}

/// Also while a single wake-up is on its way and the flag is down.
#[test]
fn a_broadcast_wakes_everybody() {
    bounded(3, || {
        Crew::new((Heap::new(0), AtomicU32::new(0)))
            .and(|(heap, over)| heap.more.wait(&mut Over(over), None))
            .and(|(heap, over)| heap.more.wait(&mut Over(over), None))
            .here(|(heap, over)| {
                heap.give(1);
                over.store(1, Relaxed);
                heap.more.broadcast();
            });
    });
}
