//! `queue`.

use std::cmp::{Ordering, Reverse};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use brigade::{
    Barrier, GetError, GetTimeoutError, LifoQueue, PriorityQueue, PutError, PutTimeoutError, Queue,
    Shutdown, TooManyDone, TryGetError, TryPutError,
};

use crate::harness::LONG;

const SOON: Duration = Duration::from_millis(5);

/// `qsize`, `empty`, `full`, `get(block, timeout)`, `get_nowait`, `put(...)`, `put_nowait`,
/// `task_done`, `join`, `shutdown`. The trap: a `task_done` forgotten, and one too many.
#[test]
fn queue_with_task_accounting() {
    let queue = Queue::bounded(2);
    assert_eq!(queue.capacity(), 2);
    assert!(queue.is_empty());
    assert_eq!(queue.try_get(), Err(TryGetError::Empty));
    assert_eq!(queue.get_timeout(SOON), Err(GetTimeoutError::Timeout));

    queue.put("first").unwrap();
    queue.try_put("second").unwrap();
    assert!(queue.is_full());
    assert_eq!((queue.len(), queue.unfinished()), (2, 2));
    assert_eq!(queue.try_put("third"), Err(TryPutError::Full("third")));
    assert_eq!(
        queue.put_timeout("third", SOON),
        Err(PutTimeoutError::Timeout("third"))
    );

    // Those who wait, for room and for an item, are served.
    thread::scope(|scope| {
        let putter = scope.spawn(|| queue.put_timeout("third", LONG));
        assert_eq!(queue.get(), Ok("first"));
        putter.join().unwrap().unwrap();
        assert_eq!(queue.get_timeout(LONG), Ok("second"));
        assert_eq!(queue.try_get(), Ok("third"));
        let getter = scope.spawn(|| queue.get());
        queue.put("fourth").unwrap();
        assert_eq!(getter.join().unwrap(), Ok("fourth"));
    });

    // What was taken is not finished before somebody says so, of each.
    for unfinished in (1..=4).rev() {
        assert_eq!(queue.unfinished(), unfinished);
        assert!(!queue.join_timeout(Duration::ZERO));
        queue.task_done().unwrap();
    }
    assert!(queue.join_timeout(LONG));
    queue.join();
    // One too many is an error and spoils nothing.
    assert_eq!(queue.task_done(), Err(TooManyDone));
    queue.put("fifth").unwrap();
    assert_eq!(queue.unfinished(), 1);

    // None is forgotten: not by a worker that panics, nor by one that returns early.
    queue.put("sixth").unwrap();
    thread::scope(|scope| {
        let careless = scope.spawn(|| {
            let job = queue.lease().unwrap();
            assert_eq!(*job, "unheard of");
        });
        assert!(careless.join().is_err());
        scope.spawn(|| {
            let Ok(_job) = queue.lease() else { return };
        });
        assert!(queue.join_timeout(LONG));
    });

    // `shutdown()`: what is inside is given out, nothing further is let in.
    queue.put("last").unwrap();
    queue.shutdown(Shutdown::Drain);
    assert_eq!(queue.put("late"), Err(PutError("late")));
    assert_eq!(queue.try_put("late"), Err(TryPutError::ShutDown("late")));
    assert_eq!(queue.get(), Ok("last"));
    assert_eq!(queue.get(), Err(GetError));
    assert_eq!(queue.try_get(), Err(TryGetError::ShutDown));
    assert_eq!(queue.get_timeout(LONG), Err(GetTimeoutError::ShutDown));
    queue.task_done().unwrap();
    assert!(queue.join_timeout(LONG));
}

/// `shutdown(immediate=True)`, which drops what is inside there and hands it out here, while others
/// wait in `put`, `get` and `join`.
#[test]
fn queue_shut_down_at_once_while_others_wait() {
    let full = Queue::bounded(1);
    full.put(1).unwrap();
    let empty: Queue<u32> = Queue::unbounded();
    let ready = Barrier::new(4);
    thread::scope(|scope| {
        let putter = scope.spawn(|| {
            ready.wait();
            full.put(2)
        });
        let joiner = scope.spawn(|| {
            ready.wait();
            full.join_timeout(LONG)
        });
        let getter = scope.spawn(|| {
            ready.wait();
            empty.get()
        });
        ready.wait();
        assert!(full.shutdown(Shutdown::Immediate).eq([1]));
        assert_eq!(empty.shutdown(Shutdown::Immediate).count(), 0);
        assert_eq!(putter.join().unwrap(), Err(PutError(2)));
        assert_eq!(getter.join().unwrap(), Err(GetError));
        assert!(joiner.join().unwrap());
    });
}

