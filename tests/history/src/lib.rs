//! Is there an order of the calls that explains all their answers?
//!
//! ```text
//!     thread 1   |--- push 1 ---|      |-- pop: 2 --|
//!     thread 2        |--- push 2 ---|
//!
//!     explained by: push 2, push 1, pop: 2
//! ```
//!
//! A history tells of each call when it began and ended, and what the answer was. It is
//! *linearizable* if there is an order of the calls in which a plain [`Model`] gives the same answers
//! and no call comes before one that had ended when it began. The search (Wing and Gong, 1993) tries
//! what may come first, then what may come next; it remembers dead ends by which calls they have
//! placed and what the model holds then (Lowe, 2017).
//!
//! Loom models, the every-step harness, shuttle and the tests on real threads all judge by this.
//! Nothing here uses the atomics of the core, so recording is no step of what is recorded.

mod container;
mod recorded;

pub use container::{Call, Operation, Order, Plain};
pub use recorded::{Clock, Recorded};

use std::collections::HashSet;
use std::fmt::Debug;
use std::hash::Hash;

/// What something claims to be, for one caller at a time.
pub trait Model: Clone + Eq + Hash {
    /// A call and its answer.
    type Call: Debug;

    /// Whether the answer is right; if so, does what was asked.
    fn does(&mut self, call: &Self::Call) -> bool;
}

/// A call, its answer, and when it was.
#[derive(Debug, Clone, Copy)]
pub struct Record<C> {
    /// What was called and what it answered.
    pub call: C,
    /// Before the first step of the call.
    pub begun: usize,
    /// After its last step.
    pub ended: usize,
}

/// Checks that a history is linearizable.
///
/// # Panics
///
/// If no order explains it. The message shows the history.
#[track_caller]
pub fn judge<M: Model>(before: &M, history: &[Record<M::Call>]) {
    assert!(
        is_explained(before, history),
        "no order of the calls explains their answers: {history:#?}"
    );
}

/// Whether a history is linearizable, beginning with what the model holds.
///
/// # Panics
///
/// If the history is longer than 128 calls.
#[must_use]
pub fn is_explained<M: Model>(before: &M, history: &[Record<M::Call>]) -> bool {
    assert!(history.len() <= 128, "a history too long to be judged");
    let mut search = Search {
        history,
        dead_ends: HashSet::new(),
    };
    search.goes_on(0, before)
}

struct Search<'a, M: Model> {
    history: &'a [Record<M::Call>],
    dead_ends: HashSet<(u128, M)>,
}

impl<M: Model> Search<'_, M> {
    /// Whether the calls whose bits are not set can come after those whose bits are.
    fn goes_on(&mut self, placed: u128, before: &M) -> bool {
        let history = self.history;
        let left = || (0..history.len()).filter(|i| placed & (1 << i) == 0);
        let Some(first_end) = left().map(|i| history[i].ended).min() else {
            return true;
        };
        if !self.dead_ends.is_empty() && self.dead_ends.contains(&(placed, before.clone())) {
            return false;
        }
        let found = left()
            .filter(|&next| history[next].begun < first_end)
            .any(|next| {
                let mut after = before.clone();
                after.does(&history[next].call) && self.goes_on(placed | 1 << next, &after)
            });
        if !found {
            self.dead_ends.insert((placed, before.clone()));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use brigade_core::bounded::{Nothing, Refused};

    use super::*;
    use Call::{Pop, Push};

    fn at(begun: usize, ended: usize, call: Call) -> Record<Call> {
        Record { call, begun, ended }
    }

    fn explained(order: Order, history: &[Record<Call>]) -> bool {
        is_explained(&Plain::new(order, 1), history)
    }

    #[test]
    fn calls_that_overlap_may_come_in_either_order() {
        for (first, second) in [(0, 1), (1, 0)] {
            let history = [at(first, 3, Push(7, Ok(()))), at(second, 2, Pop(Ok(7)))];
            assert!(explained(Order::FirstIn, &history));
        }
    }

    #[test]
    fn a_call_that_had_ended_came_first() {
        let history = [at(0, 1, Pop(Ok(7))), at(2, 3, Push(7, Ok(())))];
        assert!(!explained(Order::FirstIn, &history));
    }

    #[test]
    fn full_and_empty_are_exact() {
        let full = Push(8, Err(Refused::Full(8)));
        assert!(!explained(Order::FirstIn, &[at(0, 1, full)]));
        let history = [at(0, 1, Push(7, Ok(()))), at(2, 3, full)];
        assert!(explained(Order::FirstIn, &history));
        let empty = at(4, 5, Pop(Err(Nothing::Empty)));
        assert!(!explained(Order::FirstIn, &[history[0], empty]));
    }

    #[test]
    fn the_order_decides_which_item_is_next() {
        let pushes = [2, 1, 3].map(|item| Push(item, Ok(())));
        for (order, next) in [
            (Order::FirstIn, 2),
            (Order::LastIn, 3),
            (Order::Smallest, 1),
        ] {
            for item in 1..=3 {
                let calls = pushes.into_iter().chain([Pop(Ok(item))]);
                let history = calls
                    .enumerate()
                    .map(|(i, call)| at(2 * i, 2 * i + 1, call));
                let history = history.collect::<Vec<_>>();
                let right = is_explained(&Plain::new(order, 3), &history);
                assert_eq!(right, item == next);
            }
        }
    }
}
