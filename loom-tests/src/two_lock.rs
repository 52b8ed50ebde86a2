//! `TwoLock`: the promises of all FIFOs.
//!
//! Pairs of operations are tried exhaustively. Where more take part, interruptions are bounded, to
//! three or two: an error needs one thread to be interrupted between two of its steps and another to
//! come by there, and what a third could add to that it can do before or after. What weakening an
//! ordering breaks, two interruptions show.

use brigade_core::bounded::TwoLock;

use crate::containers::*;
use crate::harness::{bounded, exhaustive};
use crate::history::Subject;

impl<T: 'static, const N: usize> Subject for TwoLock<T, N> {
    const CAPACITY: usize = N;
    const STARTS: [fn() -> Self; 3] = [
        || Self::new(),
        || Self::new().near_wrap(1),
        || Self::new().near_wrap(2),
    ];
}

type One = TwoLock<u32, 1>;
type Two = TwoLock<u32, 2>;

#[test]
fn every_pair_on_one_place() {
    every_pair::<One>();
}

#[test]
fn every_pair_on_two_places() {
    every_pair::<Two>();
}

#[test]
fn closing_shows_what_was_before() {
    close_shows_what_was_before::<One>();
}

#[test]
fn empty_reaches_who_ends_it() {
    empty_is_known_to_who_ends_it::<One>();
}

#[test]
fn full_reaches_who_ends_it() {
    full_is_known_to_who_ends_it::<One>();
}

#[test]
fn one_of_two_sees_the_other() {
    one_of_two_sees_what_the_other_did::<One>();
}

#[test]
fn len_when_it_is_old_news() {
    len_is_as_it_once_was::<Two>();
}

#[test]
fn back_and_forth() {
    bounded(3, || judge(One::STARTS[1](), 0, BACK_AND_FORTH));
}

#[test]
fn one_and_two() {
    bounded(3, || judge(One::fresh(), 0, ONE_AND_TWO));
}

#[test]
fn two_and_one() {
    bounded(3, || judge(One::fresh(), 0, TWO_AND_ONE));
}

#[test]
fn two_and_one_when_full() {
    bounded(3, || judge(Two::fresh(), 2, TWO_AND_ONE));
}

#[test]
fn two_and_two() {
    bounded(2, || judge(One::fresh(), 0, TWO_AND_TWO));
}

#[test]
fn closed_among_others() {
    bounded(3, || judge(One::fresh(), 0, CLOSED_AMONG_OTHERS));
}

#[test]
fn runs_in() {
    bounded(2, || batch_in(Two::fresh()));
}

#[test]
fn runs_out() {
    bounded(2, || batch_out(Two::fresh()));
}

#[test]
fn runs_in_and_out() {
    exhaustive(|| batch_in_and_out(Two::fresh()));
}

#[test]
fn dropped_with_items_inside() {
    bounded(2, || drop_with_items_inside(TwoLock::<Token, 2>::fresh()));
}
