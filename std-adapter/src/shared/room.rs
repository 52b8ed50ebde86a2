//! A segment as its contents see it: a header, a table of who takes part, bells to wait by, and room.
//!
//! ```text
//!     0          header: magic, layout, kind, sizes, epoch, and what the contents want to know
//!     128        participants, one word each
//!                bells, each on a cache line of its own
//!                contents, zero at first
//! ```
//!
//! All that is read from the header is checked when a segment is opened, once, and remembered on this
//! side. Later changes by a malicious peer are not looked at.

use std::fmt;
use std::io;
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Duration, Instant};

use brigade_core::wait::{Park, Wake};

use super::atomic::{AtomicU32, AtomicU64, Ordering};
use super::bell::{Bell, Key, Sleep};
use super::bridge::{Bridge, WaitAsync};
use super::open_error::OpenError;
use super::participants::{MOST, Owner, Participants};
use super::watch::{self, Fate, Peers};
use crate::Parker;
use crate::sys::futex_shared;
use crate::sys::memory::{HalfWord, Memory, WORD, Words};
use crate::sys::pidfd::Life;

const MAGIC: u64 = u64::from_le_bytes(*b"brigade\x01");
const LAYOUT: u64 = 1;
const EPOCH_AT: usize = 4;
const CONFIG_AT: usize = 8;
/// Words that contents may keep in the header.
pub(crate) const CONFIG: usize = 8;
const HEADER: usize = 128;
/// Distance of bells, and a divisor of where contents begin: two cache lines, which are fetched
/// together.
const LINE: usize = 128;

/// How many processes can use a segment at a time, unless it was made for more.
pub(crate) const PARTICIPANTS: usize = 64;

/// The most bells: more are nonsense, and each takes memory of ours.
const BELLS: usize = 64;

/// How long one sleeps who would not be told of deaths.
const UNWATCHED: Duration = Duration::from_millis(50);

/// What a new segment is to be like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// Processes at a time: from 1 to [`MOST`].
    pub(crate) participants: usize,
    pub(crate) bells: usize,
    /// Bytes of the contents.
    pub(crate) length: usize,
    /// What [`Contents::attach`](super::segment::Contents::attach) finds in [`Room::config`].
    pub(crate) config: [u64; CONFIG],
}

/// A segment with its parts, as the contents see it.
#[derive(Debug)]
pub(crate) struct Room {
    memory: Arc<Memory>,
    participants: Participants,
    bells: Box<[HalfWord]>,
    bridges: Box<[Bridge]>,
    /// Where the contents begin.
    contents: usize,
    config: [u64; CONFIG],
    life: Life,
    me: OnceLock<Owner>,
    /// Whom to have bury the dead.
    segment: OnceLock<Weak<dyn Peers>>,
    /// The participants' epoch until which all are watched, plus 1.
    watched: AtomicU64,
}

impl fmt::Debug for dyn Peers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Peers")
    }
}

/// A word to sleep on that processes share.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SharedWord<'a>(pub(crate) &'a AtomicU32);

impl Sleep for SharedWord<'_> {
    type Deadline = Instant;

    fn word(&self) -> &AtomicU32 {
        self.0
    }

    fn sleep(&self, expected: u32, deadline: Option<Instant>) -> Wake {
        futex_shared::wait(self.0, expected, deadline)
    }

    fn wake(&self, sleepers: u32) -> u32 {
        futex_shared::wake(self.0, sleepers)
    }

    fn step_and_wake_all(&self) {
        futex_shared::step_and_wake_all(self.0);
    }
}

impl Room {
    /// What this memory is, if it is a segment of this kind. It takes no part in it yet.
    pub(super) fn open(memory: Memory, kind: u32) -> Result<Self, OpenError> {
        let memory = Arc::new(memory);
        let header = memory.words(0, HEADER / WORD).ok_or(OpenError::Mismatch)?;
        // ORDERING: Acquire pairs with the creator's release; Relaxed for what comes before that.
        if header[0].load(Ordering::Acquire) != MAGIC
            || header[1].load(Ordering::Relaxed) != LAYOUT << 32 | u64::from(kind)
        {
            return Err(OpenError::Mismatch);
        }
        let [participants, bells] = [2, 3].map(|at: usize| header[at].load(Ordering::Relaxed));
        let config = std::array::from_fn(|at| header[CONFIG_AT + at].load(Ordering::Relaxed));
        let plan = Sizes::new(participants, bells).ok_or(OpenError::Corrupted)?;
        let places = Words::of(&memory, HEADER, plan.participants);
        let epoch = Words::of(&memory, EPOCH_AT * WORD, 1);
        let (Some(places), Some(epoch)) = (places, epoch) else {
            return Err(OpenError::Corrupted);
        };
        if plan.contents_at > memory.length() {
            return Err(OpenError::Corrupted);
        }
        let bell = |number| HalfWord::of(&memory, plan.bells_at + number * LINE);
        let bells: Option<_> = (0..plan.bells).map(bell).collect();
        Ok(Self {
            participants: Participants::new(places, epoch),
            bells: bells.ok_or(OpenError::Corrupted)?,
            bridges: (0..plan.bells).map(|_| Bridge::default()).collect(),
            contents: plan.contents_at,
            config,
            life: Life::mine()?,
            me: OnceLock::new(),
            segment: OnceLock::new(),
            watched: AtomicU64::new(0),
            memory,
        })
    }

