//! Tasks at the ends of queues, and at events, counters and semaphores: polled by hand, and on
//! threads.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use crate::harness::LONG;
use brigade::Parker;
use brigade_core::bounded::{Container, Fifo, TwoLock};
use brigade_core::wait::{Async, Spin};
use brigade_core::{Event, GetError, JoinCounter, PutError, Queue, Semaphore, Shutdown};

/// A task's waker, which counts.
#[derive(Default)]
struct Woken(AtomicU32);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

/// A future that is polled by hand, and how often it was woken.
struct Polled<F> {
    future: F,
    woken: Arc<Woken>,
}

impl<F: Future + Unpin> Polled<F> {
    fn new(future: F) -> Self {
        Self {
            future,
            woken: Arc::default(),
        }
    }

    fn poll(&mut self) -> Poll<F::Output> {
        let waker = Waker::from(Arc::clone(&self.woken));
        Pin::new(&mut self.future).poll(&mut Context::from_waker(&waker))
    }

    fn wake_ups(&self) -> u32 {
        self.woken.0.load(SeqCst)
    }
}

/// The smallest executor: one task, one thread.
fn block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

type Two<C> = Queue<C, Async<Spin, 2>>;

#[test]
fn each_item_wakes_one_task() {
    let queue: Two<Fifo<u32, 4>> = Queue::new(Fifo::new());
    let mut tasks = [(); 2].map(|()| Polled::new(queue.get_async()));
    for task in &mut tasks {
        assert!(task.poll().is_pending());
    }
    queue.try_put(1).unwrap();
    assert_eq!(tasks.iter().map(Polled::wake_ups).sum::<u32>(), 1);
    queue.try_put(2).unwrap();
    assert_eq!(tasks.each_ref().map(Polled::wake_ups), [1, 1]);
    let got = tasks.each_mut().map(Polled::poll);
    assert_eq!(got, [Poll::Ready(Ok(1)), Poll::Ready(Ok(2))]);
}

/// Two items by one wake-up: who takes one wakes the next.
#[test]
fn a_batch_wakes_as_many_as_it_serves() {
    let queue: Two<Fifo<u32, 4>> = Queue::new(Fifo::new());
    let mut tasks = [(); 2].map(|()| Polled::new(queue.get_async()));
    for task in &mut tasks {
        assert!(task.poll().is_pending());
    }
    queue.put_many([1, 2]).unwrap();
    assert_eq!(tasks.each_ref().map(Polled::wake_ups), [1, 1]);
}

#[test]
fn tasks_are_woken_in_turns() {
    let queue: Two<Fifo<u32, 4>> = Queue::new(Fifo::new());
    let mut tasks = [(); 2].map(|()| Polled::new(queue.get_async()));
    for task in &mut tasks {
        assert!(task.poll().is_pending());
    }
    let mut got = [0; 2];
    for item in 0..100 {
        queue.try_put(item).unwrap();
        for (task, got) in tasks.iter_mut().zip(&mut got) {
            if task.wake_ups() > 0 {
                assert_eq!(task.poll(), Poll::Ready(Ok(item)));
                *got += 1;
                *task = Polled::new(queue.get_async());
                assert!(task.poll().is_pending());
            }
        }
    }
    assert!(got.iter().all(|times| *times > 20), "{got:?}");
}

#[test]
fn a_dropped_task_leaves_its_wake_up_to_the_next() {
    let queue: Two<Fifo<u32, 4>> = Queue::new(Fifo::new());
    let mut first = Polled::new(queue.get_async());
    let mut second = Polled::new(queue.get_async());
    assert!(first.poll().is_pending() && second.poll().is_pending());

    queue.try_put(1).unwrap();
    let (woken, mut other) = if first.wake_ups() == 1 {
        (first, second)
    } else {
        (second, first)
    };
    assert_eq!(other.wake_ups(), 0);
    drop(woken);
    assert_eq!(other.wake_ups(), 1);
    assert_eq!(other.poll(), Poll::Ready(Ok(1)));
}

