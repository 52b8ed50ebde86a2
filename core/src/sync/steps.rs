//! Native atomics that call a hook before each access, so that a test can do something there.

pub use core::sync::atomic::AtomicU32;
