//! Queues between threads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use brigade::{
    GetError, GetTimeoutError, PutError, PutTimeoutError, Queue, Shutdown, TryGetError, TryPutError,
};

use crate::harness::{LONG, OsThread, until};

/// Of each producer, every item comes out once and in order, for any mix of threads.
fn exchange(queue: &Queue<(usize, u32)>, producers: usize, consumers: usize, items: u32) {
    let received: Vec<Vec<(usize, u32)>> = thread::scope(|scope| {
        let getters: Vec<_> = (0..consumers)
            .map(|_| scope.spawn(|| queue.iter().collect()))
            .collect();
        let putters: Vec<_> = (0..producers)
            .map(|producer| {
                scope.spawn(move || {
                    for item in 0..items {
                        queue.put((producer, item)).unwrap();
                    }
                })
            })
            .collect();
        for putter in putters {
            putter.join().unwrap();
        }
        queue.shutdown(Shutdown::Drain);
        getters
            .into_iter()
            .map(|getter| getter.join().unwrap())
            .collect()
    });
    for got in &received {
        let mut next = vec![0; producers];
        for &(producer, item) in got {
            assert!(item >= next[producer], "a producer's items were reordered");
            next[producer] = item + 1;
        }
    }
    let mut all: Vec<_> = received.into_iter().flatten().collect();
    all.sort_unstable();
    let sent = (0..producers).flat_map(|producer| (0..items).map(move |item| (producer, item)));
    assert!(all.into_iter().eq(sent), "items were lost or doubled");
}

#[test]
fn every_item_arrives_once_and_in_order() {
    for capacity in [1, 2, 3, 64] {
        for (producers, consumers) in [(1, 1), (2, 2), (4, 1), (1, 4)] {
            exchange(&Queue::bounded(capacity), producers, consumers, 500);
        }
    }
    for (producers, consumers) in [(1, 1), (2, 2), (4, 1), (1, 4)] {
        exchange(&Queue::unbounded(), producers, consumers, 2_000);
    }
}

#[test]
fn batches_between_threads() {
    for queue in [Queue::bounded(5), Queue::unbounded()] {
        let received: Vec<u32> = thread::scope(|scope| {
            let getter = scope.spawn(|| {
                let mut items = Vec::new();
                while queue.get_many(7, &mut items).is_ok() {}
                items
            });
            queue.put_many(0..1000).unwrap();
            queue.shutdown(Shutdown::Drain);
            getter.join().unwrap()
        });
        assert!(received.into_iter().eq(0..1000));
        let unput = queue.put_many(0..10).unwrap_err();
        assert!(
            unput.eq(0..10),
            "a queue that was shut down gives everything back"
        );
    }
}

#[test]
fn shutdown_wakes_all_who_sleep() {
    for how in [Shutdown::Drain, Shutdown::Immediate] {
        let empty: Queue<u32> = Queue::bounded(1);
        let full: Queue<u32> = Queue::bounded(1);
        full.put(1).unwrap();
        thread::scope(|scope| {
            let (sender, threads) = mpsc::channel();
            let start = |sender: &mpsc::Sender<_>| sender.send(OsThread::current()).unwrap();
            for _ in 0..3 {
                let (first, second) = (sender.clone(), sender.clone());
                let (empty, full) = (&empty, &full);
                scope.spawn(move || {
                    start(&first);
                    assert_eq!(empty.get(), Err(GetError));
                });
                scope.spawn(move || {
                    start(&second);
                    assert_eq!(full.put(2), Err(PutError(2)));
                });
            }
            for sleeper in threads.iter().take(6) {
                until(|| sleeper.is_asleep());
            }
            assert_eq!(empty.shutdown(how).count(), 0);
            let left = usize::from(how == Shutdown::Immediate);
            assert_eq!(full.shutdown(how).count(), left);
        });
        assert_eq!(full.try_get().is_ok(), how == Shutdown::Drain);
        assert_eq!(full.try_get(), Err(TryGetError::ShutDown));
    }
}

#[test]
fn shutdown_in_the_middle_loses_nothing() {
    for how in [Shutdown::Drain, Shutdown::Immediate] {
        for queue in [Queue::bounded(2), Queue::unbounded()] {
            let (put, refused, got, left) = thread::scope(|scope| {
                let putters: Vec<_> = (0..3)
                    .map(|_| {
                        scope.spawn(|| {
                            let put = (0..1000)
                                .take_while(|&item| queue.put(item).is_ok())
                                .count();
                            (put, usize::from(put < 1000))
                        })
                    })
                    .collect();
                let getter = scope.spawn(|| queue.iter().count());
                until(|| queue.unfinished() > 100);
                let left = queue.shutdown(how).count();
                let (put, refused) = putters
                    .into_iter()
                    .map(|putter| putter.join().unwrap())
                    .fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
                (put, refused, getter.join().unwrap(), left)
            });
            assert_eq!(got + left, put, "{how:?}: what went in came out");
            assert!(refused <= 3);
        }
    }
}