    /// What the creator has left for [`Contents::attach`](super::segment::Contents::attach). Do not trust it.
    pub(crate) fn config(&self) -> [u64; CONFIG] {
        self.config
    }

    /// Words of the contents. `None` if they are not all there, or the offset (in bytes, from the
    /// beginning of the contents) is no multiple of 8.
    pub(crate) fn words(&self, offset: usize, count: usize) -> Option<Words> {
        Words::of(&self.memory, self.contents.checked_add(offset)?, count)
    }

    /// This process as a participant.
    ///
    /// # Panics
    ///
    /// In [`Contents::attach`](super::segment::Contents::attach): it has not joined yet.
    #[inline]
    pub(crate) fn me(&self) -> Owner {
        *self.me.get().expect("it joins before it is used")
    }

    /// How many processes can take part at a time: indices of owners are below.
    pub(crate) fn places(&self) -> usize {
        self.participants.places()
    }

    /// Who takes part now, and as which process; the dead among them until they are buried.
    pub(crate) fn participants(&self) -> impl Iterator<Item = (Owner, Life)> {
        self.participants.iter()
    }

    /// How many bells there are.
    pub(crate) fn bells(&self) -> usize {
        self.bells.len()
    }

    /// A bell.
    ///
    /// # Panics
    ///
    /// If there is none of this number. [`Contents::attach`](super::segment::Contents::attach) has to see to it that there are
    /// [as many](Self::bells) as it uses.
    #[inline]
    pub(crate) fn bell(&self, number: usize) -> Bell<SharedWord<'_>> {
        Bell(SharedWord(&self.bells[number]))
    }

    /// Wakes up to so many who wait by a bell, after a change that lets them go on. A fence and a load if
    /// nobody waits.
    #[inline]
    pub(crate) fn ring(&self, bell: usize, sleepers: u32) {
        self.bell(bell).ring(sleepers);
    }

    /// Waits until an attempt succeeds: busily for a moment, then asleep until the bell is rung, again and
    /// again. `None` if the deadline has passed and a last attempt has failed.
    ///
    /// Attempts are made until one succeeds, and no more. One wake-up reaches one waiter: who waits by the same bell
    /// must be able to make use of the same changes, or be woken all at a time.
    pub(crate) fn wait<R>(
        &self,
        bell: usize,
        deadline: Option<Instant>,
        mut attempt: impl FnMut() -> Option<R>,
    ) -> Option<R> {
        let mut step = 0;
        loop {
            if let Some(output) = attempt() {
                return Some(output);
            }
            if !Parker::relax(step) {
                break;
            }
            step += 1;
        }
        loop {
            let key = self.bell(bell).announce();
            self.ensure_watched();
            if let Some(output) = attempt() {
                return Some(output);
            }
            if self.sleep(bell, key, deadline) == Wake::TimedOut {
                return attempt();
            }
        }
    }

    /// Sleeps unless the bell was rung since the announcement. May end without a reason: it does soon
    /// if not all others can be watched, as when there are no descriptors left, for whoever sleeps
    /// would not be told of their death.
    pub(super) fn sleep(&self, bell: usize, key: Key, deadline: Option<Instant>) -> Wake {
        let bell = self.bell(bell);
        if self.ensure_watched() {
            return bell.sleep(key, deadline);
        }
        let soon = Instant::now() + UNWATCHED;
        match deadline {
            Some(deadline) if deadline <= soon => bell.sleep(key, Some(deadline)),
            _ => {
                bell.sleep(key, Some(soon));
                Wake::Woken
            }
        }
    }

    /// As [`wait`](Self::wait), for tasks. Cancel-safe if a failed attempt changes nothing.
    pub(crate) fn wait_async<R, A: FnMut() -> Option<R> + Unpin>(
        self: &Arc<Self>,
        bell: usize,
        attempt: A,
    ) -> WaitAsync<A> {
        WaitAsync::new(Arc::clone(self), bell, attempt)
    }

    pub(super) fn bridge(&self, bell: usize) -> &Bridge {
        &self.bridges[bell]
    }

    /// Sees to it that the death of any other participant is noticed. To be called after a waiter
    /// was announced and before it looks for the last time; [`wait`](Self::wait) does. One load,
    /// unless somebody has joined. False if that is not possible now: then do not sleep for long.
    #[inline]
    pub(crate) fn ensure_watched(&self) -> bool {
        let epoch = self.participants.epoch();
        // ORDERING: Relaxed, also below: whom it speaks of is known to the watch, under its lock.
        self.watched.load(Ordering::Relaxed) == epoch.wrapping_add(1) || self.watch_all(epoch)
    }

    #[cold]
    fn watch_all(&self, epoch: u64) -> bool {
        let Some(segment) = self.segment.get().and_then(Weak::upgrade) else {
            return true;
        };
        let mut complete = true;
        for (_, life) in self.participants.iter() {
            if life == self.life {
                continue;
            }
            match watch::peer(life) {
                Ok(Fate::Watched) => {}
                Ok(Fate::Dead) => segment.bury(life),
                // Out of descriptors, maybe. The next call tries again.
                Err(_) => complete = false,
            }
        }
        if complete {
            // ORDERING: Relaxed: see `ensure_watched`.
            self.watched.store(epoch.wrapping_add(1), Ordering::Relaxed);
        }
        complete
    }

    /// Wakes all who wait.
    pub(super) fn disturb(&self) {
        for number in 0..self.bridges.len() {
            self.bell(number).disturb();
        }
    }

    /// Takes a place; those of the dead are free once `segment` has buried them.
    pub(super) fn join(&self, segment: Weak<dyn Peers>) -> Result<(), OpenError> {
        watch::segment(Weak::clone(&segment))?;
        self.segment.get_or_init(|| segment);
        let owner = self.participants.join(self.life).or_else(|| {
            self.watch_all(self.participants.epoch());
            self.participants.join(self.life)
        });
        let owner = owner.ok_or(OpenError::Crowded)?;
        self.me.get_or_init(|| owner);
        // Those who sleep have to watch us.
        self.disturb();
        self.ensure_watched();
        Ok(())
    }

    /// Gives the place of one free who is dead or leaves, when all it held has been taken back.
    pub(super) fn free(&self, owner: Owner, life: Life) {
        self.participants.free(owner, life);
    }

    /// Who we are, if we have to leave: not if we never joined, nor in a child made by `fork`, which does not
    /// have the memory.
    pub(super) fn leaving(&self) -> Option<(Owner, Life)> {
        let me = self.me.get().map(|&me| (me, self.life));
        me.filter(|(_, life)| std::process::id() == life.pid)
    }

    pub(super) fn memory(&self) -> &Memory {
        &self.memory
    }
}

