//! Other orders than first in, first out: priorities, and queues that stand on a stack or on them.

use std::cell::Cell;
use std::cmp::Ordering;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use brigade_core::bounded::{Container, HeapLifo, HeapPriority, Lifo, Priority};
use brigade_core::wait::{Async, Spin};
use brigade_core::{Queue, Shutdown, TryPutError};

thread_local! {
    /// How many comparisons are left before one panics.
    static PATIENCE: Cell<u32> = const { Cell::new(u32::MAX) };
}

/// Sorted by the first number alone. The second tells equal ones apart.
#[derive(Debug, Clone, Copy)]
struct Job(u32, u32);

impl Ord for Job {
    fn cmp(&self, other: &Self) -> Ordering {
        PATIENCE.set(PATIENCE.get().checked_sub(1).expect("as asked for"));
        self.0.cmp(&other.0)
    }
}

impl PartialOrd for Job {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Job {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Job {}

/// Does something that may compare so often before it panics; says whether it did not.
fn with_patience<R>(comparisons: u32, work: impl FnOnce() -> R) -> Option<R> {
    PATIENCE.set(comparisons);
    let done = catch_unwind(AssertUnwindSafe(work));
    PATIENCE.set(u32::MAX);
    done.ok()
}

/// Arbitrary but repeatable.
fn scattered(number: u32) -> u32 {
    number.wrapping_mul(0x9E37_79B1) >> 16
}

#[test]
fn equal_items_come_in_the_order_of_their_arrival() {
    // The count of arrivals wraps after ten of them.
    for queue in [
        HeapPriority::<_>::with_capacity(50),
        HeapPriority::with_capacity(50).near_wrap(10),
    ] {
        let mut model = Vec::new();
        for number in 0..5_000 {
            if scattered(number) % 16 < 9 && model.len() < 50 {
                let job = (scattered(number) % 5, number);
                model.push(job);
                queue.push(Job(job.0, job.1)).unwrap();
            } else if let Some(first) = model.iter().min().copied() {
                // Numbers rise, so the smallest pair is the oldest of the most urgent.
                model.retain(|&job| job != first);
                let Job(key, number) = queue.pop().unwrap();
                assert_eq!((key, number), first);
            }
            assert_eq!(queue.len(), model.len());
        }
        model.sort_unstable();
        assert!(
            queue
                .drain()
                .map(|Job(key, number)| (key, number))
                .eq(model)
        );
    }
}

/// Whichever comparison panics, nothing has moved, and the queue can be used.
#[test]
fn a_panicking_comparison_leaves_the_queue_as_it_was() {
    for items in 1..=20 {
        for comparisons in 0..10 {
            let queue = Priority::<Job, 32>::new();
            for number in 0..items {
                queue.push(Job(scattered(number) % 7, number)).unwrap();
            }
            let mut expected: Vec<_> = (0..items).map(|n| (scattered(n) % 7, n)).collect();

            let pushed = with_patience(comparisons, || queue.push(Job(0, items)));
            if pushed.is_some() {
                expected.push((0, items));
            }
            assert_eq!(queue.len(), expected.len());
            assert_eq!(queue.pushed() as usize, expected.len());
            expected.sort_unstable();

            let popped = with_patience(comparisons, || queue.pop().unwrap());
            if let Some(Job(key, number)) = popped {
                assert_eq!((key, number), expected.remove(0));
            }
            assert_eq!(queue.len(), expected.len());
            let rest = queue.drain().map(|Job(key, number)| (key, number));
            assert!(rest.eq(expected));
        }
    }
}

/// An order that contradicts itself spoils the order and nothing else.
#[test]
fn a_batch_that_panics_half_way_wakes_for_what_it_put() {
    let queue: Queue<Priority<Job, 4>, Async<Spin, 1>> = Queue::new(Priority::new());
    let woken = Arc::new(Woken(AtomicBool::new(false)));
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    let mut get = queue.get_async();
    assert!(Pin::new(&mut get).poll(&mut context).is_pending());
    // The first is put without a comparison, the second takes one.
    assert!(with_patience(0, || queue.put_many([Job(1, 0), Job(2, 0)]).unwrap()).is_none());
    assert!(woken.0.load(SeqCst));
    assert_eq!(
        Pin::new(&mut get).poll(&mut context),
        Poll::Ready(Ok(Job(1, 0)))
    );
}

/// Notes that it was called.
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, SeqCst);
    }
}

