//! `Event`: no waiter misses a set, and a set shows what was done before it.
//!
//! With three threads the interruptions are bounded: a lost wake-up needs one in the waiter, between
//! its last look and its sleep, and one in whoever would wake it; a third lets somebody else come in
//! between.

use brigade_core::Event;
use brigade_core::sync::{AtomicU32, Model, Ordering::Relaxed, Word};
use brigade_core::wait::{NoWakers, Park, Wake};

use crate::harness::{Crew, bounded, exhaustive};

/// An event, and something that is done before it is set.
type Announced = (Event<Model>, AtomicU32);

fn announced() -> Announced {
    (Event::new(), AtomicU32::new(0))
}

fn announce((event, done): &Announced) {
    done.store(1, Relaxed);
    event.set();
}

#[test]
fn a_set_wakes_the_waiter_and_shows_what_was_before() {
    exhaustive(|| {
        Crew::new(announced()).and(announce).here(|(event, done)| {
            event.wait();
            assert_eq!(done.load(Relaxed), 1);
        });
    });
}

/// Looks once before it sleeps, as the backends of threads do.
enum Looking {}

impl Park for Looking {
    type Deadline = ();
    type Wakers = NoWakers;

    fn park(word: &Word, expected: u32, deadline: Option<()>) -> Wake {
        Model::park(word, expected, deadline)
    }

    fn unpark(word: &Word, sleepers: u32) {
        Model::unpark(word, sleepers);
    }

    fn relax(step: u32) -> bool {
        step == 0
    }
}

#[test]
fn a_set_that_ends_a_busy_wait_shows_what_was_before() {
    exhaustive(|| {
        Crew::new((Event::<Looking>::new(), AtomicU32::new(0)))
            .and(|(event, done)| {
                done.store(1, Relaxed);
                event.set();
            })
            .here(|(event, done)| {
                event.wait();
                assert_eq!(done.load(Relaxed), 1);
            });
    });
}

#[test]
fn a_set_that_is_seen_shows_what_was_before() {
    exhaustive(|| {
        Crew::new(announced()).and(announce).here(|(event, done)| {
            if event.is_set() {
                assert_eq!(done.load(Relaxed), 1);
            }
        });
    });
}

#[test]
fn a_set_wakes_all_waiters() {
    bounded(3, || {
        Crew::new(Event::<Model>::new())
            .and(Event::wait)
            .and(Event::wait)
            .here(Event::set);
    });
}

/// Two producers, and a consumer that clears the event before it looks for work: however the sets
/// coincide, with each other and with the clear, it misses none.
#[test]
fn a_clear_shows_what_was_before_all_sets() {
    bounded(3, || {
        let work = [AtomicU32::new(0), AtomicU32::new(0)];
        Crew::new((Event::<Model>::new(), work))
            .and(|(event, [work, _])| {
                work.store(1, Relaxed);
                event.set();
            })
            .and(|(event, [_, work])| {
                work.store(1, Relaxed);
                event.set();
            })
            .here(|(event, work)| {
                let mut todo = 2;
                while todo > 0 {
                    event.wait();
                    event.clear();
                    todo = work.iter().filter(|it| it.load(Relaxed) == 0).count();
                }
            });
    });
}

/// Clear, look, wait: the consumer either sees the work or is woken for it, although the event was
/// set already when the producer set it.
#[test]
fn nothing_is_missed_between_clear_and_wait() {
    exhaustive(|| {
        let announced = announced();
        announced.0.set();
        Crew::new(announced).and(announce).here(|(event, done)| {
            event.clear();
            if done.load(Relaxed) == 0 {
                event.wait();
                assert_eq!(done.load(Relaxed), 1);
            }
        });
    });
}

loom::lazy_static! {
    /// Whether somebody is about to go to sleep.
    static ref RETIRING: AtomicU32 = AtomicU32::new(0);
}

/// Says when somebody is about to go to sleep.
enum Watched {}

impl Park for Watched {
    type Deadline = ();
    type Wakers = NoWakers;

    fn park(word: &Word, expected: u32, deadline: Option<()>) -> Wake {
        RETIRING.store(1, Relaxed);
        Model::park(word, expected, deadline)
    }

    fn unpark(word: &Word, sleepers: u32) {
        Model::unpark(word, sleepers);
    }

    fn relax(step: u32) -> bool {
        Model::relax(step)
    }
}

/// A waiter that has begun to wait goes on when the event is set, however soon it is cleared, and
/// sees what was before.
#[test]
fn a_pulse_releases_those_who_wait() {
    exhaustive(|| {
        Crew::new((Event::<Watched>::new(), AtomicU32::new(0)))
            .and(|(event, done)| {
                event.wait();
                assert_eq!(done.load(Relaxed), 1);
            })
            .here(|(event, done)| {
                let waits = RETIRING.load(Relaxed) == 1;
                done.store(1, Relaxed);
                event.set();
                if waits {
                    event.clear();
                }
            });
    });
}

#[test]
fn a_time_out_takes_nobody_elses_wake_up() {
    bounded(3, || {
        Crew::new(Event::<Model>::new())
            .and(Event::wait)
            .and(|event| event.wait_deadline(()))
            .here(Event::set);
    });
}

#[test]
fn a_wait_that_succeeds_in_time_has_seen_the_set() {
    exhaustive(|| {
        Crew::new(announced()).and(announce).here(|(event, done)| {
            if event.wait_deadline(()) {
                assert_eq!(done.load(Relaxed), 1);
            }
        });
    });
}
