//! Every-step preemption: at each step of each operation, others run to their end, as interrupts.
//!
//! `cargo preempt` runs it. Under `--cfg brigade_steps` the core calls a hook before each access to
//! an atomic or a cell. Here the hook is a processor that takes interrupts: it cuts the operation
//! off and runs another one on the same thread, which is cut off in turn.
//!
//! What no interrupt can get past shows at once: the whole machine stands still. So what passes
//! here needs no other thread to go on.

#[cfg(not(brigade_steps))]
const _: () = assert!(
    option_env!("BRIGADE_STEPS").is_none(),
    "cargo preempt cannot pass its cfg on while RUSTFLAGS is set in the environment"
);

#[cfg(brigade_steps)]
mod blocking;
#[cfg(brigade_steps)]
mod container;
#[cfg(brigade_steps)]
mod event;
#[cfg(brigade_steps)]
mod explore;
#[cfg(brigade_steps)]
mod join;
#[cfg(brigade_steps)]
mod lock_free;
#[cfg(brigade_steps)]
mod nap;
#[cfg(brigade_steps)]
mod processor;
#[cfg(brigade_steps)]
mod queue;
#[cfg(brigade_steps)]
mod semaphore;
#[cfg(brigade_steps)]
mod spsc;
#[cfg(brigade_steps)]
mod tasks;