#[test]
fn a_shutdown_survives_a_panicking_comparison() {
    let queue: Queue<Priority<Job, 4>> = Queue::new(Priority::new());
    queue.put_many([Job(3, 0), Job(1, 0), Job(2, 0)]).unwrap();
    assert!(with_patience(0, || drop(queue.shutdown(Shutdown::Immediate))).is_none());
    assert_eq!(queue.len(), 3, "they go with the queue");
    let rest: Vec<_> = queue
        .shutdown(Shutdown::Immediate)
        .map(|job| job.0)
        .collect();
    assert_eq!(rest, [1, 2, 3]);
}

#[test]
fn an_order_without_sense_loses_nothing() {
    #[derive(PartialEq, Eq)]
    struct Contrary(u32);

    impl Ord for Contrary {
        fn cmp(&self, other: &Self) -> Ordering {
            scattered(self.0 ^ other.0).cmp(&scattered(other.0))
        }
    }

    impl PartialOrd for Contrary {
        fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
            Some(self.cmp(other))
        }
    }

    let queue = HeapPriority::<_>::with_capacity(100);
    for item in 0..100 {
        assert!(queue.push(Contrary(item)).is_ok());
    }
    let mut out: Vec<_> = queue.drain().map(|Contrary(item)| item).collect();
    out.sort_unstable();
    assert!(out.into_iter().eq(0..100));
}

#[test]
fn live_in_statics() {
    static STACK: Queue<Lifo<u32, 3>> = Queue::new(Lifo::new());
    static URGENT: Queue<Priority<u32, 3>> = Queue::new(Priority::new());
    for item in [2, 3, 1] {
        STACK.put(item).unwrap();
        URGENT.put(item).unwrap();
    }
    assert_eq!([(); 3].map(|()| STACK.get().unwrap()), [1, 3, 2]);
    assert_eq!([(); 3].map(|()| URGENT.get().unwrap()), [1, 2, 3]);
}

/// All that a queue can do, on a container that gives out the last of 2, 1, 3 as said.
fn is_a_queue<C: Container<Item = u32> + Sync>(make: fn(usize) -> C, order: [u32; 3]) {
    let queue: Queue<C> = Queue::new(make(3));
    queue.put_many([2, 1, 3]).unwrap();
    assert_eq!(queue.try_put(4), Err(TryPutError::Full(4)));

    // Leases, one of which is put back.
    let lease = queue.lease().unwrap();
    assert_eq!(*lease, order[0]);
    assert!(lease.put_back().is_ok());
    assert_eq!(queue.unfinished(), 3);
    for item in order {
        assert_eq!(*queue.lease().unwrap(), item);
    }
    queue.join();
    assert!(queue.task_done().is_err());

    // Everybody who waits is woken, and nothing is lost between threads.
    let sum = thread::scope(|scope| {
        let workers = [(); 2].map(|()| {
            scope.spawn(|| {
                let mut sum = 0;
                for item in &queue {
                    sum += item;
                    queue.task_done().unwrap();
                }
                sum
            })
        });
        let producers = [1, 2].map(|first| {
            let queue = &queue;
            scope.spawn(move || (0..2_000).for_each(|n| queue.put(first + 2 * n).unwrap()))
        });
        for producer in producers {
            producer.join().unwrap();
        }
        queue.join();
        drop(queue.shutdown(Shutdown::Drain));
        workers
            .map(|worker| worker.join().unwrap())
            .iter()
            .sum::<u32>()
    });
    assert_eq!(sum, (1..=4_000).sum::<u32>());
    assert_eq!(queue.try_put(1), Err(TryPutError::ShutDown(1)));

    // What an immediate shutdown hands back.
    let queue: Queue<C> = Queue::new(make(3));
    queue.put_many([2, 1, 3]).unwrap();
    assert!(queue.shutdown(Shutdown::Immediate).eq(order));
    assert!(queue.get().is_err());
    queue.join();
}

#[test]
fn a_stack_carries_a_queue() {
    is_a_queue(HeapLifo::with_capacity, [3, 1, 2]);
}

#[test]
fn priorities_carry_a_queue() {
    is_a_queue(HeapPriority::<_>::with_capacity, [1, 2, 3]);
}
