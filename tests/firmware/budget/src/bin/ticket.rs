//! `brigade_core::bounded::Ticket`.

#![no_std]
#![no_main]

use brigade_budget::{CAPACITY, Contender, image};
use brigade_core::bounded::Ticket;

static QUEUE: Ticket<u32, CAPACITY> = Ticket::new();

struct Ours;

impl Contender for Ours {
    const RAM: usize = size_of_val(&QUEUE);
    type In = ();
    type Out = ();

    fn ends() -> ((), ()) {
        ((), ())
    }

    fn push((): &mut (), item: u32) -> bool {
        QUEUE.push(item).is_ok()
    }

    fn pop((): &mut ()) -> Option<u32> {
        QUEUE.pop().ok()
    }
}

image!(Ours);
