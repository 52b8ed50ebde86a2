//! The one place that knows of loom: everything else takes its atomics, and its way to sleep, from
//! here.

#[cfg(brigade_loom)]
pub(crate) use loom::sync::atomic::{AtomicU32, Ordering};
#[cfg(not(brigade_loom))]
pub(crate) use std::sync::atomic::{AtomicU32, Ordering};

/// How threads sleep.
#[cfg(not(brigade_loom))]
pub(crate) use brigade::Parker as Backend;
/// How a model's threads sleep.
#[cfg(brigade_loom)]
pub(crate) use brigade_core::sync::Model as Backend;
