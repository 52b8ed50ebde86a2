//! Producers that put, consumers that get, and one who joins and shuts down.

use std::sync::Arc;

use brigade_core::bounded::{Container, Fifo, Ticket, TwoLock};
use brigade_core::wait::Spin;
use brigade_core::{Queue, Shutdown};
use shuttle::thread;

use crate::schedule::{Yield, explore};

const PRODUCERS: u32 = 2;
const CONSUMERS: usize = 2;
/// How many items each producer puts.
const ITEMS: u32 = 3;

/// Everything put is got once, in the order of its producer, `join` returns when all is done, and
/// all go home after the shutdown.
fn flow<C: Container<Item = u32> + Send + Sync + 'static>(container: C) {
    let queue = Arc::new(Queue::<C, Spin<Yield>>::new(container));
    let consumers = [(); CONSUMERS].map(|()| {
        let queue = Arc::clone(&queue);
        thread::spawn(move || {
            let done = |_: &u32| queue.task_done().unwrap();
            queue.iter().inspect(done).collect::<Vec<_>>()
        })
    });
    let producers: Vec<_> = (0..PRODUCERS)
        .map(|producer| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || {
                for item in 0..ITEMS {
                    queue.put(producer * ITEMS + item).unwrap();
                }
            })
        })
        .collect();
    for producer in producers {
        producer.join().unwrap();
    }
    queue.join();
    assert_eq!(queue.unfinished(), 0);
    drop(queue.shutdown(Shutdown::Drain));
    assert!(queue.put(0).is_err());

    let mut all = Vec::new();
    for got in consumers.map(|consumer| consumer.join().unwrap()) {
        for producer in 0..PRODUCERS {
            assert!(
                got.iter()
                    .filter(|item| **item / ITEMS == producer)
                    .is_sorted()
            );
        }
        all.extend(got);
    }
    all.sort_unstable();
    assert!(all.into_iter().eq(0..PRODUCERS * ITEMS));
}

/// What is put is got, comes back to its producer, or is handed to the one who shuts down.
fn cut_short<C: Container<Item = u32> + Send + Sync + 'static>(container: C) {
    let queue = Arc::new(Queue::<C, Spin<Yield>>::new(container));
    let producer = {
        let queue = Arc::clone(&queue);
        thread::spawn(move || {
            (0..ITEMS)
                .filter(|item| queue.put(*item).is_err())
                .collect()
        })
    };
    let consumer = {
        let queue = Arc::clone(&queue);
        thread::spawn(move || queue.iter().collect())
    };
    let mut all: Vec<u32> = queue.shutdown(Shutdown::Immediate).collect();
    let others: [Vec<u32>; 2] = [producer, consumer].map(|it| it.join().unwrap());
    all.extend(others.concat());
    all.sort_unstable();
    assert!(all.into_iter().eq(0..ITEMS));
}

#[test]
fn on_a_fifo() {
    explore(|| flow(Fifo::<u32, 1>::new()));
    explore(|| cut_short(Fifo::<u32, 1>::new()));
}

#[test]
fn on_a_ticket() {
    explore(|| flow(Ticket::<u32, 1>::new()));
    explore(|| cut_short(Ticket::<u32, 1>::new()));
}

#[test]
fn on_a_two_lock() {
    explore(|| flow(TwoLock::<u32, 1>::new()));
    explore(|| cut_short(TwoLock::<u32, 1>::new()));
}
