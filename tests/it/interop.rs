//! Tasks of other people's executors at the ends of queues, with threads at the other ends.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use brigade::{Event, GetError, PriorityQueue, PutError, Queue, Semaphore, Shutdown, ThreadPool};
use tokio::runtime::{Builder, Runtime};

use crate::harness::until;

/// One that runs all tasks on the thread that blocks, and one with threads of its own.
fn runtimes() -> [Runtime; 2] {
    let one = Builder::new_current_thread().enable_time().build();
    let many = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_time()
        .build();
    [one.unwrap(), many.unwrap()]
}

/// Tasks get what threads put, and threads get what tasks put.
async fn exchange(numbers: Arc<Queue<u32>>, answers: Arc<Queue<u32>>) {
    while let Ok(number) = numbers.get_async().await {
        answers.put_async(number * 2).await.unwrap();
    }
}

/// Runs the same with any executor; `run` starts three tasks and waits for them.
fn through(run: impl FnOnce(&Arc<Queue<u32>>, &Arc<Queue<u32>>)) {
    const NUMBERS: u32 = 1_000;
    let numbers = Arc::new(Queue::bounded(4));
    let answers = Arc::new(Queue::bounded(2));
    let total: u32 = thread::scope(|scope| {
        let total = scope.spawn(|| answers.iter().sum());
        scope.spawn(|| {
            numbers.put_many(0..NUMBERS).unwrap();
            numbers.shutdown(Shutdown::Drain);
        });
        run(&numbers, &answers);
        answers.shutdown(Shutdown::Drain);
        total.join().unwrap()
    });
    assert_eq!(total, NUMBERS * (NUMBERS - 1));
}

#[test]
fn tasks_of_tokio_between_threads() {
    for runtime in runtimes() {
        through(|numbers, answers| {
            runtime.block_on(async {
                let tasks = [0; 3]
                    .map(|_| tokio::spawn(exchange(Arc::clone(numbers), Arc::clone(answers))));
                for task in tasks {
                    task.await.unwrap();
                }
            });
        });
    }
}

#[test]
fn tasks_of_smol_between_threads() {
    through(|numbers, answers| {
        let executor = smol::LocalExecutor::new();
        let tasks =
            [0; 3].map(|_| executor.spawn(exchange(Arc::clone(numbers), Arc::clone(answers))));
        smol::block_on(executor.run(async {
            for task in tasks {
                task.await;
            }
        }));
    });
}

#[test]
fn a_task_of_the_pool_is_awaited() {
    let pool = ThreadPool::builder().threads(2).build().unwrap();
    for runtime in runtimes() {
        let doubled = runtime.block_on(async {
            let task = pool.submit(|| 21 * 2).unwrap();
            task.await
        });
        assert_eq!(doubled.unwrap(), 42);
    }
    let task = pool.submit(|| "smol").unwrap();
    assert_eq!(smol::block_on(task).unwrap(), "smol");
}

/// What times out has taken nothing, and leaves nobody waiting in its place.
#[test]
fn an_end_that_is_dropped_takes_nothing() {
    const SOON: Duration = Duration::from_millis(1);
    for runtime in runtimes() {
        let queue: PriorityQueue<u32> = PriorityQueue::bounded(1);
        let event = Event::new();
        runtime.block_on(async {
            let get = tokio::time::timeout(SOON, queue.get_async());
            assert!(get.await.is_err());
            assert!(
                tokio::time::timeout(SOON, event.wait_async())
                    .await
                    .is_err()
            );
            queue.put_async(1).await.unwrap();
            let put = tokio::time::timeout(SOON, queue.put_async(2));
            assert!(put.await.is_err());
            let lease = queue.lease_async().await.unwrap();
            assert_eq!(*lease, 1);
            let join = tokio::time::timeout(SOON, queue.join_async());
            assert!(join.await.is_err());
            drop(lease);
            queue.join_async().await;
        });
        assert!(queue.is_empty());
    }
}

/// A wake-up that came to a task that is cancelled goes to the thread that waits too.
#[test]
fn a_cancelled_task_passes_its_wake_up_on() {
    let [_, runtime] = runtimes();
    for _ in 0..100 {
        let queue = Arc::new(Queue::unbounded());
        let tasks = [0; 4].map(|_| {
            let queue = Arc::clone(&queue);
            runtime.spawn(async move { queue.get_async().await })
        });
        thread::scope(|scope| {
            let got = scope.spawn(|| queue.get());
            for item in 0..5 {
                queue.put(item).unwrap();
                if let Some(task) = tasks.get(item) {
                    task.abort();
                }
            }
            got.join().unwrap().unwrap();
        });
    }
}

#[test]
fn a_shutdown_reaches_tasks() {
    for runtime in runtimes() {
        let (empty, full) = (
            Arc::new(Queue::<u32>::unbounded()),
            Arc::new(Queue::bounded(1)),
        );
        full.put(0).unwrap();
        let (getter, putter) = (Arc::clone(&empty), Arc::clone(&full));
        let closer = thread::spawn(move || {
            until(|| Arc::strong_count(&empty) == 2 && full.is_full());
            empty.shutdown(Shutdown::Drain);
            assert_eq!(full.shutdown(Shutdown::Immediate).count(), 1);
        });
        runtime.block_on(async {
            assert_eq!(getter.get_async().await, Err(GetError));
            assert_eq!(putter.put_async(1).await, Err(PutError(1)));
        });
        closer.join().unwrap();
    }
}

#[test]
fn an_event_and_permits_among_tasks_and_threads() {
    for runtime in runtimes() {
        let event = Arc::new(Event::new());
        let permits = Arc::new(Semaphore::new(1));
        let held = permits.acquire();
        let tasks = [0; 8].map(|_| {
            let (event, permits) = (Arc::clone(&event), Arc::clone(&permits));
            runtime.spawn(async move {
                event.wait_async().await;
                let _permit = permits.acquire_async().await;
            })
        });
        event.set();
        drop(held);
        runtime.block_on(async {
            for task in tasks {
                task.await.unwrap();
            }
        });
        assert_eq!(permits.available(), 1);
    }
}
