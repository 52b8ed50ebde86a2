//! Running closures elsewhere: [`ThreadPool`] and the [`Task`]s it hands out.
//!
//! Read from the outside in: `thread_pool/` (who runs closures), `task.rs` (what their owners see),
//! `work.rs` (one task in memory), `handoff.rs` (how two threads share it).

mod handoff;
mod task;
mod thread_pool;
mod work;

pub use task::{Panic, Task, TaskError};
pub use thread_pool::{
    BuildError, Builder, Cancelled, SubmitError, SubmitTimeoutError, ThreadPool, TrySubmitError,
};
