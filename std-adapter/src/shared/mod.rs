//! Things that several processes use at once, in memory they share; they outlive the death of any of
//! them.
//!
//! A thing is made in one process and travels to others as any argument does. (It is serialised as a
//! reference; the memory itself is never copied.) A process that is killed, at whatever instruction,
//! takes nothing with it: the kernel tells the others of its death, never a time-out, and they
//! take back what it held. One that is merely stopped loses nothing.
//!
//! Linux, x86-64 and `AArch64`, processes of one user and one PID namespace.

#![forbid(unsafe_code)]

mod array;
mod barrier;
pub(crate) mod bell;
mod bridge;
mod bytes;
mod cell;
mod condition;
mod event;
mod join_counter;
mod lock;
mod lock_error;
pub(crate) mod participants;
mod raw_lock;
mod rlock;
pub(crate) mod segment;
mod semaphore;
pub(crate) mod travel;
mod value;
pub(crate) mod watch;

pub use crate::sys::plain::Plain;
pub use array::Array;
pub use barrier::{Arrival, Barrier, BrokenBarrier};
pub use bytes::{Bytes, BytesWriter};
pub use condition::Condition;
pub use event::Event;
pub use join_counter::{Abandoned, JoinCounter};
pub use lock::{Lock, LockGuard};
pub use lock_error::{LockError, LockResult, LockTimeoutError, TryLockError};
pub use rlock::{Held, RLock};
pub use semaphore::{Permit, Semaphore};
pub use value::Value;

/// What the protocols are made of; models put loom's in its place.
pub(crate) mod atomic {
    pub(crate) use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
}
