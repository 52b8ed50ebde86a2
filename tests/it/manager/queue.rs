//! Queues of managers.

use std::panic::catch_unwind;
use std::thread;
use std::time::{Duration, Instant};

use brigade::manager::{Error, Queue};
use brigade::{Manager, Process, Shutdown};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{await_death, in_time, kill};
use crate::harness::{LONG, until};

const CHILDREN: u64 = 3;
const ITEMS: u64 = 100;

#[test]
fn every_item_arrives_once() {
    let manager = Manager::start().unwrap();
    let items: Queue<u64> = manager.bounded_queue(4).unwrap();
    let sums: Queue<u64> = manager.queue().unwrap();
    let consumers: Vec<_> = (0..CHILDREN)
        .map(|_| {
            let consume = |(items, sums): (Queue<u64>, Queue<u64>)| {
                sums.put(items.iter().map(Result::unwrap).sum()).unwrap();
            };
            Process::start(consume, (items.clone(), sums.clone())).unwrap()
        })
        .collect();
    let producers: Vec<_> = (0..CHILDREN)
        .map(|child| {
            let produce = |(items, child): (Queue<u64>, u64)| {
                for item in child * ITEMS..(child + 1) * ITEMS {
                    items.put(item).unwrap();
                }
            };
            Process::start(produce, (items.clone(), child)).unwrap()
        })
        .collect();
    for producer in producers {
        producer.join().unwrap();
    }
    items.shutdown(Shutdown::Drain).unwrap();
    for consumer in consumers {
        consumer.join().unwrap();
    }
    sums.shutdown(Shutdown::Drain).unwrap();
    let sum: u64 = sums.iter().map(Result::unwrap).sum();
    assert_eq!(sum, (0..CHILDREN * ITEMS).sum::<u64>());
}

#[test]
fn bounds_and_times_are_kept() {
    let manager = Manager::builder().serve().unwrap();
    let queue = manager.bounded_queue(2).unwrap();
    let short = Duration::from_millis(5);
    assert!(matches!(queue.try_get(), Err(Error::Empty)));
    assert!(matches!(queue.try_lease(), Err(Error::Empty)));
    assert!(matches!(queue.get_timeout(short), Err(Error::Timeout)));
    assert!(matches!(queue.lease_timeout(short), Err(Error::Timeout)));
    assert!(matches!(
        queue.get_deadline(Instant::now() + short),
        Err(Error::Timeout)
    ));
    assert!(matches!(
        queue.lease_deadline(Instant::now()),
        Err(Error::Timeout)
    ));
    queue.put("a".to_string()).unwrap();
    queue.try_put("b".into()).unwrap();
    assert!(queue.is_full().unwrap());
    let full = queue.try_put("c".into()).unwrap_err();
    assert!(matches!(full.error, Error::Full) && full.item == "c");
    let late = queue.put_timeout("c".into(), short).unwrap_err();
    assert!(matches!(late.error, Error::Timeout) && late.item == "c");
    let late = queue.put_deadline("c".into(), Instant::now() + short);
    assert!(matches!(late.unwrap_err().error, Error::Timeout));
    assert_eq!(queue.get().unwrap(), "a");
    assert!(queue.put_timeout("c".into(), LONG).is_ok());
    assert_eq!((queue.len().unwrap(), queue.capacity().unwrap()), (2, 2));
    assert_eq!(queue.unfinished().unwrap(), 3);
    let unbounded: Queue<u8> = manager.queue().unwrap();
    assert_eq!(unbounded.capacity().unwrap(), usize::MAX);
    assert!(unbounded.is_empty().unwrap());
    let nothing: Queue<u8> = manager.bounded_queue(0).unwrap();
    assert!(matches!(nothing.try_put(1).unwrap_err().error, Error::Full));
}

#[test]
fn those_who_wait_are_woken() {
    let manager = Manager::builder().serve().unwrap();
    let queue: Queue<u8> = manager.bounded_queue(1).unwrap();
    let getter = thread::spawn({
        let queue = queue.clone();
        move || queue.get().unwrap()
    });
    queue.put(1).unwrap();
    assert_eq!(in_time(move || getter.join().unwrap()), 1);
    queue.put(2).unwrap();
    let putter = thread::spawn({
        let queue = queue.clone();
        move || queue.put(3).unwrap()
    });
    assert_eq!(queue.get().unwrap(), 2);
    in_time(move || putter.join().unwrap());
    assert_eq!(queue.get().unwrap(), 3);
}

