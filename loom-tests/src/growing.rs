//! `GrowingWakers`: a block is added once, seen whole or not at all, and a registered waker is found
//! in whichever it is.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32 as Counter, Ordering::SeqCst};
use std::task::{Wake, Waker};

use brigade_core::Event;
use brigade_core::sync::{AtomicU32, Model, Ordering::AcqRel, Word};
use brigade_core::wait::{self, AsyncPark, GrowingWakers, Park, Wakers};

use crate::harness::{Crew, block_on, bounded, exhaustive, poll_once};

/// Counts how often it is woken.
#[derive(Default)]
struct Woken(Counter);

impl Woken {
    fn waker() -> (Arc<Self>, Waker) {
        let woken = Arc::<Self>::default();
        (Arc::clone(&woken), Waker::from(woken))
    }

    fn times(&self) -> u32 {
        self.0.load(SeqCst)
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

fn none() -> GrowingWakers<1> {
    <GrowingWakers<1> as Wakers>::NONE()
}

#[test]
fn who_sees_the_announcement_finds_the_waker() {
    exhaustive(|| {
        let (woken, waker) = Woken::waker();
        Crew::new((none(), AtomicU32::new(0)))
            .and(|(wakers, announced)| {
                if announced.fetch_add(0, AcqRel) == 1 {
                    assert_eq!(wakers.wake(1, 0), 1);
                }
            })
            .here(|(wakers, announced)| {
                wakers.register(&waker).unwrap();
                announced.fetch_add(1, AcqRel);
                assert!(woken.times() <= 1);
            });
    });
}

/// One is registered; a second one makes the list longer while somebody wakes.
#[test]
fn a_wake_up_is_not_lost_while_a_block_is_added() {
    exhaustive(|| {
        let (woken, waker) = Woken::waker();
        let wakers = none();
        assert_eq!(wakers.register(&waker), Some(0));
        let wakers = Crew::new(wakers)
            .and(|wakers| assert_eq!(wakers.wake(1, 1), 1))
            .here(|wakers| assert!(wakers.register(&waker).is_some()));
        assert_eq!(woken.times(), 1);
        assert_eq!(wakers.wake(2, 0), 1, "the second is there");
    });
}

/// Two add the same block at once: one of them may get no place, and nobody somebody else's.
#[test]
fn two_add_a_block() {
    exhaustive(|| {
        let (woken, waker) = Woken::waker();
        let places = Arc::new(Counter::new(0));
        let there = |waker: Waker, places: Arc<Counter>| {
            move |wakers: &GrowingWakers<1>| {
                if let Some(place) = wakers.register(&waker) {
                    let before = places.fetch_add(1 << (8 * place), SeqCst);
                    assert_eq!(before >> (8 * place) & 0xff, 0, "given out twice");
                }
            }
        };
        let wakers = Crew::new(none())
            .and(there(waker.clone(), Arc::clone(&places)))
            .here(there(waker.clone(), Arc::clone(&places)));
        let registered = places.load(SeqCst).count_ones();
        assert!(registered >= 1, "the one who adds it has a place");
        assert_eq!(wakers.wake(u32::MAX, 0), registered);
        assert_eq!(woken.times(), registered);
        // All of the places can be given back and given out again.
        for place in 0..registered as usize {
            assert!(wakers.withdraw(place));
            assert_eq!(wakers.register(&waker), Some(place));
        }
    });
}

/// The model's backend with a list that has to grow for the second task.
enum Growing {}

impl Park for Growing {
    type Deadline = ();
    type Wakers = GrowingWakers<1>;

    fn park(word: &Word, expected: u32, deadline: Option<()>) -> wait::Wake {
        Model::park(word, expected, deadline)
    }

    fn unpark(word: &Word, sleepers: u32) {
        Model::unpark(word, sleepers);
    }

    fn relax(step: u32) -> bool {
        Model::relax(step)
    }
}

impl AsyncPark for Growing {}

/// The first slot is taken, so the one who sleeps is in the block that it adds. Bounded, as two tasks
/// take many steps; a wake-up that is lost needs one interruption, between two of the sleeper's.
#[test]
fn an_event_wakes_a_task_that_adds_a_block() {
    bounded(2, || {
        Crew::new(Event::<Growing>::new())
            .and(Event::set)
            .here(|event| {
                let mut other = event.wait_async();
                if poll_once(&mut other).is_none() {
                    block_on(event.wait_async());
                    assert!(poll_once(&mut other).is_some());
                }
            });
    });
}
