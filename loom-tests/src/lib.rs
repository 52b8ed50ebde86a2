//! Loom models of every primitive of `brigade-core`, one file for each.
//!
//! `cargo loom` runs them. Each prints how many executions it went through, and whether these were
//! all there are or all within a bound. Without `--cfg brigade_loom` this package is empty.

#[cfg(not(brigade_loom))]
const _: () = assert!(
    option_env!("BRIGADE_LOOM").is_none(),
    "cargo loom cannot pass its cfg on while RUSTFLAGS is set in the environment"
);

#[cfg(all(brigade_loom, test))]
mod barrier;
#[cfg(all(brigade_loom, test))]
mod bell;
#[cfg(all(brigade_loom, test))]
mod containers;
#[cfg(all(brigade_loom, test))]
mod event;
#[cfg(all(brigade_loom, test))]
mod event_count;
#[cfg(all(brigade_loom, test))]
mod fifo;
#[cfg(all(brigade_loom, test))]
mod growing;
#[cfg(all(brigade_loom, test))]
mod handoff;
#[cfg(all(brigade_loom, test))]
mod harness;
#[cfg(all(brigade_loom, test))]
mod history;
#[cfg(all(brigade_loom, test))]
mod join;
#[cfg(all(brigade_loom, test))]
mod lifo;
#[cfg(all(brigade_loom, test))]
mod mutation;
#[cfg(all(brigade_loom, test))]
mod priority;
#[cfg(all(brigade_loom, test))]
mod queue;
#[cfg(all(brigade_loom, test))]
mod search;
#[cfg(all(brigade_loom, test))]
mod select;
#[cfg(all(brigade_loom, test))]
mod semaphore;
#[cfg(all(brigade_loom, test))]
mod shared;
#[cfg(all(brigade_loom, test))]
mod spsc;
#[cfg(all(brigade_loom, test))]
mod staffing;
#[cfg(all(brigade_loom, test))]
mod tasks;
#[cfg(all(brigade_loom, test))]
mod ticket;
#[cfg(all(brigade_loom, test))]
mod two_lock;
#[cfg(all(brigade_loom, test))]
mod wakers;
