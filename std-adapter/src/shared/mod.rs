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

pub(crate) mod bell;
mod bridge;
mod event;
pub(crate) mod participants;
pub(crate) mod segment;
pub(crate) mod travel;
pub(crate) mod watch;

pub use event::Event;

/// What the protocols are made of; models put loom's in its place.
pub(crate) mod atomic {
    pub(crate) use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};
}
