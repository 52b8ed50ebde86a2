//! `concurrent.futures`: the executor, its futures, and waiting for several of them.
//!
//! <table><tr><th>Python</th><th>brigade</th></tr><tr style="vertical-align:top"><td>
//!
//! ```python
//! from concurrent.futures import (
//!     FIRST_COMPLETED, ThreadPoolExecutor,
//!     as_completed, wait)
//!
//! def square(n):
//!     return n * n
//!
//! with ThreadPoolExecutor(max_workers=2) as pool:
//!     future = pool.submit(square, 7)
//!     assert future.result() == 49
//!
//!     squares = pool.map(square, range(4))
//!     assert list(squares) == [0, 1, 4, 9]
//!
//!     futures = [pool.submit(square, n)
//!                for n in range(4)]
//!     done, not_done = wait(
//!         futures, return_when=FIRST_COMPLETED)
//!     assert done
//!
//!     total = 0
//!     for future in as_completed(futures):
//!         total += future.result()
//!     assert total == 14
//! # waits for all that was submitted
//! ```
//!
//! </td><td>
//!
//! ```rust
//! use brigade::{
//!     ReturnWhen, ThreadPool, as_completed, wait,
//! };
//!
//! fn square(n: u32) -> u32 {
//!     n * n
//! }
//!
//! let pool = ThreadPool::builder().threads(2).build()?;
//! let task = pool.submit(|| square(7))?;
//! assert_eq!(task.result()?, 49);
//!
//! let squares: Result<Vec<_>, _> =
//!     pool.map(0..4, square).collect();
//! assert_eq!(squares?, [0, 1, 4, 9]);
//!
//! let mut tasks = Vec::new();
//! for n in 0..4 {
//!     tasks.push(pool.submit(move || square(n))?);
//! }
//! let both = wait(tasks, ReturnWhen::First);
//! assert!(!both.done.is_empty());
//!
//! let mut total = 0;
//! let tasks = both.done.into_iter().chain(both.not_done);
//! for (_number, square) in as_completed(tasks) {
//!     total += square?;
//! }
//! assert_eq!(total, 14);
//! drop(pool); // waits for all that was submitted
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! </td></tr></table>
//!
//! # The executor
//!
//! | Python | brigade | difference |
//! |---|---|---|
//! | `Executor` | [`Executor`] | what is written for it takes threads or [processes](super::process_pools#threads-or-processes-by-one-word) |
//! | `ProcessPoolExecutor` | [`ProcessPool`](crate::ProcessPool) | [a page of its own](super::process_pools) |
//! | `ThreadPoolExecutor()` | [`ThreadPool::new()`] | one worker for each processor |
//! | `max_workers`, `thread_name_prefix` | [`threads(n)`], [`name(prefix)`] | the names are the system's too |
//! | threads are started when they are needed | [`grow_on_demand(least..=most)`] | all at once otherwise |
//! | `initializer=f` | [`on_start(f)`], [`on_stop(f)`] | if it fails, so does `build` |
//! | `submit(f, x)` | [`submit`]`(move \|\| f(x))` | can wait for room: [`queue_bound(n)`]; [`try_submit`], [`submit_timeout`] |
//! | | [`submit_priority`](crate::ThreadPool::submit_priority) | the most urgent task is begun first |
//! | `with` | the pool's scope, or `drop(pool)` | waits, as `with` does |
//! | `shutdown(wait=False)` | [`shutdown(Shutdown::Drain)`] | |
//! | `shutdown()` | the same, then [`join()`] | or [`join_timeout(t)`] |
//! | `shutdown(cancel_futures=True)` | [`shutdown(Shutdown::Immediate)`] | hands back the work that nobody has begun |
//! | `submit` after that: `RuntimeError` | [`SubmitError::ShutDown`](crate::SubmitError) | gives the closure back |
//!
//! # The future
//!
//! | Python | brigade | difference |
//! |---|---|---|
//! | `Future` | [`Task`] | a task has one owner, who takes the result |
//! | `result()` | [`result()`] | an error value: `Panicked`, `Cancelled` |
//! | `result(timeout=t)` | [`result_timeout(t)`], [`result_deadline(when)`] | the task comes back if it was too early |
//! | `exception()` | `Err(`[`TaskError::Panicked`]`(panic))` | with message and place |
//! | `cancel()` | [`cancel()`] | drops the closure at once if nobody has begun it |
//! | `cancelled()` | `Err(`[`TaskError::Cancelled`]`)` | |
//! | `done()` | [`is_done()`] | |
//! | `add_done_callback(f)` | [`on_done(f)`] | `f` gets the result, not the future |
//! | `asyncio.wrap_future(future)` | `task.await` | a task *is* a future, of any runtime |
//! | `wait(futures, timeout, return_when)` | [`wait`], [`wait_timeout`], [`wait_deadline`] | all tasks come back, in two groups |
//! | `ALL_COMPLETED`, `FIRST_COMPLETED`, `FIRST_EXCEPTION` | [`ReturnWhen`]`::{All, First, FirstError}` | |
//! | `as_completed(futures, timeout)` | [`as_completed`], [`next_timeout(t)`] | tasks may be [added](crate::AsCompleted::add) meanwhile |
//!
//! ```rust
//! use std::time::Duration;
//! use brigade::{Event, Queue, Shutdown, SubmitError, TaskError, ThreadPool};
//! use brigade::{ReturnWhen, wait_timeout};
//! use std::sync::Arc;
//!
//! static GO: Event = Event::new();
//! const SOON: Duration = Duration::from_millis(10);
//! const LATER: Duration = Duration::from_secs(10);
//!
//! let pool = ThreadPool::builder().threads(1).name("square").build()?;
//! let running = pool.submit(|| GO.wait())?;
//! let queued = pool.submit(|| 1)?;
//! assert!(!running.is_done()); // done()
//!
//! assert!(queued.cancel()); // cancel(): nobody has begun it
//! assert!(matches!(queued.result(), Err(TaskError::Cancelled)));
//!
//! let running = running.result_timeout(SOON).unwrap_err(); // TimeoutError, with the task
//! let both = wait_timeout([running], ReturnWhen::All, SOON);
//! assert_eq!((both.done.len(), both.not_done.len()), (0, 1));
//! GO.set();
//! for task in both.not_done {
//!     task.result_timeout(LATER).expect("the event is set")?;
//! }
//!
//! let bad = pool.submit(|| u32::from_str_radix("seven", 10).unwrap())?;
//! let Err(TaskError::Panicked(panic)) = bad.result() else { unreachable!() }; // exception()
//! assert!(panic.message().contains("InvalidDigit"));
//!
//! let answers = Arc::new(Queue::unbounded());
//! let callback = { // add_done_callback
//!     let answers = Arc::clone(&answers);
//!     move |answer| answers.put(answer).unwrap()
//! };
//! pool.submit(|| 6 * 7)?.on_done(callback);
//! assert_eq!(answers.get()??, 42);
//!
//! pool.shutdown(Shutdown::Drain);
//! let SubmitError::ShutDown(closure) = pool.submit(|| 3).unwrap_err() else { unreachable!() };
//! assert_eq!(closure(), 3); // RuntimeError, with the work
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **The trap that is gone.** An executor of Python can break as a whole: when a worker process dies, or
//! when the initializer of a thread raises, every pending future fails and every `submit` raises
//! `BrokenExecutor`. Here an initializer that fails has `build` return an error, and what goes wrong
//! later belongs to one task; the pool goes on:
//!
//! ```rust
//! use brigade::{TaskError, ThreadPool};
//!
//! let pool = ThreadPool::builder().threads(1).build()?;
//! let mut tasks = Vec::new();
//! for n in 0..4 {
//!     tasks.push(pool.submit(move || if n == 1 { panic!("not me") } else { n })?);
//! }
//! let results: Vec<_> = tasks.into_iter().map(|task| task.result().ok()).collect();
//! assert_eq!(results, [Some(0), None, Some(2), Some(3)]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Another one, which Python's documentation warns of: a future that waits for another future of the
//! same executor hangs when no worker is left to run that. Here it is told:
//!
//! ```rust
//! use std::sync::Arc;
//! use brigade::{TaskError, ThreadPool};
//!
//! let pool = Arc::new(ThreadPool::builder().threads(1).build()?);
//! let inside = Arc::clone(&pool);
//! let outer = pool.submit(move || {
//!     let inner = inside.submit(|| 5).unwrap();
//!     inner.result() // the only worker is here
//! })?;
//! assert!(matches!(outer.result()?, Err(TaskError::WouldDeadlock)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A pool with [`spare_threads`](crate::Builder::spare_threads) starts a worker for the inner task
//! instead.
//!
//! [`grow_on_demand(least..=most)`]: crate::Builder::grow_on_demand
//! [`on_start(f)`]: crate::Builder::on_start
//! [`on_stop(f)`]: crate::Builder::on_stop
//! [`Executor`]: crate::Executor
//! [`ThreadPool::new()`]: crate::ThreadPool::new
//! [`threads(n)`]: crate::Builder::threads
//! [`name(prefix)`]: crate::Builder::name
//! [`queue_bound(n)`]: crate::Builder::queue_bound
//! [`submit`]: crate::ThreadPool::submit
//! [`try_submit`]: crate::ThreadPool::try_submit
//! [`submit_timeout`]: crate::ThreadPool::submit_timeout
//! [`shutdown(Shutdown::Drain)`]: crate::ThreadPool::shutdown
//! [`shutdown(Shutdown::Immediate)`]: crate::ThreadPool::shutdown
//! [`join()`]: crate::ThreadPool::join
//! [`join_timeout(t)`]: crate::ThreadPool::join_timeout
//! [`Task`]: crate::Task
//! [`result()`]: crate::Task::result
//! [`result_timeout(t)`]: crate::Task::result_timeout
//! [`result_deadline(when)`]: crate::Task::result_deadline
//! [`TaskError::Panicked`]: crate::TaskError::Panicked
//! [`TaskError::Cancelled`]: crate::TaskError::Cancelled
//! [`cancel()`]: crate::Task::cancel
//! [`is_done()`]: crate::Task::is_done
//! [`on_done(f)`]: crate::Task::on_done
//! [`wait`]: crate::wait()
//! [`wait_timeout`]: crate::wait_timeout
//! [`wait_deadline`]: crate::wait_deadline
//! [`ReturnWhen`]: crate::ReturnWhen
//! [`as_completed`]: crate::as_completed()
//! [`next_timeout(t)`]: crate::AsCompleted::next_timeout
