//! `shared::Queue`.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use brigade::Shutdown;
use brigade::shared::{Event, GetError, PutFailure, Queue};

use crate::other_process::{Other, argument, await_death, say};

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(1);

#[test]
fn items_come_in_order_and_the_bound_holds() {
    for capacity in [1, 2, 3, 7, 64] {
        let queue = Queue::bounded(capacity).unwrap();
        for lap in 0..5 {
            for item in 0..capacity {
                queue.try_put((lap, item)).unwrap();
            }
            assert!(queue.is_full() && queue.len() == capacity);
            let refused = queue.try_put((lap, capacity)).unwrap_err();
            assert_eq!(refused.why, PutFailure::Full);
            assert_eq!(refused.into_inner(), (lap, capacity));
            for item in 0..capacity {
                assert_eq!(queue.try_get(), Ok((lap, item)));
            }
            assert_eq!(queue.try_get(), Err(GetError::Empty));
        }
    }
    assert!(Queue::<u8>::bounded(0).is_err());
    assert!(Queue::<u8>::bounded(usize::MAX).is_err());
}

#[test]
fn sizes_around_every_edge() {
    let queue = Queue::<Vec<u8>>::builder()
        .capacity(4)
        .bytes(1 << 20)
        .build()
        .unwrap();
    let edges = [112, 127, 128, 256, 1024, 4096, 8192, 65536];
    let sizes = edges.into_iter().flat_map(|edge| edge - 4..edge + 5);
    for size in [0, 1].into_iter().chain(sizes) {
        let item: Vec<u8> = (0..=250).cycle().step_by(7).take(size).collect();
        queue.put(item.clone()).unwrap();
        assert!(queue.get().unwrap() == item, "{size} bytes");
    }
    // The length in front takes three bytes.
    let largest = (1 << 20) - 3;
    for _ in 0..10 {
        queue.put(vec![1; largest]).unwrap();
        let small = queue.try_put(vec![2; 1000]).unwrap_err();
        assert_eq!(small.why, PutFailure::Full);
        assert_eq!(queue.lease().unwrap().len(), largest);
    }
    let refused = queue.put(vec![3; largest + 1]).unwrap_err();
    assert_eq!(refused.why, PutFailure::TooLarge);
    assert_eq!(refused.item.len(), largest + 1);
    queue.put(vec![4]).unwrap();
    assert_eq!(queue.get(), Ok(vec![4]));
}

/// A gibibyte, where it takes seconds only.
#[cfg(not(debug_assertions))]
#[test]
fn a_gibibyte() {
    let queue = Queue::<String>::builder()
        .capacity(1)
        .bytes((1 << 30) + 4096)
        .build()
        .unwrap();
    queue.put("g".repeat(1 << 30)).unwrap();
    let item = queue.get().unwrap();
    assert!(item.len() == 1 << 30 && item.bytes().all(|byte| byte == b'g'));
}

#[test]
fn who_waits_for_room_is_woken() {
    let queue = Queue::<Vec<u8>>::builder()
        .capacity(2)
        .leases(1)
        .bytes(8192)
        .build()
        .unwrap();
    let full = [vec![0; 10], vec![1; 10], vec![2; 10]];
    thread::scope(|scope| {
        // By a get, when the ring is full.
        queue.put_many(full.iter().take(2).cloned()).unwrap();
        let refused = queue.put_timeout(vec![9; 10], SHORT).unwrap_err();
        assert_eq!(refused.why, PutFailure::Full);
        scope.spawn(|| queue.put_timeout(full[2].clone(), LONG).unwrap());
        for item in &full {
            assert_eq!(queue.get_timeout(LONG).as_ref(), Ok(item));
        }
        // By a lease that ends, when all blocks are in use.
        queue.put_many(full.iter().take(2).cloned()).unwrap();
        let lease = queue.lease().unwrap();
        queue.put(full[2].clone()).unwrap();
        let another = queue.lease().unwrap();
        assert_eq!(
            queue.try_put(vec![3; 10]).unwrap_err().why,
            PutFailure::Full
        );
        let waiter = scope.spawn(|| queue.put_timeout(vec![3; 10], LONG).unwrap());
        drop(lease);
        waiter.join().unwrap();
        drop(another);
        assert_eq!(queue.get_many(9, &mut Vec::new()), Ok(2));
        // By pages that come free.
        queue.put(vec![0; 8000]).unwrap();
        let waiter = scope.spawn(|| queue.put_timeout(vec![1; 8000], LONG).unwrap());
        assert_eq!(queue.get().unwrap(), vec![0; 8000]);
        waiter.join().unwrap();
        assert_eq!(queue.get().unwrap(), vec![1; 8000]);
    });
}