#[test]
fn join_waits_for_all_that_was_put() {
    let manager = Manager::start().unwrap();
    let queue: Queue<u8> = manager.queue().unwrap();
    for item in 0..3 {
        queue.put(item).unwrap();
    }
    let short = Duration::from_millis(5);
    assert!(matches!(queue.join_timeout(short), Err(Error::Timeout)));
    assert!(matches!(queue.task_done(), Err(Error::TooManyDone)));
    let finish = |queue: Queue<u8>| {
        queue.get().unwrap();
        queue.task_done().unwrap();
        drop(queue.lease().unwrap());
        assert_eq!(queue.lease().unwrap().finish().unwrap(), 2);
        assert!(matches!(queue.task_done(), Err(Error::TooManyDone)));
    };
    Process::start(finish, queue.clone())
        .unwrap()
        .join()
        .unwrap();
    queue.join().unwrap();
    queue.join_deadline(Instant::now()).unwrap();
    assert_eq!(queue.unfinished().unwrap(), 0);
}

#[test]
fn a_lease_that_is_put_back_is_the_next() {
    let manager = Manager::builder().serve().unwrap();
    let queue = manager.bounded_queue(2).unwrap();
    queue.put('a').unwrap();
    queue.put('b').unwrap();
    let lease = queue.lease().unwrap();
    assert_eq!((*lease, lease.attempts()), ('a', 0));
    queue.put('c').unwrap();
    queue.shutdown(Shutdown::Drain).unwrap();
    lease.put_back().unwrap();
    assert_eq!(
        queue.len().unwrap(),
        3,
        "also beyond the bound, also after the shutdown"
    );
    assert!(queue.iter().map(Result::unwrap).eq(['a', 'b', 'c']));
}

#[test]
fn the_lease_of_a_dead_process_goes_to_the_next() {
    let manager = Manager::start().unwrap();
    let jobs = manager.queue().unwrap();
    let at: Queue<String> = manager.queue().unwrap();
    for job in ["a", "b", "c"] {
        jobs.put(job.to_string()).unwrap();
    }
    for round in 0..2 {
        let die = |(jobs, at): (Queue<String>, Queue<String>)| {
            let _leases = [jobs.lease().unwrap(), jobs.lease().unwrap()];
            await_death(&at);
        };
        let child = Process::start(die, (jobs.clone(), at.clone())).unwrap();
        at.get_timeout(LONG).unwrap();
        assert_eq!(
            (jobs.len().unwrap(), jobs.unfinished().unwrap()),
            (1, 3),
            "{round}"
        );
        kill(child);
        until(|| jobs.len().unwrap() == 3);
        let first = jobs.lease_timeout(LONG).unwrap();
        assert_eq!((first.as_str(), first.attempts()), ("a", round + 1));
        first.put_back().unwrap();
    }
    let leases = [(); 3].map(|()| jobs.lease_timeout(LONG).unwrap());
    let attempts = leases
        .each_ref()
        .map(|lease| (lease.as_str(), lease.attempts()));
    assert_eq!(attempts, [("a", 2), ("b", 2), ("c", 0)]);
    drop(leases);
    jobs.join().unwrap();
}

#[test]
fn what_a_dead_process_had_got_does_not_hold_up_join() {
    let manager = Manager::start().unwrap();
    let jobs: Queue<u8> = manager.queue().unwrap();
    let at: Queue<String> = manager.queue().unwrap();
    jobs.put(1).unwrap();
    let die = |(jobs, at): (Queue<u8>, Queue<String>)| {
        jobs.get().unwrap();
        await_death(&at);
    };
    let child = Process::start(die, (jobs.clone(), at.clone())).unwrap();
    at.get_timeout(LONG).unwrap();
    assert_eq!(jobs.unfinished().unwrap(), 1);
    kill(child);
    jobs.join_timeout(LONG).unwrap();
}

