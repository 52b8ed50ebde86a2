//! Things that several processes use at once, in memory they share; they outlive the death of any of
//! them.
//!
//! A thing is made in one process and travels to others as any argument does. (It is serialised as a
//! reference; the memory itself is never copied.) A process that is killed, at whatever instruction,
//! takes nothing with it: the kernel tells the others of its death, never a time-out, and they
//! take back what it held. One that is merely stopped loses nothing.
//!
//! | here | is what Python's `multiprocessing` calls | when a process dies that has it |
//! |---|---|---|
//! | [`Queue`] | `Queue`, `JoinableQueue` | it has put an item or not; what it leased is delivered again |
//! | [`PlainQueue`] | | as with `Queue`; items are written and read where they lie |
//! | [`Event`] | `Event` | it is set or not, as before |
//! | [`Lock`] | `Lock` | the next holder is told; the value is whole |
//! | [`RLock`] | `RLock` | the next holder is told |
//! | [`Condition`] | `Condition` | all who wait look again |
//! | [`Semaphore`] | `BoundedSemaphore` | its permits are free again |
//! | [`Barrier`] | `Barrier` | it is broken, until it is reset |
//! | [`JoinCounter`] | | who waits is told, unless all is done |
//! | [`Value`] | `Value` | it is the old one or the new one |
//! | [`Array`] | `Array` | each small element is the old one or the new one |
//! | [`Bytes`] | `shared_memory.SharedMemory` | nothing: they do not change |
//!
//! # Limitations
//!
//! - Linux, x86-64 and `AArch64`; processes of one user and one PID namespace, which see each other in
//!   `/proc`. Up to 64 processes use an object at a time; one more gets an error when it receives it.
//! - Each object takes a descriptor in each process, a page or more of memory, and a place in the table
//!   of the one thread (`brigade-watch`) by which each process learns of deaths.
//! - An object must exist as long as a reference to it is on its way. What passes arguments sees to that;
//!   who serialises one by himself has to keep his handle until it has been received.
//! - A process that replaces itself by `exec`, without dropping its handles, counts as alive. A child made
//!   by `fork` does not have the objects: touching one ends it by `SIGSEGV`.
//! - Whoever has an object can spoil what is in it, as any process of the same user can spoil another by
//!   worse means. No process can make another access memory that it must not.
//!
//! # Example
//!
//! ```
//! use brigade::shared::{Event, Value};
//!
//! let (progress, stop) = (Value::new(0_u32)?, Event::new()?);
//! // To another process both would go as arguments.
//! let (theirs, stopped) = (progress.clone(), stop.clone());
//! let worker = std::thread::spawn(move || {
//!     while !stopped.is_set() {
//!         theirs.update(|done| *done += 1);
//!     }
//! });
//! while progress.get() < 10 {
//!     std::thread::yield_now();
//! }
//! stop.set();
//! worker.join().unwrap();
//! # Ok::<(), std::io::Error>(())
//! ```

#![forbid(unsafe_code)]

mod array;
mod barrier;
pub(crate) mod bell;
mod blocks;
mod bridge;
mod bytes;
mod cell;
mod codec;
mod condition;
mod corrupted;
mod depot;
mod event;
mod join_counter;
mod lock;
mod lock_error;
mod open_error;
pub(crate) mod participants;
mod payload;
mod plain_queue;
mod queue;
mod queue_error;
mod raw_lock;
mod recovery;
mod ring;
mod rlock;
pub(crate) mod room;
pub(crate) mod segment;
mod semaphore;
mod slot;
pub(crate) mod travel;
mod value;
pub(crate) mod watch;

pub use crate::sys::plain::Plain;
pub use array::Array;
pub use barrier::{Arrival, Barrier, BrokenBarrier};
pub use bytes::{Bytes, BytesWriter};
pub use condition::Condition;
pub use corrupted::Corrupted;
pub use event::Event;
pub use join_counter::{Abandoned, JoinCounter};
pub use lock::{Lock, LockGuard};
pub use lock_error::{LockError, LockResult, LockTimeoutError, TryLockError};
pub use plain_queue::{Loan, PlainLease, PlainQueue};
pub use queue::{Builder, Iter, Lease, Queue, Remaining};
pub use queue_error::{GetError, PutError, PutFailure};
pub use rlock::{Held, RLock};
pub use semaphore::{Permit, Semaphore};
pub use value::Value;

/// What the protocols are made of; models put loom's in its place.
pub(crate) mod atomic {
    pub(crate) use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
}
