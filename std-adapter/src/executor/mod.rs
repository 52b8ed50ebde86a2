//! Running closures elsewhere: [`ThreadPool`] and the [`Task`]s it hands out.
//!
//! Read from the outside in: `thread_pool/` (who runs closures), `task.rs` (what their owners see),
//! `work.rs` (one task in memory), `handoff.rs` (how two threads share it). Whoever waits goes
//! through `self_wait.rs`, which sees to it that no pool waits for itself.

mod as_completed;
mod completions;
mod handoff;
mod on_done;
mod self_wait;
mod task;
mod thread_pool;
mod wait;
mod work;

pub use as_completed::{AsCompleted, NoneInTime, as_completed};
pub use self_wait::WouldDeadlock;
pub use task::{Task, TaskError};
pub use thread_pool::{
    BuildError, Builder, Cancelled, SubmitError, SubmitTimeoutError, ThreadPool, TrySubmitError,
};
pub use wait::{ReturnWhen, Waited, wait, wait_deadline, wait_timeout};
