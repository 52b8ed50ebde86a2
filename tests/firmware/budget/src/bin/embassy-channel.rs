//! `embassy_sync::channel::Channel`.

#![no_std]
#![no_main]

use brigade_budget::{CAPACITY, Contender, image};
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::channel::Channel;

static QUEUE: Channel<CriticalSectionRawMutex, u32, CAPACITY> = Channel::new();

struct Theirs;

impl Contender for Theirs {
    const RAM: usize = size_of_val(&QUEUE);
    type In = ();
    type Out = ();

    fn ends() -> ((), ()) {
        ((), ())
    }

    fn push((): &mut (), item: u32) -> bool {
        QUEUE.try_send(item).is_ok()
    }

    fn pop((): &mut ()) -> Option<u32> {
        QUEUE.try_receive().ok()
    }
}

image!(Theirs);
