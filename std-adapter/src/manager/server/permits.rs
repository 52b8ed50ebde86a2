//! [`Permits`]: a lock, or a semaphore, of the server's; [`Flag`]: an event.

use std::sync::{Mutex, MutexGuard, PoisonError};

use brigade_core::wait::EventCount;

use super::super::protocol::Failure;
use crate::Parker;

/// A number of permits. A lock is one of them.
pub(super) struct Permits {
    state: Mutex<PermitState>,
    pub(super) released: EventCount<Parker>,
}

struct PermitState {
    free: u64,
    /// One who held a permit has died, and nobody was told yet.
    abandoned: bool,
    deleted: bool,
}

impl Permits {
    pub(super) fn new(free: u32) -> Self {
        Self {
            state: Mutex::new(PermitState {
                free: free.into(),
                abandoned: false,
                deleted: false,
            }),
            released: EventCount::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, PermitState> {
        // Nothing that runs under the lock panics.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a permit, if one is free; says whether one who held it has died. The next is not told.
    pub(super) fn acquire(&self) -> Option<Result<bool, Failure>> {
        let mut state = self.state();
        if state.deleted {
            return Some(Err(Failure::NoObject));
        }
        state.free = state.free.checked_sub(1)?;
        Some(Ok(std::mem::take(&mut state.abandoned)))
    }

    /// Returns a permit; if it is `abandoned`, the next is told.
    pub(super) fn release(&self, abandoned: bool) {
        let mut state = self.state();
        state.free += 1;
        state.abandoned |= abandoned;
        drop(state);
        self.released.notify(1);
    }

    pub(super) fn free(&self) -> u64 {
        self.state().free
    }

    /// Ends all waiting; the permits are gone.
    pub(super) fn delete(&self) {
        self.state().deleted = true;
        self.released.broadcast();
    }
}

/// A flag that is set or not.
pub(super) struct Flag {
    state: Mutex<FlagState>,
    pub(super) changed: EventCount<Parker>,
}

struct FlagState {
    set: bool,
    /// How often it was set: who waits is not to miss one that was cleared again.
    sets: u64,
    deleted: bool,
}

impl Flag {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(FlagState {
                set: false,
                sets: 0,
                deleted: false,
            }),
            changed: EventCount::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, FlagState> {
        // Nothing that runs under the lock panics.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set(&self) {
        let mut state = self.state();
        if !state.set {
            state.set = true;
            state.sets += 1;
        }
        drop(state);
        self.changed.broadcast();
    }

    pub(super) fn clear(&self) {
        self.state().set = false;
    }

    pub(super) fn is_set(&self) -> bool {
        self.state().set
    }

    /// How often it was set so far.
    pub(super) fn sets(&self) -> u64 {
        self.state().sets
    }

    /// Whether it is set, or was since there had been so many.
    pub(super) fn was_set_since(&self, sets: u64) -> Option<Result<(), Failure>> {
        let state = self.state();
        if state.deleted {
            return Some(Err(Failure::NoObject));
        }
        (state.set || state.sets != sets).then_some(Ok(()))
    }

    /// Ends all waiting; the flag is gone.
    pub(super) fn delete(&self) {
        self.state().deleted = true;
        self.changed.broadcast();
    }
}