#[test]
fn timeouts_are_kept() {
    let queue: Queue<u32> = Queue::bounded(1);
    let wait = Duration::from_millis(20);
    let start = Instant::now();
    assert_eq!(queue.get_timeout(wait), Err(GetTimeoutError::Timeout));
    assert!(start.elapsed() >= wait, "it gave up too early");
    queue.put(1).unwrap();
    let start = Instant::now();
    assert_eq!(queue.put_timeout(2, wait), Err(PutTimeoutError::Timeout(2)));
    assert!(start.elapsed() >= wait, "it gave up too early");
    // A deadline that has passed is a try.
    assert_eq!(
        queue.put_deadline(2, start),
        Err(PutTimeoutError::Timeout(2))
    );
    assert_eq!(queue.get_deadline(start), Ok(1));
    assert_eq!(queue.get_deadline(start), Err(GetTimeoutError::Timeout));
    // One that no clock reaches is for ever.
    thread::scope(|scope| {
        let getter = scope.spawn(|| queue.get_timeout(Duration::MAX));
        queue.put(3).unwrap();
        assert_eq!(getter.join().unwrap(), Ok(3));
    });
}

#[test]
fn join_waits_for_what_is_in_hand() {
    let queue = Queue::unbounded();
    queue.put("job").unwrap();
    let lease = queue.lease().unwrap();
    assert!(queue.is_empty());
    assert!(
        !queue.join_timeout(Duration::from_millis(5)),
        "somebody holds it"
    );
    thread::scope(|scope| {
        let joiner = scope.spawn(|| queue.join_timeout(LONG));
        drop(lease);
        assert!(joiner.join().unwrap());
    });
}

#[test]
fn a_lease_put_back_is_delivered_again() {
    let queue = Queue::bounded(1);
    queue.put("job").unwrap();
    let lease = queue.lease().unwrap();
    lease.put_back().unwrap();
    assert_eq!(queue.unfinished(), 1);
    let lease = queue.lease().unwrap();
    queue.put("another").unwrap();
    let Err(TryPutError::Full(lease)) = lease.put_back() else {
        panic!("there was no room");
    };
    assert_eq!(*lease, "job");
}

#[test]
fn a_panic_finishes_its_lease() {
    let queue = Queue::unbounded();
    queue.put_many(["good", "bad", "good"]).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            while let Ok(job) = queue.lease() {
                let done = catch_unwind(AssertUnwindSafe(|| {
                    let job = job;
                    assert!(*job == "good");
                }));
                drop(done);
            }
        });
        assert!(queue.join_timeout(LONG), "a panic must not be waited for");
        queue.shutdown(Shutdown::Drain);
    });
}

#[test]
fn a_worker_can_redeliver_when_it_unwinds() {
    /// Puts its job back unless told that all went well.
    struct Retry<'a>(Option<brigade::Lease<'a, u32>>);

    impl Drop for Retry<'_> {
        fn drop(&mut self) {
            if let Some(mut job) = self.0.take() {
                *job += 1;
                job.put_back().unwrap();
            }
        }
    }

    let queue = Queue::unbounded();
    queue.put(0).unwrap();
    let attempts = thread::scope(|scope| {
        let workers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let mut attempts = 0;
                    while let Ok(job) = queue.lease() {
                        attempts += 1;
                        let attempt = AssertUnwindSafe(|| {
                            let mut job = Retry(Some(job));
                            assert!(job.0.as_deref() == Some(&5), "not yet");
                            job.0 = None;
                        });
                        drop(catch_unwind(attempt));
                    }
                    attempts
                })
            })
            .collect();
        assert!(queue.join_timeout(LONG), "the fifth retry succeeds");
        queue.shutdown(Shutdown::Drain);
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap())
            .sum::<u32>()
    });
    assert_eq!(attempts, 6);
}

#[test]
fn a_sleeping_consumer_costs_nothing() {
    let queue: Queue<u32> = Queue::unbounded();
    thread::scope(|scope| {
        let (sender, threads) = mpsc::channel();
        scope.spawn(|| {
            let sender = sender;
            sender.send(OsThread::current()).unwrap();
            assert_eq!(queue.get(), Err(GetError));
        });
        let consumer = threads.recv().unwrap();
        until(|| {
            // Over a pause in which a thread that wakes up by itself would have been seen.
            let before = consumer.effort();
            let pause: Result<u32, _> = Queue::bounded(1).get_timeout(Duration::from_millis(50));
            assert!(pause.is_err());
            consumer.effort() == before
        });
        queue.shutdown(Shutdown::Drain);
    });
}
