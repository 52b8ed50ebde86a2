//! Thread pools.

use std::sync::mpsc;

use tokio::runtime::Runtime;

/// Threads that run tasks.
pub trait Pool: 'static {
    /// The pool itself; dropping it ends its threads.
    type Threads;

    /// A pool of so many threads, with room for any number of tasks.
    fn start(threads: usize) -> Self::Threads;

    /// Submits a task and does not wait for it.
    fn submit(threads: &Self::Threads, task: impl FnOnce() + Send + 'static);

    /// Submits a task and waits for its result.
    fn result(threads: &Self::Threads, task: impl FnOnce() -> u64 + Send + 'static) -> u64;
}

fn tokio_runtime(threads: usize) -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .max_blocking_threads(threads)
        .build()
        .expect("threads can be started")
}

crate::contenders! { Pool:
    Ours ThreadPool, "brigade ThreadPool", "pool" {
        type Threads = brigade::ThreadPool;
        fn start(threads: usize) -> Self::Threads {
            brigade::ThreadPool::builder().threads(threads).build().expect("threads can be started")
        }
        fn submit(threads: &Self::Threads, task: impl FnOnce() + Send + 'static) {
            threads.submit(task).expect("running").detach();
        }
        fn result(threads: &Self::Threads, task: impl FnOnce() -> u64 + Send + 'static) -> u64 {
            let task = threads.submit(task).expect("running");
            task.result().expect("the task returned")
        }
    }
    Rival Rayon, "rayon", "pool" {
        type Threads = rayon::ThreadPool;
        fn start(threads: usize) -> Self::Threads {
            let builder = rayon::ThreadPoolBuilder::new().num_threads(threads);
            builder.build().expect("threads can be started")
        }
        fn submit(threads: &Self::Threads, task: impl FnOnce() + Send + 'static) {
            threads.spawn(task);
        }
        fn result(threads: &Self::Threads, task: impl FnOnce() -> u64 + Send + 'static) -> u64 {
            let (sender, receiver) = oneshot::channel();
            threads.spawn(move || sender.send(task()).expect("awaited"));
            receiver.recv().expect("the task returned")
        }
    }
    Rival Threadpool, "threadpool", "pool" {
        type Threads = threadpool::ThreadPool;
        fn start(threads: usize) -> Self::Threads { threadpool::ThreadPool::new(threads) }
        fn submit(threads: &Self::Threads, task: impl FnOnce() + Send + 'static) {
            threads.execute(task);
        }
        fn result(threads: &Self::Threads, task: impl FnOnce() -> u64 + Send + 'static) -> u64 {
            let (sender, receiver) = mpsc::channel();
            threads.execute(move || sender.send(task()).expect("awaited"));
            receiver.recv().expect("the task returned")
        }
    }
    Rival RustyPool, "rusty_pool", "pool" {
        type Threads = rusty_pool::ThreadPool;
        fn start(threads: usize) -> Self::Threads {
            rusty_pool::Builder::new().core_size(threads).max_size(threads).build()
        }
        fn submit(threads: &Self::Threads, task: impl FnOnce() + Send + 'static) {
            threads.execute(task);
        }
        fn result(threads: &Self::Threads, task: impl FnOnce() -> u64 + Send + 'static) -> u64 {
            threads.evaluate(task).await_complete()
        }
    }
    Rival TokioSpawn, "tokio spawn", "pool" {
        type Threads = Runtime;
        fn start(threads: usize) -> Self::Threads { tokio_runtime(threads) }
        fn submit(threads: &Self::Threads, task: impl FnOnce() + Send + 'static) {
            drop(threads.spawn(async move { task() }));
        }
        fn result(threads: &Self::Threads, task: impl FnOnce() -> u64 + Send + 'static) -> u64 {
            let task = threads.spawn(async move { task() });
            threads.block_on(task).expect("the task returned")
        }
    }
    Rival TokioBlocking, "tokio spawn_blocking", "pool" {
        type Threads = Runtime;
        fn start(threads: usize) -> Self::Threads { tokio_runtime(threads) }
        fn submit(threads: &Self::Threads, task: impl FnOnce() + Send + 'static) {
            drop(threads.spawn_blocking(task));
        }
        fn result(threads: &Self::Threads, task: impl FnOnce() -> u64 + Send + 'static) -> u64 {
            let task = threads.spawn_blocking(task);
            threads.block_on(task).expect("the task returned")
        }
    }
}
