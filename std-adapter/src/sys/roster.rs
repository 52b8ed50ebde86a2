//! A list that signal handlers walk while threads join and leave it.
//!
//! ```text
//!     newest --> entry --> entry --> entry        never freed, but used again
//!
//!           join                visit: n + 1, then n - 1
//!     FREE ------> CLAIMED --> LIVE + n ------------------+
//!      ^                                                  | leave
//!      +----------------------------- CLAIMED + n <-------+
//!                   when n is 0
//! ```
//!
//! A handler that visits an entry counts itself in, so that who leaves takes its value away only
//! when nobody looks at it: the value is dropped by a thread, never in a handler. Nobody new gets
//! in meanwhile, so leaving waits for handlers that are running, and for nothing else. There are as
//! many entries as there ever were members at a time.
//!
//! Who visits while a member joins and another leaves may miss both: it passes the one entry when it
//! is still free, and the other when it is free again. Joins are counted, so it can find that out and
//! visit once more.
//!
//! Progress: visiting is lock-free. Joining does not wait. Leaving waits for visitors, so a visitor
//! must not leave.

use std::cell::UnsafeCell;
use std::iter;
use std::ops::Deref;
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};
use std::thread;

const FREE: u32 = 0;
/// Its value may be read. In the bits below: how many do.
const LIVE: u32 = 1 << 31;
/// Its value is put in or taken out by one thread.
const CLAIMED: u32 = 1 << 30;

struct Entry<T> {
    state: AtomicU32,
    value: UnsafeCell<Option<T>>,
    /// Does not change after the entry has been published.
    next: *const Entry<T>,
}

pub(super) struct Roster<T: 'static> {
    newest: AtomicPtr<Entry<T>>,
    /// How often somebody joined.
    joins: AtomicUsize,
}

// SAFETY: the value of an entry is shared by those who visit it, on any thread, and moved in and
// out by the one who has moved the state to CLAIMED, after the last visitor has gone.
unsafe impl<T: Send + Sync> Sync for Roster<T> {}

/// Membership, until it is dropped.
pub(super) struct Member<T: 'static>(&'static Entry<T>);

// SAFETY: it stands for an entry, see `Sync` of `Roster`, and gives no access to the value.
unsafe impl<T: Send + Sync> Send for Member<T> {}
// SAFETY: as above; there is nothing to do with a shared one.
unsafe impl<T: Send + Sync> Sync for Member<T> {}

/// A look at a member's value, which stays for as long.
pub(super) struct Visit<T: 'static>(&'static Entry<T>);

impl<T> Roster<T> {
    pub(super) const fn new() -> Self {
        Self {
            newest: AtomicPtr::new(ptr::null_mut()),
            joins: AtomicUsize::new(0),
        }
    }

    fn entries(&self) -> impl Iterator<Item = &'static Entry<T>> + use<T> {
        // ORDERING: Acquire pairs with the release in `publish`: the entry has been written. Those
        // behind it have been by then, as each `publish` continues the release of the one before.
        let newest: *const Entry<T> = self.newest.load(Ordering::Acquire);
        // SAFETY: entries are never freed.
        iter::successors(unsafe { newest.as_ref() }, |entry| unsafe {
            entry.next.as_ref()
        })
    }

    /// Takes a value in.
    pub(super) fn join(&self, value: T) -> Member<T> {
        let member = self.publish(value);
        // ORDERING: Release pairs with `joins`: who finds us counted finds the entry live.
        self.joins.fetch_add(1, Ordering::Release);
        member
    }

    /// A number that changes when somebody has joined. If it is the same before a visit and after it,
    /// the visit has missed nobody who joined before, nor who joined before another left.
    pub(super) fn joins(&self) -> usize {
        // ORDERING: Acquire pairs with `join`.
        self.joins.load(Ordering::Acquire)
    }

    fn publish(&self, value: T) -> Member<T> {
        // ORDERING: Acquire pairs with the release in `Member::drop`: the last value has been
        // taken out. Relaxed on failure: the next entry is looked at.
        let free = self.entries().find(|entry| {
            entry
                .state
                .compare_exchange(FREE, CLAIMED, Ordering::Acquire, Ordering::Relaxed)
                .is_ok()
        });
        if let Some(entry) = free {
            // SAFETY: we have claimed the entry, see `Sync` of `Roster`.
            unsafe { *entry.value.get() = Some(value) };
            // ORDERING: Release pairs with `visit`.
            entry.state.store(LIVE, Ordering::Release);
            return Member(entry);
        }
        // ORDERING: Relaxed: the compare-and-swap decides.
        let mut newest = self.newest.load(Ordering::Relaxed);
        let entry = Box::leak(Box::new(Entry {
            state: AtomicU32::new(LIVE),
            value: UnsafeCell::new(Some(value)),
            next: newest,
        }));
        let entry: *mut Entry<T> = entry;
        // ORDERING: Release pairs with `entries`.
        while let Err(now) =
            self.newest
                .compare_exchange(newest, entry, Ordering::Release, Ordering::Relaxed)
        {
            newest = now;
            // SAFETY: nobody else knows the entry yet.
            unsafe { (*entry).next = now };
        }
        // SAFETY: entries are never freed.
        Member(unsafe { &*entry })
    }

    /// Looks at each member in turn. Who joins or leaves meanwhile may be among them or not.
    pub(super) fn visit(&self) -> impl Iterator<Item = Visit<T>> + use<T> {
        self.entries().filter_map(|entry| {
            // ORDERING: Acquire pairs with the release in `publish`, which the updates by visitors
            // continue. On failure it pairs with the release of who left: whom that one saw join,
            // we find counted afterwards.
            entry
                .state
                .fetch_update(Ordering::Acquire, Ordering::Acquire, |state| {
                    (state & LIVE != 0).then(|| state + 1)
                })
                .ok()
                .map(|_| Visit(entry))
        })
    }
}

