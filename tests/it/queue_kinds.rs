//! What holds for all three kinds of queues, and their orders.

use std::cmp::Reverse;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::mpsc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Scope, ScopedJoinHandle};
use std::time::Duration;
use std::{future::Future, pin::pin};

use brigade::{
    GetError, GetTimeoutError, LifoQueue, LifoStore, Parker, PriorityQueue, PriorityStore,
    PutError, PutTimeoutError, Shutdown, Store, TooManyDone, TryGetError, TryPutError,
};
use brigade_core::bounded::{Container, Unbounded, WithCapacity};

use crate::harness::{LONG, OsThread, until};

/// A queue of any kind.
type Any<C> = brigade_core::Queue<C, Parker>;

trait Kind: Container<Item = u32> + WithCapacity + Unbounded + Debug + Send + Sync {}

impl<C: Container<Item = u32> + WithCapacity + Unbounded + Debug + Send + Sync> Kind for C {}

/// Both ways to shut down.
const BOTH: [Shutdown; 2] = [Shutdown::Drain, Shutdown::Immediate];

/// Starts a thread and returns when it sleeps.
fn asleep<'scope, R: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> R + Send + 'scope,
) -> ScopedJoinHandle<'scope, R> {
    let (tell, told) = mpsc::channel();
    let handle = scope.spawn(move || {
        tell.send(OsThread::current()).unwrap();
        work()
    });
    let thread = told.recv().unwrap();
    until(|| thread.is_asleep());
    handle
}

/// Polls once, expecting to wait; then lets `change` happen, which must wake the task, and polls again.
fn awaits<F: Future>(future: F, change: impl FnOnce()) -> F::Output {
    #[derive(Default)]
    struct Flag(AtomicBool);
    impl Wake for Flag {
        fn wake(self: Arc<Self>) {
            self.0.store(true, SeqCst);
        }
    }

    let woken = Arc::<Flag>::default();
    let waker = Waker::from(Arc::clone(&woken));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    assert!(future.as_mut().poll(&mut context).is_pending());
    change();
    assert!(woken.0.load(SeqCst), "nobody woke the task");
    match future.as_mut().poll(&mut context) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it was woken for nothing"),
    }
}

fn puts_end<C: Kind>() {
    for how in BOTH {
        let queue = Any::<C>::bounded(1);
        queue.put(0).unwrap();
        assert_eq!(queue.try_put(9), Err(TryPutError::Full(9)));
        thread::scope(|scope| {
            let put = asleep(scope, || queue.put(1));
            let timed = asleep(scope, || queue.put_timeout(2, LONG));
            let many = asleep(scope, || {
                let unput = queue.put_many([3, 4, 5]).unwrap_err();
                unput.collect::<Vec<_>>()
            });
            let mut taken = Vec::new();
            let task = awaits(queue.put_async(6), || {
                taken.extend(queue.shutdown(how));
            });
            assert_eq!(task, Err(PutError(6)));
            assert_eq!(put.join().unwrap(), Err(PutError(1)));
            assert_eq!(timed.join().unwrap(), Err(PutTimeoutError::ShutDown(2)));
            assert_eq!(many.join().unwrap(), [3, 4, 5]);
            match how {
                Shutdown::Drain => assert_eq!(queue.get(), Ok(0)),
                Shutdown::Immediate => assert_eq!(taken, [0]),
            }
            assert_eq!(queue.get(), Err(GetError));
        });
    }
}

#[test]
fn a_shutdown_ends_every_put() {
    puts_end::<Store<u32>>();
    puts_end::<LifoStore<u32>>();
    puts_end::<PriorityStore<u32>>();
}

