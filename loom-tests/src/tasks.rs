//! Tasks: what `event_count.rs`, `event.rs`, `join.rs` and `queue.rs` show of threads holds of tasks
//! too, also where both wait for the same thing, and when a future is dropped half-way.
//!
//! With three threads the interruptions are bounded as there: a lost wake-up needs one in the
//! waiter, between its last look and its sleep, one in whoever would wake it, and a third lets
//! somebody else come in between.

use std::sync::Arc;

use brigade_core::bounded::Fifo;
use brigade_core::sync::{
    AtomicU32, Model,
    Ordering::{AcqRel, Relaxed},
};
use brigade_core::wait::{Async, Condition, EventCount};
use brigade_core::{Event, GetError, JoinCounter, PutError, Queue, Shutdown};

use crate::harness::{Crew, block_on, bounded, exhaustive, poll_once};

/// A backend with slots for this many tasks.
type Tasks<const SLOTS: usize> = Async<Model, SLOTS>;

/// Things to take, and where to wait for one: the smallest queue there is.
struct Heap<const SLOTS: usize> {
    things: AtomicU32,
    more: EventCount<Tasks<SLOTS>>,
}

impl<const SLOTS: usize> Heap<SLOTS> {
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

    fn take_in_a_task(&self) {
        block_on(self.more.wait_async(One(&self.things)));
    }

    fn take_in_a_thread(&self) {
        self.more
            .wait(&mut One(&self.things), None)
            .expect("no deadline");
    }

