//! Items that are counted: each is alive from its making to its only drop.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::rc::Rc;

/// Who is alive of all the items ever made from it.
#[derive(Clone, Debug, Default)]
pub struct Ledger(Rc<RefCell<Vec<bool>>>);

impl Ledger {
    /// Makes an item with this key and the next number.
    #[must_use]
    pub fn item(&self, key: u8) -> Item {
        let mut alive = self.0.borrow_mut();
        let number = alive.len();
        alive.push(true);
        let name = Name { key, number };
        let ledger = self.clone();
        Item { name, ledger }
    }

    /// How many items are alive.
    #[must_use]
    pub fn alive(&self) -> usize {
        self.0.borrow().iter().filter(|&&alive| alive).count()
    }
}

/// What tells an item from all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name {
    /// By which it is ordered; many may share one.
    pub key: u8,
    number: usize,
}

/// What is put into the containers. Ordered by its key alone, so that queues by priority have to
/// show what they do with equal ones.
#[derive(Debug)]
pub struct Item {
    /// Which it is.
    pub name: Name,
    ledger: Ledger,
}

impl Drop for Item {
    fn drop(&mut self) {
        let was_alive = std::mem::take(&mut self.ledger.0.borrow_mut()[self.name.number]);
        assert!(was_alive, "{:?} is dropped twice", self.name);
    }
}

impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        self.name.key == other.name.key
    }
}

impl Eq for Item {}

impl PartialOrd for Item {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Item {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name.key.cmp(&other.name.key)
    }
}
