//! `heapless::mpmc::Queue`.

#![no_std]
#![no_main]

use brigade_budget::{CAPACITY, Contender, image};
use heapless::mpmc::Queue;

// Deprecated for not being lock-free; that is why we compare.
#[allow(deprecated)]
static QUEUE: Queue<u32, CAPACITY> = Queue::new();

struct Theirs;

impl Contender for Theirs {
    const RAM: usize = size_of_val(&QUEUE);
    type In = ();
    type Out = ();

    fn ends() -> ((), ()) {
        ((), ())
    }

    fn push((): &mut (), item: u32) -> bool {
        QUEUE.enqueue(item).is_ok()
    }

    fn pop((): &mut ()) -> Option<u32> {
        QUEUE.dequeue()
    }
}

image!(Theirs);
