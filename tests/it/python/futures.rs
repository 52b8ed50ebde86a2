//! `concurrent.futures`.

use std::sync::Arc;
use std::time::Duration;

use brigade::{
    Event, Queue, ReturnWhen, Shutdown, SubmitError, TaskError, ThreadPool, as_completed, wait,
    wait_timeout,
};

use crate::harness::LONG;

const SOON: Duration = Duration::from_millis(5);

fn square(n: u32) -> u32 {
    n * n
}

/// `submit`, `map`, `Future`, `wait`, `as_completed`, `with`. The trap: the executor breaks as a whole
/// when a worker does, and a task that waits for another one of its own full pool hangs.
#[test]
fn futures_submit_map_wait_as_completed_with() {
    let leaving = Arc::new(Queue::unbounded());
    {
        let pool = ThreadPool::builder().threads(2).build().unwrap();
        // `submit`, `map`
        assert_eq!(pool.submit(|| square(7)).unwrap().result().unwrap(), 49);
        let squares: Result<Vec<_>, _> = pool.map(0..4, square).collect();
        assert_eq!(squares.unwrap(), [0, 1, 4, 9]);

        // A failure is its task's, whatever fails, and the pool goes on.
        let mut bad = pool.map(0..4, |n| if n == 1 { panic!("not me") } else { n });
        assert_eq!(bad.next().unwrap().unwrap(), 0);
        assert!(matches!(bad.next(), Some(Err(TaskError::Panicked(_)))));
        assert_eq!(bad.next().unwrap().unwrap(), 2);
        drop(bad);

        // `with` waits for what was submitted.
        for n in 0..100 {
            let leaving = Arc::clone(&leaving);
            pool.submit(move || leaving.put(n).unwrap())
                .unwrap()
                .detach();
        }
    }
    leaving.shutdown(Shutdown::Drain);
    assert_eq!(leaving.iter().count(), 100);
}

/// `Future`: `result(timeout)`, `exception`, `cancel`, `cancelled`, `done`, `add_done_callback`.
#[test]
fn a_future_is_asked_everything() {
    let go = Arc::new(Event::new());
    let began = Arc::new(Event::new());
    let pool = ThreadPool::builder().threads(1).build().unwrap();
    let running = pool.submit({
        let (go, began) = (Arc::clone(&go), Arc::clone(&began));
        move || {
            began.set();
            go.wait_timeout(LONG)
        }
    });
    let running = running.unwrap();
    assert!(began.wait_timeout(LONG));
    let queued = pool.submit(|| 1).unwrap();
    let bad = pool
        .submit(|| -> u32 { panic!("out of {}", "ideas") })
        .unwrap();
    assert!(!running.is_done());
    assert!(!running.cancel(), "it has begun");
    assert!(queued.cancel());
    assert!(queued.is_done());
    assert!(matches!(queued.result(), Err(TaskError::Cancelled)));
    let running = running.result_timeout(SOON).unwrap_err();

    let called = Arc::new(Queue::unbounded());
    let callback = || {
        let called = Arc::clone(&called);
        move |result: Result<u32, TaskError>| called.put(result.ok()).unwrap()
    };
    pool.submit(|| 7).unwrap().on_done(callback());
    pool.submit(|| panic!("again")).unwrap().on_done(callback());

    go.set();
    assert!(running.result().unwrap());
    let Err(TaskError::Panicked(panic)) = bad.result() else {
        panic!("it panicked");
    };
    assert_eq!(panic.message(), "out of ideas");
    assert_eq!(called.get_timeout(LONG), Ok(Some(7)));
    assert_eq!(called.get_timeout(LONG), Ok(None));

    pool.shutdown(Shutdown::Drain);
    assert!(matches!(
        pool.submit(|| 1),
        Err(SubmitError::ShutDown(closure)) if closure() == 1
    ));
}

/// `wait` with each of its three conditions and a time-out; `as_completed`.
#[test]
fn several_futures_are_waited_for() {
    let pool = ThreadPool::builder().threads(2).build().unwrap();
    let go = Arc::new(Event::new());
    let slow = |n: u32| {
        let go = Arc::clone(&go);
        move || {
            assert!(go.wait_timeout(LONG));
            n
        }
    };

    // Nothing is done in time, and nothing is lost.
    let tasks = [pool.submit(slow(1)).unwrap()];
    let both = wait_timeout(tasks, ReturnWhen::All, SOON);
    assert_eq!((both.done.len(), both.not_done.len()), (0, 1));

    let mut tasks = both.not_done;
    tasks.push(pool.submit(|| 2).unwrap());
    let both = wait(tasks, ReturnWhen::First);
    assert_eq!((both.done.len(), both.not_done.len()), (1, 1));
    assert_eq!(both.done.into_iter().next().unwrap().result().unwrap(), 2);

    let mut tasks = both.not_done;
    tasks.push(pool.submit(|| 3).unwrap());
    tasks.push(pool.submit(|| panic!("four")).unwrap());
    let both = wait(tasks, ReturnWhen::FirstError);
    assert_eq!((both.done.len(), both.not_done.len()), (2, 1));

    // The first to end comes first, with its number.
    let tasks = both.not_done.into_iter();
    let mut results = as_completed(tasks.chain([pool.submit(|| 5).unwrap()]));
    let (number, result) = results.next().unwrap();
    assert_eq!((number, result.unwrap()), (1, 5));
    assert!(results.next_timeout(SOON).is_err());
    go.set();
    let (number, result) = results.next_timeout(LONG).unwrap().unwrap();
    assert_eq!((number, result.unwrap()), (0, 1));
    assert!(results.next().is_none());

    let tasks = (0..4).map(|n| pool.submit(move || square(n)).unwrap());
    let both = wait(tasks.collect::<Vec<_>>(), ReturnWhen::All);
    assert!(both.not_done.is_empty());
    let squares = both.done.into_iter().map(|task| task.result().unwrap());
    assert!(squares.eq([0, 1, 4, 9]));
}

/// A task that waits for another one, which has no worker left to run it.
#[test]
fn a_pool_is_not_left_waiting_for_itself() {
    let pool = Arc::new(ThreadPool::builder().threads(1).build().unwrap());
    let inner = Arc::clone(&pool);
    let outer = pool.submit(move || inner.submit(|| 5).unwrap().result());
    let outer = outer.unwrap().result_timeout(LONG).unwrap();
    assert!(matches!(outer.unwrap(), Err(TaskError::WouldDeadlock)));
}