    /// Waits for a moment and gives up; what it got in time it gives back.
    fn change_ones_mind(&self) {
        let mut wait = self.more.wait_async(One(&self.things));
        let got = poll_once(&mut wait).is_some();
        drop(wait);
        if got {
            self.give(1);
        }
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
fn a_change_wakes_the_task() {
    exhaustive(|| {
        Crew::new(Heap::<1>::new(0))
            .and(Heap::take_in_a_task)
            .here(|heap| heap.give(1));
    });
}

#[test]
fn two_changes_wake_two_tasks() {
    bounded(3, || {
        Crew::new(Heap::<2>::new(0))
            .and(Heap::take_in_a_task)
            .and(Heap::take_in_a_task)
            .here(|heap| {
                heap.give(1);
                heap.give(1);
            });
    });
}

#[test]
fn two_changes_wake_a_task_and_a_thread() {
    bounded(3, || {
        Crew::new(Heap::<1>::new(0))
            .and(Heap::take_in_a_task)
            .and(Heap::take_in_a_thread)
            .here(|heap| {
                heap.give(1);
                heap.give(1);
            });
    });
}

/// One wake-up for two things: whoever takes one wakes the other, be it task or thread.
#[test]
fn a_wake_up_is_passed_on_while_there_is_more() {
    bounded(3, || {
        Crew::new(Heap::<1>::new(0))
            .and(Heap::take_in_a_task)
            .and(Heap::take_in_a_thread)
            .here(|heap| heap.give(2));
    });
}

/// The wake-up may go to a future that is dropped at that moment.
#[test]
fn who_is_dropped_leaves_the_wake_up_to_a_thread() {
    bounded(3, || {
        Crew::new(Heap::<1>::new(0))
            .and(Heap::take_in_a_thread)
            .and(Heap::change_ones_mind)
            .here(|heap| heap.give(1));
    });
}

#[test]
fn who_is_dropped_leaves_the_wake_up_to_a_task() {
    bounded(3, || {
        Crew::new(Heap::<2>::new(0))
            .and(Heap::take_in_a_task)
            .and(Heap::change_ones_mind)
            .here(|heap| heap.give(1));
    });
}

/// Two tasks and one slot: who has none is polled again.
#[test]
fn without_a_slot_nobody_is_forgotten() {
    bounded(2, || {
        Crew::new(Heap::<1>::new(0))
            .and(Heap::take_in_a_task)
            .and(Heap::take_in_a_task)
            .here(|heap| {
                heap.give(1);
                heap.give(1);
            });
    });
}

#[test]
fn a_set_wakes_a_task_and_shows_what_was_before() {
    exhaustive(|| {
        Crew::new((Event::<Tasks<1>>::new(), AtomicU32::new(0)))
            .and(|(event, before)| {
                before.store(1, Relaxed);
                event.set();
            })
            .here(|(event, before)| {
                block_on(event.wait_async());
                assert_eq!(before.load(Relaxed), 1);
            });
    });
}

#[test]
fn a_set_wakes_tasks_and_threads() {
    bounded(3, || {
        Crew::new(Event::<Tasks<1>>::new())
            .and(|event| block_on(event.wait_async()))
            .and(Event::wait)
            .here(Event::set);
    });
}

/// Cleared at once: a task that waited then is let go all the same, and one that gave up leaves
/// nothing behind.
#[test]
fn a_pulse_wakes_a_task() {
    exhaustive(|| {
        let event = Event::<Tasks<1>>::new();
        drop({
            let mut wait = event.wait_async();
            assert_eq!(poll_once(&mut wait), None);
            wait
        });
        // Of a future that is not made yet the pulse is none of the business.
        Crew::new((event, AtomicU32::new(0)))
            .and(|(event, begun)| {
                if begun.fetch_add(0, AcqRel) == 1 {
                    event.set();
                    event.clear();
                } else {
                    event.set();
                }
            })
            .here(|(event, begun)| {
                let wait = event.wait_async();
                begun.fetch_add(1, AcqRel);
                block_on(wait);
            });
    });
}

#[test]
fn the_last_done_wakes_a_task_and_shows_the_work() {
    exhaustive(|| {
        let counter = JoinCounter::<Tasks<1>>::new();
        counter.add(1).unwrap();
        Crew::new((counter, AtomicU32::new(0)))
            .and(|(counter, work)| {
                work.store(1, Relaxed);
                counter.done().unwrap();
            })
            .here(|(counter, work)| {
                block_on(counter.wait_async());
                assert_eq!(work.load(Relaxed), 1);
            });
    });
}

/// A task that was woken and is not polled again: the others are woken all the same.
#[test]
fn a_future_that_is_kept_holds_up_nobody() {
    bounded(2, || {
        let heap = Heap::<1>::new(0);
        let counter = JoinCounter::<Tasks<1>>::new();
        counter.add(2).unwrap();
        Crew::new((heap, counter))
            .and(|(heap, counter)| {
                heap.take_in_a_thread();
                counter.done().unwrap();
            })
            .and(|(heap, counter)| {
                heap.give(1);
                heap.give(1);
                counter.done().unwrap();
            })
            .here(|(heap, counter)| {
                let mut kept = heap.more.wait_async(One(&heap.things));
                let _ = poll_once(&mut kept);
                counter.wait();
            });
    });
}

/// A wake-up for one may be on its way, from a future that was dropped, when the count becomes zero.
#[test]
fn a_zero_reaches_all_beside_a_future_that_is_dropped() {
    bounded(3, || {
        let counter = JoinCounter::<Tasks<1>>::new();
        counter.add(1).unwrap();
        let counter = Arc::new(counter);
        let there = Arc::clone(&counter);
        let mut early = counter.wait_async();
        assert_eq!(poll_once(&mut early), None);
        counter.done().unwrap();
        counter.add(1).unwrap();
        let first = loom::thread::spawn(move || there.wait());
        let there = Arc::clone(&counter);
        let second = loom::thread::spawn(move || there.wait());
        drop(early);
        counter.done().unwrap();
        first.join().unwrap();
        second.join().unwrap();
    });
}

type Small = Queue<Fifo<u32, 1, 2>, Tasks<1>>;

fn small() -> Small {
    Queue::new(Fifo::new())
}

/// An interrupt's end, which never waits, and a task's.
#[test]
fn a_put_wakes_the_task_that_gets() {
    exhaustive(|| {
        Crew::new(small())
            .and(|queue| queue.try_put(1).unwrap())
            .here(|queue| assert_eq!(block_on(queue.get_async()), Ok(1)));
    });
}

/// A thread's end and a task's.
#[test]
fn a_get_wakes_the_task_that_puts() {
    bounded(3, || {
        let queue = small();
        queue.try_put(1).unwrap();
        Crew::new(queue)
            .and(|queue| assert_eq!((queue.get(), queue.get()), (Ok(1), Ok(2))))
            .here(|queue| assert_eq!(block_on(queue.put_async(2)), Ok(())));
    });
}

/// A future that is dropped has taken no item, and an item that was not put is still there.
#[test]
fn who_changes_their_mind_loses_nothing() {
    bounded(3, || {
        Crew::new(small())
            .and(|queue| queue.try_put(1).unwrap())
            .here(|queue| {
                let mut get = queue.get_async();
                let got = poll_once(&mut get);
                drop(get);
                if got.is_none() {
                    assert_eq!(block_on(queue.get_async()), Ok(1));
                }
            });
    });
}

#[test]
fn a_shutdown_wakes_tasks_at_both_ends() {
    bounded(3, || {
        Crew::new((small(), small()))
            .and(|(empty, full)| {
                drop(empty.shutdown(Shutdown::Drain));
                drop(full.shutdown(Shutdown::Drain));
            })
            .here(|(empty, full)| {
                assert_eq!(block_on(empty.get_async()), Err(GetError));
                // The room that it waits for may not come, but the shutdown does.
                if full.try_put(1).is_ok() {
                    assert_eq!(block_on(full.put_async(2)), Err(PutError(2)));
                }
            });
    });
}

#[test]
fn the_last_report_wakes_the_task_that_joins() {
    bounded(3, || {
        let queue = small();
        queue.try_put(1).unwrap();
        Crew::new(queue)
            .and(|queue| drop(queue.try_lease()))
            .here(|queue| block_on(queue.join_async()));
    });
}
