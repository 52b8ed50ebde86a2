//! `Spsc`: each end in an interrupt that cuts off the other.

use std::cell::Cell;

use brigade_core::bounded::{Nothing, Refused, Spsc};
use brigade_core::{PopError, PushError};
use brigade_history::{Call, Model, Order, Plain};

use crate::explore::Plan;
use crate::processor::Subject;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Ask {
    Push,
    /// Up to two items at once.
    PushChunk,
    Pop,
    /// Up to two items at once.
    PopChunk,
    Close,
}

impl Ask {
    fn is_producers(self) -> bool {
        matches!(self, Ask::Push | Ask::PushChunk | Ask::Close)
    }
}

/// Several calls in one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct InOne(Plain);

impl Model for InOne {
    type Call = Vec<Call>;

    fn does(&mut self, calls: &Vec<Call>) -> bool {
        calls.iter().all(|call| self.0.does(call))
    }
}

/// A queue that is given one number after the other.
struct Numbered<const N: usize> {
    queue: Spsc<u32, N>,
    next: Cell<u32>,
}

impl<const N: usize> Numbered<N> {
    fn next(&self) -> u32 {
        self.next.replace(self.next.get() + 1)
    }
}

const ALONE: &str = "nobody else is at this end";

impl<const N: usize> Subject for Numbered<N> {
    type Ask = Ask;
    type Claim = InOne;

    fn ask(&self, ask: Ask) -> Vec<Call> {
        if ask.is_producers() {
            let mut producer = self.queue.producer().expect(ALONE);
            let pushed = |item| Call::Push(item, Ok(()));
            match ask {
                Ask::PushChunk => {
                    let items = [self.next(), self.next()];
                    let pushed_many = producer.push_slice(&items);
                    items[..pushed_many]
                        .iter()
                        .map(|&item| pushed(item))
                        .collect()
                }
                Ask::Close => {
                    producer.close();
                    vec![Call::Close]
                }
                _ => {
                    let item = self.next();
                    let push = producer.push(item).map_err(|error| match error {
                        PushError::Full(item) => Refused::Full(item),
                        PushError::Closed(item) => Refused::Closed(item),
                    });
                    vec![Call::Push(item, push)]
                }
            }
        } else {
            let mut consumer = self.queue.consumer().expect(ALONE);
            if ask == Ask::PopChunk {
                let mut items = [0; 2];
                let popped = consumer.pop_slice(&mut items);
                return items[..popped]
                    .iter()
                    .map(|&item| Call::Pop(Ok(item)))
                    .collect();
            }
            vec![Call::Pop(consumer.pop().map_err(|error| match error {
                PopError::Empty => Nothing::Empty,
                PopError::Closed => Nothing::Closed,
            }))]
        }
    }

    fn claim(&self) -> InOne {
        InOne(Plain::new(Order::FirstIn, N))
    }

    fn may_cut_off(ask: Ask, cut_off: Ask) -> bool {
        ask.is_producers() != cut_off.is_producers()
    }
}

fn run<const N: usize>() {
    let new = |steps: Option<u32>| -> Box<dyn Fn() -> Numbered<N>> {
        Box::new(move || {
            let queue = Spsc::new();
            Numbered {
                queue: match steps {
                    Some(steps) => queue.near_wrap(steps),
                    None => queue,
                },
                next: Cell::new(0),
            }
        })
    };
    let open = (0..=N).map(|inside| vec![Ask::Push; inside]);
    let closed = open
        .clone()
        .map(|before| [before, vec![Ask::Close]].concat());
    let plan = Plan {
        new: [None, Some(0), Some(1), Some(2)].map(new).into(),
        before: open.chain(closed).collect(),
        asks: vec![
            Ask::Push,
            Ask::PushChunk,
            Ask::Pop,
            Ask::PopChunk,
            Ask::Close,
        ],
        waits: vec![],
        longest: 2,
        after: |processor| {
            let is_done = |calls: Vec<Call>| calls.iter().all(Call::is_done);
            while is_done(processor.ask(Ask::Pop)) {}
            while is_done(processor.ask(Ask::Push)) {}
            while is_done(processor.ask(Ask::Pop)) {}
        },
        is_last: |ask| ask == Ask::Close,
        bound: 7,
    };
    plan.run();
}

#[test]
fn spsc() {
    run::<1>();
    run::<2>();
    run::<3>();
}
