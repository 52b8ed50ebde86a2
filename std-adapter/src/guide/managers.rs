//! `multiprocessing.Manager`: dictionaries, lists and other objects that a process of their own serves.
//!
//! What is in [`shared`](super::shared) needs no server, and no message for each operation. A manager is for
//! what does not fit there: dictionaries and lists that grow, namespaces, and processes that are not
//! descended from one another. On Linux.
//!
//! # `Manager().dict()`, `list()`, `Namespace()`, `Value`, `Queue`, `Event`, `Lock`
//!
//! <table><tr><th>Python</th><th>brigade</th></tr><tr style="vertical-align:top"><td>
//!
//! ```python
//! from multiprocessing import Manager, Process
//!
//! def work(name, lengths, names, lock,
//!          settings, start):
//!     start.wait()
//!     lengths[name] = len(name)
//!     names.append(name)
//!     with lock:
//!         settings.seen = settings.seen + 1
//!
//! if __name__ == "__main__":
//!     with Manager() as manager:
//!         lengths = manager.dict()
//!         names = manager.list()
//!         lock = manager.Lock()
//!         settings = manager.Namespace()
//!         settings.seen = 0
//!         start = manager.Event()
//!         workers = [
//!             Process(target=work, args=(
//!                 name, lengths, names, lock,
//!                 settings, start))
//!             for name in ["red", "green"]]
//!         for worker in workers:
//!             worker.start()
//!         start.set()
//!         for worker in workers:
//!             worker.join()
//!         assert lengths["green"] == 5
//!         assert len(names) == 2
//!         assert settings.seen == 2
//! ```
//!
//! </td><td>
//!
//! ```rust
//! use brigade::manager::{
//!     Dict, Error, Event, List, Lock, Namespace,
//! };
//! use brigade::{Manager, Process};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Clone, Serialize, Deserialize)]
//! struct Served {
//!     lengths: Dict<String, usize>,
//!     names: List<String>,
//!     lock: Lock,
//!     settings: Namespace,
//!     start: Event,
//! }
//!
//! fn work(name: String, it: Served) -> Result<(), Error> {
//!     it.start.wait()?;
//!     it.lengths.insert(&name, &name.len())?;
//!     it.names.push(&name)?;
//!     let _held = it.lock.lock()?;
//!     let seen: Option<u32> = it.settings.get("seen")?;
//!     it.settings.set("seen", &(seen.unwrap_or(0) + 1))
//! }
//!
//! let manager = Manager::start()?;
//! let it = Served {
//!     lengths: manager.dict()?,
//!     names: manager.list()?,
//!     lock: manager.lock()?,
//!     settings: manager.namespace()?,
//!     start: manager.event()?,
//! };
//! let mut workers = Vec::new();
//! for name in ["red", "green"] {
//!     workers.push(Process::start(
//!         |(name, it)| work(name, it).unwrap(),
//!         (name.to_owned(), it.clone()),
//!     )?);
//! }
//! it.start.set()?;
//! for worker in workers {
//!     worker.join()?;
//! }
//! assert_eq!(it.lengths.get("green")?, Some(5));
//! assert_eq!(it.names.len()?, 2);
//! assert_eq!(it.settings.get("seen")?, Some(2_u32));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! </td></tr></table>
//!
//! | Python | brigade | difference |
//! |---|---|---|
//! | `Manager()` | [`Manager::start()`], [`builder()`] | the server dies with this process, also when that is killed |
//! | `dict()`: `d[k]`, `d[k] = v`, `pop`, `keys`, `items`, `len` | [`Dict`]: `get`, `insert`, `remove`, `keys`, `items`, `len` | typed keys and values |
//! | `d[k] += 1`, which loses updates | [`update`](crate::manager::Dict::update) | changes an entry as one step |
//! | `list()`: `append`, `pop`, `l[i]`, `len` | [`List`]: `push`, `pop`, `get`, `set`, `len` | |
//! | `Namespace()`: `n.x`, `n.x = v` | [`Namespace`]: `get("x")`, `set("x", &v)` | |
//! | `Value("L", 0)`, `.value` | [`Value`]: `get`, `set`, `update` | any type |
//! | `Queue(n)` | [`Queue`]: all that [`shared::Queue`](crate::shared::Queue) has, and a bound only if wanted | a dead client's items go to others |
//! | `Event()`, `Lock()`, `BoundedSemaphore(n)` | [`Event`], [`Lock`], [`Semaphore`] | what a dead client held is released, and [told](crate::manager::Guard::was_abandoned) |
//! | `address`, `authkey`, `connect()` | [`address()`], [`key()`], [`Client::connect`] | a Unix socket; the kernel tells the user at the other end |
//! | `BaseManager.register` | [`publish`](crate::manager::Client::publish), [`find`](crate::manager::Client::find) | objects by name |
//! | `shutdown()` | [`shutdown()`], or dropping it | |
//!
//! **The trap that is gone.** A Python client whose server dies gets `EOFError`, `ConnectionResetError` or
//! nothing at all, depending on the moment; and one that dies with a lock leaves it locked for the others.
//! Here whoever waits is told at once:
//!
//! ```rust
//! use brigade::manager::{Error, Event, Lock};
//! use brigade::{Manager, Process};
//!
//! fn hold((lock, has_it): (Lock, Event)) {
//!     let _held = lock.lock().unwrap();
//!     has_it.set().unwrap();
//!     loop {
//!         std::thread::park();
//!     }
//! }
//!
//! let manager = Manager::start()?;
//! let (lock, has_it) = (manager.lock()?, manager.event()?);
//! let client = Process::start(hold, (lock.clone(), has_it.clone()))?;
//! has_it.wait()?;
//! client.kill()?;
//! let held = lock.lock()?; // not for ever
//! assert!(held.was_abandoned());
//! drop(held);
//!
//! manager.shutdown();
//! assert!(matches!(lock.lock(), Err(Error::Gone(_))));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! **Another one.** What arrives at a Python manager is unpickled, and a pickle can run anything; the key is
//! all that stands before it. Here bytes are never code, messages have a size limit, and a process
//! of another user is turned away before it has said anything.
//!
//! [`Manager::start()`]: crate::Manager::start
//! [`builder()`]: crate::Manager::builder
//! [`Dict`]: crate::manager::Dict
//! [`List`]: crate::manager::List
//! [`Namespace`]: crate::manager::Namespace
//! [`Value`]: crate::manager::Value
//! [`Queue`]: crate::manager::Queue
//! [`Event`]: crate::manager::Event
//! [`Lock`]: crate::manager::Lock
//! [`Semaphore`]: crate::manager::Semaphore
//! [`address()`]: crate::manager::Client::address
//! [`key()`]: crate::manager::Client::key
//! [`Client::connect`]: crate::manager::Client::connect
//! [`shutdown()`]: crate::Manager::shutdown
