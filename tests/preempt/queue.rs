//! `Queue` on a `Fifo`: its `try_` ends cut off anything, also those who wait.

use std::cell::Cell;

use brigade_core::bounded::{Fifo, Nothing, Refused};
use brigade_core::{GetTimeoutError, PutTimeoutError, Queue, Shutdown, TryGetError, TryPutError};
use brigade_history::{Call, Order, Plain};

use crate::explore::Plan;
use crate::nap::{self, Nap};
use crate::processor::Subject;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Ask {
    TryPut,
    TryGet,
    ShutDown,
    Put,
    Get,
}

/// A queue that is given one number after the other.
struct Numbered<const N: usize> {
    queue: Queue<Fifo<u32, N, 2>, Nap>,
    next: Cell<u32>,
}

impl<const N: usize> Subject for Numbered<N> {
    type Ask = Ask;
    type Claim = Plain;

    fn ask(&self, ask: Ask) -> Call {
        let queue = &self.queue;
        let item = self.next.get();
        self.next.set(item + 1);
        match ask {
            Ask::TryPut => {
                let put = queue.try_put(item);
                let put = put.map_err(|error| match error {
                    TryPutError::Full(item) => Refused::Full(item),
                    TryPutError::ShutDown(item) => Refused::Closed(item),
                });
                Call::Push(item, put)
            }
            Ask::TryGet => {
                let got = queue.try_get();
                Call::Pop(got.map_err(|error| match error {
                    TryGetError::Empty => Nothing::Empty,
                    TryGetError::ShutDown => Nothing::Closed,
                }))
            }
            Ask::ShutDown => {
                drop(queue.shutdown(Shutdown::Drain));
                Call::Close
            }
            // Who sleeps to the end has found the queue full, or empty, last.
            Ask::Put => {
                let put = nap::wait(
                    || queue.put_deadline(item, ()),
                    |put| !matches!(put, Err(PutTimeoutError::Timeout(_))),
                );
                let put = put.map_err(|error| match error {
                    PutTimeoutError::Timeout(item) => Refused::Full(item),
                    PutTimeoutError::ShutDown(item) => Refused::Closed(item),
                });
                Call::Push(item, put)
            }
            Ask::Get => {
                let got = nap::wait(
                    || queue.get_deadline(()),
                    |got| *got != Err(GetTimeoutError::Timeout),
                );
                Call::Pop(got.map_err(|error| match error {
                    GetTimeoutError::Timeout => Nothing::Empty,
                    GetTimeoutError::ShutDown => Nothing::Closed,
                }))
            }
        }
    }

    fn claim(&self) -> Plain {
        Plain::new(Order::FirstIn, N)
    }
}

fn run<const N: usize>() {
    let plan = Plan {
        new: vec![Box::new(|| Numbered {
            queue: Queue::<Fifo<u32, N, 2>, Nap>::new(Fifo::new()),
            next: Cell::new(0),
        })],
        before: (0..=N)
            .map(|inside| vec![Ask::TryPut; inside])
            .chain([
                vec![Ask::Get],
                [vec![Ask::TryPut; N], vec![Ask::Put]].concat(),
            ])
            .collect(),
        asks: vec![Ask::TryPut, Ask::TryGet, Ask::ShutDown],
        waits: vec![Ask::Put, Ask::Get],
        longest: 2,
        after: |processor| {
            while processor.ask(Ask::TryGet).is_done() {}
            while processor.ask(Ask::TryPut).is_done() {}
            while processor.ask(Ask::TryGet).is_done() {}
        },
        is_last: |ask| ask == Ask::ShutDown,
        bound: 21,
    };
    plan.run();
}

#[test]
fn queue() {
    run::<1>();
    run::<2>();
}