#[test]
fn without_a_slot_a_task_wakes_itself() {
    let queue: Two<Fifo<u32, 4>> = Queue::new(Fifo::new());
    let mut tasks = [(); 3].map(|()| Polled::new(queue.get_async()));
    for task in &mut tasks {
        assert!(task.poll().is_pending());
    }
    assert_eq!(tasks.each_ref().map(Polled::wake_ups), [0, 0, 1]);
    assert!(tasks[2].poll().is_pending());
    assert_eq!(tasks[2].wake_ups(), 2);

    // A slot that becomes free is as good as any.
    let [first, second, mut third] = tasks;
    drop(first);
    assert!(third.poll().is_pending());
    assert_eq!(third.wake_ups(), 2);
    drop(second);
    queue.try_put(1).unwrap();
    assert_eq!(third.wake_ups(), 3);
    assert_eq!(third.poll(), Poll::Ready(Ok(1)));
}

#[test]
fn an_item_that_was_not_put_is_not_lost() {
    let queue: Two<Fifo<u32, 1>> = Queue::new(Fifo::new());
    queue.try_put(1).unwrap();
    let mut put = Polled::new(queue.put_async(2));
    assert!(put.poll().is_pending());
    assert_eq!(put.future.into_item(), Some(2));

    let mut put = Polled::new(queue.put_async(3));
    assert!(put.poll().is_pending());
    assert_eq!(queue.try_get(), Ok(1));
    assert_eq!(put.wake_ups(), 1);
    assert_eq!(put.poll(), Poll::Ready(Ok(())));
    assert_eq!(put.future.into_item(), None);
    assert_eq!(queue.try_get(), Ok(3));
}

#[test]
fn a_shutdown_wakes_tasks_at_both_ends() {
    let empty: Two<TwoLock<u32, 1>> = Queue::new(TwoLock::new());
    let full: Two<TwoLock<u32, 1>> = Queue::new(TwoLock::new());
    full.try_put(1).unwrap();
    let mut get = Polled::new(empty.get_async());
    let mut put = Polled::new(full.put_async(2));
    assert!(get.poll().is_pending() && put.poll().is_pending());
    drop(empty.shutdown(Shutdown::Drain));
    drop(full.shutdown(Shutdown::Drain));
    assert_eq!((get.wake_ups(), put.wake_ups()), (1, 1));
    assert_eq!(get.poll(), Poll::Ready(Err(GetError)));
    assert_eq!(put.poll(), Poll::Ready(Err(PutError(2))));
}

#[test]
fn a_task_joins() {
    let queue: Two<Fifo<u32, 1>> = Queue::new(Fifo::new());
    queue.try_put(1).unwrap();
    let mut join = Polled::new(queue.join_async());
    assert!(join.poll().is_pending());
    let mut lease = Polled::new(queue.lease_async());
    let Poll::Ready(Ok(lease)) = lease.poll() else {
        panic!("there is an item")
    };
    assert!(join.poll().is_pending());
    drop(lease);
    assert_eq!(join.wake_ups(), 1);
    assert!(join.poll().is_ready());
}

#[test]
fn a_set_wakes_all_tasks_also_if_it_is_cleared_at_once() {
    let event = Event::<Async<Spin, 2>>::new();
    let mut tasks = [(); 2].map(|()| Polled::new(event.wait_async()));
    for task in &mut tasks {
        assert!(task.poll().is_pending());
    }
    event.set();
    event.clear();
    for task in &mut tasks {
        assert_eq!(task.wake_ups(), 1);
        assert!(task.poll().is_ready());
    }
    assert!(Polled::new(event.wait_async()).poll().is_pending());
}

#[test]
fn dropped_tasks_leave_their_slots() {
    let event = Event::<Async<Spin, 1>>::new();
    let counter = JoinCounter::<Async<Spin, 1>>::new();
    counter.add(1).unwrap();
    let semaphore = Semaphore::<Async<Spin, 1>>::with_bound(0, 1);
    for _ in 0..10 {
        let mut set = Polled::new(event.wait_async());
        let mut zero = Polled::new(counter.wait_async());
        let mut permit = Polled::new(semaphore.acquire_async());
        assert!(set.poll().is_pending() && zero.poll().is_pending());
        assert!(permit.poll().is_pending());
        let wake_ups = (set.wake_ups(), zero.wake_ups(), permit.wake_ups());
        assert_eq!(wake_ups, (0, 0, 0), "each found a slot");
    }
    counter.done().unwrap();
    assert!(Polled::new(counter.wait_async()).poll().is_ready());
}

