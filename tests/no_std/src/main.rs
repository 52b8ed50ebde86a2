//! Every primitive of brigade-core at work without std, C library and allocator.
//!
//! Exits with 0 if all is well, otherwise with the number of the first check that failed, or 101
//! after a panic.

#![no_std]
#![no_main]

mod bare;

use brigade_core::bounded::{Container, Fifo, Ticket, TwoLock};
use brigade_core::{Event, JoinCounter, Queue, Shutdown, TryGetError};

static FIFO: Fifo<u32, 3> = Fifo::new();
static TICKET: Ticket<u32, 3> = Ticket::new();
static TWO_LOCK: TwoLock<u32, 3> = TwoLock::new();
static EVENT: Event = Event::new();
static RUNNING: JoinCounter = JoinCounter::new();
static QUEUE: Queue<Fifo<u32, 3>> = Queue::new(Fifo::new());

/// The checks in turn; each says whether it passed.
const CHECKS: [fn() -> bool; 6] = [
    || fills_and_empties(&FIFO),
    || fills_and_empties(&TICKET),
    || fills_and_empties(&TWO_LOCK),
    event,
    join_counter,
    queue,
];

fn fills_and_empties(container: &impl Container<Item = u32>) -> bool {
    (0..3).all(|n| container.try_push(n).is_ok())
        && container.try_push(3).is_err()
        && (0..3).all(|n| container.try_pop() == Ok(n))
        && container.try_pop().is_err()
}

fn event() -> bool {
    let before = EVENT.is_set();
    EVENT.set();
    EVENT.wait();
    !before && EVENT.is_set()
}

fn join_counter() -> bool {
    let added = RUNNING.add(1).is_ok() && RUNNING.count() == 1;
    let done = RUNNING.done().is_ok();
    RUNNING.wait();
    added && done && RUNNING.done().is_err()
}

fn queue() -> bool {
    let put = QUEUE.put(1).is_ok() && QUEUE.put_many([2, 3]).is_ok() && QUEUE.try_put(4).is_err();
    let got = QUEUE.get() == Ok(1) && QUEUE.task_done().is_ok();
    let leased = QUEUE.lease().is_ok_and(|item| *item == 2);
    let drained = QUEUE.shutdown(Shutdown::Immediate).eq([3]);
    QUEUE.join();
    put && got && leased && drained && QUEUE.try_get() == Err(TryGetError::ShutDown)
}

/// What the entry point calls; returns the exit status.
fn run() -> i32 {
    let failed = CHECKS.iter().position(|check| !check());
    failed.map_or(0, |index| index as i32 + 1)
}
