//! Tasks that borrow: whatever happens, they end before what they borrow does.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use brigade::{Barrier, Event, Queue, ScopedTask, Shutdown, TaskError, ThreadPool};

use crate::harness::{LONG, OsThread, until};
use crate::self_wait::soon;

fn pool(threads: usize) -> ThreadPool {
    ThreadPool::builder().threads(threads).build().unwrap()
}

fn said(panic: &(dyn std::any::Any + Send)) -> &str {
    panic.downcast_ref::<&str>().unwrap()
}

#[test]
fn tasks_write_to_what_they_borrow_and_are_waited_for() {
    let mut cells = [0_u64; 1000];
    let pool = pool(3);
    pool.scope(|scope| {
        for (n, cell) in (0..).zip(&mut cells) {
            scope.submit(move || *cell = n * n);
        }
    });
    assert!((0..).zip(cells).all(|(n, cell)| cell == n * n));
}

#[test]
fn the_body_runs_on_the_callers_thread() {
    let here = thread::current().id();
    assert_eq!(pool(1).scope(|_| thread::current().id()), here);
}

#[test]
fn results_come_back_and_may_borrow() {
    let text = String::from("one two three");
    let words = pool(2).scope(|scope| {
        let words: Vec<_> = (0..3)
            .map(|n| {
                scope.submit({
                    let text = &text;
                    move || text.split(' ').nth(n).unwrap()
                })
            })
            .collect();
        words
            .into_iter()
            .map(|word| word.result().unwrap())
            .collect::<Vec<_>>()
    });
    assert_eq!(words, ["one", "two", "three"]);
}

#[test]
fn a_panicking_body_waits_for_the_tasks_first() {
    let pool = pool(1);
    let (begun, go, ended) = (Event::new(), Event::new(), Event::new());
    thread::scope(|threads| {
        let caller = threads.spawn(|| {
            catch_unwind(AssertUnwindSafe(|| {
                pool.scope(|scope| {
                    scope.submit(|| {
                        begun.set();
                        go.wait();
                        ended.set();
                    });
                    begun.wait();
                    panic!("the body");
                })
            }))
        });
        begun.wait();
        assert!(!caller.is_finished());
        go.set();
        let panic = caller.join().unwrap().unwrap_err();
        assert_eq!(said(&*panic), "the body");
        assert!(ended.is_set());
    });
}

#[test]
fn a_panic_that_nobody_asked_for_is_passed_on_when_all_are_done() {
    let pool = pool(2);
    let done = AtomicUsize::new(0);
    let panic = catch_unwind(AssertUnwindSafe(|| {
        pool.scope(|scope| {
            scope.submit(|| panic!("a task"));
            for _ in 0..100 {
                scope.submit(|| done.fetch_add(1, Relaxed));
            }
        });
    }))
    .unwrap_err();
    assert_eq!((said(&*panic), done.into_inner()), ("a task", 100));
}

#[test]
fn a_panic_that_was_asked_for_stays_with_its_task() {
    let result = pool(1).scope(|scope| scope.submit(|| panic!("a task")).result());
    let Err(TaskError::Panicked(panic)) = result else {
        panic!("{result:?}");
    };
    assert_eq!(panic.message(), "a task");
}

#[test]
fn an_unwanted_result_that_panics_in_its_drop_is_passed_on() {
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("a drop");
        }
    }
    let pool = pool(1);
    let begin = Event::new();
    let panic = catch_unwind(AssertUnwindSafe(|| {
        pool.scope(|scope| {
            let task = scope.submit(|| {
                begin.wait();
                Bomb
            });
            drop(task);
            begin.set();
        });
    }))
    .unwrap_err();
    assert_eq!(said(&*panic), "a drop");
}

/// Every level waits for the next one, far beyond the number of workers.
#[test]
fn scopes_in_tasks_of_the_same_pool_do_not_wait_for_themselves() {
    fn sum(pool: &ThreadPool, numbers: &[u64]) -> u64 {
        if let [number] = numbers {
            return *number;
        }
        let (left, right) = numbers.split_at(numbers.len() / 2);
        pool.scope(|scope| {
            let left = scope.submit(|| sum(pool, left));
            let right = sum(pool, right);
            left.result().unwrap() + right
        })
    }
    let numbers: Vec<u64> = (0..500).collect();
    for threads in 1..=3 {
        let pool = pool(threads);
        let total = pool.scope(|scope| scope.submit(|| sum(&pool, &numbers)).result());
        assert_eq!(total.unwrap(), 499 * 250);
    }
}

/// The scope waits for a task that waits for the queue: it must not hide that from those who look for
/// pools that wait for themselves.
#[test]
fn a_scope_lets_others_find_out_that_the_pool_waits_for_itself() {
    let pool = Arc::new(pool(2));
    let inside = Arc::clone(&pool);
    let outer = pool.submit(move || {
        let both = Barrier::new(2);
        let mut result = Ok(());
        inside.scope(|scope| {
            scope.submit(|| {
                both.wait();
                // Nobody is free to run this.
                result = inside.submit(|| ()).unwrap().result();
            });
            both.wait();
        });
        result
    });
    let refused = outer.unwrap().result().unwrap();
    assert!(
        matches!(refused, Err(TaskError::WouldDeadlock)),
        "{refused:?}"
    );
}

