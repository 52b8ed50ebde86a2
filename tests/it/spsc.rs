//! What a queue for one producer and one consumer promises, alone and between threads.

use std::collections::VecDeque;
use std::iter::repeat_with;
use std::mem::{self, ManuallyDrop};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use brigade_core::bounded::spsc::{Consumer, Producer};
use brigade_core::bounded::{HeapSpsc, Spsc};
use brigade_core::{PopError, PushError};

use crate::containers::{Choices, Counted};

/// Empty queues of this capacity, whose cursors start at every place.
fn everywhere<T>(capacity: usize) -> impl Iterator<Item = HeapSpsc<T>> {
    let around = 2 * u32::try_from(capacity).unwrap();
    (0..=around).map(move |steps| HeapSpsc::with_capacity(capacity).near_wrap(steps))
}

#[test]
fn is_a_queue() {
    for capacity in [1, 2, 3, 5, 8] {
        for mut queue in everywhere(capacity) {
            let (mut producer, mut consumer) = queue.split();
            let mut model = VecDeque::new();
            let mut choices = Choices(capacity as u64 + 1);
            for step in 0..2_000_usize {
                operate(&mut producer, &mut consumer, &mut model, step, &mut choices);
                assert_eq!(producer.len(), model.len());
                assert_eq!(consumer.len(), model.len());
                assert_eq!(producer.is_empty(), model.is_empty());
                assert_eq!(consumer.is_empty(), model.is_empty());
                assert_eq!(producer.is_full(), model.len() == capacity);
                assert_eq!(consumer.is_full(), model.len() == capacity);
            }
        }
    }
}

/// Does something to the queue and to the model, and compares.
fn operate(
    producer: &mut Producer<'_, usize>,
    consumer: &mut Consumer<'_, usize>,
    model: &mut VecDeque<usize>,
    step: usize,
    choices: &mut Choices,
) {
    let most = choices.below(producer.capacity() + 2);
    let room = producer.capacity() - model.len();
    match choices.below(10) {
        0 | 1 => {
            let full = room == 0;
            assert_eq!(producer.push(step).is_err(), full);
            if !full {
                model.push_back(step);
            }
        }
        2 | 3 => assert_eq!(consumer.pop().ok(), model.pop_front()),
        4 => {
            let items: Vec<_> = (step..step + most).collect();
            assert_eq!(producer.push_slice(&items), room.min(most));
            model.extend(items.into_iter().take(room));
        }
        5 => {
            let mut items = vec![0; most];
            let popped = consumer.pop_slice(&mut items);
            assert_eq!(popped, model.len().min(most));
            assert!(items.into_iter().take(popped).eq(model.drain(..popped)));
        }
        6 => match producer.write_chunk(most) {
            Ok(chunk) => {
                assert_eq!(chunk.len(), room.min(most));
                let filled = chunk.fill((step..).take(choices.below(most + 1)));
                model.extend(step..step + filled);
            }
            Err(error) => assert_eq!((error, room), (PushError::Full(()), 0)),
        },
        7 => match consumer.read_chunk(most) {
            Ok(mut chunk) => {
                assert_eq!(chunk.len(), model.len().min(most));
                let (first, second) = chunk.as_mut_slices();
                first.iter_mut().chain(second).for_each(|item| *item += 1);
                model.iter_mut().take(most).for_each(|item| *item += 1);
                let (first, second) = chunk.as_slices();
                assert!(first.iter().chain(second).eq(model.iter().take(most)));
                let popped = choices.below(chunk.len() + 1);
                chunk.commit(popped);
                model.drain(..popped);
            }
            Err(error) => assert_eq!((error, model.len()), (PopError::Empty, 0)),
        },
        8 => {
            assert_eq!(consumer.peek().ok(), model.front());
            if let (Ok(item), Some(same)) = (consumer.peek_mut(), model.front_mut()) {
                *item += 1;
                *same += 1;
            }
        }
        _ => {
            assert_eq!(consumer.drain().len(), model.len());
            let taken: Vec<_> = consumer.drain().take(most).collect();
            assert!(model.drain(..taken.len()).eq(taken));
        }
    }
}