#[test]
fn a_permit_that_is_returned_wakes_a_task() {
    let semaphore = Semaphore::<Async<Spin, 1>>::new(1);
    let permit = semaphore.acquire();
    let mut acquire = Polled::new(semaphore.acquire_async());
    assert!(acquire.poll().is_pending());
    drop(permit);
    assert_eq!(acquire.wake_ups(), 1);
    let Poll::Ready(permit) = acquire.poll() else {
        panic!("a permit is free")
    };
    assert_eq!(semaphore.available(), 0);
    drop(permit);
    assert_eq!(semaphore.available(), 1);
}

#[test]
fn a_future_that_is_kept_costs_the_others_one_wake_up_at_most() {
    let semaphore = Semaphore::<Async<Spin, 2>>::with_bound(0, 4);
    let mut tasks = [(); 2].map(|()| Polled::new(semaphore.acquire_async()));
    for task in &mut tasks {
        assert!(task.poll().is_pending());
    }
    semaphore.release(0).unwrap();
    semaphore.release(1).unwrap();
    assert_eq!(tasks.iter().map(Polled::wake_ups).sum::<u32>(), 1);
    semaphore.release(1).unwrap();
    assert_eq!(tasks.each_ref().map(Polled::wake_ups), [1, 1]);
}

#[test]
fn a_future_that_is_forgotten_does_not_hold_up_threads() {
    let queue = Queue::<Fifo<u32, 4>, Async<Parker, 1>>::new(Fifo::new());
    let mut forgotten = Polled::new(queue.get_async());
    assert!(forgotten.poll().is_pending());
    std::mem::forget(forgotten);
    thread::scope(|scope| {
        let getter = scope.spawn(|| queue.get_timeout(LONG));
        queue.try_put(1).unwrap();
        queue.try_put(2).unwrap();
        assert!(getter.join().unwrap().is_ok());
    });
}

/// Panics when it is called.
struct Broken;

impl Wake for Broken {
    fn wake(self: Arc<Self>) {
        panic!("on purpose");
    }
}

#[test]
fn a_waker_that_panics_takes_no_wake_up_from_others() {
    let event = Event::<Async<Spin, 2>>::new();
    let mut broken = event.wait_async();
    let waker = Waker::from(Arc::new(Broken));
    assert!(
        Pin::new(&mut broken)
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    let mut other = Polled::new(event.wait_async());
    assert!(other.poll().is_pending());
    assert!(catch_unwind(AssertUnwindSafe(|| event.set())).is_err());
    assert_eq!(other.wake_ups(), 1);
    assert!(other.poll().is_ready());
}

/// Tasks and threads at both ends, fewer slots than tasks, and some who change their minds.
fn tasks_and_threads<C: Container<Item = u64> + Sync>(container: C) {
    const ITEMS: u64 = 3_000;

    let queue = Queue::<C, Async<Parker, 2>>::new(container);
    let sum = AtomicU64::new(0);
    let take = |item: u64| {
        sum.fetch_add(item, SeqCst);
        queue.task_done().unwrap();
    };
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                block_on(async {
                    while let Ok(item) = queue.get_async().await {
                        take(item);
                    }
                });
            });
        }
        scope.spawn(|| queue.iter().for_each(take));
        scope.spawn(|| {
            let waker = Waker::noop();
            while !queue.is_shut_down() {
                let mut get = pin!(queue.get_async());
                if let Poll::Ready(Ok(item)) = get.as_mut().poll(&mut Context::from_waker(waker)) {
                    take(item);
                }
                thread::yield_now();
            }
        });
        let tasks = scope.spawn(|| {
            block_on(async {
                for item in 0..ITEMS {
                    queue.put_async(item).await.unwrap();
                }
            });
        });
        let threads = scope.spawn(|| (0..ITEMS).for_each(|item| queue.put(item).unwrap()));
        tasks.join().unwrap();
        threads.join().unwrap();
        block_on(queue.join_async());
        drop(queue.shutdown(Shutdown::Drain));
    });
    assert_eq!(sum.into_inner(), ITEMS * (ITEMS - 1));
}

#[test]
fn tasks_and_threads_share_a_fifo() {
    tasks_and_threads(Fifo::<u64, 3>::new());
}

#[test]
fn tasks_and_threads_share_a_two_lock() {
    tasks_and_threads(TwoLock::<u64, 3>::new());
}
