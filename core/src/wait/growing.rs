//! [`GrowingWakers`]: waker slots for as many tasks as come, in blocks that are added and never taken
//! away.
//!
//! ```text
//!     first         block of N            block of 2 N                block of 4 N
//!     +-----+      +------+------+       +-----+--------+------+
//!     |  *--+----> | slots| next-+-----> |    slots     | next-+-----> ...
//!     +-----+      +------+------+       +--------------+------+
//!
//!     a link:  NOTHING ---> ADDING ---> THERE     (for good: until the whole is dropped)
//! ```
//!
//! A task that finds every slot taken makes the next block and hangs it on. What is there stays
//! where it is, so who wakes walks the blocks without a lock, and without asking whether somebody
//! adds one meanwhile. Who comes while another is at the link does not wait for it but is told that
//! there is no place yet.
//!
//! What happens in a slot is told in `wakers.rs`.

extern crate alloc;

use alloc::boxed::Box;
use core::fmt;
use core::iter;
use core::task::Waker;

use super::Wakers;
use super::wakers::{Slot, wake_some};
use crate::sync::{
    AtomicU32,
    Ordering::{Acquire, Relaxed, Release},
    UnsafeCell, const_fn, constant,
};

/// Wakers of any number of tasks, on the heap: `FIRST` at first, and twice as many with each block
/// that is added.
///
/// A backend for threads names it as [`Park::Wakers`](super::Park::Wakers) to become
/// [`AsyncPark`](super::AsyncPark). Nothing is allocated before the first task waits, and nothing is
/// freed until the whole is dropped: it keeps room for as many as ever waited at a time.
///
/// # Progress
///
/// Each operation is lock-free and looks at each slot once. To register may allocate, so it is for
/// tasks only; a task that comes while another adds a block gets no place and has to ask again. To
/// wake is as safe in interrupt and signal handlers as the wakers themselves.
pub struct GrowingWakers<const FIRST: usize = 4> {
    first: Link,
}

/// Where a block hangs, or will.
struct Link {
    state: AtomicU32,
    block: UnsafeCell<Option<Box<Block>>>,
}

/// No block yet.
const NOTHING: u32 = 0;
/// Somebody writes the block here.
const ADDING: u32 = 1;
/// The block is here, and is not written any more.
const THERE: u32 = 2;

struct Block {
    slots: Box<[Slot]>,
    next: Link,
}

// SAFETY: the block is written by the one who has moved the state from NOTHING to ADDING, and only
// read by those who have found THERE. Slots may be shared among threads.
unsafe impl Sync for Link {}

impl Link {
    const_fn! {
        const fn new() -> Self {
            Self {
                state: AtomicU32::new(NOTHING),
                block: UnsafeCell::new(None),
            }
        }
    }

    /// The block, if there is one.
    #[inline]
    fn block(&self) -> Option<&Block> {
        // ORDERING: Acquire pairs with the release in `block_or_add`.
        if self.state.load(Acquire) != THERE {
            return None;
        }
        // SAFETY: nobody writes it any more, see `Sync`.
        self.block.with(|block| unsafe { (*block).as_deref() })
    }

    /// The block, made if there is none; `None` while somebody else is making it.
    fn block_or_add(&self, slots: usize) -> Option<&Block> {
        if let Some(block) = self.block() {
            return Some(block);
        }
        let block = Box::new(Block {
            slots: iter::repeat_with(Slot::new).take(slots).collect(),
            next: Link::new(),
        });
        // ORDERING: Relaxed: the first to come decides, and nobody has written before it.
        if self
            .state
            .compare_exchange(NOTHING, ADDING, Relaxed, Relaxed)
            .is_ok()
        {
            // SAFETY: we have moved the state to ADDING, see `Sync`.
            self.block.with_mut(|place| unsafe { *place = Some(block) });
            // ORDERING: Release shows the block to `block`.
            self.state.store(THERE, Release);
        }
        self.block()
    }
}

impl<const FIRST: usize> GrowingWakers<FIRST> {
    /// All slots, block after block.
    fn slots(&self) -> impl Iterator<Item = &Slot> {
        iter::successors(self.first.block(), |block| block.next.block())
            .flat_map(|block| block.slots.iter())
    }
}

impl<const FIRST: usize> Wakers for GrowingWakers<FIRST> {
    constant! {
        const NONE: Self = {
            const { assert!(FIRST >= 1, "the first block needs a slot at least") };
            Self { first: Link::new() }
        };
    }

    fn register(&self, waker: &Waker) -> Option<usize> {
        // Before a slot is claimed: it is foreign code, and may panic.
        let mut waker = Some(waker.clone());
        let (mut link, mut slots, mut before) = (&self.first, FIRST, 0);
        loop {
            let block = link.block_or_add(slots)?;
            let free = block.slots.iter().position(|slot| slot.keep(&mut waker));
            if let Some(place) = free {
                return Some(before + place);
            }
            before += slots;
            slots *= 2;
            link = &block.next;
        }
    }

    fn withdraw(&self, place: usize) -> bool {
        self.slots().nth(place).is_some_and(Slot::withdraw)
    }

    #[inline]
    fn wake(&self, tasks: u32, turn: u32) -> u32 {
        match self.slots().count() {
            0 => 0,
            slots => {
                let first = turn as usize % slots;
                let others = self.slots().take(first);
                wake_some(self.slots().skip(first).chain(others), tasks)
            }
        }
    }
}

impl<const FIRST: usize> fmt::Debug for GrowingWakers<FIRST> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrowingWakers").finish_non_exhaustive()
    }
}
