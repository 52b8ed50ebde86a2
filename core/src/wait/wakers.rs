//! [`WakerSlots`]: where tasks that `.await` leave word how to wake them, without allocation and
//! without a lock.
//!
//! ```text
//!                 register                  wake                      (the waker is moved out)
//!     FREE ---> CLAIMED ---> WAITING ----------------> WAKING ---------------------> WOKEN
//!      ^            |           |                         |                            |
//!      |            |           | withdraw                | withdraw                   | withdraw
//!      |            |           v                         v                            |
//!      +------------+------- CLAIMED                  ABANDONED                        |
//!      +-----------------------------------------------(by the waking side)            |
//!      +-------------------------------------------------------------------------------+
//! ```
//!
//! The waker in a slot is touched only by who has moved the slot to CLAIMED or WAKING, and in these
//! two states nobody waits for anybody: registering takes another slot, waking goes on to the next,
//! and a task that withdraws while its waker is being moved out leaves the slot to whoever does
//! that. So an interrupt may wake at any moment, also when it cuts off one of the others. Each
//! change of hands is an atomic update that only one can make: to withdraw a place twice is a mistake
//! that can take somebody else's waker, but no data race.

use core::fmt;
use core::task::Waker;

use crate::sync::{
    AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
    UnsafeCell, array, const_fn, constant,
};

/// Where a backend's tasks wait: [`NoWakers`] if it has none, [`WakerSlots`] for a fixed number,
/// `GrowingWakers` (feature `alloc`) for any number.
///
/// A backend names one as [`Park::Wakers`](super::Park::Wakers). Implement it yourself only to keep
/// wakers elsewhere, or to choose among them.
pub trait Wakers {
    constant! {
        /// Nobody waits.
        const NONE: Self;
    }

    /// Keeps a waker until it is woken or withdrawn; says where. `None` if there is no place for
    /// it. Never blocks.
    ///
    /// Once this has returned a place, a [`wake`](Self::wake) that happens after it finds the waker.
    fn register(&self, waker: &Waker) -> Option<usize>;

    /// Takes a waker back, for good; says whether it has been woken, or is just being. Never
    /// blocks. To be called once for each place given out.
    fn withdraw(&self, place: usize) -> bool;

    /// Wakes up to `tasks` of those registered, each once, and says how many. `turn` changes from
    /// call to call, for fairness.
    ///
    /// Called from interrupt and signal handlers: must not block, allocate or take a lock, as far as
    /// the wakers themselves do not.
    fn wake(&self, tasks: u32, turn: u32) -> u32;
}

/// The wakers of a backend without tasks: none, and no memory for them.
#[derive(Debug)]
pub struct NoWakers;

impl Wakers for NoWakers {
    constant! {
        const NONE: Self = NoWakers;
    }

    fn register(&self, _waker: &Waker) -> Option<usize> {
        None
    }

    fn withdraw(&self, _place: usize) -> bool {
        false
    }

    #[inline(always)]
    fn wake(&self, _tasks: u32, _turn: u32) -> u32 {
        0
    }
}

/// Nobody's.
const FREE: u32 = 0;
/// A task writes its waker here, or takes it back.
const CLAIMED: u32 = 1;
/// A task's waker is here.
const WAITING: u32 = 2;
/// Somebody moves the waker out, to wake the task.
const WAKING: u32 = 3;
/// The task was woken and has not come back yet.
const WOKEN: u32 = 4;
/// The task has gone while somebody was moving its waker out; that one frees the slot.
const ABANDONED: u32 = 5;

/// Wakers of up to `N` tasks at a time, inline.
///
/// Progress: each operation is lock-free, and looks at each slot once; waking is safe in interrupt
/// and signal handlers as far as the executor's own [`Waker::wake`] is.
pub struct WakerSlots<const N: usize> {
    slots: [Slot; N],
}

pub(super) struct Slot {
    state: AtomicU32,
    waker: UnsafeCell<Option<Waker>>,
}

// SAFETY: the waker is touched only by who has moved the state to CLAIMED or WAKING, of whom there
// is one at a time, and wakers may be used and dropped on any thread.
unsafe impl Sync for Slot {}

impl Slot {
    const_fn! {
        pub(super) const fn new() -> Self {
            Self {
                state: AtomicU32::new(FREE),
                waker: UnsafeCell::new(None),
            }
        }
    }

