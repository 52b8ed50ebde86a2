//! [`Depot`]: a segment with a [ring](super::ring) of blocks in it, and how to wait by it. What is in the
//! blocks is somebody else's business: [`Queue`](super::Queue), [`PlainQueue`](super::PlainQueue).

#![forbid(unsafe_code)]

mod finish;
mod hands;
mod shape;

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Instant;

use super::atomic::Ordering::{Acquire, Relaxed, Release};
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

/// Why an item was not put.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Hold {
    Full,
    /// There are not enough pages now for so many bytes.
    NoPages(usize),
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
        self.forgive(dead);
    }

    /// Wakes up to so many who wait by a bell, after a `SeqCst` access that lets them go on.
    #[inline]
    fn ring_bell(&self, bell: usize, sleepers: u32) {
        if self.room.bell(bell).is_waited() {
            self.room.ring(bell, sleepers);
        }
    }

    // --- Putting ----------------------------------------------------------------------------

    /// Puts an item that is written by `fill`, which gets the number of a block.
    #[inline]
    pub(super) fn put(&self, fill: impl FnOnce(&Payloads<'_>, u32)) -> Result<(), Hold> {
        let (me, ring, payloads) = (self.room.me(), self.ring(), self.payloads());
        let (filling, spot) = match ring.begin_at_hint(me)? {
            Some((owned, spot)) => (Filling { depot: self, owned }, Some(spot)),
            None => (self.begin_elsewhere()?, None),
        };
        fill(&payloads, filling.owned.block);
        if spot.is_some_and(|spot| ring.commit_at(me, filling.owned, spot)) {
            std::mem::forget(filling);
            self.ring_bell(ITEMS, 1);
            return Ok(());
        }
        filling.commit()
    }

    /// Puts bytes that fit into a block.
    pub(super) fn put_bytes(&self, bytes: &[u8]) -> Result<(), Hold> {
        self.put(|payloads, block| {
            let had_pages = payloads.has_pages(block);
            payloads.fill(block, bytes);
            if had_pages {
                // Whoever looked since we claimed the block took them for used.
                self.room.ring(PAGES, u32::MAX);
            }
        })
    }

    /// A block to fill.
    pub(super) fn begin(&self) -> Result<Filling<'_>, Hold> {
        match self.ring().begin_at_hint(self.room.me())? {
            Some((owned, _)) => Ok(Filling { depot: self, owned }),
            None => self.begin_elsewhere(),
        }
    }

    fn begin_elsewhere(&self) -> Result<Filling<'_>, Hold> {
        let me = self.room.me();
        // ORDERING: Relaxed, here and below: only a guess.
        let cursor = self.cursor.load(Relaxed);
        match self.ring().begin_elsewhere(me, cursor)? {
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
    #[inline]
    pub(super) fn put_until<R>(
        &self,
        deadline: Option<Instant>,
        mut attempt: impl FnMut() -> Result<R, Hold>,
    ) -> Result<R, Hold> {
        match attempt() {
            Ok(put) => Ok(put),
            Err(hold) => self.wait_to_put(deadline, hold, attempt),
        }
    }

    #[inline(never)]
    fn wait_to_put<R>(
        &self,
        deadline: Option<Instant>,
        mut hold: Hold,
        mut attempt: impl FnMut() -> Result<R, Hold>,
    ) -> Result<R, Hold> {
        loop {
            let Some(bell) = bell_for(&hold) else {
                return Err(hold);
            };
            let again = || {
                // As in `take_until`.
                if self.seems_in_vain(&hold) {
                    return None;
                }
                changed(attempt(), &hold)
            };
            match self.room.wait(bell, deadline, again) {
                Some(Ok(put)) => {
                    self.pass_on_room();
                    return Ok(put);
                }
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
                    if self.seems_in_vain(hold) {
                        return None;
                    }
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

    /// Whether a further attempt to put would most likely fail as before: a glance.
    fn seems_in_vain(&self, hold: &Hold) -> bool {
        match hold {
            Hold::Full => self.ring().seems_full(),
            Hold::NoPages(length) => {
                let closed = self.is_shut_down() != Ok(false);
                !closed && self.payloads().seem_too_few(*length)
            }
            _ => false,
        }
    }

    /// Wakes another who waits for room if there is more: whoever was woken for it may be stopped.
    fn pass_on_room(&self) {
        if !self.ring().seems_full() {
            self.ring_bell(ROOM, 1);
        }
    }

    // --- Taking -----------------------------------------------------------------------------

    /// An item that nobody else has.
    #[inline]
    pub(super) fn take(&self) -> Result<Ticket<'_>, Nothing> {
        self.take_here().map_or_else(|| self.search(), Ok)
    }

    /// The item that is where one is looked for first. That there is none says nothing.
    #[inline]
    fn take_here(&self) -> Option<Ticket<'_>> {
        let ring = self.ring();
        if self.is_immediate() || ring.blocks().seem_orphaned() {
            return None;
        }
        let leased = ring.take_at_hint(self.room.me()).ok()??;
        Some(Ticket {
            depot: self,
            leased,
        })
    }

    #[inline(never)]
    fn search(&self) -> Result<Ticket<'_>, Nothing> {
        if self.is_immediate() {
            return Err(Nothing::ShutDown);
        }
        self.take_in_any_case()
    }

    #[inline]
    fn is_immediate(&self) -> bool {
        // ORDERING: Acquire pairs with `shut_down`: what was done before is seen.
        self.control[IMMEDIATE].load(Acquire) != 0
    }

    /// The same after an immediate shutdown too.
    pub(super) fn take_in_any_case(&self) -> Result<Ticket<'_>, Nothing> {
        let (me, ring) = (self.room.me(), self.ring());
        let leased = match ring.blocks().adopt(me) {
            Some(leased) => leased,
            None => match ring.take(me)? {
                Taken::Item(leased) => leased,
                nothing => {
                    // There may be some in the hands of the dead.
                    self.room.ensure_watched();
                    // Or somebody put one back while we looked at the ring.
                    let orphan = ring.blocks().adopt(me);
                    orphan.ok_or(if nothing == Taken::Closed {
                        Nothing::ShutDown
                    } else {
                        Nothing::Empty
                    })?
                }
            },
        };
        Ok(Ticket {
            depot: self,
            leased,
        })
    }

    /// An item when there is one; `Empty` if the time is up before.
    #[inline]
    pub(super) fn take_until(&self, deadline: Option<Instant>) -> Result<Ticket<'_>, Nothing> {
        self.take_here()
            .map_or_else(|| self.wait_to_take(deadline), Ok)
    }

    #[inline(never)]
    fn wait_to_take(&self, deadline: Option<Instant>) -> Result<Ticket<'_>, Nothing> {
        let attempt = || match self.take() {
            Err(Nothing::Empty) => None,
            answer => Some(answer),
        };
        // A put that is missed rings the bell: the wait has a fence before the last look.
        let attempt = || if self.seems_empty() { None } else { attempt() };
        let taken = self
            .room
            .wait(ITEMS, deadline, attempt)
            .unwrap_or_else(|| self.take());
        self.pass_on_items();
        taken
    }

    /// Wakes another who waits for an item if there are more: whoever was woken for them may be stopped, or
    /// who put them, before it rang.
    fn pass_on_items(&self) {
        if !self.seems_empty() {
            self.ring_bell(ITEMS, 1);
        }
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
        let taken = self.room.wait_async(ITEMS, attempt).await;
        self.pass_on_items();
        taken
    }

    // --- The end ----------------------------------------------------------------------------

    /// Lets no put succeed any more, and no take if `immediate`.
    pub(super) fn shut_down(&self, immediate: bool) -> Result<(), Corrupted> {
        if immediate {
            // ORDERING: Release pairs with `take`.
            self.control[IMMEDIATE].store(1, Release);
        }
        let closed = self.ring().close();
        for bell in [ITEMS, ROOM, PAGES, DONE] {
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
}

/// Whom to wait for.
fn bell_for(hold: &Hold) -> Option<usize> {
    match hold {
        Hold::Full => Some(ROOM),
        Hold::NoPages(_) => Some(PAGES),
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
