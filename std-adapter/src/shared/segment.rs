//! A segment: memory that processes share, with a header, a table of who takes part, bells to wait by, and
//! contents of some kind.
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
//!
//! A process has a segment once, and takes part in it once, however many handles it has: see `travel.rs`. It
//! leaves when the last is dropped; what it still held then is taken back, as if it had died.
//!
//! To **make a kind of contents**, implement [`Contents`] on what the process keeps about it: the
//! [`Words`] it works on, and the [`Room`] to wait in. [`Segment<C>`] then is a handle that can be
//! cloned, travels, and dereferences to `C`.

use std::error::Error;
use std::fmt;
use std::io;
use std::ops::Deref;
use std::sync::{Arc, OnceLock, Weak};
use std::time::Instant;

use brigade_core::wait::{Park, Wake};

use super::atomic::{AtomicU64, Ordering};
use super::bell::{Bell, Sleep};
use super::bridge::{Bridge, WaitAsync};
use super::participants::{MOST, Owner, Participants};
use super::travel::{self, Passed};
use super::watch::{self, Fate, Peers};
use crate::Parker;
use crate::sys::futex_shared;
use crate::sys::memory::{Memory, WORD, Words};
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

/// What is in a segment, on the side of one process.
pub(crate) trait Contents: Sized + Send + Sync + 'static {
    /// Which kind it is, in the header: any number that no other kind has.
    const KIND: u32;
    /// How `/proc/PID/maps` calls it, after "brigade-".
    const NAME: &'static str;

    /// Finds its way in the segment, from [`Room::config`] above all, which must not be trusted.
    /// `None` if it makes no sense.
    fn attach(room: &Arc<Room>) -> Option<Self>;

    /// Takes back what a participant held that is dead, or has left.
    ///
    /// Called by any thread of any survivors, several at once, again after it was completed, and in
    /// part if a survivor dies in it. So it is idempotent, does not wait, and touches only what is
    /// tagged with this very owner: in the compare-and-swap, as its place may have gone to another
    /// process while the caller was stopped. It need not wake anybody: all bells are rung afterwards.
    fn recover(&self, dead: Owner);

    /// Takes back what this process holds when its last handle is dropped: as if it had died, unless the kind
    /// has another opinion.
    fn leave(&self, me: Owner) {
        self.recover(me);
    }
}

/// What a new segment is to be like.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// Processes at a time: from 1 to [`MOST`].
    pub(crate) participants: usize,
    pub(crate) bells: usize,
    /// Bytes of the contents.
    pub(crate) length: usize,
    /// What [`Contents::attach`] finds in [`Room::config`].
    pub(crate) config: [u64; CONFIG],
}

/// Why a segment cannot be used here.
#[derive(Debug)]
pub(crate) enum OpenError {
    /// It does not exist any more: the process that passed it on has dropped it, or has ended.
    Gone,
    /// It is something else than was expected, or from another version of this crate.
    Mismatch,
    /// What it says about itself makes no sense.
    Corrupted,
    /// As many processes use it as it was made for.
    Crowded,
    /// The system refuses.
    System(io::Error),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone => f.write_str(
                "the shared object does not exist any more: whoever passed it on has dropped it or ended",
            ),
            Self::Mismatch => {
                f.write_str("the shared object is of another kind, or of another version of brigade")
            }
            Self::Corrupted => f.write_str("the shared object is corrupted"),
            Self::Crowded => {
                f.write_str("as many processes use the shared object as it was made for")
            }
            Self::System(error) => write!(f, "the shared object cannot be opened: {error}"),
        }
    }
}

impl Error for OpenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::System(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

impl From<OpenError> for io::Error {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::System(error) => error,
            error => Self::other(error),
        }
    }
}

/// A segment with its parts, as the contents see it.
#[derive(Debug)]
pub(crate) struct Room {
    memory: Arc<Memory>,
    participants: Participants,
    /// Where the bells begin.
    bells: usize,
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

/// A word to sleep on in a segment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SharedWord<'a>(&'a std::sync::atomic::AtomicU32);

impl Sleep for SharedWord<'_> {
    type Deadline = Instant;

    fn word(&self) -> &std::sync::atomic::AtomicU32 {
        self.0
    }

    fn sleep(&self, expected: u32, deadline: Option<Instant>) -> Wake {
        futex_shared::wait(self.0, expected, deadline)
    }

    fn wake(&self, sleepers: u32) -> u32 {
        futex_shared::wake(self.0, sleepers)
    }
}

