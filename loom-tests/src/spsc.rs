//! `Spsc`: one producer, one consumer, and those who come after them.
//!
//! All searches are exhaustive. There is one load or store an item on either side, so a few items on
//! a ring of one or two slots, with cursors that start at each place, go around several times.
//!
//! Loads may return old values here, as on a machine: that is why the answers Full and Empty are
//! tried against what happens-before the call, and not by `history.rs`, whose clock is the order in
//! which loom runs the steps.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32 as Counter, Ordering::SeqCst};

use brigade_core::bounded::Spsc;
use brigade_core::bounded::spsc::{Consumer, Producer};
use brigade_core::sync::{
    AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
    pause,
};
use brigade_core::{PopError, PushError};

use crate::containers::{Tally, Token};
use crate::harness::{Crew, exhaustive, exhaustive_each};

type Pushes = fn(&mut Producer<'_, u32>, u32) -> u32;
type Pops = fn(&mut Consumer<'_, u32>) -> Vec<u32>;

/// The ways in: each pushes items that count up from a number and says how many.
const PUSHES: [Pushes; 3] = [
    |producer, from| u32::from(producer.push(from).is_ok()),
    |producer, from| {
        filled(
            producer
                .write_chunk(2)
                .map_or(0, |chunk| chunk.fill(from..)),
        )
    },
    |producer, from| filled(producer.push_slice(&[from, from + 1])),
];

/// The ways out.
const POPS: [Pops; 5] = [
    |consumer| consumer.pop().into_iter().collect(),
    |consumer| {
        let peeked = consumer.peek().copied();
        let popped = consumer.pop();
        // What was there stays there, as nobody else takes it.
        assert!(peeked.is_err() || peeked == popped);
        popped.into_iter().collect()
    },
    |consumer| consumer.drain().collect(),
    |consumer| {
        let Ok(chunk) = consumer.read_chunk(2) else {
            return Vec::new();
        };
        let (first, second) = chunk.as_slices();
        let items = [first, second].concat();
        chunk.commit(items.len());
        items
    },
    |consumer| {
        let mut items = [0; 2];
        let popped = consumer.pop_slice(&mut items);
        items[..popped].to_vec()
    },
];

fn filled(items: usize) -> u32 {
    u32::try_from(items).unwrap()
}

/// Every way in beside every way out, from every place of the ring, each twice. What comes out is
/// what went in, in order; and loom sees that nobody touches a slot that is not theirs.
fn every_pair<const N: usize>() {
    let around = 2 * u32::try_from(N).unwrap();
    let pairs = PUSHES
        .into_iter()
        .flat_map(|push| POPS.map(|pop| (push, pop)));
    let cases = pairs.flat_map(|(push, pop)| (0..around).map(move |steps| (push, pop, steps)));
    exhaustive_each(cases, |(push, pop, steps)| {
        let pushed = Arc::new(Counter::new(0));
        let count = Arc::clone(&pushed);
        let mut popped = Vec::new();
        let queue = Crew::new(Spsc::<u32, N>::new().near_wrap(steps))
            .and(move |queue| {
                let mut producer = queue.producer().unwrap();
                let first = push(&mut producer, 0);
                count.store(first + push(&mut producer, first), SeqCst);
            })
            .here(|queue| {
                let mut consumer = queue.consumer().unwrap();
                popped.extend(pop(&mut consumer));
                popped.extend(pop(&mut consumer));
            });
        popped.extend(queue.consumer().unwrap().drain());
        assert!(popped.into_iter().eq(0..pushed.load(SeqCst)));
    });
}

#[test]
fn every_pair_on_one_place() {
    every_pair::<1>();
}

#[test]
fn every_pair_on_two_places() {
    every_pair::<2>();
}

/// Single items until the ring has gone around, whatever is refused on the way.
#[test]
fn around_the_ring() {
    exhaustive_each(0..2, |steps| {
        let mut popped = Vec::new();
        let pushed = Arc::new(Counter::new(0));
        let count = Arc::clone(&pushed);
        let queue = Crew::new(Spsc::<u32, 1>::new().near_wrap(steps))
            .and(move |queue| {
                let mut producer = queue.producer().unwrap();
                for _ in 0..4 {
                    let next = count.load(SeqCst);
                    if producer.push(next).is_ok() {
                        count.store(next + 1, SeqCst);
                    }
                }
            })
            .here(|queue| {
                let mut consumer = queue.consumer().unwrap();
                popped.extend((0..4).filter_map(|_| consumer.pop().ok()));
            });
        popped.extend(queue.consumer().unwrap().drain());
        assert!(popped.into_iter().eq(0..pushed.load(SeqCst)));
    });
}

/// A producer that knows of a pop has its room; nothing is Full for one who knows better.
#[test]
fn full_counts_what_is_known() {
    exhaustive_each(0..4, |steps| {
        let queue = Spsc::<u32, 2>::new().near_wrap(steps);
        assert_eq!(queue.producer().unwrap().push_slice(&[0, 1]), 2);
        Crew::new((queue, AtomicU32::new(0)))
            .and(|(queue, popped)| {
                let mut consumer = queue.consumer().unwrap();
                for pops in 1..=2 {
                    assert_eq!(consumer.pop(), Ok(pops - 1));
                    popped.store(pops, Release);
                }
            })
            .here(|(queue, popped)| {
                let mut producer = queue.producer().unwrap();
                let known = popped.load(Acquire);
                let inside = producer.len();
                assert!(inside + known as usize <= 2);
                let is_full = producer.is_full();
                assert!(!is_full || known == 0);
                let room = filled(producer.push_slice(&[2, 3]));
                assert!(room >= known);
                assert!(is_full || room > 0, "it stays as it was seen, or better");
                // Not more than there is, either.
                assert!(queue.len() <= 2);
            });
    });
}

/// A consumer that knows of a push has its item.
#[test]
fn empty_counts_what_is_known() {
    exhaustive_each(0..4, |steps| {
        Crew::new((Spsc::<u32, 2>::new().near_wrap(steps), AtomicU32::new(0)))
            .and(|(queue, pushed)| {
                let mut producer = queue.producer().unwrap();
                for pushes in 1..=2 {
                    producer.push(pushes).unwrap();
                    pushed.store(pushes, Release);
                }
            })
            .here(|(queue, pushed)| {
                let mut consumer = queue.consumer().unwrap();
                let known = pushed.load(Acquire);
                assert!(consumer.len() >= known as usize);
                let is_empty = consumer.is_empty();
                assert!(!is_empty || known == 0);
                let items = filled(consumer.drain().count());
                assert!(items >= known);
                assert!(is_empty || items > 0, "it stays as it was seen, or better");
            });
    });
}

/// What was done before a push is seen by who pops it, and what was done before a pop by who uses
/// its room.
#[test]
fn items_and_room_show_what_was_before() {
    exhaustive_each(0..2, |steps| {
        let queue = Spsc::<u32, 1>::new().near_wrap(steps);
        queue.producer().unwrap().push(0).unwrap();
        Crew::new((queue, [AtomicU32::new(0), AtomicU32::new(0)]))
            .and(|(queue, [before_pop, before_push])| {
                let mut producer = queue.producer().unwrap();
                before_push.store(1, Relaxed);
                if producer.push(1).is_ok() {
                    assert_eq!(before_pop.load(Relaxed), 1);
                }
            })
            .here(|(queue, [before_pop, before_push])| {
                let mut consumer = queue.consumer().unwrap();
                before_pop.store(1, Relaxed);
                assert_eq!(consumer.pop(), Ok(0));
                if consumer.pop() == Ok(1) {
                    assert_eq!(before_push.load(Relaxed), 1);
                }
            });
    });
}

/// Who is at neither end sees a number of items that can be.
#[test]
fn the_length_is_no_more_than_was_pushed() {
    exhaustive_each(0..4, |steps| {
        Crew::new(Spsc::<u32, 2>::new().near_wrap(steps))
            .and(|queue| {
                queue.producer().unwrap().push(0).unwrap();
                assert_eq!(queue.consumer().unwrap().pop(), Ok(0));
            })
            .here(|queue| {
                assert!(queue.len() <= 1);
                assert!(!queue.is_full());
            });
    });
}

/// Whoever is told of the close sees what was before, has all items, and gets no more.
#[test]
fn closing_comes_last() {
    exhaustive_each(0..4, |steps| {
        Crew::new((Spsc::<u32, 2>::new().near_wrap(steps), AtomicU32::new(0)))
            .and(|(queue, before)| {
                let mut producer = queue.producer().unwrap();
                producer.push(0).unwrap();
                producer.push(1).unwrap();
                before.store(1, Relaxed);
                producer.close();
                assert_eq!(producer.push(2), Err(PushError::Closed(2)));
            })
            .here(|(queue, before)| {
                let mut consumer = queue.consumer().unwrap();
                let is_closed = queue.is_closed();
                assert!(!is_closed || before.load(Relaxed) == 1);
                let mut next = 0;
                for _ in 0..3 {
                    match consumer.pop() {
                        Ok(item) => {
                            assert_eq!(item, next);
                            next += 1;
                        }
                        Err(PopError::Closed) => assert_eq!((next, before.load(Relaxed)), (2, 1)),
                        Err(PopError::Empty) => assert!(!is_closed),
                    }
                }
                assert!(!is_closed || next == 2);
            });
    });
}

/// Two threads that want the same end, with the other end at work: at most one is there at a time,
/// who comes second goes on where the first stopped, and sees what it did.
#[test]
fn an_end_goes_from_one_to_the_next() {
    exhaustive_each([false, true], |wait| {
        let turns = [AtomicU32::new(0), AtomicU32::new(0)];
        let (queue, [pushed, _]) = Crew::new((Spsc::<u32, 2>::new().near_wrap(1), turns))
            .and(move |(queue, [pushed, _])| produce(queue, pushed, wait))
            .and(move |(queue, [pushed, _])| produce(queue, pushed, wait))
            .here(|(queue, [_, popped])| consume(queue, popped));
        let left = filled(queue.len());
        // ORDERING: Relaxed: the threads have ended.
        let pushed = pushed.load(Relaxed);
        assert!(queue.consumer().unwrap().drain().eq(pushed - left..pushed));
        assert!(!wait || pushed == 2);
    });
}

#[test]
fn an_end_goes_from_one_consumer_to_the_next() {
    exhaustive(|| {
        let queue = Spsc::<u32, 2>::new().near_wrap(1);
        assert_eq!(queue.producer().unwrap().push_slice(&[0, 1]), 2);
        let turns = [AtomicU32::new(2), AtomicU32::new(0)];
        let (queue, [pushed, popped]) = Crew::new((queue, turns))
            .and(|(queue, [_, popped])| consume(queue, popped))
            .and(|(queue, [_, popped])| consume(queue, popped))
            .here(|(queue, [pushed, _])| produce(queue, pushed, false));
        // ORDERING: Relaxed: the threads have ended.
        let (pushed, popped) = (pushed.load(Relaxed), popped.load(Relaxed));
        assert!(queue.consumer().unwrap().drain().eq(popped..pushed));
    });
}

/// Pushes the number that comes next by a counter that only those at this end touch. That they
/// see what the last one left there is due to the handle alone.
fn produce(queue: &Spsc<u32, 2>, pushed: &AtomicU32, wait: bool) {
    let mut producer = loop {
        match queue.producer() {
            Some(producer) => break producer,
            None if wait => pause(),
            None => return,
        }
    };
    // ORDERING: Relaxed, also below: see above.
    let next = pushed.load(Relaxed);
    if producer.push(next).is_ok() {
        pushed.store(next + 1, Relaxed);
    }
}

/// Pops and compares, as [`produce`].
fn consume(queue: &Spsc<u32, 2>, popped: &AtomicU32) {
    let Some(mut consumer) = queue.consumer() else {
        return;
    };
    // ORDERING: Relaxed, also below: as in `produce`.
    let next = popped.load(Relaxed);
    if let Ok(item) = consumer.pop() {
        assert_eq!(item, next);
        popped.store(next + 1, Relaxed);
    }
}

/// Items go where they are sent, or are dropped with the queue, once.
#[test]
fn dropped_with_items_inside() {
    exhaustive(|| {
        let tally = Tally::default();
        let there = Arc::clone(&tally);
        let mut queue = Spsc::<Token, 2>::new();
        let (mut producer, _) = queue.split();
        producer.push(Token::new(&tally, 0)).ok();
        drop(producer);
        let queue = Crew::new(queue)
            .and(move |queue| {
                let tokens = [1, 2].map(|number| Token::new(&there, number));
                let chunk = queue
                    .producer()
                    .unwrap()
                    .write_chunk(2)
                    .map(|chunk| chunk.fill(tokens));
                assert!(chunk.is_ok());
            })
            .here(|queue| {
                let mut consumer = queue.consumer().unwrap();
                consumer.read_chunk(1).unwrap().commit(1);
                drop(consumer.pop());
            });
        drop(queue);
        for dropped in &*tally {
            assert_eq!(dropped.load(SeqCst), 1);
        }
    });
}