#[test]
fn a_new_handle_goes_on_where_the_last_one_stopped() {
    for queue in everywhere(3) {
        let mut model = VecDeque::new();
        let mut choices = Choices(5);
        for step in 0..500 {
            let mut producer = queue.producer().unwrap();
            let mut consumer = queue.consumer().unwrap();
            assert!(queue.producer().is_none() && queue.consumer().is_none());
            operate(&mut producer, &mut consumer, &mut model, step, &mut choices);
            assert_eq!(queue.len(), model.len());
            assert_eq!(queue.is_empty(), model.is_empty());
            assert_eq!(queue.is_full(), model.len() == 3);
        }
    }
}

#[test]
fn a_forgotten_handle_keeps_its_end_until_the_queue_is_split() {
    let mut queue = Spsc::<_, 2>::new();
    let mut producer = queue.producer().unwrap();
    producer.push(1).unwrap();
    mem::forget(producer);
    assert!(queue.producer().is_none());
    assert_eq!(queue.consumer().unwrap().pop(), Ok(1));
    let (mut producer, consumer) = queue.split();
    producer.push(2).unwrap();
    drop((producer, consumer));
    assert!(queue.producer().is_some());
    assert_eq!(queue.consumer().unwrap().pop(), Ok(2));
}

#[test]
fn closes_for_good() {
    for capacity in [1, 2, 3] {
        for items in 0..=capacity {
            for queue in everywhere(capacity) {
                let mut producer = queue.producer().unwrap();
                let mut consumer = queue.consumer().unwrap();
                (0..items).for_each(|item| producer.push(item).unwrap());
                assert!(!queue.is_closed());
                producer.close();
                producer.close();
                assert!(queue.is_closed());
                assert_eq!(queue.len(), items);
                assert_eq!(producer.push(9), Err(PushError::Closed(9)));
                drop(producer);
                let mut producer = queue.producer().unwrap();
                for most in 0..2 {
                    let refused = producer.write_chunk(most).map(|chunk| chunk.len());
                    assert_eq!(refused, Err(PushError::Closed(())));
                }
                assert_eq!(producer.push_slice(&[9]), 0);
                assert_eq!((producer.len(), consumer.len()), (items, items));
                for item in 0..items {
                    assert_eq!(consumer.pop(), Ok(item));
                }
                assert_eq!(consumer.pop(), Err(PopError::Closed));
                assert_eq!(consumer.peek(), Err(PopError::Closed));
                let nothing = consumer.read_chunk(0).map(|chunk| chunk.len());
                assert_eq!(nothing, Err(PopError::Closed));
                assert_eq!(consumer.drain().next(), None);
                assert_eq!(producer.push(9), Err(PushError::Closed(9)));
            }
        }
    }
}

/// What a call panics with.
fn complaint(call: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(call)).unwrap_err();
    *panic.downcast().unwrap()
}

#[test]
fn a_chunk_reaches_around_the_end_and_no_further() {
    let mut queue = Spsc::<_, 4>::new();
    let (mut producer, mut consumer) = queue.split();
    assert_eq!(producer.push_slice(&[0, 1, 2]), 3);
    assert_eq!(consumer.drain().count(), 3);

    let mut chunk = producer.write_chunk(9).unwrap();
    let (first, second) = chunk.as_mut_slices();
    assert_eq!((first.len(), second.len()), (1, 3));
    first[0].write(3);
    second[0].write(4);
    // SAFETY: these two were written.
    unsafe { chunk.commit(2) };
    let chunk = consumer.read_chunk(9).unwrap();
    assert_eq!(chunk.as_slices(), (&[3][..], &[4][..]));
    drop(chunk);
    assert_eq!(consumer.len(), 2, "not committed");
    drop(producer.write_chunk(2).unwrap());
    assert_eq!(producer.len(), 2, "not committed");

    assert_eq!(
        complaint(|| consumer.read_chunk(9).unwrap().commit(3)),
        "there are not 3 items in a chunk of 2"
    );
    let chunk = producer.write_chunk(1).unwrap();
    assert_eq!(
        // SAFETY: it is refused.
        complaint(|| unsafe { chunk.commit(2) }),
        "2 items do not fit into a chunk of 1"
    );
    assert!(consumer.drain().eq([3, 4]));
}

#[test]
fn an_iterator_gives_no_more_than_fits_and_keeps_nothing_if_it_panics() {
    let mut queue = Spsc::<_, 3>::new();
    let (mut producer, mut consumer) = queue.split();
    let mut items = 0..9;
    assert_eq!(producer.write_chunk(9).unwrap().fill(&mut items), 3);
    assert_eq!(items.next(), Some(3));
    assert!(consumer.drain().eq(0..3));

    let items = (0..9).inspect(|&item| assert!(item < 2, "as asked for"));
    let filled = catch_unwind(AssertUnwindSafe(|| {
        producer.write_chunk(9).unwrap().fill(items)
    }));
    assert!(filled.is_err());
    assert!(consumer.drain().eq([0, 1]));
    producer.push(5).unwrap();
    assert_eq!(consumer.pop(), Ok(5));
}