fn gets_end<C: Kind>(queue: impl Fn() -> Any<C>) {
    for how in BOTH {
        let queue = queue();
        thread::scope(|scope| {
            let get = asleep(scope, || queue.get());
            let timed = asleep(scope, || queue.get_timeout(LONG));
            let lease = asleep(scope, || queue.lease().map(|lease| *lease));
            let many = asleep(scope, || queue.get_many(3, &mut Vec::new()));
            let iter = asleep(scope, || queue.iter().count());
            let lease_async = awaits(queue.lease_async(), || {
                let get_async = awaits(queue.get_async(), || {
                    assert_eq!(queue.shutdown(how).count(), 0);
                });
                assert_eq!(get_async, Err(GetError));
            });
            assert!(lease_async.is_err());
            assert_eq!(get.join().unwrap(), Err(GetError));
            assert_eq!(timed.join().unwrap(), Err(GetTimeoutError::ShutDown));
            assert_eq!(lease.join().unwrap(), Err(GetError));
            assert_eq!(many.join().unwrap(), Err(GetError));
            assert_eq!(iter.join().unwrap(), 0);
        });
        assert_eq!(queue.try_get(), Err(TryGetError::ShutDown));
        assert_eq!(queue.try_put(1), Err(TryPutError::ShutDown(1)));
        assert!(queue.is_shut_down());
    }
}

#[test]
fn a_shutdown_ends_every_get() {
    gets_end::<Store<u32>>(|| Any::bounded(2));
    gets_end::<LifoStore<u32>>(|| Any::bounded(2));
    gets_end::<PriorityStore<u32>>(|| Any::bounded(2));
    gets_end::<Store<u32>>(Any::unbounded);
    gets_end::<LifoStore<u32>>(Any::unbounded);
    gets_end::<PriorityStore<u32>>(Any::unbounded);
}

/// A join does not end by the shutdown, but by what becomes of the items: those in hand are finished
/// by who holds them, the others by consumers or by the immediate shutdown.
fn join_waits_for_what_is_in_hand<C: Kind>() {
    for how in BOTH {
        let queue = Any::<C>::unbounded();
        queue.put_many(0..4).unwrap();
        let lease = queue.lease().unwrap();
        assert!(!queue.join_timeout(Duration::ZERO));
        thread::scope(|scope| {
            let join = asleep(scope, || queue.join());
            let timed = asleep(scope, || queue.join_timeout(LONG));
            let left = queue.shutdown(how).count();
            assert_eq!(left, if how == Shutdown::Drain { 0 } else { 3 });
            assert!(!join.is_finished() && !timed.is_finished());
            while let Ok(next) = queue.lease() {
                drop(next);
            }
            assert_eq!(queue.unfinished(), 1);
            awaits(queue.join_async(), || drop(lease));
            join.join().unwrap();
            assert!(timed.join().unwrap());
        });
        assert_eq!(queue.task_done(), Err(TooManyDone));
    }
}

#[test]
fn a_join_waits_for_what_is_in_hand_also_after_a_shutdown() {
    join_waits_for_what_is_in_hand::<Store<u32>>();
    join_waits_for_what_is_in_hand::<LifoStore<u32>>();
    join_waits_for_what_is_in_hand::<PriorityStore<u32>>();
}

fn put_back<C: Kind>() {
    let queue = Any::<C>::bounded(1);
    queue.put(1).unwrap();
    let lease = queue.lease().unwrap();
    thread::scope(|scope| {
        let get = asleep(scope, || queue.get());
        lease.put_back().unwrap();
        assert_eq!(get.join().unwrap(), Ok(1));
    });
    assert_eq!(queue.unfinished(), 1);
    queue.task_done().unwrap();

    // There is no room.
    queue.put(1).unwrap();
    let lease = queue.lease().unwrap();
    queue.put(2).unwrap();
    let Err(TryPutError::Full(lease)) = lease.put_back() else {
        panic!("the queue was full");
    };
    // There never will be.
    drop(queue.shutdown(Shutdown::Immediate));
    let Err(TryPutError::ShutDown(lease)) = lease.put_back() else {
        panic!("the queue was shut down");
    };
    assert_eq!((lease.finish(), queue.unfinished()), (1, 0));
}

#[test]
fn a_lease_is_put_back_or_stays() {
    put_back::<Store<u32>>();
    put_back::<LifoStore<u32>>();
    put_back::<PriorityStore<u32>>();
}

