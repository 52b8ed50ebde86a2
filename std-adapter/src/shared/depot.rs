//! [`Depot`]: a segment with a [ring](super::ring) of blocks in it, and how to wait by it. What is in the
//! blocks is somebody else's business: [`Queue`](super::Queue), [`PlainQueue`](super::PlainQueue).

#![forbid(unsafe_code)]

mod hands;
mod shape;

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Instant;

use super::atomic::{
    AtomicU64,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
    fence,
};
use super::blocks::Blocks;
use super::corrupted::Corrupted;
use super::participants::Owner;
use super::payload::Payloads;
use super::ring::{Begun, Ring, Taken};
use super::segment::Room;
use crate::sys::memory::{WORD, Words};

pub(super) use hands::{Filling, Ticket};
use shape::PAGE;
pub(super) use shape::Shape;

/// Bells: an item, or the end; room for an item; pages; all is finished.
const ITEMS: usize = 0;
const ROOM: usize = 1;
const PAGES: usize = 2;
const DONE: usize = 3;
/// A place in the ring, for a block that is filled; only where there are no pages.
const PLACES: usize = PAGES;
const BELLS: usize = 4;

/// Words of two cache lines, which processors fetch together.
const LINE: usize = 16;
/// Of the words at the beginning: what everybody reads and few write.
const ORPHANS: usize = 0;
const IMMEDIATE: usize = 1;
const HEAD_AT: usize = LINE;
const TAIL_AT: usize = 2 * LINE;
const LOCK_AT: usize = 3 * LINE;
const CONTROL: usize = 4 * LINE;
/// Words between the counters of two participants.
const COUNTERS: usize = 8;
/// Of a counter, below the owner's tag.
const ITEMS_BELOW: u64 = (1 << 32) - 1;

/// Why an item was not put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Hold {
    Full,
    NoPages,
    /// Full, for what is in a block already.
    NoPlace,
    ShutDown,
    TooLarge,
    Encode(String),
    Corrupted,
}

/// Why there is no item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nothing {
    Empty,
    ShutDown,
    Corrupted,
}

impl From<Corrupted> for Hold {
    fn from(_: Corrupted) -> Self {
        Self::Corrupted
    }
}

impl From<Corrupted> for Nothing {
    fn from(_: Corrupted) -> Self {
        Self::Corrupted
    }
}

/// See the top of the file.
pub(super) struct Depot {
    room: Arc<Room>,
    shape: Shape,
    control: Words,
    /// For each participant `owner's tag:32 | items it has got and not reported:32`.
    unreported: Words,
    slots: Words,
    blocks: Words,
    table: Words,
    pages: Words,
    /// Where this process looks next for a free block.
    cursor: AtomicU32,
}

impl Depot {
    /// Finds its way in a segment that was made after [`Shape::plan`].
    pub(super) fn attach(room: &Arc<Room>) -> Option<Self> {
        let [capacity, blocks, stride, pages, ..] = room.config();
        let size = |word| usize::try_from(word).ok();
        let shape = Shape {
            capacity: size(capacity)?,
            blocks: size(blocks)?,
            stride: size(stride)?,
            pages: size(pages)?,
        };
        if !shape.is_valid() || room.bells() != BELLS {
            return None;
        }
        let parts = shape.parts(room.places())?;
        let words = |part: usize, count| room.words(parts[part].checked_mul(WORD)?, count);
        let depot = Self {
            control: room.words(0, CONTROL)?,
            unreported: words(0, room.places() * COUNTERS)?,
            slots: words(1, shape.capacity)?,
            blocks: words(2, shape.blocks * shape.stride)?,
            table: words(3, shape.pages)?,
            pages: words(4, shape.pages.checked_mul(PAGE / WORD)?)?,
            cursor: AtomicU32::new(0),
            room: Arc::clone(room),
            shape,
        };
        Some(depot)
    }

