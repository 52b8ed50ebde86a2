//! What the fuzz targets of containers and queues share: sequences of operations on one, each
//! compared with what a plain list says must come of it.
//!
//! ```text
//!     bytes --arbitrary--> Plan { where to begin, operations } --+--> the container
//!                                                                +--> Model: a list and an order
//! ```
//!
//! One thread alone: so every answer is exact, and there is nothing to wait for. What threads do
//! to each other is the business of models, sanitizers and stress tests; here the state
//! behind the cursors is taken through long and odd sequences, across the wrap of the counters,
//! under an address sanitizer, and every item must be dropped exactly once.

mod container;
mod item;
mod model;
mod queue;
mod spsc;

pub use container::{Plan, check};
pub use item::{Item, Ledger};
pub use model::{Model, Order};
pub use queue::{QueuePlan, check_queue};
pub use spsc::{SpscPlan, check_spsc};
