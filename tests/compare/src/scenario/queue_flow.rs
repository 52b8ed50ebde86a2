//! Producers send and consumers receive as fast as they can, until the
//! producers are done and the queue is closed.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Effort;
use crate::channel::{self, Channel, Kernel};
use crate::contender::Contender;
use crate::measure::{Pinned, Sample, Team};

#[derive(Clone, Copy)]
struct Flow {
    capacity: usize,
    /// As many producers as consumers.
    pairs: u16,
    items_per_producer: u64,
    one_cpu: bool,
}

impl Kernel for Flow {
    type Output = Sample;

    fn admits<C: Channel>(self) -> bool {
        (self.pairs == 1 || C::SHARES_RECEIVER) && (self.capacity > 1 || !C::BATCHES)
    }

    fn run<C: Channel>(self) -> Sample {
        let pinned = self.one_cpu.then(Pinned::to_one_cpu);
        let pairs = usize::from(self.pairs);
        let (senders, receivers) = C::open(self.capacity, pairs, pairs);
        let sum = &AtomicU64::new(0);
        let share = self.items_per_producer;
        let mut team = Team::default();
        for (producer, sender) in (0..).zip(senders) {
            team.add(move || C::send_all(&sender, producer * share..(producer + 1) * share));
        }
        for receiver in receivers {
            team.add(move || {
                let mut own = 0;
                C::receive_all(&receiver, |item| own += item);
                sum.fetch_add(own, Ordering::Relaxed);
            });
        }
        let items = u64::from(self.pairs) * share;
        let sample = team.run(items);
        drop(pinned);
        let expected = items * (items - 1) / 2;
        assert_eq!(
            sum.load(Ordering::Relaxed),
            expected,
            "items lost or made up"
        );
        sample
    }
}

pub(super) fn wide(effort: Effort, pairs: u16, one_cpu: bool) -> Vec<Contender> {
    channel::contenders(Flow {
        capacity: 1024,
        pairs,
        items_per_producer: effort.choose(1_000_000, 100_000) / u64::from(pairs),
        one_cpu,
    })
}

pub(super) fn narrow(effort: Effort, one_cpu: bool) -> Vec<Contender> {
    channel::contenders(Flow {
        capacity: 1,
        pairs: 1,
        items_per_producer: effort.choose(20_000, 4_000),
        one_cpu,
    })
}
