//! `heapless::spsc::Queue`.

#![no_std]
#![no_main]

use brigade_budget::{CAPACITY, Contender, image};
use heapless::spsc::{Consumer, Producer, Queue};

/// It keeps a slot empty; nine slots take a division, which a Cortex-M0 has to work out.
type Eight = Queue<u32, { CAPACITY + 1 }>;

struct Theirs;

impl Contender for Theirs {
    const RAM: usize = size_of::<Eight>();
    type In = Producer<'static, u32>;
    type Out = Consumer<'static, u32>;

    fn ends() -> (Self::In, Self::Out) {
        cortex_m::singleton!(QUEUE: Eight = Eight::new())
            .unwrap()
            .split()
    }

    fn push(end: &mut Self::In, item: u32) -> bool {
        end.enqueue(item).is_ok()
    }

    fn pop(end: &mut Self::Out) -> Option<u32> {
        end.dequeue()
    }
}

image!(Theirs);