    /// Moves the slot from one state to another, unless it is in a third, which it says.
    fn transit(&self, from: u32, to: u32) -> Result<u32, u32> {
        // ORDERING: the acquire half pairs with the release of whoever touched the waker last, in
        // `set`. The release half of those who let go of the waker is in `set` too. Relaxed on
        // failure: the state is all there is to know, and who acts on it does so by another transit.
        self.state.compare_exchange(from, to, Acquire, Relaxed)
    }

    /// Leaves the waker to others.
    fn set(&self, state: u32) {
        // ORDERING: Release pairs with `transit`: the waker has been written, or moved out.
        self.state.store(state, Release);
    }

    /// Takes the waker out. The caller has moved the state to CLAIMED or WAKING.
    fn take(&self) -> Option<Waker> {
        // SAFETY: nobody else touches the waker in these states, see `Sync`.
        self.waker.with_mut(|waker| unsafe { (*waker).take() })
    }

    /// Takes the waker in if the slot is free, and says so.
    pub(super) fn keep(&self, waker: &mut Option<Waker>) -> bool {
        // A glance first: an atomic update of every slot would cost dearly where there are many.
        // ORDERING: Relaxed: the transit decides. A slot that has just become free may be missed.
        if self.state.load(Relaxed) != FREE || self.transit(FREE, CLAIMED).is_err() {
            return false;
        }
        // SAFETY: we have moved the state to CLAIMED, see `Sync`. The slot was free and so held no
        // waker, whose destructor could run here.
        self.waker.with_mut(|old| unsafe { *old = waker.take() });
        self.set(WAITING);
        true
    }

    /// As [`Wakers::withdraw`].
    pub(super) fn withdraw(&self) -> bool {
        loop {
            match self.transit(WAITING, CLAIMED) {
                Ok(_) => {
                    let waker = self.take();
                    self.set(FREE);
                    drop(waker);
                    return false;
                }
                // ORDERING: as a read-modify-write it continues the release of the waking side, which
                // the next `keep` acquires.
                Err(WOKEN) => return self.transit(WOKEN, FREE).is_ok(),
                Err(WAKING) if self.transit(WAKING, ABANDONED).is_ok() => return true,
                // It has just become WOKEN.
                Err(WAKING) => {}
                Err(_) => return false,
            }
        }
    }

    fn wake(&self) -> bool {
        // A glance first: an atomic update of every slot would cost interrupts dearly.
        // ORDERING: Relaxed: that a registered waker is seen follows from the word by which the
        // task announced itself afterwards, which the caller has acquired.
        if self.state.load(Relaxed) != WAITING || self.transit(WAITING, WAKING).is_err() {
            return false;
        }
        let waker = self.take();
        // ORDERING: Release as in `set`. Relaxed on failure: the task has gone and touches nothing.
        if self
            .state
            .compare_exchange(WAKING, WOKEN, Release, Relaxed)
            .is_err()
        {
            self.set(FREE);
        }
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }
}

impl<const N: usize> Wakers for WakerSlots<N> {
    constant! {
        const NONE: Self = {
            const { assert!(N >= 1, "an asynchronous backend needs a slot for a waker at least") };
            Self { slots: array![Slot::new(); N] }
        };
    }

    fn register(&self, waker: &Waker) -> Option<usize> {
        // Before a slot is claimed: it is foreign code, and may panic.
        let mut waker = Some(waker.clone());
        self.slots.iter().position(|slot| slot.keep(&mut waker))
    }

    fn withdraw(&self, place: usize) -> bool {
        self.slots.get(place).is_some_and(Slot::withdraw)
    }

    fn wake(&self, tasks: u32, turn: u32) -> u32 {
        let first = turn as usize % N;
        let (before, from) = self.slots.split_at(first);
        wake_some(from.iter().chain(before), tasks)
    }
}

/// Wakes up to so many of the tasks in these slots, and says how many.
pub(super) fn wake_some<'a>(slots: impl Iterator<Item = &'a Slot>, tasks: u32) -> u32 {
    let mut others = Others(slots);
    let mut woken = 0;
    while woken < tasks {
        let Some(slot) = others.0.next() else { break };
        woken += u32::from(slot.wake());
    }
    core::mem::forget(others);
    woken
}

/// Wakes all that are left if a waker panics: one wake-up too many does no harm, one too few would.
struct Others<'a, I: Iterator<Item = &'a Slot>>(I);

impl<'a, I: Iterator<Item = &'a Slot>> Drop for Others<'a, I> {
    fn drop(&mut self) {
        for slot in &mut self.0 {
            slot.wake();
        }
    }
}

impl<const N: usize> fmt::Debug for WakerSlots<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WakerSlots").finish_non_exhaustive()
    }
}
