//! Producers push and consumers pop, each on a thread of its own, with the
//! same polite backoff for every container.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Effort;
use crate::container::{self, Container, Kernel, persist};
use crate::contender::Contender;
use crate::measure::{Sample, Team};

#[derive(Clone, Copy)]
struct Threads {
    /// As many producers as consumers.
    pairs: u64,
    items_per_pair: u64,
}

impl Kernel for Threads {
    type Output = Sample;

    fn run<C: Container>(self) -> Sample {
        let queue = &C::new();
        let sum = &AtomicU64::new(0);
        let share = self.items_per_pair;
        let mut team = Team::default();
        for producer in 0..self.pairs {
            team.add(move || {
                for item in producer * share..(producer + 1) * share {
                    persist(|| C::push(queue, item).then_some(()));
                }
            });
            team.add(move || {
                let mut own = 0;
                for _ in 0..share {
                    own += persist(|| C::pop(queue));
                }
                sum.fetch_add(own, Ordering::Relaxed);
            });
        }
        let items = self.pairs * share;
        let sample = team.run(items);
        let expected = items * (items - 1) / 2;
        assert_eq!(
            sum.load(Ordering::Relaxed),
            expected,
            "items lost or made up"
        );
        sample
    }
}

pub(super) fn contenders(effort: Effort, pairs: u64) -> Vec<Contender> {
    let items_per_pair = effort.choose(2_000_000, 200_000) / pairs;
    container::contenders(Threads {
        pairs,
        items_per_pair,
    })
}
