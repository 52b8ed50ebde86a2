//! Containers that are not lock-free: what is cut off at the wrong moment holds up the interrupt.
//!
//! Where it does, they say Busy for as long as one asks. Everything else they answer is right all
//! the same.

use brigade_core::bounded::{Priority, Ticket, TwoLock};

use crate::container::{Ask, Numbered, Tried, empty_and_fill, everything};
use crate::explore::Plan;
use crate::processor::{Interrupt, Processor};

/// As good as for ever.
const OFTEN: usize = 100;

/// The steps at which a call, cut off, makes an interrupt find the container Busy for ever.
fn held_up<C: Tried>(before: usize, cut_off: Ask, interrupt: Ask) -> Vec<u32> {
    let mut steps = Vec::new();
    for at in 0.. {
        let new = C::starts().remove(0);
        let processor = Processor::new(new(), false);
        for _ in 0..before {
            processor.ask(Ask::Push);
        }
        let asks = vec![interrupt; OFTEN].into();
        if processor.interrupted(cut_off, &[Interrupt { at, asks }]) == 0 {
            return steps;
        }
        let answers = &processor.answers()[before..];
        // The interrupt's come first.
        if answers[0].is_busy() {
            let busy = answers.iter().filter(|call| call.is_busy()).count();
            assert_eq!(busy, OFTEN, "Busy ends by itself: {answers:?}");
            assert!(answers[OFTEN].is_done(), "{answers:?}");
            steps.push(at);
        }
        // Once the call has ended, all is well again.
        empty_and_fill(&processor);
        processor.verify();
    }
    unreachable!("every call ends")
}

/// Checks that there are steps, all in a row, at which a call holds up the interrupt.
fn holds_up<C: Tried>(before: usize, cut_off: Ask, interrupt: Ask) {
    let steps = held_up::<C>(before, cut_off, interrupt);
    assert!(
        !steps.is_empty(),
        "{cut_off:?} never holds up {interrupt:?}"
    );
    assert!(
        steps.windows(2).all(|pair| pair[0] + 1 == pair[1]),
        "{cut_off:?} holds up {interrupt:?} at {steps:?}"
    );
}

fn never_holds_up<C: Tried>(before: usize, cut_off: Ask, interrupt: Ask) {
    assert!(held_up::<C>(before, cut_off, interrupt).is_empty());
}

/// Between drawing a ticket and publishing the slot it holds up who comes to that slot.
#[test]
fn ticket_holds_up_who_comes_to_its_slot() {
    holds_up::<Ticket<u32, 1>>(0, Ask::Push, Ask::Pop);
    holds_up::<Ticket<u32, 1>>(1, Ask::Pop, Ask::Push);
    holds_up::<Ticket<u32, 2>>(0, Ask::Push, Ask::Pop);
    holds_up::<Ticket<u32, 2>>(2, Ask::Pop, Ask::Push);
}

/// Those who come to another slot go on.
#[test]
fn ticket_does_not_hold_up_others() {
    never_holds_up::<Ticket<u32, 3>>(1, Ask::Push, Ask::Pop);
    never_holds_up::<Ticket<u32, 3>>(1, Ask::Pop, Ask::Push);
}

/// In its turn it holds up all at its end, and those at the other if they must know whether the ring
/// is empty or full.
#[test]
fn two_lock_holds_up_its_end() {
    holds_up::<TwoLock<u32, 2>>(1, Ask::Push, Ask::Push);
    holds_up::<TwoLock<u32, 2>>(1, Ask::Pop, Ask::Pop);
    holds_up::<TwoLock<u32, 2>>(0, Ask::Push, Ask::Pop);
    holds_up::<TwoLock<u32, 2>>(2, Ask::Pop, Ask::Push);
    never_holds_up::<TwoLock<u32, 2>>(1, Ask::Push, Ask::Pop);
    never_holds_up::<TwoLock<u32, 2>>(1, Ask::Pop, Ask::Push);
}

/// Under a spin lock everything holds up everything.
#[test]
fn priority_holds_up_all() {
    for cut_off in [Ask::Push, Ask::Pop] {
        for interrupt in [Ask::Push, Ask::Pop] {
            holds_up::<Priority<u32, 2>>(1, cut_off, interrupt);
        }
    }
}

#[test]
fn priority_answers_right() {
    try_ends::<Priority<u32, 1>>(11).run();
    try_ends::<Priority<u32, 2>>(11).run();
    try_ends::<Priority<u32, 3>>(11).run();
}

#[test]
fn ticket_answers_right() {
    everything::<Ticket<u32, 1>>(12).run();
    everything::<Ticket<u32, 2>>(12).run();
    everything::<Ticket<u32, 3>>(12).run();
}

/// Without close, which waits for the turn: an interrupt would wait for ever.
fn try_ends<C: Tried>(bound: u32) -> Plan<Numbered<C>> {
    Plan {
        asks: vec![Ask::Push, Ask::Pop],
        ..everything(bound)
    }
}

#[test]
fn two_lock_answers_right() {
    try_ends::<TwoLock<u32, 1>>(12).run();
    try_ends::<TwoLock<u32, 2>>(12).run();
    try_ends::<TwoLock<u32, 3>>(12).run();
}

#[test]
#[should_panic(expected = "waits for what it has cut off")]
fn two_lock_cannot_be_closed_by_an_interrupt() {
    everything::<TwoLock<u32, 1>>(12).run();
}

#[test]
#[should_panic(expected = "waits for what it has cut off")]
fn priority_cannot_be_closed_by_an_interrupt() {
    everything::<Priority<u32, 1>>(11).run();
}
