//! `brigade_core::bounded::Spsc`.

#![no_std]
#![no_main]

use brigade_budget::{CAPACITY, Contender, image};
use brigade_core::bounded::Spsc;
use brigade_core::bounded::spsc::{Consumer, Producer};

static QUEUE: Spsc<u32, CAPACITY> = Spsc::new();

struct Ours;

impl Contender for Ours {
    const RAM: usize = size_of_val(&QUEUE);
    type In = Producer<'static, u32>;
    type Out = Consumer<'static, u32>;

    fn ends() -> (Self::In, Self::Out) {
        (QUEUE.producer().unwrap(), QUEUE.consumer().unwrap())
    }

    fn push(end: &mut Self::In, item: u32) -> bool {
        end.push(item).is_ok()
    }

    fn pop(end: &mut Self::Out) -> Option<u32> {
        end.pop().ok()
    }
}

image!(Ours);
