//! `multiprocessing.Lock`, `Event`, `Value`, `Array` and the others: what processes share.
//!
//! They lie in memory that several processes have. Each is a handle: it is made in one process and passed
//! on, in an argument, in a message, in a struct with other things. There is no server, and no file to
//! be removed afterwards: the memory goes with its last user, however that ends. On Linux.
//!
//! # `Lock`, `Value`, `Array`, `Event`, `Barrier`
//!
//! <table><tr><th>Python</th><th>brigade</th></tr><tr style="vertical-align:top"><td>
//!
//! ```python
//! from multiprocessing import (
//!     Array, Barrier, Event, Lock, Process, Value)
//!
//! def work(number, start, total, squares,
//!          lock, all_here):
//!     start.wait()
//!     all_here.wait()
//!     squares[number] = number * number
//!     with total.get_lock():
//!         total.value += number
//!     with lock:
//!         print("number", number)
//!
//! if __name__ == "__main__":
//!     start = Event()
//!     total = Value("L", 0)
//!     squares = Array("L", 3)
//!     lock = Lock()
//!     all_here = Barrier(3)
//!     shared = (start, total, squares,
//!               lock, all_here)
//!     workers = [
//!         Process(target=work, args=(n, *shared))
//!         for n in range(3)]
//!     for worker in workers:
//!         worker.start()
//!     start.set()
//!     for worker in workers:
//!         worker.join()
//!     assert total.value == 3
//!     assert squares[:] == [0, 1, 4]
//! ```
//!
//! </td><td>
//!
//! ```rust
//! use brigade::Process;
//! use brigade::shared::{
//!     Array, Barrier, Event, Lock, Value,
//! };
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Clone, Serialize, Deserialize)]
//! struct Shared {
//!     start: Event,
//!     total: Value<u64>,
//!     squares: Array<u64>,
//!     lock: Lock,
//!     all_here: Barrier,
//! }
//!
//! fn work((number, shared): (u64, Shared)) {
//!     shared.start.wait();
//!     shared.all_here.wait().unwrap();
//!     let square = number * number;
//!     shared.squares.set(number as usize, square);
//!     shared.total.update(|total| *total += number);
//!     let _held = shared.lock.lock().unwrap();
//!     println!("number {number}");
//! }
//!
//! let shared = Shared {
//!     start: Event::new()?,
//!     total: Value::new(0)?,
//!     squares: Array::zeroed(3)?,
//!     lock: Lock::new(())?,
//!     all_here: Barrier::new(3)?,
//! };
//! let mut workers = Vec::new();
//! for n in 0..3 {
//!     let argument = (n, shared.clone());
//!     workers.push(Process::start(work, argument)?);
//! }
//! shared.start.set();
//! for worker in workers {
//!     worker.join()?;
//! }
//! assert_eq!(shared.total.get(), 3);
//! assert_eq!(shared.squares.to_vec(), [0, 1, 4]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! </td></tr></table>
//!
//! | Python | brigade | difference |
//! |---|---|---|
//! | `Lock()` | [`Lock`]`<()>`, or [`Lock`]`<T>` around what it protects | plain data, such as numbers and arrays of them ([`Plain`]) |
//! | `with lock:` | `let _held = lock.lock()` | an error says that a holder has died; see [below](#who-has-died-with-the-lock) |
//! | `acquire(timeout=t)`, `acquire(block=False)` | [`lock_timeout(t)`], [`try_lock()`] | |
//! | `release()` | the end of the scope, or `drop` | nobody can release another's lock |
//! | `RLock()` | [`RLock`] | |
//! | `Condition(lock)`: `wait`, `wait_for`, `notify`, `notify_all` | [`Condition`]: [`wait`], [`wait_while`], [`notify_one`], [`notify_all`] | takes the guard of the lock, so nobody waits without |
//! | `Semaphore(n)`, `BoundedSemaphore(n)` | [`Semaphore`] | permits of the dead come back |
//! | `Event()`: `set`, `clear`, `is_set`, `wait(t)` | [`Event`]: the same; [`wait_async()`] | may be set in a signal handler |
//! | `Barrier(n)`: `wait`, `reset`, `abort`, `broken` | [`Barrier`]: [`wait()`], [`reset()`], [`is_broken()`] | breaks when one of its processes dies |
//! | `Value("L", 0)`, `.value` | [`Value`]`::new(0_u64)`, [`get`], [`set`](crate::shared::Value::set) | any plain type; never half written |
//! | `with v.get_lock(): v.value += 1` | [`update`]`(\|v\| *v += 1)` | `v.value += 1` alone loses updates; this does not exist here |
//! | `Array("d", 3)`, `a[i]`, `a[:]` | [`Array`]`::<f64>::zeroed(3)`, `get`, `set`, `read`, `write`, `to_vec` | |
//! | `shared_memory.SharedMemory(create=True, size=n)` | [`Array`]`<u8>` to change, [`Bytes`] to read | no name, no `unlink`, no resource tracker |
//! | `Queue`, `JoinableQueue`, `SimpleQueue` | [`Queue`](crate::shared::Queue) | [a page of its own](super::process_queues) |
//! | | [`JoinCounter`] | waits until all is done |
//!
//! # Who has died with the lock
//!
//! **The trap that is gone.** A Python process that is killed with a lock leaves it locked, and all the others
//! wait for ever. Here the kernel says that it is dead, the next one gets the lock, and is told:
//!
//! ```rust
//! use brigade::Process;
//! use brigade::shared::{Event, Lock, LockError};
//!
//! fn die((accounts, has_it): (Lock<[i64; 2]>, Event)) {
//!     let mut accounts = accounts.lock().unwrap();
//!     accounts[0] -= 100;
//!     has_it.set();
//!     loop {
//!         std::thread::park(); // before the other half
//!     }
//! }
//!
//! let (accounts, has_it) = (Lock::new([500, 0])?, Event::new()?);
//! let child = Process::start(die, (accounts.clone(), has_it.clone()))?;
//! has_it.wait();
//! child.kill()?;
//!
//! let Err(LockError::OwnerDied(guard)) = accounts.lock() else { unreachable!() };
//! // Guards put their changes back as a whole, so this is what it was.
//! assert_eq!(*guard, [500, 0]);
//! guard.mark_clean(); // what others protect by this lock has been looked at
//! drop(guard);
//! assert!(accounts.lock().is_ok());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! One that is only stopped, by a debugger or by `SIGSTOP`, keeps what it has.
//!
//! # `Condition`, `RLock`, `Semaphore`
//!
//! ```rust
//! use std::time::Duration;
//! use brigade::Process;
//! use brigade::shared::{Condition, Lock, RLock, Semaphore};
//!
//! const LATER: Duration = Duration::from_secs(30);
//!
//! // Condition: the water level, and who waits for it.
//! let (level, changed) = (Lock::new(0_u32)?, Condition::new()?);
//! let filler = Process::start(
//!     |(level, changed): (Lock<u32>, Condition)| {
//!         for _ in 0..3 {
//!             *level.lock().unwrap() += 1; // back when the statement ends
//!             changed.notify_all();
//!         }
//!     },
//!     (level.clone(), changed.clone()),
//! )?;
//! let high = changed.wait_while(level.lock().unwrap(), |level| *level < 3).unwrap();
//! assert_eq!(*high, 3);
//! drop(high);
//! filler.join()?;
//!
//! // RLock: once more by the same thread.
//! let lock = RLock::new()?;
//! let (_outer, _inner) = (lock.lock().unwrap(), lock.lock().unwrap());
//! let other = Process::start(|lock: RLock| lock.try_lock().is_err(), lock.clone())?;
//! assert!(other.join()?);
//!
//! // Semaphore: the permits of a process that ends come back.
//! let seats = Semaphore::new(1)?;
//! let sitter = Process::start(
//!     |seats: Semaphore| {
//!         let _seat = seats.acquire();
//!         std::process::exit(0)
//!     },
//!     seats.clone(),
//! )?;
//! let _: Result<(), _> = sitter.join();
//! assert!(seats.acquire_timeout(LATER).is_some());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # `shared_memory`
//!
//! <table><tr><th>Python</th><th>brigade</th></tr><tr style="vertical-align:top"><td>
//!
//! ```python
//! from multiprocessing import Process
//! from multiprocessing.shared_memory import (
//!     SharedMemory)
//!
//! def brighten(name):
//!     image = SharedMemory(name=name)
//!     image.buf[3] = 255
//!     image.close()
//!
//! if __name__ == "__main__":
//!     image = SharedMemory(
//!         create=True, size=1_000_000)
//!     child = Process(
//!         target=brighten, args=(image.name,))
//!     child.start()
//!     child.join()
//!     assert image.buf[3] == 255
//!     image.close()
//!     image.unlink()  # or it stays
//! ```
//!
//! </td><td>
//!
//! ```rust
//! use brigade::Process;
//! use brigade::shared::{Array, Bytes};
//!
//! fn brighten(image: Array<u8>) {
//!     image.set(3, 255);
//! }
//!
//! let image = Array::zeroed(1_000_000)?;
//! let child =
//!     Process::start(brighten, image.clone())?;
//! child.join()?;
//! assert_eq!(image.get(3), 255);
//!
//! // To be read only: a slice in every process.
//! let book = Bytes::from_slice(&[7; 1_000_000])?;
//! let child = Process::start(
//!     |book: Bytes| book.iter().any(|&it| it != 7),
//!     book.clone(),
//! )?;
//! assert!(!child.join()?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! </td></tr></table>
//!
//! **The trap that is gone.** Whoever forgets `unlink`, or is killed before it, leaves the memory in
//! `/dev/shm`, and the resource tracker warns, or removes what others still use. Here there is no name, and
//! nothing remains.
//!
//! # What has to be kept in mind
//!
//! A handle is written as a reference to memory that the sending process has. Arguments of
//! [`Process`](crate::Process), and arguments and results of pools see to it that it is there when it is read.
//! Whoever sends a handle by other ways, in an item of a queue, say, keeps one until it has arrived.
//!
//! A [`Process`](crate::Process) has ended when its result is read. So it may return a handle that it was given,
//! which its parent still has, but not one of an object that it has made: that is gone by then, and
//! [`join`](crate::Process::join) says so. Have the parent make the object, and pass it as an argument.
//!
//! [`Plain`]: crate::shared::Plain
//! [`Lock`]: crate::shared::Lock
//! [`RLock`]: crate::shared::RLock
//! [`lock_timeout(t)`]: crate::shared::Lock::lock_timeout
//! [`try_lock()`]: crate::shared::Lock::try_lock
//! [`Condition`]: crate::shared::Condition
//! [`wait`]: crate::shared::Condition::wait
//! [`wait_while`]: crate::shared::Condition::wait_while
//! [`notify_one`]: crate::shared::Condition::notify_one
//! [`notify_all`]: crate::shared::Condition::notify_all
//! [`Semaphore`]: crate::shared::Semaphore
//! [`Event`]: crate::shared::Event
//! [`wait_async()`]: crate::shared::Event::wait_async
//! [`Barrier`]: crate::shared::Barrier
//! [`wait()`]: crate::shared::Barrier::wait
//! [`reset()`]: crate::shared::Barrier::reset
//! [`is_broken()`]: crate::shared::Barrier::is_broken
//! [`Value`]: crate::shared::Value
//! [`get`]: crate::shared::Value::get
//! [`update`]: crate::shared::Value::update
//! [`Array`]: crate::shared::Array
//! [`Bytes`]: crate::shared::Bytes
//! [`JoinCounter`]: crate::shared::JoinCounter