impl Room {
    fn new(memory: Memory, kind: u32) -> Result<Self, OpenError> {
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
        Ok(Self {
            participants: Participants::new(places, epoch),
            bells: plan.bells_at,
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

    /// What the creator has left for [`Contents::attach`]. Do not trust it.
    pub(crate) fn config(&self) -> [u64; CONFIG] {
        self.config
    }

    /// Bytes of the contents: as many as planned, or a few more.
    pub(crate) fn length(&self) -> usize {
        self.memory.length() - self.contents
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
    /// In [`Contents::attach`]: it has not joined yet.
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
        self.bridges.len()
    }

    /// A bell.
    ///
    /// # Panics
    ///
    /// If there is none of this number. [`Contents::attach`] has to see to it that there are
    /// [as many](Self::bells) as it uses.
    #[inline]
    pub(crate) fn bell(&self, number: usize) -> Bell<SharedWord<'_>> {
        assert!(number < self.bridges.len(), "there is no bell {number}");
        let word = self.memory.half_word(self.bells + number * LINE);
        Bell(SharedWord(word.expect("the bells lie before the contents")))
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
        let bell = self.bell(bell);
        loop {
            let key = bell.announce();
            self.ensure_watched();
            if let Some(output) = attempt() {
                return Some(output);
            }
            if bell.sleep(key, deadline) == Wake::TimedOut {
                return attempt();
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
    /// unless somebody has joined.
    #[inline]
    pub(crate) fn ensure_watched(&self) {
        let epoch = self.participants.epoch();
        // ORDERING: Relaxed, also below: whom it speaks of is known to the watch, under its lock.
        if self.watched.load(Ordering::Relaxed) != epoch.wrapping_add(1) {
            self.watch_all(epoch);
        }
    }

    #[cold]
    fn watch_all(&self, epoch: u64) {
        let Some(segment) = self.segment.get().and_then(Weak::upgrade) else {
            return;
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
    }

    fn disturb(&self) {
        for number in 0..self.bridges.len() {
            self.bell(number).disturb();
        }
    }

    /// Takes a place. Those of the dead are free once they are buried.
    fn join(&self) -> Result<(), OpenError> {
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
        if participants == 0 || participants > MOST {
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

/// A handle on a segment with contents of one kind. It can be cloned, and travels: as an argument, a
/// result or an item, to any process of the same user.
pub(crate) struct Segment<C: Contents>(Arc<Joined<C>>);

/// A process's part in a segment.
struct Joined<C: Contents> {
    contents: C,
    room: Arc<Room>,
}

impl<C: Contents> Segment<C> {
    /// Makes a segment. `initialize` writes what is not zero into its contents, before anybody else
    /// can see it.
    ///
    /// # Errors
    ///
    /// The system's; `InvalidInput` if it would be too large or have too many participants.
    pub(crate) fn create(plan: Plan, initialize: impl FnOnce(&C)) -> io::Result<Self> {
        let length = Sizes::new(plan.participants as u64, plan.bells as u64)
            .and_then(|sizes| sizes.contents_at.checked_add(plan.length))
            .ok_or(io::ErrorKind::InvalidInput)?;
        let memory = Memory::create(&format!("brigade-{}", C::NAME), length)?;
        let words = memory.words(0, HEADER / WORD);
        let header = words.ok_or(io::ErrorKind::InvalidInput)?;
        let head = [
            LAYOUT << 32 | u64::from(C::KIND),
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
        let identity = memory.identity();
        let segment = Self::attach(memory, initialize)?;
        travel::enter(identity, &segment.0);
        Ok(segment)
    }

    /// Opens what has come in, or finds it if this process has it already.
    fn open(passed: Passed) -> Result<Self, OpenError> {
        let open = || match Memory::open(passed.open()?) {
            Ok(memory) => Ok(Self::attach(memory, |_| ())?.0),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Err(OpenError::Mismatch),
            Err(error) => Err(error.into()),
        };
        travel::find_or(passed.identity, open).map(Self)
    }

    fn attach(memory: Memory, initialize: impl FnOnce(&C)) -> Result<Self, OpenError> {
        let room = Arc::new(Room::new(memory, C::KIND)?);
        let contents = C::attach(&room).ok_or(OpenError::Corrupted)?;
        initialize(&contents);
        let joined = Arc::new(Joined { contents, room });
        let peers: Weak<dyn Peers> = Arc::downgrade(&(Arc::clone(&joined) as Arc<dyn Peers>));
        joined.room.segment.get_or_init(|| peers.clone());
        watch::segment(peers)?;
        joined.room.join()?;
        Ok(Self(joined))
    }

    /// What the contents wait in.
    #[inline]
    pub(crate) fn room(&self) -> &Arc<Room> {
        &self.0.room
    }

    /// Whether both are handles on the same segment.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<C: Contents> Peers for Joined<C> {
    fn bury(&self, dead: Life) {
        let mut was_here = false;
        for (owner, life) in self.room.participants.iter() {
            if life == dead {
                self.contents.recover(owner);
                self.room.participants.free(owner, life);
                was_here = true;
            }
        }
        // Also if another survivor was faster: it may have died before it came to this.
        if was_here {
            self.room.disturb();
        }
    }
}

impl<C: Contents> Drop for Joined<C> {
    fn drop(&mut self) {
        // Not if it never joined; nor in a child made by `fork`, which does not have the memory.
        let me = self.room.me.get();
        if let Some(&me) = me.filter(|_| std::process::id() == self.room.life.pid) {
            self.contents.leave(me);
            self.room.participants.free(me, self.room.life);
            self.room.disturb();
        }
    }
}

impl<C: Contents> Clone for Segment<C> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<C: Contents> Deref for Segment<C> {
    type Target = C;

    #[inline]
    fn deref(&self) -> &C {
        &self.0.contents
    }
}

impl<C: Contents> fmt::Debug for Segment<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Segment")
            .field("name", &C::NAME)
            .finish_non_exhaustive()
    }
}

impl<C: Contents> serde::Serialize for Segment<C> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let memory = &self.0.room.memory;
        let keep = Arc::clone(&self.0);
        travel::serialize(memory.identity(), memory.descriptor(), keep, serializer)
    }
}

impl<'de, C: Contents> serde::Deserialize<'de> for Segment<C> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let passed = travel::deserialize(deserializer)?;
        Self::open(passed).map_err(serde::de::Error::custom)
    }
}