#[test]
fn what_is_put_back_comes_first_and_counts() {
    let queue = Queue::bounded(4).unwrap();
    queue.put_many(['a', 'b', 'c']).unwrap();
    let lease = queue.lease().unwrap();
    assert_eq!((*lease, lease.attempts()), ('a', 0));
    lease.put_back();
    let lease = queue.try_lease().unwrap();
    assert_eq!((*lease, lease.attempts()), ('a', 1));
    assert_eq!(queue.join_timeout(SHORT), Ok(false));
    assert_eq!(lease.finish(), 'a');
    let mut rest = Vec::new();
    assert_eq!(queue.get_many(10, &mut rest), Ok(2));
    assert_eq!(rest, ['b', 'c']);
}

#[test]
fn join_waits_for_what_is_got_and_what_is_leased() {
    let queue = Queue::bounded(4).unwrap();
    assert!(queue.task_done().is_err());
    assert_eq!(queue.join_timeout(LONG), Ok(true));
    queue.put_many([1, 2]).unwrap();
    let got = queue.get().unwrap();
    let lease = queue.lease().unwrap();
    assert_eq!(got + *lease, 3);
    thread::scope(|scope| {
        let joiner = scope.spawn(|| queue.join_deadline(Instant::now() + LONG));
        drop(lease);
        assert_eq!(queue.join_timeout(SHORT), Ok(false));
        queue.task_done().unwrap();
        assert_eq!(joiner.join().unwrap(), Ok(true));
    });
    assert!(queue.task_done().is_err());
}

#[test]
fn a_panic_finishes_the_item() {
    let queue = Queue::bounded(1).unwrap();
    queue.put(1).unwrap();
    let panicked = thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let _lease = queue.lease().unwrap();
            std::panic::resume_unwind(Box::new("of the test"));
        });
        worker.join().is_err()
    });
    assert!(panicked);
    queue.join().unwrap();
}

#[test]
fn draining_hands_out_the_rest_and_wakes_all() {
    let queue = Queue::bounded(1).unwrap();
    thread::scope(|scope| {
        queue.put(1).unwrap();
        let producer = scope.spawn(|| queue.put(2).unwrap_err());
        assert_eq!(queue.shutdown(Shutdown::Drain).count(), 0);
        let refused = producer.join().unwrap();
        assert_eq!((refused.item, refused.why), (2, PutFailure::ShutDown));
        assert_eq!(queue.iter().collect::<Result<Vec<_>, _>>(), Ok(vec![1]));
        assert_eq!(queue.get(), Err(GetError::ShutDown));
    });
    assert!(queue.is_shut_down());

    let queue = Queue::<u8>::bounded(1).unwrap();
    thread::scope(|scope| {
        let consumers = [scope.spawn(|| queue.get()), scope.spawn(|| queue.get())];
        queue.shutdown(Shutdown::Drain);
        for consumer in consumers {
            assert_eq!(consumer.join().unwrap(), Err(GetError::ShutDown));
        }
    });
}

#[test]
fn stopping_gives_the_rest_to_who_stops() {
    let queue = Queue::bounded(4).unwrap();
    queue.put_many([1, 2, 3]).unwrap();
    let lease = queue.lease().unwrap();
    let mut remaining = queue.shutdown(Shutdown::Immediate);
    assert_eq!(queue.try_get(), Err(GetError::ShutDown));
    assert_eq!(remaining.next(), Some(Ok(2)));
    lease.put_back();
    assert_eq!(remaining.collect::<Result<Vec<_>, _>>(), Ok(vec![1, 3]));
    queue.join().unwrap();
}

#[test]
fn an_item_that_is_gone_is_an_error() {
    let queue = Queue::bounded(1).unwrap();
    let other = Queue::<Event>::bounded(1).unwrap();
    queue.put(other.clone()).unwrap();
    drop(other);
    assert!(matches!(queue.get(), Err(GetError::Decode(_))));
    assert!(queue.is_empty());
}

struct Unparker(thread::Thread);

