//! [`Latest`]: the last value of something that changes, for one who wants to see it change.
//!
//! An example of a crate on top of `brigade-core` that checks its own code with loom, together with
//! brigade's. It takes four things:
//!
//! 1. `Cargo.toml`: loom as a dependency under `cfg(brigade_loom)`, and a line for the lint;
//! 2. `sync.rs`: the crate's own atomics, and the backend, chosen by that cfg;
//! 3. constructors that are not `const` in models, as loom's types cannot be made in constants;
//! 4. `tests/model.rs`: the models, empty without the cfg.
//!
//! ```console
//! $ RUSTFLAGS='--cfg brigade_loom' cargo test --release --tests --target-dir target/loom
//! ```

mod sync;

use brigade_core::Event;
use sync::{AtomicU32, Backend, Ordering::Relaxed};

/// The last value of something that changes, such as a measurement.
///
/// Whoever sets it never waits. One reader waits for the next change, and may miss values, but not
/// the last.
pub struct Latest {
    value: AtomicU32,
    changed: Event<Backend>,
}

impl Latest {
    /// A value that has not changed yet. `const` but for models.
    #[cfg(not(brigade_loom))]
    #[must_use]
    pub const fn new(value: u32) -> Self {
        let value = AtomicU32::new(value);
        let changed = Event::new();
        Self { value, changed }
    }

    /// As natively.
    #[cfg(brigade_loom)]
    #[must_use]
    pub fn new(value: u32) -> Self {
        let value = AtomicU32::new(value);
        let changed = Event::new();
        Self { value, changed }
    }

    /// Changes the value.
    pub fn set(&self, value: u32) {
        // Relaxed will do: the event carries the value to the reader.
        self.value.store(value, Relaxed);
        self.changed.set();
    }

    /// Waits for a change since the last call, and says what the value is now.
    ///
    /// The event is cleared before the value is read. A change that comes in between is read, and
    /// sets the event for the next call.
    #[must_use]
    pub fn changed(&self) -> u32 {
        self.changed.wait();
        self.changed.clear();
        self.value.load(Relaxed)
    }

    /// The same the wrong way round, as it was written first.
    ///
    /// A change that comes between the reading and the clearing is forgotten: the next call waits
    /// for one that may never come. It takes a switch of threads between two instructions, so tests
    /// pass for years; `tests/model.rs` shows what loom says.
    #[must_use]
    pub fn changed_as_first_written(&self) -> u32 {
        self.changed.wait();
        let value = self.value.load(Relaxed);
        self.changed.clear();
        value
    }
}
