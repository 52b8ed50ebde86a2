//! Running closures elsewhere: [`ThreadPool`] and the [`Task`]s it hands out.
//!
//! Read from the outside in: `thread_pool/` (who runs closures), `task.rs` (what their owners see),
//! `work.rs` (one task in memory), `handoff.rs` (how two threads share it). Whoever waits goes
//! through `self_wait.rs`, which sees to it that no pool waits for itself.
//!
//! For several tasks at a time there are `on_done.rs`, `wait.rs`, `as_completed.rs` and `map/`;
//! `interface.rs` is what all executors have in common, `delay.rs` keeps the time for what is
//! submitted for later, and `cancel_token.rs` asks running work to stop.

mod as_completed;
mod cancel_token;
mod completions;
mod delay;
mod handoff;
mod interface;
mod map;
mod message;
mod on_done;
#[cfg(brigade_processes)]
mod process_pool;
mod promise;
#[cfg_attr(
    not(brigade_processes),
    allow(dead_code, reason = "for pools of processes")
)]
mod remote;
mod self_wait;
mod task;
mod thread_pool;
mod wait;
mod work;
mod worker_lost;

pub use as_completed::{AsCompleted, NoneInTime, as_completed};
pub use cancel_token::{CancelToken, Cancellable};
pub use interface::Executor;
pub use map::{Map, MapUnordered};
pub use message::Message;
#[cfg(brigade_processes)]
pub use process_pool::{ProcessPool, ProcessPoolBuilder, ProcessPoolStats, Submission};
pub use self_wait::WouldDeadlock;
pub use task::{Task, TaskError};
pub use thread_pool::{
    BuildError, Builder, Cancelled, Repeat, Scope, ScopedTask, Stats, SubmitError,
    SubmitTimeoutError, ThreadPool, Times, TrySubmitError,
};
pub use wait::{ReturnWhen, Waited, wait, wait_deadline, wait_timeout};
pub(crate) use work::{Job, Promise, promised};
pub use worker_lost::WorkerLost;
