//! One thread puts an item in and takes it out again: what the operations
//! themselves cost.

use std::hint::black_box;

use super::Effort;
use crate::container::{self, Container, Kernel};
use crate::contender::Contender;
use crate::measure::{Sample, Whose, measure};

#[derive(Clone, Copy)]
struct Alone {
    items: u64,
}

impl Kernel for Alone {
    type Output = Sample;

    fn run<C: Container>(self) -> Sample {
        let queue = C::new();
        measure(Whose::Ours, self.items, || {
            for item in 0..self.items {
                assert!(C::push(&queue, black_box(item)), "full with no item in");
                assert_eq!(C::pop(&queue), Some(item));
            }
        })
    }
}

pub(super) fn contenders(effort: Effort) -> Vec<Contender> {
    let items = effort.choose(2_000_000, 400_000);
    container::contenders(Alone { items })
}
