//! Containers that nothing which is cut off can hold up.

use brigade_core::bounded::{Fifo, Lifo};

use crate::container::everything;

/// With as many spares as calls that can be under way beside one.
#[test]
fn fifo() {
    everything::<Fifo<u32, 1, 2>>(22).run();
    everything::<Fifo<u32, 2, 2>>(22).run();
    everything::<Fifo<u32, 3, 2>>(22).run();
}

#[test]
fn lifo() {
    everything::<Lifo<u32, 1, 2>>(30).run();
    everything::<Lifo<u32, 2, 2>>(30).run();
    everything::<Lifo<u32, 3, 2>>(30).run();
}
