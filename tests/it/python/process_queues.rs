//! `multiprocessing.Queue` and its kin, and `manager.Queue()` for the workers of a pool.

use std::time::Duration;

use brigade::shared::{Event, GetError, Lock, PutFailure, Queue};
use brigade::{Process, ProcessPool, Shutdown};

use crate::harness::LONG;

const SOON: Duration = Duration::from_millis(5);

fn sum(numbers: &Queue<u64>) -> u64 {
    numbers.iter().map(Result::unwrap).sum()
}

/// `Queue`, `SimpleQueue`, `JoinableQueue`. The traps: a killed reader starves the rest and takes its item
/// along; a feeder thread that loses what cannot be pickled, and what is not fed yet when the process ends.
#[test]
fn queue_simple_queue_joinable_queue_between_processes() {
    // `put` and `get`, `full` and `empty`, with time-outs and without waiting.
    let queue = Queue::bounded(2).unwrap();
    assert_eq!(queue.try_get(), Err(GetError::Empty));
    assert_eq!(queue.get_timeout(SOON), Err(GetError::Empty));
    queue.put("a".to_owned()).unwrap();
    queue.try_put("b".to_owned()).unwrap();
    assert_eq!((queue.len(), queue.is_full()), (2, true));
    let error = queue.try_put("c".to_owned()).unwrap_err();
    assert_eq!((&*error.item, &error.why), ("c", &PutFailure::Full));
    assert_eq!(
        queue
            .put_timeout(error.into_inner(), SOON)
            .unwrap_err()
            .item,
        "c"
    );
    assert_eq!(queue.get().unwrap(), "a");
    assert_eq!(queue.get().unwrap(), "b");
    assert!(queue.is_empty());
    // Both were taken, and only one is reported: `join` says so, and then one too many does.
    queue.task_done().unwrap();
    assert!(!queue.join_timeout(SOON).unwrap());
    queue.task_done().unwrap();
    assert!(queue.join_timeout(LONG).unwrap());
    assert!(queue.task_done().is_err());

    // What is put is in the queue, also if the process ends at once.
    let putter = Process::start(
        |queue: Queue<String>| -> () {
            queue.put("last words".into()).unwrap();
            std::process::abort()
        },
        queue.clone(),
    );
    assert!(putter.unwrap().join().is_err());
    assert_eq!(queue.get_timeout(LONG).unwrap(), "last words");
    queue.task_done().unwrap();

    // What a dead reader had in hand comes again, and the others go on.
    let has_it = Event::new().unwrap();
    queue.put("water".into()).unwrap();
    let reader = Process::start(
        |(queue, has_it): (Queue<String>, Event)| -> () {
            let _lease = queue.lease().unwrap();
            has_it.set();
            let _ = queue.get();
        },
        (queue.clone(), has_it.clone()),
    );
    let reader = reader.unwrap();
    assert!(has_it.wait_timeout(LONG));
    reader.kill().unwrap();
    let again = queue.lease_timeout(LONG).unwrap();
    assert_eq!((&**again, again.attempts()), ("water", 1));
    drop(again);
    assert!(queue.join_timeout(LONG).unwrap());

    // An item whose shared object is gone says so, and is not taken for anything else.
    let events = Queue::bounded(1).unwrap();
    let putter = Process::start(
        |events: Queue<Event>| events.put(Event::new().unwrap()).unwrap(),
        events.clone(),
    );
    putter.unwrap().join_timeout(LONG).unwrap().unwrap();
    let Err(GetError::Decode(why)) = events.try_get() else {
        panic!("the event is gone");
    };
    assert!(why.contains("does not exist any more"), "{why}");

    // What cannot travel comes back.
    let small = Queue::<Vec<u8>>::builder().capacity(2).bytes(1 << 20);
    let small = small.build().unwrap();
    let error = small.put(vec![7; 2 << 20]).unwrap_err();
    assert_eq!(error.why, PutFailure::TooLarge);
    assert_eq!(error.item.len(), 2 << 20);
}

/// `manager.Queue()` passed to workers of a pool, because a plain `Queue` cannot be. The traps: slow, and
/// problems with a `multiprocessing.Lock` beside it.
#[test]
fn manager_queue_passed_to_pool_workers_with_a_lock_beside_it() {
    fn work((jobs, done, lock): (Queue<u64>, Queue<u64>, Lock<u64>)) {
        while let Ok(job) = jobs.lease() {
            let mut total = lock.lock().unwrap();
            *total += *job;
            drop(total);
            done.put(*job).unwrap();
        }
    }

    let pool = ProcessPool::builder().workers(2).build().unwrap();
    let (jobs, done) = (Queue::bounded(8).unwrap(), Queue::bounded(200).unwrap());
    let total = Lock::new(0).unwrap();
    let workers: Vec<_> = (0..2)
        .map(|_| {
            let shared = (jobs.clone(), done.clone(), total.clone());
            pool.submit_with(work, shared).unwrap()
        })
        .collect();
    for number in 1..=100 {
        jobs.put_timeout(number, LONG).unwrap();
    }
    assert!(jobs.join_timeout(LONG).unwrap());
    jobs.shutdown(Shutdown::Drain);
    for worker in workers {
        worker.result_timeout(LONG).unwrap().unwrap();
    }
    assert_eq!(*total.lock().unwrap(), 5050);
    done.shutdown(Shutdown::Drain);
    assert_eq!(sum(&done), 5050);
}

/// `put(None)` marks the end, one for each consumer. The trap: they are miscounted, and a consumer that dies
/// leaves its own behind.
#[test]
fn the_end_of_processes_needs_no_sentinel() {
    let numbers = Queue::bounded(4).unwrap();
    let start = |numbers: &Queue<u64>| {
        let consume = |numbers: Queue<u64>| sum(&numbers);
        Process::start(consume, numbers.clone()).unwrap()
    };
    let mut consumers = vec![start(&numbers), start(&numbers)];
    for number in 1..=100 {
        numbers.put_timeout(number, LONG).unwrap();
    }
    assert!(numbers.shutdown(Shutdown::Drain).next().is_none());
    // One that comes too late is told as well, and what comes too late comes back.
    consumers.push(start(&numbers));
    let error = numbers.put(101).unwrap_err();
    assert_eq!((error.item, error.why), (101, PutFailure::ShutDown));
    let sums = consumers.into_iter().map(|consumer| {
        let ended = consumer.join_timeout(LONG).unwrap();
        ended.unwrap()
    });
    assert_eq!(sums.sum::<u64>(), 5050);
    assert_eq!(numbers.try_get(), Err(GetError::ShutDown));

    // At once: what was left is handed to who ends it.
    let numbers = Queue::bounded(4).unwrap();
    for number in 0..3 {
        numbers.put(number).unwrap();
    }
    let left: Vec<u64> = numbers
        .shutdown(Shutdown::Immediate)
        .map(Result::unwrap)
        .collect();
    assert_eq!(left, [0, 1, 2]);
}
