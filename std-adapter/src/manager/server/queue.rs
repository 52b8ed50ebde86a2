//! [`Items`]: a queue of the server's.
//!
//! Unlike the core's queue it takes back what it handed out, at the front and whether it is full or
//! not: an item whose receiver has died goes to the next, in its old place.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use brigade_core::wait::EventCount;

use super::super::protocol::{Failure, QueueState};
use crate::Parker;

/// An item, and how many who had it in hand have died.
#[derive(Clone)]
pub(super) struct Item {
    pub(super) bytes: Arc<[u8]>,
    pub(super) attempts: u32,
}

pub(super) struct Items {
    state: Mutex<State>,
    /// For those who get.
    pub(super) not_empty: EventCount<Parker>,
    /// For those who put.
    pub(super) not_full: EventCount<Parker>,
    /// For those who join.
    pub(super) all_finished: EventCount<Parker>,
}

struct State {
    items: VecDeque<Item>,
    capacity: Option<u64>,
    /// Put and not yet finished: those inside, and those in somebody's hand.
    unfinished: u64,
    phase: Phase,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// Nothing may be put.
    Draining,
    /// Nothing may be put or got.
    Closed,
    /// The queue is gone.
    Deleted,
}

impl Items {
    pub(super) fn new(capacity: Option<u64>) -> Self {
        Self {
            state: Mutex::new(State {
                items: VecDeque::new(),
                capacity,
                unfinished: 0,
                phase: Phase::Open,
            }),
            not_empty: EventCount::new(),
            not_full: EventCount::new(),
            all_finished: EventCount::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that runs under the lock panics.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts the item, which it takes, if there is room.
    pub(super) fn put(&self, item: &mut Option<Arc<[u8]>>) -> Option<Result<(), Failure>> {
        let mut state = self.state();
        match state.phase {
            Phase::Open if state.is_full() => return None,
            Phase::Open => {}
            Phase::Draining | Phase::Closed => return Some(Err(Failure::ShutDown)),
            Phase::Deleted => return Some(Err(Failure::NoObject)),
        }
        if let Some(bytes) = item.take() {
            let attempts = 0;
            state.items.push_back(Item { bytes, attempts });
            state.unfinished += 1;
        }
        drop(state);
        self.not_empty.notify(1);
        Some(Ok(()))
    }

    /// Takes the first item, if there is one. It stays unfinished.
    pub(super) fn take(&self) -> Option<Result<Item, Failure>> {
        let mut state = self.state();
        match state.phase {
            Phase::Open | Phase::Draining => {}
            Phase::Closed => return Some(Err(Failure::ShutDown)),
            Phase::Deleted => return Some(Err(Failure::NoObject)),
        }
        let Some(item) = state.items.pop_front() else {
            return (state.phase == Phase::Draining).then_some(Err(Failure::ShutDown));
        };
        drop(state);
        self.not_full.notify(1);
        Some(Ok(item))
    }

    /// Returns items in hand to the front, the first of them first.
    pub(super) fn give_back(&self, items: impl DoubleEndedIterator<Item = Item>) {
        let mut state = self.state();
        let mut number = 0;
        for item in items.rev() {
            state.items.push_front(item);
            number += 1;
        }
        drop(state);
        self.returned(number);
    }

    /// Returns an item in hand to the end.
    pub(super) fn reject(&self, item: Item) {
        self.state().items.push_back(item);
        self.returned(1);
    }

    /// Wakes those for whom items that came back are news.
    fn returned(&self, number: u32) {
        self.not_empty.notify(number);
        // Nobody gets them any more if the queue is closed.
        self.all_finished.broadcast();
    }

    /// Takes the first items out whose bytes are so many at most, whatever the phase; they count as
    /// finished.
    pub(super) fn drain(&self, room: usize) -> Vec<Item> {
        let mut state = self.state();
        let mut left = room;
        let mut drained = Vec::new();
        while let Some(item) = state.items.front() {
            // Its length takes some room as well.
            let Some(rest) = left.checked_sub(item.bytes.len() + 16) else {
                break;
            };
            left = rest;
            drained.extend(state.items.pop_front());
        }
        drop(state);
        self.finished(drained.len() as u64);
        drained
    }

    /// Takes back what was drained.
    pub(super) fn refill(&self, drained: Vec<Item>) {
        self.state().unfinished += drained.len() as u64;
        self.give_back(drained.into_iter());
    }

    /// So many items in hand are finished.
    pub(super) fn finished(&self, number: u64) {
        let mut state = self.state();
        state.unfinished -= number.min(state.unfinished);
        let all = state.to_finish() == 0;
        drop(state);
        if all {
            self.all_finished.broadcast();
        }
    }

    /// Whether all items are finished.
    pub(super) fn joined(&self) -> Option<Result<(), Failure>> {
        let state = self.state();
        match state.phase {
            Phase::Deleted => Some(Err(Failure::NoObject)),
            _ => (state.to_finish() == 0).then_some(Ok(())),
        }
    }

    /// Lets nothing more in.
    pub(super) fn shut_down(&self) {
        self.enter(Phase::Draining);
    }

    /// Lets nothing more in or out.
    pub(super) fn close(&self) {
        self.enter(Phase::Closed);
    }

    /// Ends all waiting; the queue is gone.
    pub(super) fn delete(&self) {
        self.enter(Phase::Deleted);
    }

    /// Phases only go forward.
    fn enter(&self, phase: Phase) {
        let mut state = self.state();
        if (state.phase as u8) < phase as u8 {
            state.phase = phase;
        }
        drop(state);
        self.not_empty.broadcast();
        self.not_full.broadcast();
        self.all_finished.broadcast();
    }

    pub(super) fn report(&self) -> QueueState {
        let state = self.state();
        QueueState {
            len: state.items.len() as u64,
            capacity: state.capacity,
            unfinished: state.to_finish(),
            shut_down: state.phase != Phase::Open,
        }
    }
}

impl State {
    /// How many items are to be finished yet: those in hand, and those inside that somebody may still get.
    fn to_finish(&self) -> u64 {
        match self.phase {
            Phase::Open | Phase::Draining => self.unfinished,
            Phase::Closed | Phase::Deleted => {
                self.unfinished.saturating_sub(self.items.len() as u64)
            }
        }
    }

    fn is_full(&self) -> bool {
        self.capacity
            .is_some_and(|capacity| self.items.len() as u64 >= capacity)
    }
}