fn nothing_is_lost<C: Kind>(queue: &Any<C>) {
    const EACH: u32 = 500;
    let mut got: Vec<u32> = thread::scope(|scope| {
        let consumers = [0; 3].map(|_| scope.spawn(|| queue.iter().collect::<Vec<_>>()));
        let producers = [0, 1, 2].map(|producer| {
            scope.spawn(move || {
                let mut items = producer * EACH..(producer + 1) * EACH;
                while let Some(item) = items.next() {
                    queue.put(item).unwrap();
                    queue.put_many(items.by_ref().take(10)).unwrap();
                }
            })
        });
        for producer in producers {
            producer.join().unwrap();
        }
        queue.shutdown(Shutdown::Drain);
        let got = consumers.map(|consumer| consumer.join().unwrap());
        got.concat()
    });
    got.sort_unstable();
    assert!(got.into_iter().eq(0..3 * EACH));
}

#[test]
fn every_item_comes_out_once() {
    for capacity in [1, 2, 7] {
        nothing_is_lost::<LifoStore<u32>>(&Any::bounded(capacity));
        nothing_is_lost::<PriorityStore<u32>>(&Any::bounded(capacity));
    }
    nothing_is_lost::<LifoStore<u32>>(&Any::unbounded());
    nothing_is_lost::<PriorityStore<u32>>(&Any::unbounded());
}

#[test]
fn the_last_one_in_is_the_first_one_out() {
    let queue = LifoQueue::bounded(3);
    queue.put_many([1, 2, 3]).unwrap();
    assert_eq!(
        queue.put_timeout(4, Duration::ZERO),
        Err(PutTimeoutError::Timeout(4))
    );
    assert!(queue.is_full() && queue.capacity() == 3);
    assert_eq!(queue.get(), Ok(3));
    queue.put(4).unwrap();
    let mut got = Vec::new();
    assert_eq!(queue.get_many(9, &mut got), Ok(3));
    assert_eq!(got, [4, 2, 1]);
    assert_eq!(
        queue.get_timeout(Duration::ZERO),
        Err(GetTimeoutError::Timeout)
    );
}

#[test]
fn the_smallest_comes_first_and_equals_in_their_order() {
    let queue = PriorityQueue::unbounded();
    for item in [(2, 'a'), (1, 'a'), (3, 'a'), (1, 'b')] {
        queue.put(item).unwrap();
    }
    queue.shutdown(Shutdown::Drain);
    assert!(queue.iter().eq([(1, 'a'), (1, 'b'), (2, 'a'), (3, 'a')]));

    let largest = PriorityQueue::bounded(3);
    largest.put_many([1, 3, 2].map(Reverse)).unwrap();
    assert_eq!(
        largest.shutdown(Shutdown::Immediate).next(),
        Some(Reverse(3))
    );
}

/// An item that cannot be compared if it is 100 or more.
#[derive(Debug, PartialEq, Eq)]
struct Single(u32);

impl PartialOrd for Single {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Single {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        assert!(self.0 < 100 && other.0 < 100, "cannot be compared");
        self.0.cmp(&other.0)
    }
}

#[test]
fn a_comparison_that_panics_leaves_the_queue_usable() {
    let queue = PriorityQueue::bounded(4);
    queue.put(Single(2)).unwrap();
    queue.put(Single(1)).unwrap();
    let put = || queue.put(Single(100));
    assert!(catch_unwind(AssertUnwindSafe(put)).is_err());
    assert_eq!((queue.len(), queue.unfinished()), (2, 2));
    assert_eq!(queue.get(), Ok(Single(1)));
    assert_eq!(queue.get(), Ok(Single(2)));
    // Alone it is not compared.
    queue.put(Single(100)).unwrap();
    let put = || queue.put_many([Single(1), Single(2)]).is_ok();
    assert!(catch_unwind(AssertUnwindSafe(put)).is_err());
    assert_eq!(queue.get(), Ok(Single(100)));
    assert_eq!(queue.try_get(), Err(TryGetError::Empty));
}

#[test]
#[should_panic(expected = "a capacity of 0")]
fn a_stack_without_room_is_refused() {
    let _ = LifoQueue::<u32>::bounded(0);
}
