//! Waiting for whichever of several things comes first.

use std::cell::Cell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::mpsc;
use std::task::{Context, Poll};
use std::thread;
use std::time::{Duration, Instant};

use brigade::{
    Event, GetError, JoinCounter, LifoQueue, PriorityQueue, Queue, Select, Semaphore, Shutdown,
    ThreadPool, TryGetError, select, signal,
};
use signal_hook::consts::SIGALRM;
use signal_hook::low_level::raise;

use crate::harness::{LONG, OsThread, until};

#[derive(Debug, PartialEq, Eq)]
enum Won {
    Number(Result<u32, GetError>),
    Word(Result<&'static str, GetError>),
    Event,
}

#[test]
fn sources_of_all_kinds_end_it() {
    let numbers = PriorityQueue::unbounded();
    let words = LifoQueue::bounded(2);
    let event = Event::new();
    let look = || {
        Select::new()
            .on(numbers.get_async(), Won::Number)
            .on(words.get_async(), Won::Word)
            .on(event.wait_async(), |()| Won::Event)
            .try_wait()
    };
    assert_eq!(look(), None);
    numbers.put_many([2, 1]).unwrap();
    assert_eq!(look(), Some(Won::Number(Ok(1))));
    assert_eq!(look(), Some(Won::Number(Ok(2))));
    words.put("one").unwrap();
    words.put("two").unwrap();
    assert_eq!(look(), Some(Won::Word(Ok("two"))));
    assert_eq!(look(), Some(Won::Word(Ok("one"))));
    event.set();
    assert_eq!(look(), Some(Won::Event));
    event.clear();
    words.shutdown(Shutdown::Drain);
    assert_eq!(look(), Some(Won::Word(Err(GetError))));
}

#[test]
fn counters_permits_and_tasks_end_it() {
    let pool = ThreadPool::builder().threads(1).build().unwrap();
    let counter = JoinCounter::new();
    let semaphore = Semaphore::new(1);
    counter.add(1).unwrap();
    let held = semaphore.acquire();
    let wait = |task| {
        Select::new()
            .on(counter.wait_async(), |()| "counter")
            .on(semaphore.acquire_async(), |_permit| "semaphore")
            .on(task, |result: Result<_, _>| result.unwrap())
            .wait_timeout(LONG)
    };
    assert_eq!(wait(pool.submit(|| "task").unwrap()), Some("task"));
    let release = Arc::new(Event::new());
    let slow = || {
        let release = Arc::clone(&release);
        pool.submit(move || {
            release.wait();
            "task"
        })
        .unwrap()
    };
    drop(held);
    assert_eq!(wait(slow()), Some("semaphore"));
    assert_eq!(semaphore.available(), 1);
    let _held = semaphore.acquire();
    counter.done().unwrap();
    assert_eq!(wait(slow()), Some("counter"));
    release.set();
}

/// What comes while the thread sleeps wakes it, whichever source it is.
#[test]
fn a_sleeper_is_woken_by_each_source() {
    for winner in 0..3 {
        let queues: [Queue<usize>; 2] = [Queue::bounded(1), Queue::unbounded()];
        let event = Event::new();
        thread::scope(|scope| {
            let (tell, told) = mpsc::channel();
            let (queues, event) = (&queues, &event);
            let waiter = scope.spawn(move || {
                tell.send(OsThread::current()).unwrap();
                select(queues.iter().map(Queue::get_async))
                    .on(event.wait_async(), |()| (2, Ok(2)))
                    .wait()
            });
            let thread = told.recv().unwrap();
            until(|| thread.is_asleep());
            match winner {
                2 => event.set(),
                queue => queues[queue].put(queue).unwrap(),
            }
            assert_eq!(waiter.join().unwrap(), (winner, Ok(winner)));
        });
    }
}

#[test]
fn a_shutdown_wakes_a_sleeper() {
    for how in [Shutdown::Drain, Shutdown::Immediate] {
        let queues: [Queue<u32>; 3] = [0; 3].map(|_| Queue::unbounded());
        thread::scope(|scope| {
            let (tell, told) = mpsc::channel();
            let queues = &queues;
            let waiter = scope.spawn(move || {
                tell.send(OsThread::current()).unwrap();
                select(queues.iter().map(Queue::get_async)).wait_timeout(LONG)
            });
            let thread = told.recv().unwrap();
            until(|| thread.is_asleep());
            queues[1].shutdown(how);
            assert_eq!(waiter.join().unwrap(), Some((1, Err(GetError))));
        });
    }
}

#[test]
fn the_time_is_up_and_nothing_is_lost() {
    let queue: Queue<u32> = Queue::bounded(1);
    let event = Event::new();
    let both = || {
        Select::new()
            .on(queue.get_async(), Result::ok)
            .on(event.wait_async(), |()| None)
    };
    let begun = Instant::now();
    assert_eq!(both().wait_timeout(Duration::from_millis(20)), None);
    assert!(begun.elapsed() >= Duration::from_millis(20));
    queue.put(1).unwrap();
    assert_eq!(
        both().wait_deadline(begun),
        Some(Some(1)),
        "one look in any case"
    );
    assert_eq!(both().wait_timeout(Duration::ZERO), None);
    assert_eq!(queue.try_get(), Err(TryGetError::Empty));
}

/// Whatever is always ready lets the others have their turn.
#[test]
fn nobody_is_passed_over_for_ever() {
    let event = Event::new();
    event.set();
    let queues: [Queue<u32>; 3] = [0; 3].map(|_| Queue::unbounded());
    let mut wins = [0; 4];
    for _ in 0..4_000 {
        for queue in &queues {
            if queue.is_empty() {
                queue.put(1).unwrap();
            }
        }
        let (winner, _) = select(queues.iter().map(Queue::get_async))
            .on(event.wait_async(), |()| (3, Ok(1)))
            .wait();
        wins[winner] += 1;
    }
    // A thousand each, give or take thirty: ten times as much would be a wonder.
    assert!(
        wins.iter().all(|wins| (700..1_300).contains(wins)),
        "{wins:?}"
    );
}

/// Producers, consumers that select, and one that blocks: every item comes out once.
#[test]
fn every_item_is_got_once() {
    const EACH: u32 = 2_000;
    let queues: [Queue<u32>; 2] = [Queue::bounded(1), Queue::bounded(4)];
    let stop = Event::new();
    let mut got = thread::scope(|scope| {
        let (queues, stop) = (&queues, &stop);
        let consumers = [0; 2].map(|_| {
            scope.spawn(move || {
                let mut got = Vec::new();
                loop {
                    let next = select(queues.iter().map(Queue::get_async))
                        .on(stop.wait_async(), |()| (2, Err(GetError)))
                        .wait();
                    match next {
                        (_, Ok(item)) => got.push(item),
                        (_, Err(GetError)) => return got,
                    }
                }
            })
        });
        let plain = scope.spawn(|| queues[0].iter().collect::<Vec<_>>());
        let producers = [0, 1].map(|number| {
            scope.spawn(move || {
                for item in 0..EACH {
                    queues[number]
                        .put(item * 2 + u32::try_from(number).unwrap())
                        .unwrap();
                }
            })
        });
        for producer in producers {
            producer.join().unwrap();
        }
        until(|| queues.iter().all(Queue::is_empty));
        stop.set();
        queues[0].shutdown(Shutdown::Drain);
        let mut got = plain.join().unwrap();
        for consumer in consumers {
            got.extend(consumer.join().unwrap());
        }
        got
    });
    got.sort_unstable();
    assert!(got.into_iter().eq(0..2 * EACH));
}

#[test]
fn an_item_that_was_not_put_comes_back() {
    let full = Queue::bounded(1);
    full.put("first").unwrap();
    let event = Event::new();
    event.set();
    let mut put = full.put_async("second");
    let won = Select::new()
        .on(&mut put, |result| result.is_ok())
        .on(event.wait_async(), |()| false)
        .wait();
    assert!(!won);
    assert_eq!(put.into_item(), Some("second"));
    assert_eq!(full.len(), 1);

    full.get().unwrap();
    let mut put = full.put_async("third");
    assert_eq!(Select::new().on(&mut put, |result| result).wait(), Ok(()));
    assert_eq!((put.into_item(), full.get()), (None, Ok("third")));
}

/// What is waited for may wait in the same way.
#[test]
fn one_within_another() {
    let (outer, inner) = (Queue::unbounded(), Queue::unbounded());
    inner.put(1).unwrap();
    let nested = async {
        let item = Select::new()
            .on(inner.get_async(), |got| got)
            .wait()
            .unwrap();
        outer.put(item + 1).unwrap();
        std::future::pending::<()>().await;
    };
    let got = Select::new()
        .on(nested, |()| Err(GetError))
        .on(outer.get_async(), |got| got)
        .wait_timeout(LONG);
    assert_eq!(got, Some(Ok(2)));
}

#[test]
fn a_panic_leaves_the_others_as_they_were() {
    let (one, other) = (Queue::unbounded(), Queue::<u32>::unbounded());
    one.put(1).unwrap();
    let got = Cell::new(0);
    let panics = || {
        Select::new()
            .on(other.get_async(), |_| ())
            .on(one.get_async(), |item| {
                got.set(item.unwrap());
                panic!("on purpose");
            })
            .wait();
    };
    assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
    assert_eq!(got.get(), 1);
    other.put(2).unwrap();
    assert_eq!(select([other.get_async()]).wait(), (0, Ok(2)));
}

#[test]
#[should_panic(expected = "nothing to wait for")]
fn to_wait_for_nothing_is_a_mistake() {
    Select::<()>::new().wait();
}

#[test]
fn a_signal_ends_it() {
    static STOP: Event = Event::new();
    let _guard = signal::on([SIGALRM], &STOP).unwrap();
    let work: Queue<u32> = Queue::unbounded();
    thread::scope(|scope| {
        let (tell, told) = mpsc::channel();
        let waiter = scope.spawn(|| {
            let tell = tell;
            tell.send(OsThread::current()).unwrap();
            Select::new()
                .on(work.get_async(), |_| "work")
                .on(STOP.wait_async(), |()| "stop")
                .wait_timeout(LONG)
        });
        let thread = told.recv().unwrap();
        until(|| thread.is_asleep());
        raise(SIGALRM).unwrap();
        assert_eq!(waiter.join().unwrap(), Some("stop"));
    });
}

#[test]
fn the_answer_is_made_when_others_have_their_wake_ups_back() {
    let (one, other) = (Queue::bounded(1), Queue::bounded(1));
    let taken = Event::new();
    thread::scope(|scope| {
        let (tell, selecting) = mpsc::channel();
        let (one, other, taken) = (&one, &other, &taken);
        scope.spawn(move || {
            tell.send(OsThread::current()).unwrap();
            Select::new()
                .on(one.get_async(), |_| assert!(taken.wait_timeout(LONG)))
                .on(other.get_async(), |_| ())
                .wait();
        });
        let selecting = selecting.recv().unwrap();
        until(|| selecting.is_asleep());
        let (tell, getting) = mpsc::channel();
        scope.spawn(move || {
            tell.send(OsThread::current()).unwrap();
            other.get_timeout(LONG).unwrap();
            taken.set();
        });
        let getting = getting.recv().unwrap();
        until(|| getting.is_asleep());
        one.put(1).unwrap();
        until(|| one.is_empty());
        other.put(2).unwrap();
    });
    assert!(taken.is_set());
}

#[test]
fn a_source_that_rings_all_the_time_does_not_hold_up_the_deadline() {
    struct Restless;
    impl Future for Restless {
        type Output = ();

        fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
            context.waker().wake_by_ref();
            Poll::Pending
        }
    }
    let moment = Duration::from_millis(5);
    assert_eq!(
        Select::new().on(Restless, |()| ()).wait_timeout(moment),
        None
    );
}
