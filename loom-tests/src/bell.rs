//! The bell that processes sleep by, from the adapter: no wake-up is lost, also if who rings, or who was
//! woken, is killed at any step, once the survivors have been disturbed.
//!
//! It is the adapter's own file, compiled here on loom's types. A process that is killed is one that does
//! nothing more; the kernel tells of its death afterwards, so the same thread goes on as the survivor
//! that disturbs the others. One that is stopped does nothing more either, and nobody tells; but others go
//! on ringing.

mod atomic {
    pub(super) use brigade_core::sync::{AtomicU32, Ordering};
    pub(super) use loom::sync::atomic::fence;
}

#[path = "../../std-adapter/src/shared/bell.rs"]
#[allow(dead_code, unreachable_pub, reason = "it is written for another crate")]
pub(crate) mod original;

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};

use brigade_core::wait::Wake;
use loom::thread::{self, Thread};

use self::atomic::{AtomicU32, Ordering::Relaxed};
use self::original::{Bell, Sleep};
use crate::harness::{Crew, bounded, bounded_each, exhaustive, exhaustive_each};

/// A word to sleep on, as the kernel has it: it knows who is asleep, and counts those it wakes.
struct Futex {
    word: AtomicU32,
    /// Loom need not know of the lock: it never switches threads while it is held.
    asleep: Mutex<VecDeque<Thread>>,
}

impl Futex {
    fn new(word: u32) -> Self {
        Self {
            word: AtomicU32::new(word),
            asleep: Mutex::default(),
        }
    }

    fn asleep(&self) -> MutexGuard<'_, VecDeque<Thread>> {
        self.asleep.lock().unwrap()
    }

    /// The value of this instant: a read-modify-write is never stale.
    fn now(&self) -> u32 {
        self.word.fetch_add(0, Relaxed)
    }

    fn leave(&self) -> bool {
        let me = thread::current().id();
        let mut asleep = self.asleep();
        let place = asleep.iter().position(|it| it.id() == me);
        place.and_then(|place| asleep.remove(place)).is_some()
    }
}

impl Sleep for &Futex {
    /// As in the core's models: the sleep ends whenever loom lets it.
    type Deadline = ();

    fn word(&self) -> &AtomicU32 {
        &self.word
    }

    fn sleep(&self, expected: u32, deadline: Option<()>) -> Wake {
        // From here to the next step loom lets nobody else run: comparing and falling asleep are one.
        if self.now() != expected {
            return Wake::Woken;
        }
        let me = thread::current();
        self.asleep().push_back(me.clone());
        if deadline.is_some() {
            // Whoever is let in before this step may still wake us.
            self.now();
            return if self.leave() {
                Wake::TimedOut
            } else {
                Wake::Woken
            };
        }
        while self.asleep().iter().any(|it| it.id() == me.id()) {
            thread::park();
        }
        Wake::Woken
    }

    fn wake(&self, sleepers: u32) -> u32 {
        self.now();
        let mut asleep = self.asleep();
        let woken = asleep.len().min(usize::try_from(sleepers).unwrap());
        let woken: Vec<_> = asleep.drain(..woken).collect();
        drop(asleep);
        woken.iter().for_each(Thread::unpark);
        u32::try_from(woken.len()).unwrap()
    }

    fn step_and_wake_all(&self) {
        self.word.fetch_add(1, Relaxed);
        // No step in between: as in `sleep`.
        let woken: Vec<_> = self.asleep().drain(..).collect();
        woken.iter().for_each(Thread::unpark);
    }
}

/// Of a process that is killed while it rings: where.
#[derive(Clone, Copy)]
enum Death {
    /// Before.
    AtOnce,
    /// After the first step of the epoch.
    BeforeWaking,
    /// After it woke, or found nobody.
    AfterWaking,
    /// After all.
    AtTheEnd,
}

const DEATHS: [Death; 4] = [
    Death::AtOnce,
    Death::BeforeWaking,
    Death::AfterWaking,
    Death::AtTheEnd,
];

/// A futex as it appears to one who is to die.
struct Mortal<'a>(&'a Futex, Death);

impl Sleep for Mortal<'_> {
    type Deadline = ();

    fn word(&self) -> &AtomicU32 {
        &self.0.word
    }

    fn sleep(&self, _: u32, _: Option<()>) -> Wake {
        unreachable!("it only rings")
    }

    /// Whoever is told that somebody was woken does nothing more.
    fn wake(&self, sleepers: u32) -> u32 {
        match self.1 {
            Death::BeforeWaking => 1,
            Death::AfterWaking => self.0.wake(sleepers).max(1),
            Death::AtOnce | Death::AtTheEnd => self.0.wake(sleepers),
        }
    }

    fn step_and_wake_all(&self) {
        self.0.step_and_wake_all();
    }
}

/// Something to wait for: so many items, taken one at a time.
struct Items {
    count: AtomicU32,
    futex: Futex,
}

impl Items {
    /// The epoch is about to wrap around, with and without a flag that an earlier waiter has left.
    fn new(flag: u32) -> Self {
        Self {
            count: AtomicU32::new(0),
            futex: Futex::new((u32::MAX - 1) | flag),
        }
    }

    fn bell(&self) -> Bell<&Futex> {
        Bell(&self.futex)
    }

    fn take(&self) -> bool {
        let take = |count: u32| count.checked_sub(1);
        self.count.fetch_update(Relaxed, Relaxed, take).is_ok()
    }