/// A worker waits for what the caller runs in its stead: that is no standstill.
#[test]
fn nobody_is_refused_while_the_caller_runs_a_task() {
    let pool = pool(2);
    let (go, refused) = (Arc::new(Event::new()), OnceLock::new());
    let busy = [(); 2].map(|()| {
        let go = Arc::clone(&go);
        pool.submit(move || assert!(go.wait_timeout(LONG))).unwrap()
    });
    pool.scope(|scope| {
        let (sender, receiver) = mpsc::channel::<ScopedTask<'_, ()>>();
        scope.submit(move || receiver.recv().unwrap().result().unwrap());
        scope.submit(|| {
            // The other worker runs this when it waits no longer.
            let result = pool.submit(|| ()).unwrap().result();
            refused.set(result.is_err()).unwrap();
        });
        // The caller begins with the last one, as the workers are busy.
        let last = scope.submit(|| {
            go.set();
            until(|| pool.stats().waiting == 2 || refused.get().is_some());
            // Time for a false alarm.
            assert!(!Event::new().wait_timeout(Duration::from_millis(10)));
        });
        sender.send(last).unwrap();
    });
    assert_eq!(refused.get(), Some(&false));
    busy.into_iter().for_each(soon);
}

/// The caller waits for a worker that waits for the caller.
#[test]
fn a_caller_that_runs_a_task_is_told_that_the_pool_waits_for_itself() {
    let caller = thread::spawn(|| {
        let pool = pool(1);
        let go = Arc::new(Event::new());
        let going = Arc::clone(&go);
        let busy = pool.submit(move || assert!(going.wait_timeout(LONG)));
        let refused = AtomicUsize::new(0);
        let count = |result: Result<(), TaskError>| {
            if let Err(error) = result {
                assert!(matches!(error, TaskError::WouldDeadlock), "{error:?}");
                refused.fetch_add(1, Relaxed);
            }
        };
        pool.scope(|scope| {
            let (sender, receiver) = mpsc::channel::<ScopedTask<'_, ()>>();
            scope.submit(move || count(receiver.recv().unwrap().result()));
            let last = scope.submit(|| {
                go.set();
                until(|| pool.stats().waiting == 1);
                count(pool.submit(|| ()).unwrap().result());
            });
            sender.send(last).unwrap();
        });
        soon(busy.unwrap());
        assert_ne!(refused.into_inner(), 0);
    });
    until(|| caller.is_finished());
    caller.join().unwrap();
}

/// Who helps one pool is still a worker of the other.
#[test]
fn a_worker_that_helps_another_pool_does_not_wait_for_its_own() {
    let (own, other) = (Arc::new(pool(1)), pool(1));
    let go = Arc::new(Event::new());
    let going = Arc::clone(&go);
    let busy = other.submit(move || assert!(going.wait_timeout(LONG)));
    let inside = Arc::clone(&own);
    let outer = own.submit(move || {
        let mut result = Ok(());
        other.scope(|scope| {
            scope.submit(|| result = inside.submit(|| ()).unwrap().result());
        });
        go.set();
        soon(busy.unwrap());
        result
    });
    let refused = soon(outer.unwrap());
    assert!(matches!(refused, Err(TaskError::WouldDeadlock)));
}

#[test]
fn tasks_submit_further_tasks_to_their_scope() {
    let pool = pool(2);
    let seen = Mutex::new(Vec::new());
    pool.scope(|scope| {
        let seen = &seen;
        scope.submit(move || {
            for n in 0..10 {
                scope.submit(move || {
                    scope.submit(move || seen.lock().unwrap().push(n));
                });
            }
        });
    });
    let mut seen = seen.into_inner().unwrap();
    seen.sort_unstable();
    assert!(seen.into_iter().eq(0..10));
}

#[test]
fn a_pool_that_is_shut_down_leaves_the_work_to_the_caller() {
    let pool = pool(1);
    let (begun, go) = (Event::new(), Event::new());
    let done = AtomicUsize::new(0);
    let handed_back = pool.scope(|scope| {
        scope.submit(|| {
            begun.set();
            go.wait();
        });
        begun.wait();
        scope.submit(|| done.fetch_add(1, Relaxed));
        let handed_back = pool.shutdown(Shutdown::Immediate);
        // Not taken any more, so run here.
        scope.submit(|| done.fetch_add(1, Relaxed));
        assert_eq!(done.load(Relaxed), 1);
        go.set();
        handed_back
    });
    // The one that was handed back had to be run in the scope.
    assert_eq!((handed_back.len(), done.load(Relaxed)), (1, 2));
    for cancelled in handed_back {
        cancelled.run();
    }
    assert_eq!(done.load(Relaxed), 2);
}

/// One of the two is a task that asks for the result, the other is the end of the scope.
#[test]
fn two_threads_wait_for_one_task() {
    let pool = pool(2);
    let (begun, go) = (Event::new(), Event::new());
    let waiters = Queue::unbounded();
    thread::scope(|threads| {
        threads.spawn(|| {
            let [one, other]: [OsThread; 2] = [(); 2].map(|()| waiters.get().unwrap());
            until(|| one.is_asleep() && other.is_asleep());
            go.set();
        });
        pool.scope(|scope| {
            let (begun, go, waiters) = (&begun, &go, &waiters);
            let sum = scope.submit(move || {
                let inner = scope.submit(|| {
                    begun.set();
                    go.wait();
                    1
                });
                // By the other worker: nobody can run it in place of waiting.
                begun.wait();
                waiters.put(OsThread::current()).unwrap();
                inner.result().unwrap() + 1
            });
            begun.wait();
            waiters.put(OsThread::current()).unwrap();
            drop(sum);
        });
    });
}
