//! `Lifo`: the promises of all containers, that an operation stopped anywhere disturbs nobody, and
//! that a top which comes back is not taken for the one that was there before.
//!
//! Pairs of operations are tried exhaustively (those on two places with three interruptions, for the
//! sake of time), and so is one operation stopped anywhere beside a
//! thread that fills and drains. Where more take part, interruptions are bounded, mostly to two: an
//! error needs one thread to be interrupted between two of its steps and another to come by there,
//! and what a third could add to that it can do before or after.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32 as Counter, Ordering::SeqCst};

use brigade_core::bounded::{Container, Lifo};

use crate::containers::*;
use crate::harness::{Crew, bounded, exhaustive};
use crate::history::Operation::{Pop, Push};
use crate::history::{Order, Subject};

impl<T: 'static, const N: usize, const SPARE: usize> Subject for Lifo<T, N, SPARE> {
    const ORDER: Order = Order::LastIn;
    const CAPACITY: usize = N;
    const STARTS: [fn() -> Self; 3] = [
        || Self::new(),
        || Self::new().near_wrap(1),
        || Self::new().near_wrap(2),
    ];
}

/// With as many spares as operations that may be in flight beside one.
type Two = Lifo<u32, 1, 1>;
type Three = Lifo<u32, 1, 2>;
type Four = Lifo<u32, 1, 3>;

#[test]
fn every_pair_on_one_place() {
    every_pair::<Lifo<u32, 1, 1>>();
}

#[test]
fn every_pair_on_two_places() {
    every_pair_bounded::<Lifo<u32, 2, 1>>(3);
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
    len_is_as_it_once_was::<Lifo<u32, 2, 1>>();
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
    bounded(1, || judge(Lifo::<u32, 2, 2>::fresh(), 2, TWO_AND_ONE));
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
fn dropped_with_items_inside() {
    bounded(1, || drop_with_items_inside(Lifo::<Token, 2, 2>::fresh()));
}

/// An operation that is stopped anywhere, for as long as it takes, while another thread fills and
/// drains the stack: neither is told Full or Empty without a reason, and nothing is lost. (A loom
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

/// While a pop is stopped, what it found on top comes back there, with something else below. (Each
/// index is the fourth one's turn again, so the two pushed last use those of the first two.)
#[test]
fn a_top_that_comes_back_is_another_one() {
    const RETURN: Threads = &[&[Pop], &[Pop, Pop, Push(3), Push(4)]];
    bounded(3, || judge(Lifo::<u32, 2, 1>::STARTS[2](), 2, RETURN));
}

/// The same with a push that is stopped: what it found on top is now as deep as others were.
#[test]
fn a_depth_that_comes_back_is_another_one() {
    const RETURN: Threads = &[&[Push(9)], &[Pop, Pop, Push(3), Push(4)]];
    bounded(2, || judge(Lifo::<u32, 3, 1>::STARTS[2](), 2, RETURN));
}

/// The number ever pushed is right whoever asks, also across the tag's wrap, and never less than
/// what can be seen.
#[test]
fn every_push_is_counted_before_it_is_seen() {
    bounded(1, || {
        let stack = Lifo::<u32, 3, 2>::STARTS[2]();
        let start = stack.pushed();
        let ended = Arc::new(Counter::new(0));
        let pusher = |ended: &Arc<Counter>| {
            let ended = Arc::clone(ended);
            move |stack: &Lifo<u32, 3, 2>| {
                assert!(stack.push(1).is_ok());
                let before = ended.fetch_add(1, SeqCst);
                assert!(stack.between(start, stack.pushed()) > before);
            }
        };
        let stack = Crew::new(stack)
            .and(pusher(&ended))
            .and(pusher(&ended))
            .here(|stack| {
                let got = stack.drain().count();
                let counted = stack.between(start, stack.pushed());
                assert!((got..=2).contains(&(counted as usize)));
            });
        assert_eq!(stack.between(start, stack.pushed()), 2);
    });
}
