//! One producer and one consumer at the ends of a ring: on one thread, a batch
//! in and then out again, or on a thread each, with the same polite backoff.

use std::hint::black_box;

use super::Effort;
use crate::container::persist;
use crate::contender::Contender;
use crate::measure::{Sample, Team, Whose, measure};
use crate::spsc::{self, Kernel, Spsc, Way};

/// How many items go in or out at once, unless one by one.
const BATCH: usize = 64;

#[derive(Clone, Copy)]
struct Ends {
    way: Way,
    items: u64,
    threads: bool,
}

impl Ends {
    /// Puts in some of the items that are left, and says how many.
    fn produce<C: Spsc>(self, producer: &mut C::Producer<'_>, next: u64) -> u64 {
        let end = self.items.min(next + BATCH as u64);
        let pushed = match self.way {
            Way::Single => return u64::from(C::push(producer, black_box(next))),
            Way::Slices => {
                let mut items = [0; BATCH];
                let mut count = 0;
                for (item, number) in items.iter_mut().zip(next..end) {
                    *item = number;
                    count += 1;
                }
                C::push_slice(producer, &items[..count])
            }
            Way::Chunks => C::fill(producer, next..end),
        };
        pushed as u64
    }

    /// Takes some items out, and says their sum and how many.
    fn consume<C: Spsc>(self, consumer: &mut C::Consumer<'_>) -> (u64, u64) {
        let (sum, popped) = match self.way {
            Way::Single => return C::pop(consumer).map_or((0, 0), |item| (item, 1)),
            Way::Slices => {
                let mut items = [0; BATCH];
                let popped = C::pop_slice(consumer, &mut items);
                (items[..popped].iter().sum(), popped)
            }
            Way::Chunks => C::sum(consumer, BATCH),
        };
        (sum, popped as u64)
    }

    fn alone<C: Spsc>(
        self,
        mut producer: C::Producer<'_>,
        mut consumer: C::Consumer<'_>,
    ) -> (Sample, u64) {
        let mut sum = 0;
        let all = &mut sum;
        // The handles move into the loop, where a user's would be.
        let sample = measure(Whose::Ours, self.items, move || {
            let mut next = 0;
            while next < self.items {
                let pushed = self.produce::<C>(&mut producer, next);
                let (part, popped) = self.consume::<C>(&mut consumer);
                assert_eq!(pushed, popped, "all that is in comes out");
                *all += part;
                next += pushed;
            }
        });
        (sample, sum)
    }

    fn threads<C: Spsc>(
        self,
        producer: C::Producer<'_>,
        consumer: C::Consumer<'_>,
    ) -> (Sample, u64) {
        let mut sum = 0;
        let all = &mut sum;
        let mut team = Team::default();
        team.add(move || {
            let mut producer = producer;
            let mut next = 0;
            while next < self.items {
                next += persist(|| some(self.produce::<C>(&mut producer, next)));
            }
        });
        team.add(move || {
            let mut consumer = consumer;
            let mut left = self.items;
            while left > 0 {
                let (part, popped) = persist(|| {
                    let (part, popped) = self.consume::<C>(&mut consumer);
                    some(popped).map(|popped| (part, popped))
                });
                *all += part;
                left -= popped;
            }
        });
        (team.run(self.items), sum)
    }
}

/// A count, if it is not zero.
fn some(count: u64) -> Option<u64> {
    (count > 0).then_some(count)
}

impl Kernel for Ends {
    type Output = Sample;

    fn admits<C: Spsc>(self) -> bool {
        self.way == Way::Single || C::BATCHES
    }

    fn run<C: Spsc>(self) -> Sample {
        let mut ring = C::new();
        let (producer, consumer) = C::split(&mut ring);
        let (sample, sum) = if self.threads {
            self.threads::<C>(producer, consumer)
        } else {
            self.alone::<C>(producer, consumer)
        };
        assert_eq!(
            sum,
            self.items * (self.items - 1) / 2,
            "items lost or made up"
        );
        sample
    }
}

pub(super) fn alone(effort: Effort, way: Way) -> Vec<Contender> {
    spsc::contenders(Ends {
        way,
        items: effort.choose(8_000_000, 2_000_000),
        threads: false,
    })
}

pub(super) fn threads(effort: Effort, way: Way) -> Vec<Contender> {
    spsc::contenders(Ends {
        way,
        items: effort.choose(8_000_000, 2_000_000),
        threads: true,
    })
}
