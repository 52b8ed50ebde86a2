//! Queues, events, signals and thread pools for applications.

mod event;
mod executor;
mod queue;
#[cfg(unix)]
pub mod signal;
mod sys;
mod unbounded;

pub use brigade_core::{
    CountOverflow, GetError, GetTimeoutError, PutError, PutTimeoutError, Shutdown, TooManyDone,
    TryGetError, TryPutError, Unput,
};
pub use event::{Event, JoinCounter};
pub use executor::{
    BuildError, Builder, Cancelled, Panic, SubmitError, SubmitTimeoutError, Task, TaskError,
    ThreadPool, TrySubmitError,
};
pub use queue::{Lease, Queue, Store};
pub use sys::park::Parker;
