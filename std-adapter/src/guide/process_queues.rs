//! `multiprocessing.Queue`, `JoinableQueue`, `SimpleQueue`, and `manager.Queue()`: between processes.
//!
//! All four are one type here, [`shared::Queue`]. It lies in memory that the processes share, can be passed to
//! any of them, workers of pools included, and survives the death of whoever uses it. On Linux.
//!
//! # `Queue`, `JoinableQueue`, `SimpleQueue`
//!
//! <table><tr><th>Python</th><th>brigade</th></tr><tr style="vertical-align:top"><td>
//!
//! ```python
//! from multiprocessing import (
//!     JoinableQueue, Process)
//!
//! def worker(jobs):
//!     while True:
//!         job = jobs.get()
//!         if job is None:
//!             return
//!         try:
//!             print(job)
//!         finally:
//!             jobs.task_done()
//!
//! if __name__ == "__main__":
//!     jobs = JoinableQueue(maxsize=2)
//!     workers = [
//!         Process(target=worker, args=(jobs,))
//!         for _ in range(2)]
//!     for process in workers:
//!         process.start()
//!     for job in range(10):
//!         jobs.put(job)
//!     jobs.join()
//!     for _ in workers:
//!         jobs.put(None)  # one for each
//!     for process in workers:
//!         process.join()
//! ```
//!
//! </td><td>
//!
//! ```rust
//! use brigade::{Process, Shutdown, shared::Queue};
//!
//! fn worker(jobs: Queue<u32>) {
//!     // Ends when the queue is shut down and empty.
//!     while let Ok(job) = jobs.lease() {
//!         println!("{}", *job);
//!         // Dropping the lease is task_done.
//!     }
//! }
//!
//! let jobs = Queue::bounded(2)?;
//! let mut workers = Vec::new();
//! for _ in 0..2 {
//!     let jobs = jobs.clone();
//!     workers.push(Process::start(worker, jobs)?);
//! }
//! for job in 0..10 {
//!     jobs.put(job)?;
//! }
//! jobs.join()?;
//! jobs.shutdown(Shutdown::Drain); // for all of them
//! for process in workers {
//!     process.join()?;
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! </td></tr></table>
//!
//! | Python | brigade | difference |
//! |---|---|---|
//! | `Queue(n)`, `JoinableQueue(n)`, `SimpleQueue()` | [`Queue::bounded(n)`], [`builder()`] | always bounded |
//! | `put`, `get`, with `timeout` or `block=False` | [`put`], [`put_timeout`], [`try_put`]; [`get`], [`get_timeout`], [`try_get`] | what was not taken comes back |
//! | `get()` ... `task_done()` | [`lease()`], dropped | an item of a process that died goes to another |
//! | `task_done()`, `join()` | [`task_done()`], [`join()`], [`join_timeout(t)`] | who died with an item is not waited for |
//! | `qsize()`, `empty()`, `full()` | [`len()`], [`is_empty()`], [`is_full()`] | on every Linux, and exact at one moment |
//! | `put(None)` for each consumer | [`shutdown(Shutdown::Drain)`] | once, for all, now or later |
//! | `close()`, `join_thread()`, `cancel_join_thread()` | | no thread feeds a pipe: when `put` returns, the item is in the queue |
//! | | [`put_many`], [`get_many`], [`put_async`], [`get_async`] | batches, tasks |
//!
//! **A trap that is gone.** A Python process that is killed in `get` takes the lock of the pipe along, and all
//! other readers starve; what it had taken is lost. Here the others notice, and what it had leased comes
//! again:
//!
//! ```rust
//! use brigade::{Process, shared::{Event, Queue}};
//! use std::time::Duration;
//!
//! fn hang((jobs, has_it): (Queue<String>, Event)) {
//!     let _job = jobs.lease().unwrap();
//!     has_it.set();
//!     loop {
//!         std::thread::park();
//!     }
//! }
//!
//! let (jobs, has_it) = (Queue::bounded(10)?, Event::new()?);
//! jobs.put("fetch water".to_owned())?;
//! let child = Process::start(hang, (jobs.clone(), has_it.clone()))?;
//! has_it.wait();
//! child.kill()?;
//!
//! let again = jobs.lease_timeout(Duration::from_secs(30))?;
//! assert_eq!((&**again, again.attempts()), ("fetch water", 1));
//! drop(again);
//! jobs.join()?; // nothing is unfinished
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **Another one.** `put` of something that cannot be pickled returns, and a thread in the background prints a
//! traceback; the item is gone. Here `put` says so, with the item in the error. So does one that is larger
//! than the queue's memory:
//!
//! ```rust
//! use brigade::shared::{PutFailure, Queue};
//!
//! let small = Queue::<Vec<u8>>::builder().capacity(4).bytes(1 << 20).build()?;
//! let error = small.put(vec![7; 2 << 20]).unwrap_err();
//! assert_eq!(error.why, PutFailure::TooLarge);
//! assert_eq!(error.into_inner().len(), 2 << 20);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # `manager.Queue()` for the workers of a pool, and a `Lock` beside it
//!
//! <table><tr><th>Python</th><th>brigade</th></tr><tr style="vertical-align:top"><td>
//!
//! ```python
//! from multiprocessing import Manager, Pool
//!
//! def fill(bucket, queue, lock):
//!     with lock:
//!         print("filling", bucket)
//!     queue.put(bucket * 10)
//!
//! if __name__ == "__main__":
//!     manager = Manager()  # a process
//!     # A plain Queue cannot be an argument.
//!     queue = manager.Queue()
//!     lock = manager.Lock()
//!     with Pool(2) as pool:
//!         pool.starmap(fill, [
//!             (bucket, queue, lock)
//!             for bucket in range(3)])
//!     queue.put(None)
//!     total = sum(iter(queue.get, None))
//!     assert total == 30
//! ```
//!
//! </td><td>
//!
//! ```rust
//! use brigade::{ProcessPool, Shutdown};
//! use brigade::shared::{Lock, Queue};
//!
//! type Fill = (u32, Queue<u32>, Lock);
//!
//! fn fill((bucket, queue, lock): Fill) {
//!     let held = lock.lock().unwrap();
//!     println!("filling {bucket}");
//!     drop(held);
//!     queue.put(bucket * 10).unwrap();
//! }
//!
//! let queue = Queue::bounded(100)?;
//! let lock = Lock::new(())?;
//! let pool = ProcessPool::builder().workers(2).build()?;
//! let buckets =
//!     (0..3).map(|n| (n, queue.clone(), lock.clone()));
//! for filled in pool.map(buckets, fill) {
//!     filled?;
//! }
//! queue.shutdown(Shutdown::Drain);
//! let total: Result<u32, _> = queue.iter().sum();
//! assert_eq!(total?, 30);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! </td></tr></table>
//!
//! **The trap that is gone.** A `multiprocessing.Queue` or `Lock` can only be inherited, not passed; so whoever
//! has a `Pool` takes a manager, where every item travels to a server and back. Here both are arguments like
//! any other.
//!
//! # The end: `put(None)`
//!
//! One `None` is needed for each consumer; one that died before it read its own leaves it to confuse
//! another, and one too few leaves a consumer waiting. [`shutdown(Shutdown::Drain)`] is said once, by any
//! process. Whoever is in `get` or `lease`, or comes later, gets what is left and then the end:
//!
//! ```rust
//! use brigade::{ProcessPool, Shutdown, shared::Queue};
//!
//! fn sum(numbers: Queue<u64>) -> u64 {
//!     numbers.iter().map(Result::unwrap).sum()
//! }
//!
//! let numbers = Queue::bounded(4)?;
//! let pool = ProcessPool::builder().workers(3).build()?;
//! let mut sums = Vec::new();
//! for _ in 0..3 {
//!     sums.push(pool.submit_with(sum, numbers.clone())?);
//! }
//! for number in 1..=1000 {
//!     numbers.put(number)?;
//! }
//! numbers.shutdown(Shutdown::Drain);
//! let mut total = 0;
//! for sum in sums {
//!     total += sum.result()?;
//! }
//! assert_eq!(total, 500_500);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`shared::Queue`]: crate::shared::Queue
//! [`Queue::bounded(n)`]: crate::shared::Queue::bounded
//! [`builder()`]: crate::shared::Queue::builder
//! [`put`]: crate::shared::Queue::put
//! [`put_timeout`]: crate::shared::Queue::put_timeout
//! [`try_put`]: crate::shared::Queue::try_put
//! [`get`]: crate::shared::Queue::get
//! [`get_timeout`]: crate::shared::Queue::get_timeout
//! [`try_get`]: crate::shared::Queue::try_get
//! [`lease()`]: crate::shared::Queue::lease
//! [`task_done()`]: crate::shared::Queue::task_done
//! [`join()`]: crate::shared::Queue::join
//! [`join_timeout(t)`]: crate::shared::Queue::join_timeout
//! [`len()`]: crate::shared::Queue::len
//! [`is_empty()`]: crate::shared::Queue::is_empty
//! [`is_full()`]: crate::shared::Queue::is_full
//! [`shutdown(Shutdown::Drain)`]: crate::shared::Queue::shutdown
//! [`put_many`]: crate::shared::Queue::put_many
//! [`get_many`]: crate::shared::Queue::get_many
//! [`put_async`]: crate::shared::Queue::put_async
//! [`get_async`]: crate::shared::Queue::get_async
