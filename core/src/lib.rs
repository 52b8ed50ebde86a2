//! core
#![no_std]
#![allow(
    clippy::inline_always,
    reason = "the steps of the algorithms are a few instructions each; a call around them would double their price"
)]

#[cfg(test)]
extern crate std;

pub mod bounded;
mod error;
mod event;
mod join;
mod lap;
mod queue;
pub mod storage;
pub mod sync;
pub mod wait;

pub use error::{
    CountOverflow, GetError, GetTimeoutError, PopError, PushError, PutError, PutTimeoutError,
    TooManyDone, TryGetError, TryPutError,
};
pub use event::Event;
pub use join::JoinCounter;
pub use queue::{Iter, Lease, Queue, Remaining, Shutdown, Unput};
