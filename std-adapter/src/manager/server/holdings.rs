//! [`Holdings`]: what a client has in hand, and how it goes back when the client dies.
//!
//! A client is a process: all its connections share one of these. When the last of them ends, be it in
//! good order or because the process was killed, it is dropped, and with it goes back what is in it.

use std::collections::{BTreeMap, HashMap};
use std::iter;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::super::protocol::{Failure, Id};
use super::permits::Permits;
use super::queue::{Item, Items};

#[derive(Default)]
pub(super) struct Holdings(Mutex<State>);

#[derive(Default)]
struct State {
    /// By number, so that what was handed out first goes back to the front last.
    held: BTreeMap<u64, Held>,
    /// Items that were got and not yet reported as done, by queue.
    got: HashMap<Id, (Arc<Items>, u64)>,
}

/// What goes back, if need be.
pub(super) enum Held {
    /// A leased item.
    Item(Arc<Items>, Item),
    /// A permit, and whether it was said that one who held it had died.
    Permit(Arc<Permits>, bool),
}

impl Holdings {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that runs under the lock panics.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nothing is leased or acquired.
    pub(super) fn is_empty(&self) -> bool {
        self.state().held.is_empty()
    }

    /// Keeps it under this number, which is no other's.
    pub(super) fn hold(&self, number: u64, held: Held) {
        self.state().held.insert(number, held);
    }

    /// A leased item is finished.
    pub(super) fn finish(&self, queue: &Arc<Items>, number: u64) -> Result<(), Failure> {
        self.item(queue, number)?;
        queue.finished(1);
        Ok(())
    }

    /// A leased item is for somebody else.
    pub(super) fn put_back(&self, queue: &Arc<Items>, number: u64) -> Result<(), Failure> {
        let item = self.item(queue, number)?;
        queue.give_back(iter::once(item));
        Ok(())
    }

    /// A leased item could not be read.
    pub(super) fn reject(&self, queue: &Arc<Items>, number: u64) -> Result<(), Failure> {
        let mut item = self.item(queue, number)?;
        item.attempts = item.attempts.saturating_add(1);
        queue.reject(item);
        Ok(())
    }

    /// The leased item of this number, if it is of this queue.
    fn item(&self, queue: &Arc<Items>, number: u64) -> Result<Item, Failure> {
        let mut state = self.state();
        match state.held.remove(&number) {
            Some(Held::Item(its, item)) if Arc::ptr_eq(&its, queue) => Ok(item),
            other => {
                state.held.extend(other.map(|held| (number, held)));
                Err(Failure::NotHeld)
            }
        }
    }

    /// Returns a permit in good order.
    pub(super) fn return_permit(&self, permits: &Arc<Permits>, number: u64) -> Result<(), Failure> {
        let mut state = self.state();
        match state.held.get(&number) {
            Some(Held::Permit(its, _)) if Arc::ptr_eq(its, permits) => {}
            _ => return Err(Failure::NotHeld),
        }
        state.held.remove(&number);
        drop(state);
        permits.release(false);
        Ok(())
    }

    /// Returns what is held as if it had never been handed out.
    pub(super) fn undo(&self, number: u64) {
        // Else another connection of the client's knew better.
        match self.state().held.remove(&number) {
            Some(Held::Item(queue, item)) => queue.give_back(iter::once(item)),
            Some(Held::Permit(permits, told)) => permits.release(told),
            None => {}
        }
    }

    /// The client gets an item and will report it by `task_done`.
    pub(super) fn note_got(&self, id: Id, queue: &Arc<Items>) {
        let mut state = self.state();
        let (_, number) = state
            .got
            .entry(id)
            .or_insert_with(|| (Arc::clone(queue), 0));
        *number += 1;
    }

    /// One item less to be reported.
    pub(super) fn note_done(&self, id: Id) -> Result<(), Failure> {
        let mut state = self.state();
        let (_, number) = state.got.get_mut(&id).ok_or(Failure::TooManyDone)?;
        *number -= 1;
        if *number == 0 {
            state.got.remove(&id);
        }
        Ok(())
    }
}

/// The client has gone: leases are for others, permits are free, and the next holder is told; what it
/// got and did not report will not be reported any more.
impl Drop for Holdings {
    fn drop(&mut self) {
        let state = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        while let Some((_, held)) = state.held.pop_last() {
            match held {
                Held::Item(queue, mut item) => {
                    item.attempts = item.attempts.saturating_add(1);
                    queue.give_back(iter::once(item));
                }
                Held::Permit(permits, _) => permits.release(true),
            }
        }
        for (_, (queue, number)) in state.got.drain() {
            queue.finished(number);
        }
    }
}