impl Wake for Unparker {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unparker(thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

#[test]
fn tasks_wait_at_both_ends() {
    let queue = Queue::bounded(1).unwrap();
    thread::scope(|scope| {
        let sum = scope.spawn(|| {
            block_on(async {
                let mut sum = 0;
                while let Ok(item) = queue.lease_async().await {
                    sum += *item;
                }
                sum
            })
        });
        block_on(async {
            for item in 1..=100 {
                queue.put_async(item).await.unwrap();
            }
            queue.join_async().await.unwrap();
        });
        queue.shutdown(Shutdown::Drain);
        assert_eq!(sum.join().unwrap(), 5050);
    });
    let refused = block_on(queue.put_async(1)).unwrap_err();
    assert_eq!((refused.item, refused.why), (1, PutFailure::ShutDown));
}

/// Four threads at each end, of one process.
#[test]
fn nothing_is_lost_or_comes_twice_between_threads() {
    const EACH: u64 = if cfg!(debug_assertions) {
        5_000
    } else {
        50_000
    };
    let queue = Queue::<u64>::bounded(16).unwrap();
    let mut got = thread::scope(|scope| {
        let consumers: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| queue.iter().map(Result::unwrap).collect::<Vec<u64>>()))
            .collect();
        let producers: Vec<_> = (0..4)
            .map(|number| {
                let queue = &queue;
                scope.spawn(move || queue.put_many(number * EACH..(number + 1) * EACH).unwrap())
            })
            .collect();
        for producer in producers {
            producer.join().unwrap();
        }
        queue.shutdown(Shutdown::Drain);
        let mut all = Vec::new();
        for consumer in consumers {
            let got = consumer.join().unwrap();
            for number in 0..4 {
                let of_one = |item: &&u64| *item / EACH == number;
                assert!(got.iter().filter(of_one).is_sorted());
            }
            all.extend(got);
        }
        all
    });
    got.sort_unstable();
    assert!(got.into_iter().eq(0..4 * EACH));
}

#[test]
fn works_until_the_end() {
    type Ends = (Queue<Vec<u32>>, Queue<u64>);
    let Some((jobs, results)) = argument::<Ends>("shared_queue::works_until_the_end") else {
        return;
    };
    while let Ok(job) = jobs.lease() {
        results
            .put(job.iter().map(|&n| u64::from(n)).sum())
            .unwrap();
    }
}

#[test]
fn other_processes_take_from_it_and_answer() {
    let ends = (
        Queue::<Vec<u32>>::bounded(8).unwrap(),
        Queue::<u64>::bounded(1000).unwrap(),
    );
    let others: Vec<_> = (0..3)
        .map(|_| Other::start("shared_queue::works_until_the_end", &ends))
        .collect();
    let (jobs, results) = ends;
    for job in 0..500 {
        jobs.put(vec![job; job as usize]).unwrap();
    }
    assert_eq!(jobs.join_timeout(LONG), Ok(true));
    jobs.shutdown(Shutdown::Drain);
    others.into_iter().for_each(Other::join);
    let mut sums = Vec::new();
    assert_eq!(results.get_many(1000, &mut sums), Ok(500));
    sums.sort_unstable();
    assert!(sums.into_iter().eq((0..500).map(|n| n * n)));
}

#[test]
fn leases_and_waits_to_be_killed() {
    let Some(queue) = argument::<Queue<String>>("shared_queue::leases_and_waits_to_be_killed")
    else {
        return;
    };
    let lease = queue.lease().unwrap();
    let got = queue.get().unwrap();
    say(&format!("{} {got}", *lease));
    await_death();
}

#[test]
fn what_a_killed_process_leased_comes_again() {
    let queue = Queue::bounded(4).unwrap();
    for text in ["leased", "got", "left"] {
        queue.put(text.to_owned()).unwrap();
    }
    let mut other = Other::start("shared_queue::leases_and_waits_to_be_killed", &queue);
    assert_eq!(other.hear().as_deref(), Some("leased got"));
    assert_eq!(queue.get_timeout(LONG).as_deref(), Ok("left"));
    queue.task_done().unwrap();
    // Not from a process that lives.
    assert_eq!(queue.get_timeout(SHORT), Err(GetError::Empty));
    thread::scope(|scope| {
        // Its death wakes who waits.
        let waiter = scope.spawn(|| {
            let lease = queue.lease_timeout(LONG).unwrap();
            (lease.attempts(), lease.finish())
        });
        other.kill();
        assert_eq!(waiter.join().unwrap(), (1, "leased".to_owned()));
    });
    // What it got and did not report is not waited for.
    assert_eq!(queue.join_timeout(LONG), Ok(true));
}
