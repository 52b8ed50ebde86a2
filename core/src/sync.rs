//! The seam to the machine: the only module that picks the atomics and the only one that knows loom.
//!
//! Everything else in this crate is written over what is exported here, so one text of every
//! algorithm runs on native atomics, inside a loom model under `--cfg brigade_loom`, and step by
//! step under `--cfg brigade_steps`:
//!
//! | here | natively | in a model | step by step |
//! |---|---|---|---|
//! | [`AtomicU32`], [`Ordering`] | `core::sync::atomic` | loom's | native, with a hook before each access |
//! | [`LoadStoreU32`] | the same, but never more than loads and stores | the same | the same |
//! | [`UnsafeCell`] | a closure-taking wrapper | loom's, which checks every access for races | native, with a hook before each access |
//! | [`CellSlice`] | a slice of neighbouring cells | a copy that goes back, as loom's cells are no neighbours | native |
//! | [`pause`] | the spin-loop hint | a yield to loom's scheduler | native, after a hook |
//! | [`Word`] | an `AtomicU32` | the same, with a list of those asleep on it | the same |
//! | `const_fn!`, `array!`, `constant!` | `const fn new`, `[const { .. }; N]`, `const NONE: Self` | run-time versions: loom's types cannot be made in constants | native |
//!
//! On a processor without compare-and-swap of 32 bits [`AtomicU32`] is `portable_atomic`'s or, with
//! the feature `critical-section`, one whose updates are critical sections while its loads are
//! native. [`LoadStoreU32`] is native there too.
//!
//! The cfgs are names of our own because a bare `--cfg loom` would leak into every other crate of
//! the graph, and several of them change shape under it.

#[cfg(all(feature = "critical-section", any(test, not(target_has_atomic = "32"))))]
#[cfg_attr(
    target_has_atomic = "32",
    expect(unreachable_pub, reason = "only tested here")
)]
mod masked;
#[cfg(brigade_loom)]
mod model;
#[cfg(not(brigade_loom))]
#[cfg_attr(
    brigade_steps,
    expect(unreachable_pub, reason = "`steps` wraps what is native")
)]
mod native;
#[cfg(all(brigade_steps, not(brigade_loom)))]
pub mod steps;

#[cfg(brigade_loom)]
pub use model::{AtomicU32, CellSlice, LoadStoreU32, Model, UnsafeCell, Word, pause};
#[cfg(brigade_loom)]
#[doc(hidden)]
pub use model::{Outcome, Weaken, weaken_orderings};
#[cfg(brigade_loom)]
pub(crate) use model::{array, const_fn, constant, made};

#[cfg(not(brigade_loom))]
pub use native::{CellSlice, LoadStoreU32, Word};
#[cfg(not(brigade_loom))]
pub(crate) use native::{array, const_fn, constant, made};

#[cfg(all(brigade_steps, not(brigade_loom)))]
pub use steps::{AtomicU32, UnsafeCell, pause};

#[cfg(not(any(brigade_steps, brigade_loom)))]
pub use native::{AtomicU32, UnsafeCell, pause};

pub use core::sync::atomic::Ordering;
