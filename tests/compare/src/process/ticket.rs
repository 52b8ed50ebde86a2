//! A plain ticket ring between processes: what a queue costs that does not survive a death.
//!
//! It is Vyukov's ring: a producer takes a ticket at the tail, fills the slot of that number and
//! stamps it. A process that dies between the two wedges the ring for ever; that a claim has an
//! owner who can be found dead is what kill safety costs on top, so this is its floor. It sleeps
//! by the same kind of event count as a shared queue of ours does.
//!
//! ```text
//! segment:  | head | tail | bell: items | bell: room | slot 0 | slot 1 | ...
//! slot:     | stamp: u64 | item: 8 words |
//! ```

use std::cmp::Ordering::{Equal, Greater, Less};
use std::hint::spin_loop;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering, fence};

use rustix::io::Errno;
use rustix::thread::futex;

use super::crew::wake_all;
use super::segment::Segment;

/// An item: 64 bytes.
pub type Item = [u64; 8];

/// Where things are: each on a pair of lines of its own.
const HEAD: usize = 0;
const TAIL: usize = 128;
const ITEMS: usize = 256;
const ROOM: usize = 384;
const SLOTS: usize = 512;
const SLOT: usize = 128;

/// The ring, in this process.
#[derive(Debug)]
pub struct TicketRing {
    segment: Segment,
    mask: u64,
}

impl TicketRing {
    /// A new ring of `capacity` slots.
    ///
    /// # Panics
    ///
    /// If the capacity is no power of two.
    #[must_use]
    pub fn create(capacity: usize) -> Self {
        assert!(capacity.is_power_of_two(), "a mask finds the slot");
        let ring = Self::over(Segment::create(SLOTS + SLOT * capacity));
        for ticket in 0..capacity as u64 {
            ring.slot(ticket)[0].store(ticket, Ordering::Relaxed);
        }
        ring
    }

    /// The ring at `address` in a living process.
    #[must_use]
    pub fn open(address: &str) -> Self {
        Self::over(Segment::open(address))
    }

    fn over(segment: Segment) -> Self {
        let capacity = (segment.len() - SLOTS) / SLOT;
        Self {
            segment,
            mask: capacity as u64 - 1,
        }
    }

    /// Where other processes find it.
    #[must_use]
    pub fn address(&self) -> String {
        self.segment.address()
    }

    fn word(&self, at: usize) -> &AtomicU64 {
        &self.segment.u64s(at, 1)[0]
    }

    /// The stamp and the item of the slot that a ticket is for.
    fn slot(&self, ticket: u64) -> &[AtomicU64] {
        let index = usize::try_from(ticket & self.mask).expect("an index");
        self.segment.u64s(SLOTS + SLOT * index, 9)
    }

    /// Puts an item, waiting for room.
    pub fn put(&self, item: Item) {
        wait(self.segment.u32(ROOM), || self.try_put(item).then_some(()));
        notify(self.segment.u32(ITEMS));
    }

    /// Gets an item, waiting for one.
    #[must_use]
    pub fn get(&self) -> Item {
        let item = wait(self.segment.u32(ITEMS), || self.try_get());
        notify(self.segment.u32(ROOM));
        item
    }

    fn try_put(&self, item: Item) -> bool {
        let tail = self.word(TAIL);
        let mut ticket = tail.load(Ordering::Relaxed);
        loop {
            let slot = self.slot(ticket);
            let stamp = slot[0].load(Ordering::Acquire);
            match stamp.cmp(&ticket) {
                Equal => {
                    let took = tail.compare_exchange_weak(
                        ticket,
                        ticket + 1,
                        Ordering::Relaxed,
                        Ordering::Relaxed,
                    );
                    match took {
                        Ok(_) => {
                            for (to, from) in slot[1..].iter().zip(item) {
                                to.store(from, Ordering::Relaxed);
                            }
                            slot[0].store(ticket + 1, Ordering::Release);
                            return true;
                        }
                        Err(now) => ticket = now,
                    }
                }
                Less => return false,
                Greater => ticket = tail.load(Ordering::Relaxed),
            }
        }
    }

    fn try_get(&self) -> Option<Item> {
        let head = self.word(HEAD);
        let mut ticket = head.load(Ordering::Relaxed);
        loop {
            let slot = self.slot(ticket);
            let stamp = slot[0].load(Ordering::Acquire);
            match stamp.cmp(&(ticket + 1)) {
                Equal => {
                    let took = head.compare_exchange_weak(
                        ticket,
                        ticket + 1,
                        Ordering::Relaxed,
                        Ordering::Relaxed,
                    );
                    match took {
                        Ok(_) => {
                            let item =
                                std::array::from_fn(|at| slot[at + 1].load(Ordering::Relaxed));
                            slot[0].store(ticket + self.mask + 1, Ordering::Release);
                            return Some(item);
                        }
                        Err(now) => ticket = now,
                    }
                }
                Less => return None,
                Greater => ticket = head.load(Ordering::Relaxed),
            }
        }
    }
}

/// The bit of a bell that says that somebody sleeps; the rest counts how often it was rung.
const SLEEPERS: u32 = 1;
const RING: u32 = 2;

/// How often what is waited for is tried before sleeping.
const SPINS: u32 = 64;

/// Tries until there is an answer, and sleeps on `bell` in between.
fn wait<T>(bell: &AtomicU32, attempt: impl Fn() -> Option<T>) -> T {
    loop {
        for _ in 0..SPINS {
            if let Some(answer) = attempt() {
                return answer;
            }
            spin_loop();
        }
        let before = bell.load(Ordering::Relaxed);
        let asleep = before | SLEEPERS;
        if bell
            .compare_exchange(before, asleep, Ordering::SeqCst, Ordering::Relaxed)
            .is_err()
        {
            continue;
        }
        fence(Ordering::SeqCst);
        if let Some(answer) = attempt() {
            return answer;
        }
        match futex::wait(bell, futex::Flags::empty(), asleep, None) {
            Ok(()) | Err(Errno::AGAIN | Errno::INTR) => {}
            Err(error) => panic!("futex wait: {error}"),
        }
    }
}

/// Wakes one who sleeps on `bell`, if there is any.
fn notify(bell: &AtomicU32) {
    fence(Ordering::SeqCst);
    if bell.load(Ordering::Relaxed) & SLEEPERS == 0 {
        return;
    }
    let rung = bell.fetch_add(RING, Ordering::SeqCst).wrapping_add(RING);
    let woken = futex::wake(bell, futex::Flags::empty(), 1).expect("a word of ours");
    if woken == 0 {
        // Somebody who has found the bit set may fall asleep meanwhile: not under a bit that is down.
        let awake = (rung & !SLEEPERS).wrapping_add(RING);
        let _ = bell.compare_exchange(rung, awake, Ordering::SeqCst, Ordering::Relaxed);
        wake_all(bell);
    }
}