    #[inline]
    fn all_blocks(&self) -> Blocks<'_> {
        #[allow(clippy::cast_possible_truncation, reason = "there are fewer")]
        let count = self.shape.blocks as u32;
        Blocks::new(
            &self.blocks,
            count,
            self.shape.stride,
            &self.control[ORPHANS],
        )
    }

    #[inline]
    fn ring(&self) -> Ring<'_> {
        let (head, tail) = (&self.control[HEAD_AT], &self.control[TAIL_AT]);
        Ring::new(self.all_blocks(), &self.slots, head, tail)
    }

    #[inline]
    pub(super) fn payloads(&self) -> Payloads<'_> {
        Payloads {
            blocks: self.all_blocks(),
            table: &self.table,
            pages: &self.pages,
            page: PAGE / WORD,
            lock: &self.control[LOCK_AT],
        }
    }

    pub(super) fn capacity(&self) -> usize {
        self.shape.capacity
    }

    /// Takes back what a dead process had.
    pub(super) fn recover(&self, dead: Owner) {
        self.payloads().sweep(dead);
        self.ring().sweep(dead);
        let Some(counter) = self.unreported.get(usize::from(dead.index) * COUNTERS) else {
            return;
        };
        // ORDERING: Relaxed: whoever looks whether all is finished is woken afterwards.
        let _ = counter.fetch_update(Relaxed, Relaxed, |word| {
            (word >> 32 == u64::from(dead.tag()) && word & ITEMS_BELOW != 0)
                .then_some(word >> 32 << 32)
        });
    }

    /// Wakes up to so many who wait by a bell, after a `SeqCst` access that lets them go on.
    #[inline]
    fn ring_bell(&self, bell: usize, sleepers: u32) {
        if self.room.bell(bell).is_waited() {
            self.room.ring(bell, sleepers);
        }
    }

    // --- Putting ----------------------------------------------------------------------------

    /// A block to fill.
    #[inline]
    pub(super) fn begin(&self) -> Result<Filling<'_>, Hold> {
        let me = self.room.me();
        // ORDERING: Relaxed, here and below: only a guess.
        let cursor = self.cursor.load(Relaxed);
        match self.ring().begin(me, cursor)? {
            Begun::Fill(owned) => {
                self.cursor.store(owned.block.wrapping_add(1), Relaxed);
                Ok(Filling { depot: self, owned })
            }
            Begun::Full | Begun::NoBlock => {
                // Who has them may be dead.
                self.room.ensure_watched();
                Err(Hold::Full)
            }
            Begun::Closed => Err(Hold::ShutDown),
        }
    }

    /// A block to fill, when there is one. Who was woken tells the next: it may be long before this one
    /// is put, and until then there is room.
    pub(super) fn begin_until(&self, deadline: Option<Instant>) -> Result<Filling<'_>, Hold> {
        let filling = self.put_until(deadline, || self.begin())?;
        self.ring_bell(ROOM, 1);
        Ok(filling)
    }

    /// The same for a task.
    pub(super) async fn begin_async(&self) -> Result<Filling<'_>, Hold> {
        let begin = self.put_async((), |()| self.begin());
        let filling = begin.await.map_err(|((), hold)| hold)?;
        self.ring_bell(ROOM, 1);
        Ok(filling)
    }

    /// Repeats an attempt to put until it succeeds; `Full` or `NoPages` if the time is up before.
    pub(super) fn put_until<R>(
        &self,
        deadline: Option<Instant>,
        mut attempt: impl FnMut() -> Result<R, Hold>,
    ) -> Result<R, Hold> {
        let mut hold = match attempt() {
            Ok(put) => return Ok(put),
            Err(hold) => hold,
        };
        loop {
            let Some(bell) = bell_for(&hold) else {
                return Err(hold);
            };
            let again = || {
                // As in `take_until`.
                if hold == Hold::Full && self.ring().seems_full() {
                    return None;
                }
                changed(attempt(), &hold)
            };
            match self.room.wait(bell, deadline, again) {
                Some(Ok(put)) => return Ok(put),
                Some(Err(now)) => hold = now,
                None => return attempt(),
            }
        }
    }

    /// The same for a task, with the item in the attempt's hands.
    pub(super) async fn put_async<I: Unpin, R>(
        &self,
        mut item: I,
        attempt: impl Fn(&mut I) -> Result<R, Hold> + Unpin,
    ) -> Result<R, (I, Hold)> {
        let mut hold = Hold::Full;
        loop {
            let Some(bell) = bell_for(&hold) else {
                return Err((item, hold));
            };
            let mut kept = Some(item);
            let (answer, back) = {
                let (attempt, hold) = (&attempt, &hold);
                let again = move || {
                    let answer = changed(attempt(kept.as_mut()?), hold)?;
                    Some((answer, kept.take()?))
                };
                self.room.wait_async(bell, again).await
            };
            match answer {
                Ok(put) => return Ok(put),
                Err(now) => (item, hold) = (back, now),
            }
        }
    }

    // --- Taking -----------------------------------------------------------------------------

    /// An item that nobody else has.
    #[inline]
    pub(super) fn take(&self) -> Result<Ticket<'_>, Nothing> {
        // ORDERING: Acquire pairs with `shut_down`: what was done before is seen.
        if self.control[IMMEDIATE].load(Acquire) != 0 {
            return Err(Nothing::ShutDown);
        }
        self.take_in_any_case()
    }

    /// The same after an immediate shutdown too.
    #[inline]
    pub(super) fn take_in_any_case(&self) -> Result<Ticket<'_>, Nothing> {
        let (me, ring) = (self.room.me(), self.ring());
        let leased = match ring.blocks().adopt(me) {
            Some(leased) => leased,
            None => match ring.take(me)? {
                Taken::Item(leased) => leased,
                Taken::Empty => {
                    // There may be some in the hands of the dead.
                    self.room.ensure_watched();
                    return Err(Nothing::Empty);
                }
                Taken::Closed => return Err(Nothing::ShutDown),
            },
        };
        Ok(Ticket {
            depot: self,
            leased,
        })
    }

    /// An item when there is one; `Empty` if the time is up before.
    pub(super) fn take_until(&self, deadline: Option<Instant>) -> Result<Ticket<'_>, Nothing> {
        let attempt = || match self.take() {
            Err(Nothing::Empty) => None,
            answer => Some(answer),
        };
        // A put that is missed rings the bell: the wait has a fence before the last look.
        let attempt = || if self.seems_empty() { None } else { attempt() };
        self.room
            .wait(ITEMS, deadline, attempt)
            .unwrap_or_else(|| self.take())
    }

    /// Whether [`take`](Self::take) would most likely find nothing: a glance, by which those who wait do
    /// not disturb those who put.
    #[inline]
    fn seems_empty(&self) -> bool {
        let ring = self.ring();
        // ORDERING: Relaxed: a glance.
        self.control[IMMEDIATE].load(Relaxed) == 0
            && !ring.blocks().seem_orphaned()
            && ring.seems_empty()
    }

    /// The same for a task.
    pub(super) async fn take_async(&self) -> Result<Ticket<'_>, Nothing> {
        let attempt = || match self.take() {
            Err(Nothing::Empty) => None,
            answer => Some(answer),
        };
        self.room.wait_async(ITEMS, attempt).await
    }

    // --- The end ----------------------------------------------------------------------------

    /// Lets no put succeed any more, and no take if `immediate`.
    pub(super) fn shut_down(&self, immediate: bool) -> Result<(), Corrupted> {
        if immediate {
            // ORDERING: Release pairs with `take`.
            self.control[IMMEDIATE].store(1, Release);
        }
        let closed = self.ring().close();
        for bell in [ITEMS, ROOM, PAGES] {
            self.room.ring(bell, u32::MAX);
        }
        closed.map(drop)
    }

    pub(super) fn is_shut_down(&self) -> Result<bool, Corrupted> {
        self.ring().is_closed()
    }

    /// How many items wait, not counting those that somebody gave back.
    pub(super) fn len(&self) -> Result<usize, Corrupted> {
        self.ring().len()
    }

    /// Whether all that was put is finished with.
    pub(super) fn is_done(&self) -> Result<bool, Corrupted> {
        let tail = self.ring().tail()?;
        if !self.ring().is_done()? {
            return Ok(false);
        }
        // ORDERING: Acquire: after the blocks. Who got an item counts it before its block is free.
        let all_reported = (self.unreported.iter().step_by(COUNTERS))
            .all(|counter| counter.load(Acquire) & ITEMS_BELOW == 0);
        Ok(all_reported && self.ring().tail()? == tail)
    }

    /// Waits until that is so; `false` if the time is up before.
    pub(super) fn join_until(&self, deadline: Option<Instant>) -> Result<bool, Corrupted> {
        let done = self.room.wait(DONE, deadline, || self.done());
        done.unwrap_or(Ok(false))
    }

    /// The same for a task.
    pub(super) async fn join_async(&self) -> Result<(), Corrupted> {
        let done = self.room.wait_async(DONE, || self.done()).await;
        done.map(drop)
    }

    fn done(&self) -> Option<Result<bool, Corrupted>> {
        match self.is_done() {
            Ok(false) => None,
            answer => Some(answer),
        }
    }

    #[inline]
    fn counter(&self) -> (&AtomicU64, u64) {
        let me = self.room.me();
        let counter = &self.unreported[usize::from(me.index) * COUNTERS];
        (counter, u64::from(me.tag()) << 32)
    }

    /// Counts an item that this process has to report.
    #[inline]
    fn count(&self) {
        let (counter, tag) = self.counter();
        // ORDERING: Relaxed: the block is freed by a release afterwards.
        if counter.load(Relaxed) & !ITEMS_BELOW == tag {
            counter.fetch_add(1, Relaxed);
        } else {
            // The first. Another thread may be as far.
            let first = |word: u64| {
                Some(
                    if word & !ITEMS_BELOW == tag {
                        word
                    } else {
                        tag
                    } + 1,
                )
            };
            let _ = counter.fetch_update(Relaxed, Relaxed, first);
        }
    }

    /// Reports an item that was got; says whether there was one to report.
    pub(super) fn report(&self) -> bool {
        let (counter, tag) = self.counter();
        let less = |word: u64| (word > tag && word & !ITEMS_BELOW == tag).then(|| word - 1);
        // ORDERING: SeqCst, for the bell. Release pairs with `is_done`: the work is seen.
        let before = counter.fetch_update(SeqCst, Relaxed, less);
        if before == Ok(tag + 1) {
            self.ring_done();
        }
        before.is_ok()
    }

    /// Wakes those who wait until all is finished, if it may be.
    #[inline]
    fn ring_done(&self) {
        if self.room.bell(DONE).is_waited() {
            self.ring_if_empty();
        }
    }

    #[cold]
    fn ring_if_empty(&self) {
        // ORDERING: SeqCst: of two who finish their items at the same time, one sees both taken.
        fence(SeqCst);
        if self.len() == Ok(0) {
            self.room.ring(DONE, u32::MAX);
        }
    }
}

/// Whom to wait for.
fn bell_for(hold: &Hold) -> Option<usize> {
    match hold {
        Hold::Full => Some(ROOM),
        Hold::NoPages => Some(PAGES),
        Hold::NoPlace => Some(PLACES),
        _ => None,
    }
}

/// An answer that is another than before.
fn changed<R>(answer: Result<R, Hold>, hold: &Hold) -> Option<Result<R, Hold>> {
    match answer {
        Err(now) if now == *hold => None,
        answer => Some(answer),
    }
}
