//! `threading`, the rest: events, timers, locks, conditions, semaphores, barriers, thread-local
//! data.
//!
//! # `threading.Event`
//!
//! <table><tr><th>Python</th><th>brigade</th></tr><tr style="vertical-align:top"><td>
//!
//! ```python
//! import threading
//!
//! stop = threading.Event()
//!
//! def worker():
//!     beats = 0
//!     while not stop.wait(0.1):
//!         beats += 1
//!     print(beats)
//!
//! thread = threading.Thread(target=worker)
//! thread.start()
//! stop.set()
//! thread.join()
//!
//! assert stop.is_set()
//! stop.clear()
//! assert not stop.wait(0.01)
//! ```
//!
//! </td><td>
//!
//! ```rust
//! use brigade::Event;
//! use std::{thread, time::Duration};
//!
//! static STOP: Event = Event::new();
//! const BEAT: Duration = Duration::from_millis(100);
//!
//! let worker = || {
//!     let mut beats = 0;
//!     while !STOP.wait_timeout(BEAT) {
//!         beats += 1;
//!     }
//!     beats
//! };
//! let worker = thread::spawn(worker);
//! STOP.set();
//! println!("{}", worker.join().unwrap());
//!
//! assert!(STOP.is_set());
//! STOP.clear();
//! assert!(!STOP.wait_timeout(BEAT / 10));
//! ```
//!
//! </td></tr></table>
//!
//! | Python | brigade | difference |
//! |---|---|---|
//! | `Event()` | [`Event::new()`] | may be a `static` |
//! | `set()` | [`set()`] | safe in a signal handler; takes no lock |
//! | `clear()` | [`clear()`] | a waiter that was let through before is not called back |
//! | `is_set()` | [`is_set()`] | |
//! | `wait()` | [`wait()`] | returns nothing, as the event is set |
//! | `wait(timeout)` | [`wait_timeout(t)`], [`wait_deadline(when)`] | `true` if the event was set |
//! | | [`wait_async()`] | the same event, in a task |
//!
//! The pause between two beats *is* the wait for the flag, so the worker stops at once and needs no
//! short sleeps to look at it. The same worker under Ctrl-C is the example `stop_flag`.
//!
//! # `Timer`
//!
//! <table><tr><th>Python</th><th>brigade</th></tr><tr style="vertical-align:top"><td>
//!
//! ```python
//! def remind():
//!     print("are you there?")
//!
//! soon = threading.Timer(0.01, remind)
//! soon.start()
//! soon.join()
//!
//! late = threading.Timer(3600, remind)
//! late.start()
//! late.cancel()
//! late.join()
//! ```
//!
//! </td><td>
//!
//! ```rust
//! use brigade::Timer;
//! use std::time::Duration;
//!
//! fn remind() -> &'static str {
//!     "are you there?"
//! }
//!
//! let soon = Timer::start(Duration::from_millis(10), remind)?;
//! assert_eq!(soon.join()?, "are you there?");
//!
//! let late = Timer::start(Duration::from_secs(3600), remind)?;
//! assert!(late.cancel());
//! assert!(late.join().is_err()); // Cancelled
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! </td></tr></table>
//!
//! | Python | brigade | difference |
//! |---|---|---|
//! | `Timer(t, f)`, `start()` | [`Timer::start(t, f)`] | |
//! | `cancel()` | [`cancel()`](crate::Timer::cancel) | says whether it came in time |
//! | `join()` | [`join()`](crate::Timer::join) | returns the result of `f` |
//! | a timer that starts itself again | [`thread::every(t, f)`](crate::thread::every) | one thread, at regular times |
//!
//! # `Lock` and `RLock`
//!
//! <table><tr><th>Python</th><th>brigade</th></tr><tr style="vertical-align:top"><td>
//!
//! ```python
//! lock = threading.Lock()
//! balance = 100
//!
//! def withdraw(amount):
//!     global balance
//!     with lock:
//!         balance -= amount
//!
//! withdraw(30)
//! assert balance == 70
//!
//! if lock.acquire(blocking=False):
//!     lock.release()
//!
//! # An RLock may be taken again by its holder.
//! rlock = threading.RLock()
//!
//! def withdraw_twice(amount):
//!     with rlock:
//!         withdraw_locked(amount)
//!         withdraw_locked(amount)
//!
//! def withdraw_locked(amount):
//!     global balance
//!     with rlock:
//!         balance -= amount
//!
//! withdraw_twice(10)
//! assert balance == 50
//! ```
//!
//! </td><td>
//!
//! ```rust
//! use std::sync::Mutex;
//!
//! static BALANCE: Mutex<i32> = Mutex::new(100);
//!
//! fn withdraw(amount: i32) {
//!     let mut balance = BALANCE.lock().unwrap();
//!     *balance -= amount;
//! } // unlocked here
//!
//! withdraw(30);
//! assert_eq!(*BALANCE.lock().unwrap(), 70);
//!
//! if let Ok(balance) = BALANCE.try_lock() {
//!     drop(balance); // release
//! }
//!
//! // Whoever holds the lock has a reference to what
//! // it guards, and passes that on.
//! fn withdraw_twice(amount: i32) {
//!     let mut balance = BALANCE.lock().unwrap();
//!     withdraw_locked(&mut balance, amount);
//!     withdraw_locked(&mut balance, amount);
//! }
//!
//! fn withdraw_locked(balance: &mut i32, amount: i32) {
//!     *balance -= amount;
//! }
//!
//! withdraw_twice(10);
//! assert_eq!(*BALANCE.lock().unwrap(), 50);
//! ```
//!
//! </td></tr></table>
//!
//! | Python | brigade | difference |
//! |---|---|---|
//! | `Lock()` | [`std::sync::Mutex::new(data)`](std::sync::Mutex) | the data is inside: there is no other way to it |
//! | `acquire()`, `with lock:` | `lock()` | the guard unlocks when it is dropped, also by a panic |
//! | `release()` | `drop(guard)` | only who has locked can unlock |
//! | `acquire(blocking=False)`, `locked()` | `try_lock()` | |
//! | `acquire(timeout=t)` | [`Semaphore::new(1)`](crate::Semaphore), [`acquire_timeout(t)`] | std's mutex has no time-out |
//! | `RLock()` | | not needed: a function that takes `&mut` data says that the lock is held |
//!
//! After a panic inside it a `Mutex` is *poisoned*: `lock()` is an error until somebody has said that
//! the data is all right. `unwrap` passes the panic on, which is often what is wanted.
//!
//! **The trap that is gone.** A lock and what it guards are connected by a comment in Python, and a
//! line that forgets `with lock:` works on most days. Here it does not compile.
//!
//! # `Condition`
//!
//! <table><tr><th>Python</th><th>brigade</th></tr><tr style="vertical-align:top"><td>
//!
//! ```python
//! ready = threading.Condition()
//! parts = []
//!
//! def deliver():
//!     for part in ["wheel", "frame"]:
//!         with ready:
//!             parts.append(part)
//!             ready.notify()
//!
//! threading.Thread(target=deliver).start()
//! with ready:
//!     ready.wait_for(lambda: len(parts) == 2)
//!     assert parts == ["wheel", "frame"]
//! ```
//!
//! </td><td>
//!
//! ```rust
//! use std::sync::{Condvar, Mutex};
//! use std::thread;
//!
//! static READY: Condvar = Condvar::new();
//! static PARTS: Mutex<Vec<&str>> = Mutex::new(vec![]);
//!
//! let deliver = || {
//!     for part in ["wheel", "frame"] {
//!         PARTS.lock().unwrap().push(part);
//!         READY.notify_one();
//!     }
//! };
//! let delivery = thread::spawn(deliver);
//! let parts = PARTS.lock().unwrap();
//! let parts = READY
//!     .wait_while(parts, |parts| parts.len() < 2)
//!     .unwrap();
//! assert_eq!(*parts, ["wheel", "frame"]);
//! # drop(parts);
//! # delivery.join().unwrap();
//! ```
//!
//! </td></tr></table>
//!
//! | Python | std | difference |
//! |---|---|---|
//! | `Condition(lock)` | [`Condvar`](std::sync::Condvar) beside a `Mutex` | |
//! | `wait()`, `wait(timeout)` | `wait(guard)`, `wait_timeout(guard, t)` | takes the guard: waiting without the lock does not compile (Python: `RuntimeError`) |
//! | `wait_for(predicate)` | `wait_while(guard, ...)` | waits *while*, not *until* |
//! | `wait_for(predicate, timeout)` | `wait_timeout_while(guard, t, ...)` | |
//! | `notify()`, `notify_all()` | `notify_one()`, `notify_all()` | the lock need not be held |
//!
//! Most conditions of Python programs are a queue, an event or a counter in disguise: see
//! [`Queue`](crate::Queue), [`Event`] and [`JoinCounter`](crate::JoinCounter).
//!
//! # `Semaphore`, `Barrier`, `local`
//!
//! <table><tr><th>Python</th><th>brigade</th></tr><tr style="vertical-align:top"><td>
//!
//! ```python
//! doors = threading.BoundedSemaphore(2)
//! start = threading.Barrier(3)
//! mine = threading.local()
//!
//! def visitor(name):
//!     mine.name = name
//!     start.wait()
//!     with doors:
//!         print(mine.name)
//!
//! threads = [
//!     threading.Thread(target=visitor, args=(n,))
//!     for n in "abc"
//! ]
//! for thread in threads:
//!     thread.start()
//! for thread in threads:
//!     thread.join()
//! assert not hasattr(mine, "name")
//! ```
//!
//! </td><td>
//!
//! ```rust
//! use brigade::{Barrier, Semaphore};
//! use std::{cell::Cell, thread};
//!
//! static DOORS: Semaphore = Semaphore::new(2);
//! static START: Barrier = Barrier::new(3);
//! thread_local! {
//!     static MINE: Cell<char> = const { Cell::new(' ') };
//! }
//!
//! let visitor = |name| {
//!     MINE.set(name);
//!     START.wait();
//!     let _permit = DOORS.acquire();
//!     println!("{}", MINE.get());
//! };
//! let threads = ['a', 'b', 'c']
//!     .map(|name| thread::spawn(move || visitor(name)));
//! for thread in threads {
//!     thread.join().unwrap();
//! }
//! assert_eq!(MINE.get(), ' ');
//! assert_eq!(DOORS.available(), 2);
//! ```
//!
//! </td></tr></table>
//!
//! | Python | brigade | difference |
//! |---|---|---|
//! | `BoundedSemaphore(n)` | [`Semaphore::new(n)`] | |
//! | `Semaphore(n)` | [`Semaphore::with_bound(n, most)`] | always bounded; one release too many is an error |
//! | `acquire()`, `with semaphore:` | [`acquire()`] | the [`Permit`](crate::Permit) comes back when it is dropped |
//! | `acquire(blocking=False)` | [`try_acquire()`] | |
//! | `acquire(timeout=t)` | [`acquire_timeout(t)`] | |
//! | `release(n)` | [`release(n)`] | for permits that were [kept](brigade_core::Permit::keep) |
//! | `Barrier(n)` | [`Barrier::new(n)`] | |
//! | `wait()` returns 0 to one thread | [`wait()`](brigade_core::Barrier::wait)[`.is_leader()`](crate::Arrival::is_leader) | true for one |
//! | `wait(timeout)` | [`wait_timeout(t)`](brigade_core::Barrier::wait_timeout) | who gives up has not arrived |
//! | `abort()`, `reset()`, `BrokenBarrierError` | | not needed: nothing breaks |
//! | `n_waiting`, `parties` | [`arrived()`](brigade_core::Barrier::arrived), [`parties()`](brigade_core::Barrier::parties) | |
//! | `local()` | [`thread_local!`] | each value has a type and a start value |
//!
//! ```rust
//! use std::time::Duration;
//! use brigade::{Barrier, Semaphore, TooManyPermits};
//!
//! const SOON: Duration = Duration::from_millis(10);
//!
//! let doors = Semaphore::new(1);
//! let permit = doors.try_acquire().unwrap(); // acquire(blocking=False)
//! assert!(doors.acquire_timeout(SOON).is_none()); // acquire(timeout=0.01)
//! drop(permit); // release()
//! assert_eq!(doors.release(1), Err(TooManyPermits)); // Python: ValueError
//!
//! let start = Barrier::new(2);
//! assert!(start.wait_timeout(SOON).is_none()); // nobody else came ...
//! std::thread::scope(|scope| {
//!     let other = scope.spawn(|| start.wait().is_leader());
//!     let here = start.wait().is_leader(); // ... and it works all the same
//!     assert!(here ^ other.join().unwrap());
//! });
//! ```
//!
//! **The trap that is gone.** One thread that gives up at a Python `Barrier` breaks it: all others get
//! `BrokenBarrierError`, now and at the next meeting, until somebody calls `reset`. Here it has
//! not arrived, and the others wait for whoever comes.
//!
//! [`Timer::start(t, f)`]: crate::Timer::start
//! [`Event`]: crate::Event
//! [`Event::new()`]: brigade_core::Event::new
//! [`set()`]: brigade_core::Event::set
//! [`clear()`]: brigade_core::Event::clear
//! [`is_set()`]: brigade_core::Event::is_set
//! [`wait()`]: brigade_core::Event::wait
//! [`wait_timeout(t)`]: brigade_core::Event::wait_timeout
//! [`wait_deadline(when)`]: brigade_core::Event::wait_deadline
//! [`wait_async()`]: brigade_core::Event::wait_async
//! [`Semaphore::new(n)`]: brigade_core::Semaphore::new
//! [`Semaphore::with_bound(n, most)`]: brigade_core::Semaphore::with_bound
//! [`acquire()`]: brigade_core::Semaphore::acquire
//! [`try_acquire()`]: brigade_core::Semaphore::try_acquire
//! [`acquire_timeout(t)`]: brigade_core::Semaphore::acquire_timeout
//! [`release(n)`]: brigade_core::Semaphore::release
//! [`Barrier::new(n)`]: brigade_core::Barrier::new
