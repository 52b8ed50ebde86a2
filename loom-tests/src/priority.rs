//! `Priority`: the promises of all containers, under the spin lock.
//!
//! Pairs of operations are tried exhaustively. Where more take part, interruptions are bounded to
//! two or three: everything happens under one lock, so an operation is cut off inside it, where
//! nobody else gets in, or outside, where it has no effect yet or any more.

use brigade_core::bounded::Priority;

use crate::containers::*;
use crate::harness::bounded;
use crate::history::{Order, Subject};

impl<T: Ord + 'static, const N: usize> Subject for Priority<T, N> {
    const CAPACITY: usize = N;
    const ORDER: Order = Order::Smallest;
    const STARTS: [fn() -> Self; 3] = [
        || Self::new(),
        || Self::new().near_wrap(1),
        || Self::new().near_wrap(2),
    ];
}

type One = Priority<u32, 1>;
type Two = Priority<u32, 2>;

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
fn back_and_forth() {
    bounded(3, || judge(One::STARTS[1](), 0, BACK_AND_FORTH));
}

#[test]
fn one_and_two() {
    bounded(3, || judge(One::fresh(), 0, ONE_AND_TWO));
}

#[test]
fn two_and_one() {
    bounded(3, || judge(Two::fresh(), 0, TWO_AND_ONE));
}

#[test]
fn two_and_one_when_full() {
    bounded(3, || judge(Two::fresh(), 2, TWO_AND_ONE));
}

#[test]
fn two_and_two() {
    bounded(2, || judge(Two::fresh(), 0, TWO_AND_TWO));
}

#[test]
fn closed_among_others() {
    bounded(3, || judge(Two::fresh(), 0, CLOSED_AMONG_OTHERS));
}

#[test]
fn dropped_with_items_inside() {
    bounded(2, || drop_with_items_inside(Priority::<Token, 2>::fresh()));
}
