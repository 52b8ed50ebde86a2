//! One producer and one consumer at the ends of a ring: on one thread, a batch
//! in and then out again, or on a thread each, with the same polite backoff.

use std::hint::black_box;
use std::marker::PhantomData;
use std::ops::Range;

use super::Effort;
use crate::container::persist;
use crate::contender::Contender;
use crate::measure::{Sample, Team, Whose, measure};
use crate::spsc::{self, Kernel, Spsc};

/// How many items go in or out at once, unless one by one.
const BATCH: usize = 64;

/// How items go in and out.
pub(super) trait Way: Copy + 'static {
    /// Whether several at once.
    const BATCHES: bool;

    /// Puts in some of the items that are left, and says how many.
    fn produce<C: Spsc>(producer: &mut C::Producer<'_>, left: Range<u64>) -> usize;

    /// Takes some items out, and says their sum and how many.
    fn consume<C: Spsc>(consumer: &mut C::Consumer<'_>) -> (u64, usize);
}

/// One by one.
#[derive(Clone, Copy)]
pub(super) struct Single;

impl Way for Single {
    const BATCHES: bool = false;

    fn produce<C: Spsc>(producer: &mut C::Producer<'_>, left: Range<u64>) -> usize {
        usize::from(C::push(producer, black_box(left.start)))
    }

    fn consume<C: Spsc>(consumer: &mut C::Consumer<'_>) -> (u64, usize) {
        C::pop(consumer).map_or((0, 0), |item| (item, 1))
    }
}

/// Copied from and to slices of the caller's.
#[derive(Clone, Copy)]
pub(super) struct Slices;

impl Way for Slices {
    const BATCHES: bool = true;

    fn produce<C: Spsc>(producer: &mut C::Producer<'_>, left: Range<u64>) -> usize {
        let mut items = [0; BATCH];
        let mut count = 0;
        for (item, number) in items.iter_mut().zip(left) {
            *item = number;
            count += 1;
        }
        C::push_slice(producer, &items[..count])
    }

    fn consume<C: Spsc>(consumer: &mut C::Consumer<'_>) -> (u64, usize) {
        let mut items = [0; BATCH];
        let popped = C::pop_slice(consumer, &mut items);
        (items[..popped].iter().sum(), popped)
    }
}

/// Written and read where they are.
#[derive(Clone, Copy)]
pub(super) struct Chunks;

impl Way for Chunks {
    const BATCHES: bool = true;

    fn produce<C: Spsc>(producer: &mut C::Producer<'_>, left: Range<u64>) -> usize {
        C::fill(
            producer,
            left.start..left.end.min(left.start + BATCH as u64),
        )
    }

    fn consume<C: Spsc>(consumer: &mut C::Consumer<'_>) -> (u64, usize) {
        C::sum(consumer, BATCH)
    }
}

#[derive(Clone, Copy)]
struct Ends<W> {
    way: PhantomData<W>,
    items: u64,
    threads: bool,
}

impl<W: Way> Ends<W> {
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
                let pushed = W::produce::<C>(&mut producer, next..self.items);
                let (part, popped) = W::consume::<C>(&mut consumer);
                assert_eq!(pushed, popped, "all that is in comes out");
                *all += part;
                next += pushed as u64;
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
                next += persist(|| some(W::produce::<C>(&mut producer, next..self.items)));
            }
        });
        team.add(move || {
            let mut consumer = consumer;
            let mut left = self.items;
            while left > 0 {
                let (part, popped) = persist(|| {
                    let (part, popped) = W::consume::<C>(&mut consumer);
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
fn some(count: usize) -> Option<u64> {
    (count > 0).then_some(count as u64)
}

impl<W: Way> Kernel for Ends<W> {
    type Output = Sample;

    fn admits<C: Spsc>(self) -> bool {
        C::BATCHES || !W::BATCHES
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

pub(super) fn alone<W: Way>(effort: Effort) -> Vec<Contender> {
    spsc::contenders(Ends::<W> {
        way: PhantomData,
        items: effort.choose(8_000_000, 2_000_000),
        threads: false,
    })
}

pub(super) fn threads<W: Way>(effort: Effort) -> Vec<Contender> {
    spsc::contenders(Ends::<W> {
        way: PhantomData,
        items: effort.choose(8_000_000, 2_000_000),
        threads: true,
    })
}