/// `put(None)`, once for each consumer. The trap: a consumer more than sentinels, one that comes
/// late, and a producer that is not done when the end is announced.
#[test]
fn the_end_needs_no_sentinel() {
    const CONSUMERS: u16 = 5;
    let queue = Arc::new(Queue::bounded(3));
    let started = Arc::new(Barrier::new(CONSUMERS + 1));
    let consumers: Vec<_> = (0..CONSUMERS)
        .map(|_| {
            let (queue, started) = (Arc::clone(&queue), Arc::clone(&started));
            thread::spawn(move || {
                started.wait();
                // `None` is an item like any other.
                queue.iter().collect::<Vec<Option<u32>>>()
            })
        })
        .collect();
    let slow = thread::spawn({
        let queue = Arc::clone(&queue);
        move || {
            (0..)
                .map(Some)
                .find_map(|item| queue.put(item).err())
                .unwrap()
        }
    });

    started.wait();
    queue.put(None).unwrap();
    queue.shutdown(Shutdown::Drain);

    let PutError(refused) = slow.join().unwrap();
    let refused = refused.unwrap();
    let mut got: Vec<_> = consumers
        .into_iter()
        .flat_map(|consumer| consumer.join().unwrap())
        .collect();
    // A consumer that starts after the end finds it as well.
    got.extend(queue.iter());
    got.sort_unstable();
    let sent = std::iter::once(None).chain((0..refused).map(Some));
    assert!(got.into_iter().eq(sent), "something was lost or doubled");
}

/// `LifoQueue`, `PriorityQueue`: all that a `Queue` can do, in another order. The trap: entries of the
/// same priority whose rest cannot be compared.
#[test]
fn lifo_and_priority_queues() {
    let stack = LifoQueue::bounded(2);
    stack.put(1).unwrap();
    stack.put(2).unwrap();
    assert_eq!(stack.try_put(3), Err(TryPutError::Full(3)));
    assert_eq!(stack.put_timeout(3, SOON), Err(PutTimeoutError::Timeout(3)));
    thread::scope(|scope| {
        let putter = scope.spawn(|| stack.put(3));
        assert_eq!(stack.get(), Ok(2));
        putter.join().unwrap().unwrap();
        assert_eq!(stack.get(), Ok(3));
        assert_eq!(*stack.lease().unwrap(), 1);
        assert_eq!(stack.get_timeout(SOON), Err(GetTimeoutError::Timeout));
        stack.task_done().unwrap();
        assert!(!stack.join_timeout(Duration::ZERO));
        stack.task_done().unwrap();
        assert!(stack.join_timeout(LONG));
        assert_eq!(stack.task_done(), Err(TooManyDone));
    });
    stack.put(4).unwrap();
    stack.put(5).unwrap();
    stack.shutdown(Shutdown::Drain);
    assert_eq!(stack.put(6), Err(PutError(6)));
    assert!(stack.iter().eq([5, 4]));
    assert_eq!(stack.try_get(), Err(TryGetError::ShutDown));

    // The smallest first, or by `Reverse` the largest.
    let jobs = PriorityQueue::bounded(3);
    for job in [(5, "water"), (1, "fire"), (9, "broom")] {
        jobs.put(job).unwrap();
    }
    assert_eq!(jobs.try_put((0, "")), Err(TryPutError::Full((0, ""))));
    assert_eq!(jobs.get(), Ok((1, "fire")));
    let (urgency, job) = jobs.lease().unwrap().finish();
    assert_eq!((urgency, job), (5, "water"));
    let lease = jobs.lease().unwrap();
    jobs.put((7, "bucket")).unwrap();
    lease.put_back().unwrap();
    jobs.shutdown(Shutdown::Drain);
    assert!(jobs.iter().eq([(7, "bucket"), (9, "broom")]));

    let largest = PriorityQueue::unbounded();
    largest.put_many((0..100).map(Reverse)).unwrap();
    let left = largest.shutdown(Shutdown::Immediate);
    assert!(left.eq((0..100).rev().map(Reverse)));

    // Of equal ones the oldest, whatever stands behind the priority.
    let alike = PriorityQueue::unbounded();
    for (priority, work) in [(1, "c"), (0, "a"), (1, "d"), (0, "b")] {
        let work = Box::new(move || work);
        alike.put(Work { priority, work }).unwrap();
    }
    alike.shutdown(Shutdown::Drain);
    let done: String = alike.iter().map(|job| (job.work)()).collect();
    assert_eq!(done, "abcd");
}

/// Something to do that cannot be compared.
struct Work {
    priority: u32,
    work: Box<dyn Fn() -> &'static str + Send>,
}

impl Ord for Work {
    fn cmp(&self, other: &Self) -> Ordering {
        self.priority.cmp(&other.priority)
    }
}

impl PartialOrd for Work {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Work {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Work {}
