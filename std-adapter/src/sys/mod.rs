//! What depends on the operating system: the only folder that names one or calls into one.
//!
//! Each concern has one file per family of systems, with the same functions in each:
//!
//! | concern | Linux, Android | elsewhere |
//! |---|---|---|
//! | sleeping on a word | `futex_linux.rs` | `parking_lot.rs` |
//! | where a thread may run | `affinity_linux.rs` | `affinity_unknown.rs` |
//! | what a signal handler does about an event | `notify_direct.rs` | `notify_pipe.rs` |
//! | the system's number of a thread | `thread_id_linux.rs` | `thread_id_none.rs` |
//!
//! Memory that processes share is for Linux alone: `memory.rs`, `futex_shared.rs` to sleep in it, and
//! `pidfd.rs`, which tells of the death of those who have it too, `vigil.rs` of that of any of many. So are
//! the sockets of managers, `socket.rs`.
//!
//! What is built on them is written once: `park.rs`, with `wakers.rs`, `thread_waker.rs` and
//! `handler.rs`; and for signals `signal.rs`, on `disposition.rs`, `roster.rs`, `courier.rs` and
//! `mask.rs`.
//!
//! `--cfg brigade_portable` picks the right-hand column on Linux as well, to check and test it.

#[cfg(all(any(target_os = "linux", target_os = "android"), not(brigade_portable)))]
#[path = "futex_linux.rs"]
mod sleep;

#[cfg(not(all(any(target_os = "linux", target_os = "android"), not(brigade_portable))))]
#[path = "parking_lot.rs"]
mod sleep;

#[cfg(all(any(target_os = "linux", target_os = "android"), not(brigade_portable)))]
#[path = "affinity_linux.rs"]
mod affinity;

#[cfg(not(all(any(target_os = "linux", target_os = "android"), not(brigade_portable))))]
#[path = "affinity_unknown.rs"]
mod affinity;

mod handler;
pub(crate) mod park;
pub(crate) mod thread_waker;
mod wakers;

#[cfg(brigade_processes)]
pub(crate) mod clock;

#[cfg(brigade_processes)]
pub(crate) mod spool;

#[cfg(brigade_processes)]
pub(crate) mod futex_shared;

#[cfg(brigade_processes)]
pub(crate) mod memory;

#[cfg(brigade_processes)]
pub(crate) mod pidfd;

#[cfg(brigade_processes)]
pub(crate) mod plain;

#[cfg(brigade_processes)]
pub(crate) mod sealed;

#[cfg(all(any(target_os = "linux", target_os = "android"), not(brigade_portable)))]
#[path = "notify_direct.rs"]
mod notify;

#[cfg(all(
    unix,
    not(all(any(target_os = "linux", target_os = "android"), not(brigade_portable)))
))]
#[path = "notify_pipe.rs"]
mod notify;

#[cfg(all(any(target_os = "linux", target_os = "android"), not(brigade_portable)))]
#[path = "thread_id_linux.rs"]
pub(crate) mod thread_id;

#[cfg(not(all(any(target_os = "linux", target_os = "android"), not(brigade_portable))))]
#[path = "thread_id_none.rs"]
pub(crate) mod thread_id;

#[cfg(unix)]
mod courier;

#[cfg(unix)]
pub(crate) mod disposition;

#[cfg(unix)]
mod errno;

#[cfg(unix)]
pub(crate) mod mask;

#[cfg(unix)]
mod roster;

#[cfg(unix)]
pub(crate) mod signal;

#[cfg(brigade_processes)]
pub(crate) mod process;

#[cfg(brigade_processes)]
pub(crate) mod socket;

#[cfg(brigade_processes)]
pub(crate) mod vigil;