impl<T> Deref for Visit<T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: the entry was live when we were counted in, and its value stays while we are.
        let value = unsafe { &*self.0.value.get() };
        value.as_ref().expect("a live entry has a value")
    }
}

impl<T> Drop for Visit<T> {
    fn drop(&mut self) {
        // ORDERING: Release pairs with `Member::drop`, which takes the value away after our look.
        self.0.state.fetch_sub(1, Ordering::Release);
    }
}

impl<T> Drop for Member<T> {
    fn drop(&mut self) {
        // ORDERING: Release pairs with `visit`, which fails from now on.
        self.0.state.fetch_xor(LIVE | CLAIMED, Ordering::Release);
        // ORDERING: Acquire pairs with the release of the last visitor, and of those before it,
        // which it continues.
        while self.0.state.load(Ordering::Acquire) != CLAIMED {
            thread::yield_now();
        }
        // SAFETY: we have claimed the entry and the last visitor has gone.
        let value = unsafe { (*self.0.value.get()).take() };
        // ORDERING: Release pairs with `publish`.
        self.0.state.store(FREE, Ordering::Release);
        drop(value);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use super::Roster;

    #[test]
    fn who_may_have_missed_somebody_can_tell() {
        let roster = Roster::new();
        let (oldest, _middle, newest) = (roster.join(1), roster.join(2), roster.join(3));
        drop(newest);
        let joins = roster.joins();
        let mut visit = roster.visit().map(|it| *it);
        assert_eq!(visit.next(), Some(2));
        let _successor = roster.join(4);
        drop(oldest);
        assert_eq!(visit.next(), None, "neither of the two");
        assert_ne!(roster.joins(), joins);
        assert_eq!(roster.visit().map(|it| *it).max(), Some(4));
    }

    #[test]
    fn members_are_seen_until_they_leave_and_their_places_are_used_again() {
        let roster = Roster::new();
        let seen = || {
            let mut seen: Vec<i32> = roster.visit().map(|it| *it).collect();
            seen.sort_unstable();
            seen
        };
        let one = roster.join(1);
        let two = roster.join(2);
        assert_eq!(seen(), [1, 2]);
        drop(one);
        assert_eq!(seen(), [2]);
        let three = roster.join(3);
        assert_eq!(seen(), [2, 3]);
        assert_eq!(roster.entries().count(), 2);
        drop((two, three));
        assert_eq!(seen(), []);
    }

    #[test]
    fn a_value_outlives_its_visitors() {
        static ROSTER: Roster<Arc<AtomicBool>> = Roster::new();
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let visitors = [(); 2].map(|()| {
                scope.spawn(|| {
                    let mut visits = 0_usize;
                    while !over.load(Ordering::Relaxed) || visits == 0 {
                        for alive in ROSTER.visit() {
                            assert!(alive.load(Ordering::Relaxed), "taken away too early");
                            visits += 1;
                        }
                    }
                })
            });
            let always = ROSTER.join(Arc::new(AtomicBool::new(true)));
            for _ in 0..10_000 {
                let alive = Arc::new(AtomicBool::new(true));
                let member = ROSTER.join(Arc::clone(&alive));
                drop(member);
                assert_eq!(Arc::strong_count(&alive), 1, "nobody holds it any more");
                alive.store(false, Ordering::Relaxed);
            }
            over.store(true, Ordering::Relaxed);
            for visitor in visitors {
                visitor.join().unwrap();
            }
            drop(always);
        });
    }
}