/// Where things are.
struct Sizes {
    participants: usize,
    bells: usize,
    bells_at: usize,
    contents_at: usize,
}

impl Sizes {
    fn new(participants: u64, bells: u64) -> Option<Self> {
        let participants = usize::try_from(participants).ok()?;
        let bells = usize::try_from(bells).ok()?;
        if participants == 0 || participants > MOST || bells > BELLS {
            return None;
        }
        let bells_at = (HEADER + participants * WORD).next_multiple_of(LINE);
        let contents_at = bells.checked_mul(LINE)?.checked_add(bells_at)?;
        Some(Self {
            participants,
            bells,
            bells_at,
            contents_at,
        })
    }
}

/// The memory of a new segment, with its header.
pub(super) fn lay_out(contents: &str, kind: u32, plan: Plan) -> io::Result<Memory> {
    let length = Sizes::new(plan.participants as u64, plan.bells as u64)
        .and_then(|sizes| sizes.contents_at.checked_add(plan.length))
        .ok_or(io::ErrorKind::InvalidInput)?;
    let memory = Memory::create(&format!("brigade-{contents}"), length)?;
    let words = memory.words(0, HEADER / WORD);
    let header = words.ok_or(io::ErrorKind::InvalidInput)?;
    let head = [
        LAYOUT << 32 | u64::from(kind),
        plan.participants as u64,
        plan.bells as u64,
    ];
    let config = plan.config.iter().enumerate();
    // ORDERING: Relaxed: published by the magic word.
    for (at, &word) in head.iter().enumerate() {
        header[1 + at].store(word, Ordering::Relaxed);
    }
    for (at, &word) in config {
        header[CONFIG_AT + at].store(word, Ordering::Relaxed);
    }
    // ORDERING: Release pairs with whoever opens it.
    header[0].store(MAGIC, Ordering::Release);
    Ok(memory)
}