#[test]
fn items_of_no_size() {
    for mut queue in everywhere(3) {
        let (mut producer, mut consumer) = queue.split();
        for _ in 0..10 {
            assert_eq!(producer.push_slice(&[(); 2]), 2);
            assert_eq!(producer.write_chunk(5).unwrap().fill([(); 5]), 1);
            assert_eq!(producer.push(()), Err(PushError::Full(())));
            assert_eq!(consumer.pop(), Ok(()));
            assert_eq!(consumer.peek(), Ok(&()));
            let chunk = consumer.read_chunk(5).unwrap();
            let (first, second) = chunk.as_slices();
            assert_eq!(first.len() + second.len(), 2);
            chunk.commit(1);
            assert_eq!(consumer.pop_slice(&mut [(); 4]), 1);
            assert_eq!(consumer.pop(), Err(PopError::Empty));
        }
    }
}

/// Items that count their drops; the one of this number, if any, panics in its own.
fn counted(dropped: &Arc<AtomicUsize>, panics: usize) -> impl Iterator<Item = Counted> {
    (0..).map(move |number| Counted {
        dropped: Arc::clone(dropped),
        panics: number == panics,
    })
}

#[test]
fn drops_what_is_left() {
    for panics in [1, 9] {
        for mut queue in everywhere(5) {
            let dropped = Arc::new(AtomicUsize::new(0));
            let (mut producer, mut consumer) = queue.split();
            producer
                .write_chunk(5)
                .unwrap()
                .fill(counted(&dropped, panics));
            drop(consumer.pop());
            assert_eq!(dropped.load(Ordering::Relaxed), 1);
            drop((producer, consumer));
            let gone = catch_unwind(AssertUnwindSafe(|| drop(queue)));
            assert_eq!(gone.is_err(), panics == 1);
            assert_eq!(dropped.load(Ordering::Relaxed), 5);
        }
    }
}

/// Wherever it panics, before, at and after the end of the ring.
#[test]
fn a_chunk_survives_a_panicking_destructor() {
    for panics in 0..4 {
        for mut queue in everywhere(5) {
            let dropped = Arc::new(AtomicUsize::new(0));
            let (mut producer, mut consumer) = queue.split();
            producer
                .write_chunk(5)
                .unwrap()
                .fill(counted(&dropped, panics));
            let chunk = consumer.read_chunk(5).unwrap();
            assert!(catch_unwind(AssertUnwindSafe(|| chunk.commit(4))).is_err());
            assert_eq!(dropped.load(Ordering::Relaxed), 4);
            assert_eq!((producer.len(), consumer.len()), (1, 1));
            assert_eq!(
                producer.write_chunk(9).unwrap().fill(counted(&dropped, 9)),
                4
            );
            assert_eq!(consumer.drain().count(), 5);
            assert_eq!(dropped.load(Ordering::Relaxed), 9);
        }
    }
}

/// A drain that is forgotten has given out what it has given out, and nothing else.
#[test]
fn a_forgotten_drain_doubles_nothing() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let mut queue = HeapSpsc::with_capacity(3);
    let (mut producer, mut consumer) = queue.split();
    producer.write_chunk(3).unwrap().fill(counted(&dropped, 9));
    let mut drain = ManuallyDrop::new(consumer.read_chunk(3).unwrap().into_iter());
    let first = drain.next();
    assert_eq!(consumer.len(), 2);
    drop((first, producer, consumer));
    drop(queue);
    assert_eq!(dropped.load(Ordering::Relaxed), 3);
}

#[test]
fn lives_in_a_static() {
    static QUEUE: Spsc<usize, 3> = Spsc::new();
    const ITEMS: usize = 20_000;
    // As an interrupt handler would: an end for each item, and not if the main program is there.
    let producer = thread::spawn(|| {
        let mut item = 0;
        while item < ITEMS {
            if let Some(mut producer) = QUEUE.producer() {
                item += usize::from(producer.push(item).is_ok());
            }
            thread::yield_now();
        }
        QUEUE.producer().unwrap().close();
    });
    let mut next = 0;
    loop {
        match QUEUE.consumer().unwrap().pop() {
            Ok(item) => {
                assert_eq!(item, next);
                next += 1;
            }
            Err(PopError::Empty) => thread::yield_now(),
            Err(PopError::Closed) => break,
        }
    }
    assert_eq!(next, ITEMS);
    producer.join().unwrap();
}

