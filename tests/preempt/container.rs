//! Containers as subjects.

use std::cell::Cell;
use std::rc::Rc;

use brigade_core::bounded::{Container, Fifo, Lifo, Priority, Ticket, TwoLock};
use brigade_history::{Call, Operation, Order, Plain};

use crate::explore::Plan;
use crate::processor::{Processor, Subject};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ask {
    Push,
    Pop,
    Close,
}

/// What can be asked of all of them.
pub(crate) const ALL: [Ask; 3] = [Ask::Push, Ask::Pop, Ask::Close];

/// A container to be tried.
pub(crate) trait Tried: Container<Item = u32> + Sized + 'static {
    const ORDER: Order = Order::FirstIn;
    const CAPACITY: usize;
    /// Whether nothing that is cut off makes it Busy.
    const LOCK_FREE: bool = true;

    /// Unused ones: ordinary, and such whose counters are about to wrap.
    fn starts() -> Vec<Box<dyn Fn() -> Numbered<Self>>>;
}

/// A container that is given one number after the other.
pub(crate) struct Numbered<C> {
    container: C,
    next: Cell<u32>,
}

impl<C> Numbered<C> {
    pub(crate) fn new(container: C) -> Self {
        Self {
            container,
            next: Cell::new(0),
        }
    }
}

impl<C: Tried> Subject for Numbered<C> {
    type Ask = Ask;
    type Claim = Plain;

    fn ask(&self, ask: Ask) -> Call {
        let operation = match ask {
            Ask::Push => {
                let item = self.next.get();
                self.next.set(item + 1);
                // Neither rising nor falling, for those to whom it makes a difference.
                Operation::Push(item * 7 % 10)
            }
            Ask::Pop => Operation::Pop,
            Ask::Close => Operation::Close,
        };
        let call = operation.call(&self.container);
        assert!(!(C::LOCK_FREE && call.is_busy()), "{call:?}");
        call
    }

    fn claim(&self) -> Plain {
        Plain::new(C::ORDER, C::CAPACITY)
    }
}

/// Everything, with every number of items inside, open and closed.
pub(crate) fn everything<C: Tried>(bound: u32) -> Plan<Numbered<C>> {
    let open = (0..=C::CAPACITY).map(|inside| vec![Ask::Push; inside]);
    let closed = open.clone().map(|mut before| {
        before.push(Ask::Close);
        before
    });
    Plan {
        new: C::starts(),
        before: open.chain(closed).collect(),
        asks: ALL.into(),
        waits: vec![],
        longest: 3,
        after: empty_and_fill,
        is_last: |ask| ask == Ask::Close,
        bound,
    }
}

/// Takes out what is left, and sees whether as much as ever fits.
pub(crate) fn empty_and_fill<C: Tried>(processor: &Rc<Processor<Numbered<C>>>) {
    while processor.ask(Ask::Pop).is_done() {}
    while processor.ask(Ask::Push).is_done() {}
    while processor.ask(Ask::Pop).is_done() {}
}

impl<const N: usize, const SPARE: usize> Tried for Fifo<u32, N, SPARE> {
    const CAPACITY: usize = N;

    fn starts() -> Vec<Box<dyn Fn() -> Numbered<Self>>> {
        vec![
            Box::new(|| Numbered::new(Self::new())),
            Box::new(|| Numbered::new(Self::new().near_wrap(0))),
            Box::new(|| Numbered::new(Self::new().near_wrap(1))),
        ]
    }
}

impl<const N: usize, const SPARE: usize> Tried for Lifo<u32, N, SPARE> {
    const ORDER: Order = Order::LastIn;
    const CAPACITY: usize = N;

    fn starts() -> Vec<Box<dyn Fn() -> Numbered<Self>>> {
        vec![
            Box::new(|| Numbered::new(Self::new())),
            Box::new(|| Numbered::new(Self::new().near_wrap(1))),
            Box::new(|| Numbered::new(Self::new().near_wrap(2))),
        ]
    }
}

impl<const N: usize> Tried for Ticket<u32, N> {
    const CAPACITY: usize = N;
    const LOCK_FREE: bool = false;

    fn starts() -> Vec<Box<dyn Fn() -> Numbered<Self>>> {
        vec![
            Box::new(|| Numbered::new(Self::new())),
            Box::new(|| Numbered::new(Self::new().near_wrap(1))),
        ]
    }
}

impl<const N: usize> Tried for TwoLock<u32, N> {
    const CAPACITY: usize = N;
    const LOCK_FREE: bool = false;

    fn starts() -> Vec<Box<dyn Fn() -> Numbered<Self>>> {
        vec![
            Box::new(|| Numbered::new(Self::new())),
            Box::new(|| Numbered::new(Self::new().near_wrap(1))),
        ]
    }
}

impl<const N: usize> Tried for Priority<u32, N> {
    const ORDER: Order = Order::Smallest;
    const CAPACITY: usize = N;
    const LOCK_FREE: bool = false;

    fn starts() -> Vec<Box<dyn Fn() -> Numbered<Self>>> {
        vec![
            Box::new(|| Numbered::new(Self::new())),
            Box::new(|| Numbered::new(Self::new().near_wrap(1))),
        ]
    }
}
