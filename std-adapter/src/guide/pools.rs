//! `multiprocessing.Pool`: a worker for each processor, and the many ways to give it work.
//!
//! Python takes processes for this, because only one of its threads can run at a time. Threads of
//! Rust run on all processors at once, so the counterpart of a `Pool` is a [`ThreadPool`]. For work that
//! may crash or must be killed there are [pools of processes](super::process_pools).
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
//! use brigade::{Shutdown, ThreadPool};
//!
//! fn square(n: u32) -> u32 {
//!     n * n
//! }
//!
//! fn area((width, height): (u32, u32)) -> u32 {
//!     width * height
//! }
//!
//! let pool = ThreadPool::new()?; // one worker per CPU
//!
//! let task = pool.submit(|| square(7))?;
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
//! pool.submit(|| square(8))?
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
//! | `Pool()`, `Pool(n)` | [`ThreadPool::new()`], [`builder().threads(n)`] | |
//! | `apply(f, args)` | `submit(...)?.result()` | |
//! | `apply_async(f, args)` | [`submit(move \|\| ...)`] | the arguments are what the closure captures |
//! | `AsyncResult.get(timeout)` | [`Task::result()`], [`result_timeout(t)`] | |
//! | `wait(timeout)`, `ready()`, `successful()` | [`is_done()`], and the result itself | |
//! | `map(f, items)` | [`map(items, f)`]`.collect()` | into `Result<Vec<_>, _>`: all, or the first failure |
//! | `imap(f, items)` | [`map(items, f)`] | lazy and in order, as an iterator; takes items only as it needs them |
//! | `imap_unordered(f, items)` | [`map_unordered(items, f)`] | |
//! | `starmap(f, pairs)` | `map(pairs, \|(a, b)\| ...)` | a tuple is an item like any other |
//! | `map_async`, `starmap_async` | | `map` takes nothing before you ask it, and `submit` is for one |
//! | `chunksize=n` | [`.chunk(n)`](crate::Map::chunk) | found by itself otherwise |
//! | `initializer=f` | [`on_start(f)`](crate::Builder::on_start) | |
//! | | [`scope`](crate::ThreadPool::scope) | tasks that borrow from the caller |
//! | `callback=f`, `error_callback=g` | [`on_done`]`(\|result\| ...)` | one for both, by a worker instead of the thread that hands out all results |
//! | `maxtasksperchild` | | not there: a worker keeps nothing of a task but what that leaves in a `thread_local!` |
//!
//! **The trap that is gone.** A `Pool` takes all that it is given: ten million calls of `apply_async`
//! are ten million entries in a queue, and `map` makes a list of an iterator before it begins. Here
//! [`queue_bound`](crate::Builder::queue_bound) has `submit` wait, and a map looks ahead as far as you
//! say and no further, even into an input without end:
//!
//! ```rust
//! use std::cell::Cell;
//! use brigade::ThreadPool;
//!
//! let pool = ThreadPool::builder().threads(2).queue_bound(100).build()?;
//! let taken = Cell::new(0);
//! let endless = (1_u64..).inspect(|_| taken.set(taken.get() + 1));
//! let mut squares = pool.map(endless, |n| n * n).look_ahead(8);
//! assert_eq!(squares.next().unwrap()?, 1);
//! assert!(taken.get() <= 8);
//! # drop(squares);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Another one: a `Pool` whose worker is killed waits for that worker's task for ever. Here nothing a
//! task does can cost the pool a worker. If it panics, its result says so; the next item is run.
//!
//! # `close`, `join`, `terminate`
//!
//! <table><tr><th>Python</th><th>brigade</th></tr><tr style="vertical-align:top"><td>
//!
//! ```python
//! pool = Pool(1)
//! for n in range(3):
//!     pool.apply_async(square, (n,))
//! pool.close()
//! pool.join()
//!
//! try:
//!     pool.apply_async(square, (4,))
//! except ValueError:
//!     print(square(4))
//!
//! pool = Pool(1)
//! for n in range(1000):
//!     pool.apply_async(square, (n,))
//! pool.terminate()
//! pool.join()
//! # What was not run is gone.
//! ```
//!
//! </td><td>
//!
//! ```rust
//! use brigade::{Shutdown, ThreadPool};
//! # fn square(n: u32) -> u32 { n * n }
//!
//! let pool = ThreadPool::builder().threads(1).build()?;
//! for n in 0..3 {
//!     pool.submit(move || square(n))?.detach();
//! }
//! pool.shutdown(Shutdown::Drain);
//! pool.join()?;
//!
//! if let Err(error) = pool.submit(|| square(4)) {
//!     let closure = error.into_inner();
//!     println!("{}", closure());
//! }
//!
//! let pool = ThreadPool::builder().threads(1).build()?;
//! for n in 0..1000 {
//!     pool.submit(move || square(n))?.detach();
//! }
//! let left = pool.shutdown(Shutdown::Immediate);
//! pool.join()?;
//! println!("{} were not run", left.len());
//! for work in left {
//!     work.run(); // or drop it
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! </td></tr></table>
//!
//! | Python | brigade | difference |
//! |---|---|---|
//! | `close()` | [`shutdown(Shutdown::Drain)`] | |
//! | `join()` | [`join()`], [`join_timeout(t)`] | a worker of the pool itself gets an error instead of waiting for itself |
//! | `terminate()` | [`shutdown(Shutdown::Immediate)`] | finishes what runs, hands back [the rest](crate::Cancelled) |
//! | leaving `with Pool()`, which is `terminate` | leaving the scope, or `drop(pool)` | runs what is queued and waits |
//! | `apply_async` after that: `ValueError` | [`SubmitError`](crate::SubmitError) | with the closure inside |
//!
//! **The trap that is gone.** `terminate` kills processes, and Python's documentation warns of what that
//! does: a lock that one of them holds stays locked, and others wait for it ever after. Threads are
//! not killed, and [worker processes](super::process_pools) may be: what they hold is taken back. Give a task that runs for long an [`Event`](crate::Event) to look at, and set it.
//!
//! [`ThreadPool`]: crate::ThreadPool
//! [`ThreadPool::new()`]: crate::ThreadPool::new
//! [`builder().threads(n)`]: crate::Builder::threads
//! [`submit(move \|\| ...)`]: crate::ThreadPool::submit
//! [`Task::result()`]: crate::Task::result
//! [`result_timeout(t)`]: crate::Task::result_timeout
//! [`is_done()`]: crate::Task::is_done
//! [`map(items, f)`]: crate::ThreadPool::map
//! [`map_unordered(items, f)`]: crate::ThreadPool::map_unordered
//! [`on_done`]: crate::Task::on_done
//! [`shutdown(Shutdown::Drain)`]: crate::ThreadPool::shutdown
//! [`shutdown(Shutdown::Immediate)`]: crate::ThreadPool::shutdown
//! [`join()`]: crate::ThreadPool::join
//! [`join_timeout(t)`]: crate::ThreadPool::join_timeout
