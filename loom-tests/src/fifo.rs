//! `Fifo`: the promises of all FIFOs, and that an operation stopped anywhere disturbs nobody.
//!
//! Pairs of operations are tried exhaustively, and so is one operation stopped anywhere beside a
//! thread that fills and drains. Where more take part, interruptions are bounded, mostly to two: an
//! error needs one thread to be interrupted between two of its steps and another to come by there,
//! and what a third could add to that it can do before or after. (Two and two pass with two
//! interruptions as well, in 900,000 executions: too many for every day.)

use brigade_core::bounded::{Container, Fifo};

use crate::containers::*;
use crate::harness::{Crew, bounded, bounded_each, exhaustive};
use crate::history::Operation::{Pop, Push};
use crate::history::Subject;

impl<T: 'static, const N: usize, const SPARE: usize> Subject for Fifo<T, N, SPARE> {
    const CAPACITY: usize = N;
    const STARTS: [fn() -> Self; 3] = [
        || Self::new(),
        || Self::new().near_wrap(0),
        || Self::new().near_wrap(1),
    ];
}

/// With as many spares as operations that may be in flight beside one.
type Two = Fifo<u32, 1, 1>;
type Three = Fifo<u32, 1, 2>;
type Four = Fifo<u32, 1, 3>;

#[test]
fn every_pair_on_one_place() {
    every_pair::<Fifo<u32, 1, 1>>();
}

#[test]
fn every_pair_on_two_places() {
    every_pair::<Fifo<u32, 2, 1>>();
}

#[test]
fn closing_shows_what_was_before() {
    close_shows_what_was_before::<Two>();
}

#[test]
fn empty_reaches_who_ends_it() {
    empty_is_known_to_who_ends_it::<Two>();
}

#[test]
fn full_reaches_who_ends_it() {
    full_is_known_to_who_ends_it::<Two>();
}

#[test]
fn one_of_two_sees_the_other() {
    one_of_two_sees_what_the_other_did::<Two>();
}

#[test]
fn len_when_it_is_old_news() {
    len_is_as_it_once_was::<Fifo<u32, 2, 1>>();
}

#[test]
fn back_and_forth() {
    bounded(3, || judge(Two::STARTS[1](), 0, BACK_AND_FORTH));
}

#[test]
fn one_and_two() {
    bounded(2, || judge(Three::fresh(), 0, ONE_AND_TWO));
}

#[test]
fn two_and_one() {
    bounded(2, || judge(Three::fresh(), 0, TWO_AND_ONE));
}

#[test]
fn two_and_one_when_full() {
    bounded(1, || judge(Fifo::<u32, 2, 2>::fresh(), 2, TWO_AND_ONE));
}

#[test]
fn two_and_two() {
    bounded(1, || judge(Four::fresh(), 0, TWO_AND_TWO));
}

#[test]
fn closed_among_others() {
    bounded(2, || judge(Three::fresh(), 0, CLOSED_AMONG_OTHERS));
}

#[test]
fn runs_in() {
    bounded(2, || batch_in(Fifo::<u32, 2, 2>::fresh()));
}

#[test]
fn runs_out() {
    bounded(1, || batch_out(Fifo::<u32, 2, 2>::fresh()));
}

#[test]
fn runs_in_and_out() {
    bounded(3, || batch_in_and_out(Fifo::<u32, 2, 1>::fresh()));
}

#[test]
fn dropped_with_items_inside() {
    bounded(2, || drop_with_items_inside(Fifo::<Token, 2, 2>::fresh()));
}

/// An operation that is stopped anywhere, for as long as it takes, while another thread fills and
/// drains the queue: neither is told Full or Empty without a reason, and nothing is lost. (A loom
/// thread that is not scheduled is a stopped one.)
#[test]
fn a_stopped_pop_disturbs_nobody() {
    const ROUND: Threads = &[&[Pop], &[Push(1), Push(2), Pop, Pop]];
    exhaustive(|| judge(Two::fresh(), 0, ROUND));
}

#[test]
fn a_stopped_push_disturbs_nobody() {
    const ROUND: Threads = &[&[Push(9)], &[Push(1), Push(2), Pop, Pop]];
    bounded(3, || judge(Two::fresh(), 0, ROUND));
}

/// For two rounds, so that the other thread comes past the stopped one's place again.
#[test]
fn a_stopped_pop_disturbs_nobody_who_comes_by_twice() {
    const ROUNDS: Threads = &[
        &[Pop],
        &[Push(1), Push(2), Pop, Pop, Push(3), Push(4), Pop, Pop],
    ];
    bounded(3, || judge(Two::fresh(), 0, ROUNDS));
}

#[test]
fn a_stopped_push_disturbs_nobody_who_comes_by_twice() {
    const ROUNDS: Threads = &[
        &[Push(9)],
        &[Push(1), Push(2), Pop, Pop, Push(3), Push(4), Pop, Pop],
    ];
    bounded(2, || judge(Two::fresh(), 0, ROUNDS));
}

/// Whoever finds a cursor that is laps ahead also finds the entries there, and need not look for them
/// again and again: whether it comes late or is interrupted on the way.
#[test]
fn a_cursor_shows_the_entries_behind_it() {
    let calls: [fn(&Two) -> bool; 2] = [|queue| queue.try_push(9).is_ok(), says_empty];
    bounded_each(1, calls, |call| {
        Crew::new(Two::fresh()).and(go_around).here(call);
    });
    bounded_each(0, calls, |call| {
        Crew::new(Two::fresh()).and(call).here(go_around);
    });
}

fn go_around(queue: &Two) {
    for item in 0..6 {
        let _ = (queue.try_push(item), queue.try_pop());
    }
}
