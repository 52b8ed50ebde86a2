//! [`Drain`]: an iterator over what is inside now.

use core::fmt;

use super::{Container, pop_paused};

/// Takes items out of a container, in its order, and ends when it finds none.
///
/// It pops one item for each step, waiting, busily, only for a peer in the middle of an operation
/// if the container is one where that may be. Others may push and pop meanwhile; what they push is
/// taken too, so beside a busy producer it may go on for long. Ended once, it can be asked again.
/// Dropping it leaves in the container what it has not taken.
///
/// ```
/// use brigade_core::bounded::{Fifo, Lifo};
///
/// let (queue, stack) = (Fifo::<u8, 3>::new(), Lifo::<u8, 3>::new());
/// for item in 1..=3 {
///     queue.push(item).unwrap();
///     stack.push(item).unwrap();
/// }
/// assert!(queue.drain().eq([1, 2, 3]));
/// assert!(stack.drain().eq([3, 2, 1]));
/// ```
#[must_use = "it takes nothing until it is asked"]
pub struct Drain<'a, C>(&'a C);

impl<'a, C: Container> Drain<'a, C> {
    /// Drains this container; the containers here have a method for it.
    pub fn new(container: &'a C) -> Self {
        Self(container)
    }
}

impl<C: Container> Iterator for Drain<'_, C> {
    type Item = C::Item;

    #[inline]
    fn next(&mut self) -> Option<C::Item> {
        pop_paused(self.0).ok()
    }
}

impl<C: Container> fmt::Debug for Drain<'_, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Drain")
            .field("len", &self.0.len())
            .finish_non_exhaustive()
    }
}