#[test]
fn an_immediate_shutdown_hands_out_what_is_left() {
    let manager = Manager::builder().message_limit(1024).serve().unwrap();
    let queue = manager.queue().unwrap();
    // More than one message holds.
    let items: Vec<Vec<u8>> = (0..50).map(|item| vec![item; 100]).collect();
    for item in &items {
        queue.put(item.clone()).unwrap();
    }
    let lease = queue.lease().unwrap();
    assert_eq!(queue.shutdown(Shutdown::Immediate).unwrap(), items[1..]);
    assert!(matches!(queue.get(), Err(Error::ShutDown)));
    assert_eq!(queue.unfinished().unwrap(), 1);
    let joined = thread::spawn({
        let queue = queue.clone();
        move || queue.join_timeout(LONG)
    });
    lease.put_back().unwrap();
    joined.join().unwrap().unwrap();
    assert_eq!(queue.unfinished().unwrap(), 0);
    assert!(matches!(queue.try_lease(), Err(Error::ShutDown)));
    assert_eq!(queue.shutdown(Shutdown::Immediate).unwrap(), items[..1]);
    queue.join().unwrap();
}

#[test]
fn an_item_of_another_type_is_an_error() {
    let manager = Manager::builder().serve().unwrap();
    let queue: Queue<u8> = manager.queue().unwrap();
    manager.publish("bytes", &queue).unwrap();
    let other: Queue<String> = manager.find("bytes").unwrap();
    queue.put(200).unwrap();
    assert!(matches!(other.lease(), Err(Error::Decode(_))));
    assert_eq!(queue.len().unwrap(), 1, "it went back");
    assert_eq!(queue.lease().unwrap().attempts(), 1);
    queue.put(200).unwrap();
    assert!(matches!(other.get(), Err(Error::Decode(_))));
    assert_eq!(queue.len().unwrap(), 0);
}

/// Items that are too large for it to be read, or worse.
#[derive(Debug, PartialEq)]
struct Small(u8);

impl Serialize for Small {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Small {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u8::deserialize(deserializer)? {
            255 => panic!("a number that is not to be read"),
            number if number >= 100 => Err(D::Error::custom("too large")),
            number => Ok(Self(number)),
        }
    }
}

#[test]
fn an_item_that_cannot_be_read_holds_up_no_other() {
    let manager = Manager::builder().serve().unwrap();
    let bytes: Queue<u8> = manager.queue().unwrap();
    manager.publish("bytes", &bytes).unwrap();
    let queue: Queue<Small> = manager.find("bytes").unwrap();
    for item in [200, 255, 1] {
        bytes.put(item).unwrap();
    }
    assert!(matches!(queue.try_lease(), Err(Error::Decode(_))));
    assert!(catch_unwind(|| queue.try_lease()).is_err());
    assert_eq!(queue.try_lease().unwrap().finish().unwrap(), Small(1));
    for item in [200, 255] {
        let lease = bytes.try_lease().unwrap();
        assert_eq!((*lease, lease.attempts()), (item, 1));
    }
    bytes.join_timeout(LONG).unwrap();
}

#[test]
fn an_immediate_shutdown_hands_out_all_that_can_be_read() {
    let manager = Manager::builder().serve().unwrap();
    let bytes: Queue<u8> = manager.queue().unwrap();
    manager.publish("bytes", &bytes).unwrap();
    let queue: Queue<Small> = manager.find("bytes").unwrap();
    for item in [1, 200, 2, 201, 3] {
        bytes.put(item).unwrap();
    }
    let failed = queue.shutdown(Shutdown::Immediate).unwrap_err();
    assert!(matches!(failed.error, Error::Decode(_)));
    assert_eq!(failed.items, [Small(1), Small(2), Small(3)]);
    queue.join_timeout(LONG).unwrap();
}

#[test]
fn large_items_pass() {
    let manager = Manager::start().unwrap();
    let queue: Queue<Vec<u8>> = manager.queue().unwrap();
    for length in [0, 1, 1 << 10, 1 << 16, 1 << 20, 10_000_000] {
        let item = vec![7; length];
        queue.put(item.clone()).unwrap();
        assert!(queue.get().unwrap() == item, "{length}");
    }
}
