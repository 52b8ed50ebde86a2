//! `WakerSlots`: each waker is woken once or taken back, and never lost, torn or left behind.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32 as Counter, Ordering::SeqCst};
use std::task::{Wake, Waker};

use brigade_core::sync::{
    AtomicU32,
    Ordering::{AcqRel, Relaxed},
};
use brigade_core::wait::{WakerSlots, Wakers};

use crate::harness::{Crew, bounded, exhaustive};

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

fn slots<const N: usize>() -> WakerSlots<N> {
    <WakerSlots<N> as Wakers>::NONE()
}

/// All of them are free: as many wakers fit as there are slots.
fn all_free<const N: usize>(slots: &WakerSlots<N>) {
    for _ in 0..N {
        assert!(slots.register(Waker::noop()).is_some());
    }
    assert_eq!(slots.register(Waker::noop()), None);
}

#[test]
fn who_sees_the_announcement_finds_the_waker() {
    exhaustive(|| {
        let (woken, waker) = Woken::waker();
        Crew::new((slots::<1>(), AtomicU32::new(0)))
            .and(|(slots, announced)| {
                if announced.fetch_add(0, AcqRel) == 1 {
                    assert_eq!(slots.wake(1, 0), 1);
                }
            })
            .here(|(slots, announced)| {
                slots.register(&waker).unwrap();
                announced.fetch_add(1, AcqRel);
                assert!(woken.times() <= 1);
            });
    });
}

#[test]
fn a_waker_is_woken_or_taken_back() {
    exhaustive(|| {
        let (woken, waker) = Woken::waker();
        let slots = slots::<1>();
        let place = slots.register(&waker).unwrap();
        let said = Arc::new(Counter::new(0));
        let says = Arc::clone(&said);
        let slots = Crew::new(slots)
            .and(move |slots| says.store(slots.wake(1, 0), SeqCst))
            .here(|slots| {
                if !slots.withdraw(place) {
                    drop(waker);
                }
            });
        assert_eq!(woken.times(), said.load(SeqCst));
        all_free(&slots);
    });
}

/// What `withdraw` says is what a wake-up that is handed on depends on.
#[test]
fn withdrawing_tells_whether_it_was_woken() {
    exhaustive(|| {
        let (woken, waker) = Woken::waker();
        let slots = slots::<1>();
        let place = slots.register(&waker).unwrap();
        let was = Arc::new(Counter::new(0));
        let says = Arc::clone(&was);
        Crew::new(slots)
            .and(|slots| slots.wake(1, 0))
            .here(move |slots| says.store(u32::from(slots.withdraw(place)), SeqCst));
        assert_eq!(was.load(SeqCst), woken.times());
    });
}

#[test]
fn two_wake_ups_wake_once_each() {
    exhaustive(|| {
        let (woken, waker) = Woken::waker();
        let slots = slots::<2>();
        slots.register(&waker).unwrap();
        slots.register(&waker).unwrap();
        Crew::new(slots)
            .and(|slots| slots.wake(1, 0))
            .here(|slots| slots.wake(1, 0));
        assert_eq!(woken.times(), 2);
    });
}

/// A mistake, but no data race: to withdraw a place twice.
#[test]
fn a_place_that_is_withdrawn_twice_is_given_out_once() {
    exhaustive(|| {
        let slots = slots::<1>();
        let place = slots.register(Waker::noop()).unwrap();
        slots.wake(1, 0);
        let twice = move |slots: &WakerSlots<1>| {
            slots.withdraw(place);
            let _ = slots.register(Waker::noop());
        };
        Crew::new(slots).and(twice).here(twice);
    });
}

/// A slot changes hands while somebody wakes: the next waker is not torn, and not lost either.
#[test]
fn a_slot_is_used_again() {
    bounded(4, || {
        let (first, one) = Woken::waker();
        let (second, two) = Woken::waker();
        let slots = slots::<1>();
        let place = slots.register(&one).unwrap();
        Crew::new((slots, AtomicU32::new(0)))
            .and(|(slots, announced)| {
                slots.wake(1, 0);
                if announced.fetch_add(0, AcqRel) == 1 {
                    slots.wake(1, 0);
                }
            })
            .here(|(slots, announced)| {
                let woken = slots.withdraw(place);
                assert_eq!(first.times() == 1 || woken, woken);
                if slots.register(&two).is_some() {
                    announced.store(1, Relaxed);
                }
            });
        assert!(second.times() <= 1);
    });
}