    /// As a waiter does that looks by a load and no more.
    fn is_there(&self) -> bool {
        self.count.load(Relaxed) > 0
    }

    fn add(&self) {
        self.count.fetch_add(1, Relaxed);
    }

    fn put(&self) {
        self.add();
        self.bell().ring(1);
    }

    fn wait(&self, look: impl Fn(&Self) -> bool) {
        loop {
            let key = self.bell().announce();
            if look(self) {
                return;
            }
            self.bell().sleep(key, None);
        }
    }

    fn get(&self) {
        self.wait(Self::take);
    }

    /// One who is killed at this point of `put`; then a survivor learns of it.
    fn put_and_die(&self, death: Death) {
        self.add();
        self.ring_and_stop(death);
        self.bell().disturb();
    }

    /// One who is stopped at this point of the ring.
    fn ring_and_stop(&self, stop: Death) {
        if !matches!(stop, Death::AtOnce) {
            Bell(Mortal(&self.futex, stop)).ring(1);
        }
    }

    /// One who is killed while it waits, asleep or not; then a survivor learns of it.
    fn wait_and_die(&self) {
        let key = self.bell().announce();
        if !self.is_there() {
            self.bell().sleep(key, Some(()));
        }
        self.bell().disturb();
    }
}

const FLAGS: [u32; 2] = [0, 1];

#[test]
fn one_waits() {
    exhaustive_each(FLAGS, |flag| {
        Crew::new(Items::new(flag)).and(Items::put).here(Items::get);
    });
}

/// Who only looks sees it as well: the order of the two fences is all there is.
#[test]
fn one_looks() {
    exhaustive_each(FLAGS, |flag| {
        Crew::new(Items::new(flag))
            .and(Items::put)
            .here(|items| items.wait(Items::is_there));
    });
}

/// One who waits gives up at any moment, and is served the next time.
#[test]
fn one_gives_up_and_waits_again() {
    exhaustive_each(FLAGS, |flag| {
        Crew::new(Items::new(flag)).and(Items::put).here(|items| {
            let key = items.bell().announce();
            if !items.take() {
                items.bell().sleep(key, Some(()));
                items.get();
            }
        });
    });
}

/// The flag is taken down by the ring that finds nobody, and comes up for the next. Three interruptions: the
/// waiter's before its sleep, the ringer's before the flag, and one to come back.
#[test]
fn twice() {
    bounded(3, || {
        Crew::new(Items::new(0))
            .and(|items| (items.put(), items.put()))
            .here(|items| (items.get(), items.get()));
    });
}

/// Two wait, two ring: each ring is for one. Two interruptions: one to have a waiter between its look
/// and its sleep, one for a ring in between.
#[test]
fn two_wait() {
    bounded(2, || {
        Crew::new(Items::new(0))
            .and(Items::get)
            .and(Items::get)
            .here(|items| (items.put(), items.put()));
    });
}

/// One who joins disturbs all, and whoever was asleep finds him.
#[test]
fn disturbed() {
    exhaustive_each(FLAGS, |flag| {
        Crew::new(Items::new(flag))
            .and(|items| (items.add(), items.bell().disturb()))
            .here(|items| items.wait(Items::is_there));
    });
}

/// Who changed something dies anywhere before all are woken.
#[test]
fn the_one_who_rings_dies() {
    exhaustive_each(DEATHS, |death| {
        Crew::new(Items::new(0))
            .and(move |items| items.put_and_die(death))
            .here(Items::get);
    });
}

/// Who rings, for what another has taken by now, is stopped anywhere, for ever: the next ring reaches who
/// waits. Two interruptions: of the one who stops before it takes the flag down, and one to come back.
#[test]
fn the_one_who_rings_is_stopped_and_another_rings() {
    bounded_each(2, DEATHS, |stop| {
        Crew::new(Items::new(1))
            .and(move |items| items.ring_and_stop(stop))
            .and(Items::put)
            .here(Items::get);
    });
}

/// The same, while two wait. Two interruptions: as in `two_wait`, but one rings.
#[test]
fn the_one_who_rings_dies_and_two_look() {
    bounded_each(2, DEATHS, |death| {
        let look = |items: &Items| items.wait(Items::is_there);
        Crew::new(Items::new(0))
            .and(move |items| items.put_and_die(death))
            .and(look)
            .here(look);
    });
}

/// The only wake-up goes to one who dies of something else. Two interruptions: it is asleep, or about to be,
/// when the other falls asleep behind it, and when the ring comes.
#[test]
fn the_one_who_is_woken_dies() {
    bounded(2, || {
        Crew::new(Items::new(0))
            .and(Items::wait_and_die)
            .and(Items::put)
            .here(Items::get);
    });
}

/// A ring that finds nobody takes the flag down while another waiter comes, and its ringer dies. One
/// interruption: of the one who dies between its look at the sleepers and the flag.
#[test]
fn the_flag_of_another_is_not_lost() {
    bounded_each(1, DEATHS, |death| {
        Crew::new(Items::new(1))
            .and(move |items| items.put_and_die(death))
            .and(Items::put)
            .here(|items| (items.get(), items.get()));
    });
}

/// Nothing waits, nothing is asleep: a ring for nobody leaves no flag behind.
#[test]
fn a_ring_for_nobody_takes_the_flag_down() {
    exhaustive(|| {
        let items = Items::new(0);
        items.bell().announce();
        items.bell().ring(1);
        assert_eq!(items.futex.now() & 1, 0);
    });
}