/// Each thread moves some items in whatever way, or only looks.
#[test]
fn loses_and_doubles_nothing_between_threads() {
    const ITEMS: usize = 60_000;
    for capacity in [1, 2, 7, 64] {
        let mut queue = HeapSpsc::with_capacity(capacity).near_wrap(1);
        let (mut producer, mut consumer) = queue.split();
        thread::scope(|scope| {
            scope.spawn(move || {
                let mut choices = Choices(3);
                let mut next = 0;
                while next < ITEMS {
                    let most = (1 + choices.below(9)).min(ITEMS - next);
                    let items: Vec<_> = repeat_with(|| Box::new(0)).take(most).collect();
                    let items = items.into_iter().zip(next..).map(|(mut item, number)| {
                        *item = number;
                        item
                    });
                    next += match choices.below(2) {
                        0 => producer
                            .write_chunk(most)
                            .map_or(0, |chunk| chunk.fill(items)),
                        _ => usize::from(producer.push(Box::new(next)).is_ok()),
                    };
                    if producer.is_full() {
                        thread::yield_now();
                    }
                }
                producer.close();
            });
            let mut choices = Choices(4);
            let mut next = 0;
            loop {
                let most = 1 + choices.below(9);
                match choices.below(4) {
                    0 => match consumer.pop() {
                        Ok(item) => {
                            assert_eq!(*item, next);
                            next += 1;
                        }
                        Err(PopError::Empty) => thread::yield_now(),
                        Err(PopError::Closed) => break,
                    },
                    1 => {
                        if let Ok(chunk) = consumer.read_chunk(most) {
                            let (first, second) = chunk.as_slices();
                            assert!(
                                first
                                    .iter()
                                    .chain(second)
                                    .map(|item| **item)
                                    .eq(next..next + chunk.len())
                            );
                            next += chunk.len();
                            let all = chunk.len();
                            chunk.commit(all);
                        }
                    }
                    2 => {
                        for item in consumer.drain().take(most) {
                            assert_eq!(*item, next);
                            next += 1;
                        }
                    }
                    _ => {
                        if let Ok(item) = consumer.peek() {
                            assert_eq!(**item, next);
                        }
                    }
                }
            }
            assert_eq!(next, ITEMS);
        });
    }
}

/// Several threads that all want both ends: what comes out of the queue is in order, though
/// everybody was at its ends.
#[test]
fn ends_go_from_thread_to_thread() {
    const THREADS: usize = 3;
    const EACH: usize = 10_000;
    let queue = Spsc::<Box<usize>, 4>::new().near_wrap(1);
    let (pushed, popped) = (AtomicUsize::new(0), AtomicUsize::new(0));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let (mut given, mut taken) = (0, 0);
                while given < EACH || taken < EACH {
                    // The counters are relaxed: that the next at this end sees them, and never an
                    // older value, is due to the handle.
                    if let Some(mut producer) = (given < EACH).then(|| queue.producer()).flatten() {
                        let number = pushed.load(Ordering::Relaxed);
                        if producer.push(Box::new(number)).is_ok() {
                            pushed.store(number + 1, Ordering::Relaxed);
                            given += 1;
                        }
                    }
                    if let Some(mut consumer) = (taken < EACH).then(|| queue.consumer()).flatten() {
                        if let Ok(number) = consumer.pop() {
                            assert_eq!(*number, popped.load(Ordering::Relaxed));
                            popped.store(*number + 1, Ordering::Relaxed);
                            taken += 1;
                        }
                    }
                    thread::yield_now();
                }
            });
        }
    });
    assert_eq!(popped.into_inner(), THREADS * EACH);
    assert!(queue.is_empty());
}

#[test]
fn handles_may_be_sent() {
    fn is_send<T: Send>(_: &T) {}
    let mut queue = Spsc::<std::cell::Cell<u8>, 1>::new();
    is_send(&queue);
    let (mut producer, mut consumer) = queue.split();
    is_send(&producer);
    is_send(&consumer);
    is_send(&producer.write_chunk(1).unwrap());
    producer.push(std::cell::Cell::new(1)).unwrap();
    is_send(&consumer.read_chunk(1).unwrap());
}
