//! From Python to brigade: a guide for those who know `threading`, `multiprocessing`, `queue`, `signal`
//! and `concurrent.futures`.
//!
//! Whoever has written threads in Python has a vocabulary: put and get, set and wait, submit and
//! result. brigade keeps the words. What changes is what can go wrong with them.
//!
//! - **A flag is not an argument.** `get(block=False)` is `try_get`, `get(timeout=2)` is
//!   `get_timeout`; `get_deadline` and `get_async` are the same `get` again.
//! - **An error is a value.** Nothing is raised. What was refused, an item or a closure, comes back
//!   in the error, so that nothing is lost on the way.
//! - **The end is said once.** `shutdown` reaches everybody who waits, now or later. There is no
//!   sentinel to count.
//! - **A failure stays where it is.** A panic is the result of its task or of its thread. It neither
//!   ends the program nor leaves others waiting.
//! - **Threads run at once.** There is no lock around the interpreter. What two threads share is
//!   checked by the compiler: a data race does not compile.
//!
//! Each page has Python on the left and brigade on the right, then a table of every method, then
//! the trap that is gone. All code on the right is complete, and is run by the tests of this crate.
//!
//! # Map
//!
//! | Python | brigade | page |
//! |---|---|---|
//! | `threading.Thread`: `name`, `start`, `join`, `current_thread`, `enumerate` | [`thread::Builder`](crate::thread::Builder), [`JoinHandle`](crate::thread::JoinHandle) | [threads](threads#threadingthread) |
//! | `multiprocessing.Process`: `start`, `join`, `name`, `pid`, `is_alive`, `exitcode`, `terminate`, `daemon` | [`Process`](crate::Process), [`process::Builder`](crate::process::Builder) | [processes](processes#multiprocessingprocess) |
//! | `daemon` | [`daemon`](crate::thread::Builder::daemon), [`join_at_exit`](crate::thread::join_at_exit) | [threads](threads#daemons-and-the-end-of-the-program) |
//! | `logging` with `%(threadName)s` | any logger that shows thread names | [threads](threads#log-lines-with-thread-names) |
//! | `logging` with `%(processName)s` | [`process::current_name`](crate::process::current_name) | [processes](processes#log-lines-with-process-names) |
//! | `threading.Event` | [`Event`](crate::Event) | [sync](sync#threadingevent) |
//! | `Timer` | [`Timer`](crate::Timer) | [sync](sync#timer) |
//! | `Lock`, `RLock` | `Mutex` of std | [sync](sync#lock-and-rlock) |
//! | `Condition` | `Condvar` of std | [sync](sync#condition) |
//! | `Semaphore`, `Barrier`, `local` | [`Semaphore`](crate::Semaphore), [`Barrier`](crate::Barrier), `thread_local!` | [sync](sync#semaphore-barrier-local) |
//! | `multiprocessing` `Lock`, `RLock`, `Condition`, `Semaphore`, `Event`, `Barrier`, `Value`, `Array`, `shared_memory` | [`shared`](crate::shared) | [shared] |
//! | `Manager().dict()`, `list()`, `Namespace()`, `Value`, `Queue`, `Event`, `Lock` | [`Manager`](crate::Manager) | [managers] |
//! | `signal.signal` that sets an event | [`signal::on`](crate::signal::on) | [signals] |
//! | `queue.Queue` | [`Queue`](crate::Queue), [`Lease`](crate::Lease) | [queues](queues#queuequeue) |
//! | `put(None)` to mark the end | [`Shutdown::Drain`](crate::Shutdown::Drain) | [queues](queues#the-end-putnone) |
//! | `multiprocessing.Queue`, `SimpleQueue`, `JoinableQueue` | [`shared::Queue`](crate::shared::Queue) | [process_queues](process_queues#queue-joinablequeue-simplequeue) |
//! | `manager.Queue()` passed to pool workers | the same, as an argument, with a [`shared::Lock`](crate::shared::Lock) beside it | [process_queues](process_queues#managerqueue-for-the-workers-of-a-pool-and-a-lock-beside-it) |
//! | `put(None)` to mark the end for processes | [`shared::Queue::shutdown`](crate::shared::Queue::shutdown) | [process_queues](process_queues#the-end-putnone) |
//! | `LifoQueue`, `PriorityQueue` | [`LifoQueue`](crate::LifoQueue), [`PriorityQueue`](crate::PriorityQueue) | [queues](queues#lifoqueue-priorityqueue) |
//! | `Pool()` | [`ThreadPool::new`](crate::ThreadPool::new) | [pools](pools#pool-apply_async-map-imap-imap_unordered-starmap) |
//! | `apply_async`, `map`, `imap`, `imap_unordered`, `starmap`, callbacks | [`submit`](crate::ThreadPool::submit), [`map`](crate::ThreadPool::map), [`map_unordered`](crate::ThreadPool::map_unordered), [`on_done`](crate::Task::on_done) | the same |
//! | `close`, `join`, `terminate` | [`shutdown`](crate::ThreadPool::shutdown), [`join`](crate::ThreadPool::join) | [pools](pools#close-join-terminate) |
//! | `concurrent.futures` | [`ThreadPool`](crate::ThreadPool), [`Task`](crate::Task), [`wait`](crate::wait()), [`as_completed`](crate::as_completed()) | [futures] |
//! | `Pool`, `ProcessPoolExecutor`: the same with processes | [`ProcessPool`](crate::ProcessPool) | [process_pools] |
//! | map-reduce with a pool | [`map_unordered`](crate::Executor::map_unordered) | [map_reduce] |
//!
//! What there is of processes is on Linux.

pub mod futures;
#[cfg(brigade_processes)]
pub mod managers;
pub mod map_reduce;
pub mod pools;
#[cfg(brigade_processes)]
pub mod process_pools;
#[cfg(brigade_processes)]
pub mod process_queues;
#[cfg(brigade_processes)]
pub mod processes;
pub mod queues;
#[cfg(brigade_processes)]
pub mod shared;
#[cfg(unix)]
pub mod signals;
pub mod sync;
pub mod threads;
