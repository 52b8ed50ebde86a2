//! `queue`: a bounded queue with task accounting, the end without a sentinel, stacks and
//! priorities.
//!
//! # `queue.Queue`
//!
//! <table><tr><th>Python</th><th>brigade</th></tr><tr style="vertical-align:top"><td>
//!
//! ```python
//! import queue
//! import threading
//!
//! jobs = queue.Queue(maxsize=2)
//!
//! def worker():
//!     while True:
//!         try:
//!             job = jobs.get()
//!         except queue.ShutDown:
//!             return
//!         try:
//!             print(job)
//!         finally:
//!             jobs.task_done()
//!
//! threads = [threading.Thread(target=worker)
//!            for _ in range(2)]
//! for thread in threads:
//!     thread.start()
//! for job in range(10):
//!     jobs.put(job)
//! jobs.join()
//! jobs.shutdown()
//! for thread in threads:
//!     thread.join()
//! ```
//!
//! </td><td>
//!
//! ```rust
//! use brigade::{Queue, Shutdown};
//! use std::thread;
//!
//! let jobs = Queue::bounded(2);
//!
//! let worker = || {
//!     // Ends when the queue is shut down and empty.
//!     while let Ok(job) = jobs.lease() {
//!         println!("{}", *job);
//!         // Dropping the lease is task_done.
//!     }
//! };
//!
//! thread::scope(|scope| {
//!     for _ in 0..2 {
//!         scope.spawn(worker);
//!     }
//!     for job in 0..10 {
//!         jobs.put(job).unwrap();
//!     }
//!     jobs.join();
//!     jobs.shutdown(Shutdown::Drain);
//! }); // waits for the threads
//! assert_eq!(jobs.unfinished(), 0);
//! ```
//!
//! </td></tr></table>
//!
//! A scope lends `jobs` to its threads and waits for them at its end. For threads that outlive the
//! function share the queue in an [`Arc`](std::sync::Arc), or in a `static`
//! [`LazyLock`](std::sync::LazyLock).
//!
//! | Python | brigade | difference |
//! |---|---|---|
//! | `Queue(maxsize=n)`, `Queue()` | [`Queue::bounded(n)`], [`Queue::unbounded()`] | |
//! | `qsize()` | [`len()`] | old news as soon as it is read, in both |
//! | `empty()`, `full()` | [`is_empty()`], [`is_full()`] | the same |
//! | `get()` | [`get()`] | an error once it is shut down and empty |
//! | `get(timeout=t)` | [`get_timeout(t)`], [`get_deadline(when)`] | `Timeout` or `ShutDown`, not `Empty` for both |
//! | `get_nowait()`, `get(block=False)` | [`try_get()`] | `Empty` or `ShutDown` |
//! | `put(x)` | [`put(x)`] | an error with `x` inside once it is shut down |
//! | `put(x, timeout=t)` | [`put_timeout(x, t)`], [`put_deadline(x, when)`] | gives `x` back |
//! | `put_nowait(x)`, `put(x, block=False)` | [`try_put(x)`] | gives `x` back |
//! | `get()` ... `task_done()` | [`lease()`], dropped | reported once, on every way out |
//! | `task_done()` | [`task_done()`] | one too many is an error value; the count stays at zero |
//! | `join()` | [`join()`], [`join_timeout(t)`] | it can give up |
//! | `shutdown()` | [`shutdown(Shutdown::Drain)`] | |
//! | `shutdown(immediate=True)` | [`shutdown(Shutdown::Immediate)`] | hands out what was left instead of dropping it |
//! | | [`put_many`], [`get_many`] | batches, at a fraction of the price per item |
//! | | [`put_async`], [`get_async`] | the same queue, in tasks |
//! | | [`select`](crate::select()) | waits for several queues and events at once |
//! | | [`lease.put_back()`] | for somebody else to try again |
//!
//! All of them in a row:
//!
//! ```rust
//! use std::time::Duration;
//! use brigade::{GetTimeoutError, PutTimeoutError, Queue, Shutdown, TooManyDone};
//! use brigade::{TryGetError, TryPutError};
//!
//! const SOON: Duration = Duration::from_millis(10);
//!
//! let queue = Queue::bounded(2);
//! assert_eq!(queue.try_get(), Err(TryGetError::Empty)); // get_nowait: queue.Empty
//! assert_eq!(queue.get_timeout(SOON), Err(GetTimeoutError::Timeout)); // get(timeout=0.01)
//!
//! queue.put("a")?;
//! queue.try_put("b")?; // put_nowait
//! assert_eq!((queue.len(), queue.is_full()), (2, true)); // qsize, full
//! assert_eq!(queue.try_put("c"), Err(TryPutError::Full("c"))); // queue.Full, with the item
//! assert_eq!(queue.put_timeout("c", SOON), Err(PutTimeoutError::Timeout("c")));
//!
//! assert_eq!(queue.get()?, "a");
//! queue.task_done()?;
//! assert_eq!(*queue.lease()?, "b"); // get and task_done in one
//! assert!(queue.is_empty());
//! queue.join(); // nothing is unfinished
//! assert_eq!(queue.task_done(), Err(TooManyDone)); // Python: ValueError
//!
//! queue.put("d")?;
//! assert!(!queue.join_timeout(SOON)); // nobody has done it
//! queue.shutdown(Shutdown::Drain);
//! assert_eq!(queue.put("e").unwrap_err().0, "e"); // queue.ShutDown, with the item
//! assert!(queue.shutdown(Shutdown::Immediate).eq(["d"])); // shutdown(immediate=True)
//! assert!(queue.get().is_err());
//! queue.join();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **The trap that is gone.** In Python every `get` wants its `task_done`. Forget one, in the branch
//! that raises, and `join` never returns; call it once too often and it raises in a thread that did
//! nothing wrong. A [`Lease`] *is* the duty to report: it is discharged when the lease is dropped,
//! also by a panic.
//!
//! ```rust
//! use brigade::Queue;
//!
//! let jobs = Queue::unbounded();
//! jobs.put("not a number")?;
//!
//! std::thread::scope(|scope| {
//!     let worker = scope.spawn(|| {
//!         let job = jobs.lease().unwrap();
//!         job.parse::<u32>().unwrap() // panics, with the job in hand
//!     });
//!     jobs.join(); // returns all the same
//!     assert!(worker.join().is_err());
//! });
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The end: `put(None)`
//!
//! <table><tr><th>Python</th><th>brigade</th></tr><tr style="vertical-align:top"><td>
//!
//! ```python
//! lines = queue.Queue()
//! totals = queue.Queue()
//!
//! def consumer():
//!     total = 0
//!     while True:
//!         line = lines.get()
//!         if line is None:
//!             break
//!         total += len(line)
//!     totals.put(total)
//!
//! consumers = [
//!     threading.Thread(target=consumer)
//!     for _ in range(3)
//! ]
//! for thread in consumers:
//!     thread.start()
//! for line in ["red", "green", "blue"]:
//!     lines.put(line)
//! for _ in consumers:
//!     lines.put(None)  # one for each
//! for thread in consumers:
//!     thread.join()
//! assert sum(totals.queue) == 12
//! ```
//!
//! </td><td>
//!
//! ```rust
//! use brigade::{Queue, Shutdown};
//! use std::thread;
//!
//! let lines = Queue::unbounded();
//!
//! let consumer = || -> usize {
//!     lines.iter().map(str::len).sum()
//! };
//!
//! let total: usize = thread::scope(|scope| {
//!     let consumers = [0; 3].map(|_| scope.spawn(consumer));
//!     for line in ["red", "green", "blue"] {
//!         lines.put(line).unwrap();
//!     }
//!     lines.shutdown(Shutdown::Drain); // for all
//!     consumers
//!         .map(|thread| thread.join().unwrap())
//!         .iter()
//!         .sum()
//! });
//! assert_eq!(total, 12);
//! ```
//!
//! </td></tr></table>
//!
//! | Python | brigade | difference |
//! |---|---|---|
//! | `put(None)`, once for each consumer | [`shutdown(Shutdown::Drain)`], once | consumers need not be counted, nor be alive yet |
//! | `while (item := get()) is not None` | `for item in queue.iter()` | [`iter()`] ends when the queue is shut down and empty |
//! | `None` among the items | | the item's type has no value that means something else |
//!
//! **The trap that is gone.** A sentinel ends one consumer. One too few and a consumer waits for
//! ever; one too many and it lies in the queue for the next user; a second producer that is still
//! at work puts its items behind the end. After a [`shutdown`](brigade_core::Queue::shutdown) each
//! consumer finds the end for itself, and a late producer gets its item back in an error.
//!
//! # `LifoQueue`, `PriorityQueue`
//!
//! <table><tr><th>Python</th><th>brigade</th></tr><tr style="vertical-align:top"><td>
//!
//! ```python
//! stack = queue.LifoQueue()
//! for page in ["home", "news", "weather"]:
//!     stack.put(page)
//! assert stack.get() == "weather"
//! assert stack.get() == "news"
//!
//! jobs = queue.PriorityQueue(maxsize=10)
//! jobs.put((5, "fetch water"))
//! jobs.put((1, "put out the fire"))
//! jobs.put((9, "tidy up"))
//! priority, job = jobs.get()
//! assert job == "put out the fire"
//! jobs.task_done()
//! ```
//!
//! </td><td>
//!
//! ```rust
//! use brigade::{LifoQueue, PriorityQueue};
//!
//! let stack = LifoQueue::unbounded();
//! for page in ["home", "news", "weather"] {
//!     stack.put(page)?;
//! }
//! assert_eq!(stack.get()?, "weather");
//! assert_eq!(stack.get()?, "news");
//!
//! let jobs = PriorityQueue::bounded(10);
//! jobs.put((5, "fetch water"))?;
//! jobs.put((1, "put out the fire"))?;
//! jobs.put((9, "tidy up"))?;
//! let (_priority, job) = jobs.lease()?.finish();
//! assert_eq!(job, "put out the fire");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! </td></tr></table>
//!
//! | Python | brigade | difference |
//! |---|---|---|
//! | `LifoQueue(maxsize=n)` | [`LifoQueue`]`::{bounded(n), unbounded()}` | last in, first out |
//! | `PriorityQueue(maxsize=n)` | [`PriorityQueue`]`::{bounded(n), unbounded()}` | the smallest first, as in Python; of equal ones the oldest |
//! | every method of `Queue` | every method of [`Queue`](crate::Queue) | they are the same type with another store |
//! | the largest first: `(-priority, job)` | [`Reverse(priority)`](std::cmp::Reverse) | of anything that can be compared |
//!
//! **The trap that is gone.** Two entries of the same priority make Python compare what stands behind
//! it. If that is a function or a `dict`, a `put` or a `get` raises `TypeError`, on the day on which
//! two priorities meet. What cannot be compared does not compile as an item here. An `Ord` of your own
//! says which part counts; where it says "equal", first in is first out:
//!
//! ```rust
//! use std::cmp::Ordering;
//! use brigade::PriorityQueue;
//!
//! struct Job {
//!     priority: u32,
//!     work: fn() -> &'static str,
//! }
//!
//! impl Ord for Job {
//!     fn cmp(&self, other: &Self) -> Ordering {
//!         self.priority.cmp(&other.priority)
//!     }
//! }
//!
//! impl PartialOrd for Job {
//!     fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
//!         Some(self.cmp(other))
//!     }
//! }
//!
//! impl PartialEq for Job {
//!     fn eq(&self, other: &Self) -> bool {
//!         self.cmp(other).is_eq()
//!     }
//! }
//!
//! impl Eq for Job {}
//!
//! let jobs = PriorityQueue::unbounded();
//! jobs.put(Job { priority: 2, work: || "brake" })?;
//! jobs.put(Job { priority: 2, work: || "steer" })?;
//! jobs.put(Job { priority: 1, work: || "look" })?;
//! let done = [0; 3].map(|_| (jobs.get().unwrap().work)());
//! assert_eq!(done, ["look", "brake", "steer"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The example `jobs` is a priority queue with workers, where a job that fails goes back and is
//! tried again.
//!
//! [`LifoQueue`]: crate::LifoQueue
//! [`PriorityQueue`]: crate::PriorityQueue
//! [`Lease`]: crate::Lease
//! [`Queue::bounded(n)`]: brigade_core::Queue::bounded
//! [`Queue::unbounded()`]: brigade_core::Queue::unbounded
//! [`len()`]: brigade_core::Queue::len
//! [`is_empty()`]: brigade_core::Queue::is_empty
//! [`is_full()`]: brigade_core::Queue::is_full
//! [`get()`]: brigade_core::Queue::get
//! [`get_timeout(t)`]: brigade_core::Queue::get_timeout
//! [`get_deadline(when)`]: brigade_core::Queue::get_deadline
//! [`try_get()`]: brigade_core::Queue::try_get
//! [`put(x)`]: brigade_core::Queue::put
//! [`put_timeout(x, t)`]: brigade_core::Queue::put_timeout
//! [`put_deadline(x, when)`]: brigade_core::Queue::put_deadline
//! [`try_put(x)`]: brigade_core::Queue::try_put
//! [`lease()`]: brigade_core::Queue::lease
//! [`lease.put_back()`]: brigade_core::Lease::put_back
//! [`task_done()`]: brigade_core::Queue::task_done
//! [`join()`]: brigade_core::Queue::join
//! [`join_timeout(t)`]: brigade_core::Queue::join_timeout
//! [`iter()`]: brigade_core::Queue::iter
//! [`put_async`]: brigade_core::Queue::put_async
//! [`get_async`]: brigade_core::Queue::get_async
//! [`put_many`]: brigade_core::Queue::put_many
//! [`get_many`]: brigade_core::Queue::get_many
//! [`shutdown(Shutdown::Drain)`]: brigade_core::Queue::shutdown
//! [`shutdown(Shutdown::Immediate)`]: brigade_core::Queue::shutdown
