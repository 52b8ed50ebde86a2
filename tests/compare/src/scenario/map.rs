//! A function on each of many numbers, by two threads: what chunks, tasks and
//! the way of the results back cost.
//!
//! rayon divides the range among its threads, which also add up, or write into
//! one vector. brigade's `map` is an iterator: items are taken and results given
//! out one by one, in order, on the caller's thread, and a panic is the result
//! of one item.

use std::hint::black_box;

use rayon::prelude::*;

use super::Effort;
use super::pool_empty::THREADS;
use crate::contender::{Contender, Role};
use crate::measure::{Sample, Whose, measure};

/// About one nanosecond.
pub(super) struct Tiny;

/// About fifty nanoseconds.
pub(super) struct Small;

/// A function that is known when the loop is compiled.
pub(super) trait Function: 'static {
    fn of(item: usize) -> u64;
}

impl Function for Tiny {
    #[inline]
    fn of(item: usize) -> u64 {
        scramble(scramble(item as u64))
    }
}

impl Function for Small {
    #[inline]
    fn of(item: usize) -> u64 {
        (0..45).fold(item as u64, |number, _| scramble(number))
    }
}

#[inline]
fn scramble(number: u64) -> u64 {
    let number = (number ^ (number >> 31)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    number ^ (number >> 29)
}

fn items(effort: Effort) -> usize {
    effort.choose(10_000_000, 1_000_000)
}

fn sample(items: usize, work: impl FnOnce() -> u64, expected: u64) -> Sample {
    let mut sum = 0;
    let sample = measure(Whose::Ours, items as u64, || sum = black_box(work()));
    assert_eq!(sum, expected);
    sample
}

fn expected<F: Function>(items: usize) -> u64 {
    (0..items).map(F::of).fold(0, u64::wrapping_add)
}

fn ours() -> brigade::ThreadPool {
    let builder = brigade::ThreadPool::builder().threads(THREADS);
    builder.build().expect("threads can be started")
}

fn rayons() -> rayon::ThreadPool {
    let builder = rayon::ThreadPoolBuilder::new().num_threads(THREADS);
    builder.build().expect("threads can be started")
}

/// Adds up the results.
pub(super) fn sum<F: Function>(effort: Effort) -> Vec<Contender> {
    let items = items(effort);
    let expected = expected::<F>(items);
    vec![
        Contender::new(Role::Ours, "brigade map", "sum", move || {
            let pool = ours();
            let sum = || {
                let results = pool.map(0..items, F::of);
                results.fold(0, |sum, result| result.expect("no panic").wrapping_add(sum))
            };
            sample(items, sum, expected)
        }),
        Contender::new(Role::Ours, "brigade map, a loop", "sum", move || {
            let pool = ours();
            let sum = || {
                let mut sum = 0_u64;
                for result in pool.map(0..items, F::of) {
                    sum = sum.wrapping_add(result.expect("no panic"));
                }
                sum
            };
            sample(items, sum, expected)
        }),
        Contender::new(Role::Rival, "rayon par_iter", "sum", move || {
            let pool = rayons();
            let sum = || {
                let results = (0..items).into_par_iter().map(F::of);
                results.reduce(|| 0, u64::wrapping_add)
            };
            sample(items, || pool.install(sum), expected)
        }),
    ]
}

/// Puts the results into a vector.
pub(super) fn collect<F: Function>(effort: Effort) -> Vec<Contender> {
    let items = items(effort);
    let expected = F::of(items - 1);
    vec![
        Contender::new(Role::Ours, "brigade map", "vector", move || {
            let pool = ours();
            let collect = || {
                let results = pool.map(0..items, F::of);
                let all = results.into_values().expect("no panic");
                black_box(&all)[items - 1]
            };
            sample(items, collect, expected)
        }),
        Contender::new(Role::Rival, "rayon par_iter", "vector", move || {
            let pool = rayons();
            let collect = || {
                let all: Vec<u64> = (0..items).into_par_iter().map(F::of).collect();
                black_box(&all)[items - 1]
            };
            sample(items, || pool.install(collect), expected)
        }),
    ]
}
