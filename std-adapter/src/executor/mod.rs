//! Running closures elsewhere: [`ThreadPool`] and the [`Task`]s it hands out.
//!
//! Read `work.rs` first (one task in memory), then `task.rs` (its owner's view), then
//! `thread_pool/` (who runs it).

mod task;
mod thread_pool;
mod work;

pub use task::{Panic, Task, TaskError};
pub use thread_pool::{
    BuildError, Builder, Cancelled, SubmitError, SubmitTimeoutError, ThreadPool, TrySubmitError,
};
