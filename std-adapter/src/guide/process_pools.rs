//! `multiprocessing.Pool` and `ProcessPoolExecutor`, with processes: for work that may crash, leak, or
//! never end.
//!
//! A [`ThreadPool`](crate::ThreadPool) uses all processors, and is the [first choice](super::pools). A
//! [`ProcessPool`] has the same calls and hands out the same [`Task`](crate::Task)s, and what runs in it can be
//! killed: by the kernel, by a bug, or by you. On Linux.
//!
//! # `Pool`, `apply_async`, `map`, `imap`, `imap_unordered`, `starmap`
//!
//! <table><tr><th>Python</th><th>brigade</th></tr><tr style="vertical-align:top"><td>
//!
//! ```python
//! from multiprocessing import Pool
//!
//! def square(n):
//!     return n * n
//!
//! def area(width, height):
//!     return width * height
//!
//! if __name__ == "__main__":
//!     pool = Pool()  # one worker per CPU
//!
//!     result = pool.apply_async(square, (7,))
//!     assert result.get() == 49
//!
//!     squares = pool.map(square, range(4))
//!     assert squares == [0, 1, 4, 9]
//!
//!     for n in pool.imap(square, range(4)):
//!         print(n)  # as they come, in order
//!
//!     total = 0
//!     for n in pool.imap_unordered(
//!             square, range(4)):
//!         total += n  # in any order
//!     assert total == 14
//!
//!     areas = pool.starmap(
//!         area, [(2, 3), (4, 5)])
//!     assert areas == [6, 20]
//!
//!     pool.apply_async(
//!         square, (8,), callback=print)
//!     pool.close()
//!     pool.join()
//! ```
//!
//! </td><td>
//!
//! ```rust
//! use brigade::{ProcessPool, Shutdown};
//!
//! fn square(n: u32) -> u32 {
//!     n * n
//! }
//!
//! fn area((width, height): (u32, u32)) -> u32 {
//!     width * height
//! }
//!
//! let pool = ProcessPool::new()?; // one worker per CPU
//!
//! let task = pool.submit_with(square, 7)?;
//! assert_eq!(task.result()?, 49);
//!
//! let squares: Result<Vec<_>, _> =
//!     pool.map(0..4, square).collect();
//! assert_eq!(squares?, [0, 1, 4, 9]);
//!
//! for n in pool.map(0..4, square) {
//!     println!("{}", n?); // as they come, in order
//! }
//!
//! let mut total = 0;
//! for n in pool.map_unordered(0..4, square) {
//!     total += n?; // in any order
//! }
//! assert_eq!(total, 14);
//!
//! let areas: Result<Vec<_>, _> =
//!     pool.map([(2, 3), (4, 5)], area).collect();
//! assert_eq!(areas?, [6, 20]);
//!
//! pool.submit_with(square, 8)?
//!     .on_done(|n| println!("{}", n.unwrap()));
//! pool.shutdown(Shutdown::Drain);
//! pool.join()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! </td></tr></table>
//!
//! | Python | brigade | difference |
//! |---|---|---|
//! | `Pool()`, `Pool(n)`, `ProcessPoolExecutor(n)` | [`ProcessPool::new()`], [`builder().workers(n)`] | |
//! | `apply_async(f, (a,))`, `submit(f, a)` | [`submit_with(f, a)`](crate::ProcessPool::submit_with), [`submit(f)`](crate::ProcessPool::submit) | `f` captures nothing, or it does not compile |
//! | `map`, `imap`, `imap_unordered`, `starmap`, `chunksize` | [`map`](crate::ProcessPool::map), [`map_unordered`](crate::ProcessPool::map_unordered), [`.chunk(n)`](crate::Map::chunk) | [as with threads](super::pools) |
//! | `initializer=f, initargs=(a,)` | [`initializer(f, a)`](crate::ProcessPoolBuilder::initializer) | `build` waits for it, and fails if it does |
//! | `maxtasksperchild=n` | [`tasks_per_worker(n)`](crate::ProcessPoolBuilder::tasks_per_worker) | |
//! | `result.get(timeout=t)` | [`result_timeout(t)`](crate::Task::result_timeout) | gives the task back |
//! | | [`time_limit(t)`](crate::ProcessPoolBuilder::time_limit) | a task that takes longer is killed; no other is |
//! | | [`retries(n)`](crate::ProcessPoolBuilder::retries) | runs a task again whose worker was lost |
//! | `future.cancel()` of one that runs: `False` | [`task.cancel()`](crate::Task::cancel) | kills its worker |
//! | `callback=f`, `add_done_callback(f)` | [`on_done(f)`](crate::Task::on_done) | runs in this process |
//! | processes are started when they are needed | [`grow_on_demand(least..=most)`](crate::ProcessPoolBuilder::grow_on_demand) | all at once otherwise |
//! | `close()`, `shutdown(wait=False)` | [`shutdown(Shutdown::Drain)`](crate::ProcessPool::shutdown) | `submit` gives the argument back then |
//! | `shutdown(cancel_futures=True)` | [`shutdown(Shutdown::Immediate)`](crate::ProcessPool::shutdown) | |
//! | `terminate()` | [`terminate()`](crate::ProcessPool::terminate) | kills what runs; cannot deadlock |
//! | `join()` | [`join()`](crate::ProcessPool::join), [`join_timeout(t)`](crate::ProcessPool::join_timeout) | |
//! | | [`stats()`](crate::ProcessPool::stats) | how many are queued, running, done, lost |
//!
//! **The trap that is gone.** Kill a worker of a `Pool`, or let the kernel do it when memory is short, and its
//! `get()` never returns. `ProcessPoolExecutor` notices, and breaks as a whole: every pending future fails,
//! and every `submit` after that. Here it costs the one task that the worker had in hand, which says how:
//!
//! ```rust
//! use brigade::{ProcessPool, TaskError};
//! use std::time::Duration;
//!
//! fn fragile(n: u32) -> u32 {
//!     if n == 1 {
//!         std::process::abort();
//!     }
//!     n
//! }
//!
//! let pool = ProcessPool::builder().workers(1).name("fragile").build()?;
//! let tasks: Vec<_> = (0..4).map(|n| pool.submit_with(fragile, n)).collect::<Result<_, _>>()?;
//! let mut results = tasks.into_iter().map(|task| task.result());
//! assert!(matches!(results.next(), Some(Ok(0))));
//! let Some(Err(TaskError::WorkerLost(lost))) = results.next() else { unreachable!() };
//! assert_eq!((lost.worker(), lost.signal()), ("fragile-0", Some(6))); // SIGABRT
//! assert!(results.map(Result::unwrap).eq([2, 3]));
//!
//! // One that never ends is ended.
//! let pool = ProcessPool::builder().workers(1).time_limit(Duration::from_millis(50)).build()?;
//! let endless = pool.submit(|| -> () { loop { std::thread::park() } })?;
//! assert!(matches!(endless.result(), Err(TaskError::TimeLimit)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Threads or processes, by one word
//!
//! What is written for any [`Executor`](crate::Executor) takes either. Its functions capture nothing, and its
//! data are what serde can write; the compiler sees to that.
//!
//! ```rust
//! use brigade::{Executor, ProcessPool, TaskError, ThreadPool};
//!
//! fn longest(executor: &impl Executor, lines: Vec<String>) -> Result<usize, TaskError> {
//!     let mut lengths = executor.map(lines, |line: String| line.len());
//!     lengths.try_fold(0, |longest, length| Ok(longest.max(length?)))
//! }
//!
//! let lines = || vec!["one".to_owned(), "three".to_owned()];
//! assert_eq!(longest(&ThreadPool::new()?, lines())?, 5);
//! assert_eq!(longest(&ProcessPool::new()?, lines())?, 5);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Ctrl-C
//!
//! <table><tr><th>Python</th><th>brigade</th></tr><tr style="vertical-align:top"><td>
//!
//! ```python
//! import signal
//! from multiprocessing import Pool
//!
//! def ignore():  # or each prints a traceback
//!     signal.signal(
//!         signal.SIGINT, signal.SIG_IGN)
//!
//! def square(n):
//!     return n * n
//!
//! if __name__ == "__main__":
//!     pool = Pool(2, initializer=ignore)
//!     results = [
//!         pool.apply_async(square, (n,))
//!         for n in range(100)]
//!     try:
//!         total = sum(r.get() for r in results)
//!     except KeyboardInterrupt:
//!         pool.terminate()
//!     else:
//!         assert total == 328350
//!         pool.close()
//!     pool.join()
//! ```
//!
//! </td><td>
//!
//! ```rust
//! use brigade::{
//!     Event, ProcessPool, Shutdown, signal,
//! };
//!
//! static STOP: Event = Event::new();
//!
//! fn square(n: u32) -> u32 {
//!     n * n
//! }
//!
//! let _guard = signal::on([signal::SIGINT], &STOP)?;
//! let pool = ProcessPool::builder().workers(2).build()?;
//! let mut total = 0;
//! for n in pool.map(0..100, square) {
//!     if STOP.is_set() {
//!         pool.terminate(); // or let them finish
//!         break;
//!     }
//!     total += n?;
//! }
//! assert!(STOP.is_set() || total == 328_350);
//! pool.shutdown(Shutdown::Drain);
//! pool.join()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! </td></tr></table>
//!
//! **The trap that is gone.** A terminal sends Ctrl-C to the workers as well, and each prints a traceback, or
//! dies with a lock. Here they ignore it: what is to be done is up to your program, and if that is killed
//! they die with it.
//!
//! The examples `sha256tree` and `word_count` run in processes with `--processes`.
//!
//! [`ProcessPool`]: crate::ProcessPool
//! [`ProcessPool::new()`]: crate::ProcessPool::new
//! [`builder().workers(n)`]: crate::ProcessPoolBuilder::workers
