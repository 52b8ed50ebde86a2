//! The containers that models can make, and what they claim to be.

use brigade_core::bounded::Container;
pub(crate) use brigade_history::{Operation, Order, Plain, Recorded};

/// A container that models can make.
pub(crate) trait Subject: Container + Sized + 'static {
    /// How many items it holds.
    const CAPACITY: usize;

    /// In which order items come out.
    const ORDER: Order = Order::FirstIn;

    /// A new one: with its cursors at zero, and in two states shortly before they wrap around.
    const STARTS: [fn() -> Self; 3];

    /// A new one, with its cursors at zero.
    fn fresh() -> Self {
        Self::STARTS[0]()
    }

    /// What it claims to be.
    fn plain() -> Plain {
        Plain::new(Self::ORDER, Self::CAPACITY)
    }
}
