//! Every primitive of brigade-core, instantiated: what compiles here compiles for the chip.
//!
//! `./targets` builds this library for one target of each kind.

#![no_std]

use brigade_core::bounded::{Container, Fifo, Lifo, Priority, Spsc, Ticket, TwoLock};
use brigade_core::{Barrier, Event, JoinCounter, Queue, Semaphore, Shutdown};

// No padding without a cache, and no word too many: 12 slots of 12 bytes, and 4 cursors.
#[cfg(target_pointer_width = "32")]
const _: () = assert!(size_of::<Fifo<u32, 8>>() <= 160);

static FIFO: Fifo<u32, 8> = Fifo::new();
static LIFO: Lifo<u32, 8> = Lifo::new();
static PRIORITY: Priority<u32, 8> = Priority::new();
static TICKET: Ticket<u32, 8> = Ticket::new();
static TWO_LOCK: TwoLock<u32, 8> = TwoLock::new();
static SPSC: Spsc<u32, 8> = Spsc::new();
static QUEUE: Queue<Fifo<u32, 8>> = Queue::new(Fifo::new());
static EVENT: Event = Event::new();
static RUNNING: JoinCounter = JoinCounter::new();
static PERMITS: Semaphore = Semaphore::new(1);
static ALONE: Barrier = Barrier::new(1);

fn passes(container: &impl Container<Item = u32>) -> bool {
    container.try_push(1).is_ok() && container.try_pop() == Ok(1) && container.is_empty()
}

/// Uses everything once; whether it all went well.
pub fn everything() -> bool {
    let containers =
        passes(&FIFO) && passes(&LIFO) && passes(&PRIORITY) && passes(&TICKET) && passes(&TWO_LOCK);

    let spsc = SPSC
        .producer()
        .is_some_and(|mut producer| producer.push(1).is_ok())
        && SPSC
            .consumer()
            .is_some_and(|mut consumer| consumer.pop() == Ok(1));

    let queue = QUEUE.put(1).is_ok() && QUEUE.get() == Ok(1) && QUEUE.task_done().is_ok();
    QUEUE.join();
    let rest = QUEUE.shutdown(Shutdown::Immediate).count();

    EVENT.set();
    EVENT.wait();
    EVENT.clear();

    let counter = RUNNING.add(1).is_ok() && RUNNING.done().is_ok();
    RUNNING.wait();

    let permit = PERMITS.try_acquire().is_some();
    let leader = ALONE.wait().is_leader();

    permit && leader && containers && spsc && queue && rest == 0 && counter && !EVENT.is_set()
}
