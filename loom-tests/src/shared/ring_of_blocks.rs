//! `Ring` while nobody dies: the promises of a FIFO, Full and Empty exact.
//!
//! Interruptions are bounded to two (one where two take minutes), as told at `fifo.rs`: an
//! operation makes about ten accesses, and all there is of a pair would take minutes.

use std::sync::{Arc, Mutex};

use brigade_core::bounded::{Container, Nothing, Refused};

use super::memory::{A, B, C, Memory};
use super::participants::Owner;
use super::ring::{Begun, Put, Taken};
use crate::containers::*;
use crate::harness::{Crew, bounded, bounded_each};
use crate::history::Subject;

/// A ring of `N` places, with blocks for `SPARE` operations in flight.
struct Queue<const N: usize, const SPARE: usize>(Memory);

fn me() -> Owner {
    loom::thread_local! {
        static ME: u16 = {
            // Loom's threads have numbers, which only their names tell.
            let id = format!("{:?}", loom::thread::current().id());
            id.bytes().filter(u8::is_ascii_digit).map(u16::from).sum()
        };
    }
    ME.with(|&index| Owner {
        index,
        incarnation: 1,
    })
}

impl<const N: usize, const SPARE: usize> Container for Queue<N, SPARE> {
    type Item = u32;

    fn try_push(&self, item: u32) -> Result<(), Refused<u32>> {
        match self.0.try_put(me(), item) {
            Ok(Put::Done) => Ok(()),
            Ok(Put::Full) | Err(Begun::Full) => Err(Refused::Full(item)),
            Ok(Put::Closed) | Err(Begun::Closed) => Err(Refused::Closed(item)),
            Err(Begun::NoBlock | Begun::Fill(_)) => Err(Refused::Busy(item)),
        }
    }

    fn try_pop(&self) -> Result<u32, Nothing> {
        match self.0.ring().take(me()).unwrap() {
            Taken::Item(leased) => {
                let item = self.0.read(leased.block);
                self.0.blocks().acknowledge(leased);
                Ok(item)
            }
            Taken::Empty => Err(Nothing::Empty),
            Taken::Closed => Err(Nothing::Closed),
        }
    }

    fn close(&self) {
        self.0.ring().close().unwrap();
    }

    fn is_closed(&self) -> bool {
        self.0.ring().is_closed().unwrap()
    }

    fn pushed(&self) -> u32 {
        unreachable!("nobody counts here")
    }

    fn after(&self, _: u32) -> u32 {
        unreachable!("nobody counts here")
    }

    fn between(&self, _: u32, _: u32) -> u32 {
        unreachable!("nobody counts here")
    }

    fn confirm_empty(&self) -> bool {
        unreachable!("a take says it")
    }

    fn confirm_full(&self) -> bool {
        unreachable!("a put says it")
    }

    fn len(&self) -> usize {
        self.0.ring().len().unwrap()
    }

    fn capacity(&self) -> usize {
        N
    }
}

impl<const N: usize, const SPARE: usize> Subject for Queue<N, SPARE> {
    const CAPACITY: usize = N;
    const STARTS: [fn() -> Self; 3] = [
        || Self(Memory::new(N, N + SPARE)),
        || Self(Memory::near_wrap(N, N + SPARE, 1)),
        || Self(Memory::near_wrap(N, N + SPARE, 2)),
    ];
}

#[test]
fn every_pair_on_one_place() {
    every_pair_bounded::<Queue<1, 2>>(2);
}

#[test]
fn every_pair_on_two_places() {
    every_pair_bounded::<Queue<2, 2>>(2);
}

#[test]
fn closing_shows_what_was_before() {
    close_shows_what_was_before::<Queue<1, 2>>();
}

#[test]
fn len_when_it_is_old_news() {
    bounded_each(2, Queue::<2, 1>::STARTS, len_once);
}

#[test]
fn back_and_forth() {
    bounded(2, || judge(Queue::<1, 2>::fresh(), 0, BACK_AND_FORTH));
}

#[test]
fn one_and_two() {
    bounded(1, || judge(Queue::<1, 3>::fresh(), 0, ONE_AND_TWO));
}

#[test]
fn two_and_one() {
    bounded(1, || judge(Queue::<1, 3>::fresh(), 0, TWO_AND_ONE));
}

#[test]
fn two_and_one_when_full() {
    bounded(1, || judge(Queue::<2, 3>::fresh(), 2, TWO_AND_ONE));
}

#[test]
fn two_and_two() {
    bounded(1, || judge(Queue::<1, 4>::fresh(), 0, TWO_AND_TWO));
}

#[test]
fn closed_among_others() {
    bounded(2, || judge(Queue::<1, 3>::fresh(), 0, CLOSED_AMONG_OTHERS));
}

#[test]
fn runs_in_and_out() {
    bounded(2, || batch_in_and_out(Queue::<2, 2>::fresh()));
}

/// One puts with an old idea of the tail: where the block that it has claimed stood meanwhile, and was
/// taken from. Another, who takes, has an old idea of the head.
#[test]
fn a_block_is_not_mistaken_for_what_it_was() {
    bounded(1, || {
        let got = Arc::new(Mutex::new(Vec::new()));
        let others = Arc::clone(&got);
        let memory = Crew::new(Memory::new(2, 4))
            .and(|memory| {
                assert_eq!(memory.put(A, 1), Put::Done);
            })
            .and(move |memory| {
                let item = memory.get(C);
                others.lock().unwrap().extend(item);
            })
            .here(|memory| {
                assert_eq!(memory.put(B, 2), Put::Done);
                let item = memory.get(B);
                got.lock().unwrap().extend(item);
            });
        let mut items = std::mem::take(&mut *got.lock().unwrap());
        items.extend(memory.drain());
        items.sort_unstable();
        assert_eq!(items, [1, 2]);
    });
}
