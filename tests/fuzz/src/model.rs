//! The model: a list, and which of its items is next.

use crate::item::Name;

/// Which item is next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// The oldest.
    Fifo,
    /// The youngest.
    Lifo,
    /// The smallest, and of equal ones the oldest.
    Priority,
}

/// What a container of `capacity` items must hold.
#[derive(Debug)]
pub struct Model {
    order: Order,
    capacity: usize,
    /// In the order of arrival.
    items: Vec<Name>,
}

impl Model {
    /// A model without items.
    #[must_use]
    pub fn new(order: Order, capacity: usize) -> Self {
        let items = Vec::new();
        Self {
            order,
            capacity,
            items,
        }
    }

    /// Adds an item, for which there must be room.
    pub fn push(&mut self, item: Name) {
        assert!(!self.is_full(), "took one too many");
        self.items.push(item);
    }

    /// Takes the next item.
    pub fn pop(&mut self) -> Option<Name> {
        let next = match self.order {
            Order::Fifo => 0,
            Order::Lifo => self.len().checked_sub(1)?,
            // Of several smallest this is the first.
            Order::Priority => (0..self.len()).min_by_key(|&place| self.items[place].key)?,
        };
        (next < self.len()).then(|| self.items.remove(next))
    }

    /// Whether these are the oldest items.
    #[must_use]
    pub fn starts_with(&self, items: &[Name]) -> bool {
        self.items.starts_with(items)
    }

    /// The oldest item.
    #[must_use]
    pub fn first(&self) -> Option<Name> {
        self.items.first().copied()
    }

    /// How many items there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// How many more fit.
    #[must_use]
    pub fn room(&self) -> usize {
        self.capacity - self.len()
    }

    /// Whether there are no items.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Whether no more fit.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.room() == 0
    }
}
