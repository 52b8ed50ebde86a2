//! Threads under shuttle's schedulers: random ones, and such that switch seldom.
//!
//! `cargo preempt` runs it. Under `--cfg brigade_steps` the core calls a hook before each access to
//! an atomic or a cell; here shuttle may switch threads in it. Unlike loom it does not go through
//! everything and knows no weak memory, but it can do with more threads and longer ones.

#[cfg(brigade_steps)]
mod containers;
#[cfg(brigade_steps)]
mod queue;
#[cfg(brigade_steps)]
mod schedule;
