//! Waiting, step by step: a backend that counts instead of sleeping.

use std::cell::Cell;
use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};

use brigade_core::bounded::TwoLock;
use brigade_core::sync::Word;
use brigade_core::wait::{Condition, EventCount, NoWakers, Park, Wake};
use brigade_core::{Event, Queue, Shutdown};

thread_local! {
    static WOKEN: Cell<u32> = const { Cell::new(0) };
}

/// Returns from every sleep at once, counts wake-ups, and waits in no other way.
enum Counting {}

impl Park for Counting {
    type Deadline = Infallible;
    type Wakers = NoWakers;

    fn park(_: &Word, _: u32, _: Option<Infallible>) -> Wake {
        Wake::Woken
    }

    fn unpark(_: &Word, _: u32) {
        WOKEN.set(WOKEN.get() + 1);
    }

    fn relax(_: u32) -> bool {
        panic!("there is nothing to wait for");
    }
}

/// As [`Counting`], for those who have to wait.
enum Patient {}

impl Park for Patient {
    type Deadline = Infallible;
    type Wakers = NoWakers;

    fn park(word: &Word, expected: u32, deadline: Option<Infallible>) -> Wake {
        Counting::park(word, expected, deadline)
    }

    fn unpark(word: &Word, sleepers: u32) {
        Counting::unpark(word, sleepers);
    }

    fn relax(_: u32) -> bool {
        false
    }
}

#[test]
fn an_event_that_is_set_is_not_waited_for() {
    let event = Event::<Counting>::new();
    event.set();
    event.wait();
    assert_eq!(WOKEN.get(), 0, "nobody slept");
}

/// Good at the third attempt, when it panics.
struct Panicking(u32);

impl Condition for Panicking {
    type Output = ();

    fn glance(&self) -> bool {
        true
    }

    fn attempt(&mut self) -> Option<()> {
        self.0 += 1;
        assert!(self.0 < 2, "as asked for");
        None
    }
}

/// Two sleep and one of them is woken. If its attempt panics, the other gets the wake-up.
#[test]
fn who_panics_passes_the_wake_up_on() {
    let count = EventCount::<Patient>::new();
    let _other = count.announce();
    let wait = || count.wait(&mut Panicking(0), None);
    assert!(catch_unwind(AssertUnwindSafe(wait)).is_err());
    assert_eq!(WOKEN.get(), 1);
}

#[test]
fn a_notification_without_waiters_wakes_nobody() {
    let count = EventCount::<Patient>::new();
    count.notify(1);
    assert_eq!(WOKEN.get(), 0);
    let waiter = count.announce();
    count.notify(1);
    count.notify(1);
    assert_eq!(WOKEN.get(), 1, "one wake-up at a time is on its way");
    drop(waiter);
}

thread_local! {
    static SPUN: Cell<u32> = const { Cell::new(0) };
    static SLEPT: Cell<u32> = const { Cell::new(0) };
}

/// Counts spins and sleeps.
enum Spinning {}

impl Park for Spinning {
    type Deadline = Infallible;
    type Wakers = NoWakers;

    fn park(_: &Word, _: u32, _: Option<Infallible>) -> Wake {
        SLEPT.set(SLEPT.get() + 1);
        Wake::Woken
    }

    fn unpark(_: &Word, _: u32) {}

    fn relax(_: u32) -> bool {
        false
    }

    fn spin() -> bool {
        SPUN.set(SPUN.get() + 1);
        true
    }
}

/// An answer that comes during a spin, or not before somebody has slept; worth five spins.
enum Answer {
    InSpin(u32),
    AfterSleep,
}

impl Condition for Answer {
    type Output = ();

    fn glance(&self) -> bool {
        match self {
            Self::InSpin(spin) => SPUN.get() == *spin,
            Self::AfterSleep => SLEPT.get() > 0,
        }
    }

    fn spins(&self) -> u32 {
        5
    }

    fn attempt(&mut self) -> Option<()> {
        self.glance().then_some(())
    }
}

#[test]
fn who_expects_an_answer_spins_for_it_and_then_sleeps() {
    let count = EventCount::<Spinning>::new();
    assert_eq!(count.wait(&mut Answer::InSpin(3), None), Some(()));
    assert_eq!((SPUN.take(), SLEPT.get()), (3, 0));
    assert_eq!(count.wait(&mut Answer::AfterSleep, None), Some(()));
    assert_eq!((SPUN.get(), SLEPT.get()), (5, 1));
}

struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "as asked for");
    }
}

/// Whatever the destructors do, what an immediate shutdown drops is gone and reported.
#[test]
fn the_rest_is_dropped_and_reported_although_a_destructor_panics() {
    let queue: Queue<TwoLock<Bomb, 3>, Patient> = Queue::new(TwoLock::new());
    for _ in 0..3 {
        assert!(queue.put(Bomb).is_ok());
    }
    let shutdown = || drop(queue.shutdown(Shutdown::Immediate));
    assert!(catch_unwind(AssertUnwindSafe(shutdown)).is_err());
    assert_eq!((queue.len(), queue.unfinished()), (0, 0));
}
