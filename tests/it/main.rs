//! End-to-end tests of brigade: what users rely on, seen from outside.

mod containers;
#[cfg(target_os = "linux")]
mod harness;
#[cfg(target_os = "linux")]
mod pool;
#[cfg(target_os = "linux")]
mod queue;
#[cfg(target_os = "linux")]
mod signal;
