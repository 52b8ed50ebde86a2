//! [`Barrier`]: processes that wait until all have arrived.
//!
//! ```text
//!     63        39 38            17   16       15         0
//!     +-----------+----------------+--------+-----------+
//!     | phase     | broken before  | BROKEN | arrived   |
//!     +-----------+----------------+--------+-----------+
//! ```
//!
//! A phase ends when all have arrived, or when it breaks. Who waits sees that its phase is over, and in the
//! history, which has a bit for each of the last 22 phases, how it ended. One word has all of it, so a
//! process that is killed has arrived or has not; and as its death breaks the barrier, it does not
//! matter which.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::atomic::{AtomicU64, Ordering};
use super::participants::Owner;
use super::segment::{Contents, PARTICIPANTS, Plan, Room, Segment};
use super::travel::travels;
use crate::sys::memory::{WORD, Words};

const ARRIVED: u64 = 0xffff;
/// Nobody can arrive.
const BROKEN: u64 = 1 << 16;
const HISTORY_SHIFT: u32 = 17;
const HISTORY_BITS: u32 = 22;
const HISTORY: u64 = (1 << HISTORY_BITS) - 1;
const PHASE_SHIFT: u32 = HISTORY_SHIFT + HISTORY_BITS;
const PHASES: u64 = 1 << (u64::BITS - PHASE_SHIFT);

/// Has a fixed number of threads, of any processes, wait until all of them have arrived: what Python calls
/// `multiprocessing.Barrier`.
///
/// It is a handle: it can be cloned, and passed to other processes like any argument. What each did before it
/// arrived is visible to all who go on. Then it can be used again.
///
/// Who gives up for lack of time has not arrived; that does not break the barrier.
///
/// # When a process dies
///
/// If a process that has the barrier dies, the barrier is broken: all who wait, and all who come later, are told
/// ([`BrokenBarrier`]), as they might wait for ever. [`reset`](Self::reset) makes it whole. Dropping the
/// handles before the end of the process is no death.
///
/// # Progress
///
/// What waits is blocking, by its nature; the others are lock-free.
///
/// # Wrap-around
///
/// Phases are counted modulo 2^25, and how they ended is remembered for 22: a thread that is kept from running
/// for longer, which takes more threads than parties, may be told that a broken one was none.
///
/// # Example
///
/// ```
/// use brigade::shared::Barrier;
///
/// let ready = Barrier::new(2)?;
/// let theirs = ready.clone(); // or passed to another process
/// let other = std::thread::spawn(move || theirs.wait().unwrap().is_leader());
/// let here = ready.wait()?.is_leader();
/// assert_ne!(here, other.join().unwrap());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Barrier(Segment<Phases>);

travels!(Barrier);

/// All have arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    leader: bool,
}

impl Arrival {
    /// Whether the caller arrived last: true for exactly one of those who go on together.
    #[must_use]
    pub fn is_leader(self) -> bool {
        self.leader
    }
}

/// A process that has the barrier died, or the barrier was reset while this one waited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct BrokenBarrier;

impl fmt::Display for BrokenBarrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the barrier is broken: a process that has it died, or it was reset")
    }
}

impl Error for BrokenBarrier {}

/// The contents.
struct Phases {
    word: Words,
    parties: u16,
    room: Arc<Room>,
}

impl Contents for Phases {
    const KIND: u32 = 7;
    const NAME: &'static str = "barrier";

    fn attach(room: &Arc<Room>) -> Option<Self> {
        let parties = u16::try_from(room.config()[0]).ok()?;
        Some(Self {
            word: room.words(0, 1).filter(|_| room.bells() == 1)?,
            parties: (parties > 0).then_some(parties)?,
            room: Arc::clone(room),
        })
    }

    fn recover(&self, _dead: Owner) {
        self.end_phase(|word| (word & BROKEN == 0).then_some(BROKEN));
    }

    fn leave(&self, _me: Owner) {}
}

impl Phases {
    /// Ends the phase as a broken one, and leaves the flag as it is told.
    fn end_phase(&self, flag: impl Fn(u64) -> Option<u64>) {
        // ORDERING: Relaxed: nothing is handed over in a broken phase.
        let _ = self.word[0].fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| {
            Some(next(word, 1) | flag(word)?)
        });
    }
}

/// The phase after the one of this word, with nobody there.
fn next(word: u64, broken: u64) -> u64 {
    let phase = (phase(word) + 1) % PHASES;
    let history = (word >> HISTORY_SHIFT << 1 | broken) & HISTORY;
    phase << PHASE_SHIFT | history << HISTORY_SHIFT
}

fn phase(word: u64) -> u64 {
    word >> PHASE_SHIFT
}

/// How a phase ended, if it has.
fn end_of(begun: u64, word: u64) -> Option<Result<(), BrokenBarrier>> {
    let since = (phase(word).wrapping_sub(begun)) % PHASES;
    let ago = since.checked_sub(1)?;
    let broken = ago < u64::from(HISTORY_BITS) && word >> HISTORY_SHIFT >> ago & 1 == 1;
    Some(if broken { Err(BrokenBarrier) } else { Ok(()) })
}

impl Barrier {
    /// A barrier for this many threads.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if `parties` is 0; otherwise the system's: there is no memory, or there are too
    /// many files open.
    pub fn new(parties: u16) -> io::Result<Self> {
        if parties == 0 {
            let what = "a barrier is for one thread at least";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        }
        let plan = Plan {
            participants: PARTICIPANTS,
            bells: 1,
            length: WORD,
            config: [u64::from(parties), 0, 0, 0, 0, 0, 0, 0],
        };
        Segment::create(plan, |_| ()).map(Self)
    }

    fn word(&self) -> &AtomicU64 {
        &self.0.word[0]
    }

    /// Arrives, and waits until all have. Blocks.
    ///
    /// # Errors
    ///
    /// [`BrokenBarrier`] if a process that has it died.
    pub fn wait(&self) -> Result<Arrival, BrokenBarrier> {
        loop {
            // Without a deadline it does not give up.
            if let Some(arrival) = self.wait_until(None)? {
                return Ok(arrival);
            }
        }
    }

    /// Arrives, and waits until all have, or withdraws when the time is up and returns `None`. Blocks, for
    /// `timeout` at most.
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait).
    pub fn wait_timeout(&self, timeout: Duration) -> Result<Option<Arrival>, BrokenBarrier> {
        // Too far for the clock is for ever.
        self.wait_until(Instant::now().checked_add(timeout))
    }

    /// Arrives, and waits until all have, or withdraws when the deadline has passed and returns `None`. Blocks,
    /// until `deadline` at most.
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait).
    pub fn wait_deadline(&self, deadline: Instant) -> Result<Option<Arrival>, BrokenBarrier> {
        self.wait_until(Some(deadline))
    }

    /// Makes a broken barrier whole. Those who wait at one that is not broken are told that it was.
    pub fn reset(&self) {
        // ORDERING: Relaxed: nothing is handed over.
        let _ = self
            .word()
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| {
                if word & BROKEN != 0 {
                    Some(word & !BROKEN)
                } else {
                    (word & ARRIVED > 0).then(|| next(word, 1))
                }
            });
        self.0.room.ring(0, u32::MAX);
    }

    /// Whether nobody can arrive until it is [`reset`](Self::reset). Old news as soon as it is read.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        // ORDERING: Relaxed: no promise about anything else.
        self.word().load(Ordering::Relaxed) & BROKEN != 0
    }

    /// How many have arrived and wait for the others. Old news as soon as it is read.
    #[must_use]
    pub fn arrived(&self) -> u32 {
        // ORDERING: Relaxed: a number, and no promise about what they did.
        let arrived = self.word().load(Ordering::Relaxed) & ARRIVED;
        u32::try_from(arrived).unwrap_or(u32::MAX)
    }

    /// How many it takes.
    #[must_use]
    pub fn parties(&self) -> u16 {
        self.0.parties
    }

    fn wait_until(&self, deadline: Option<Instant>) -> Result<Option<Arrival>, BrokenBarrier> {
        let parties = u64::from(self.0.parties);
        // ORDERING: Release hands over what we did before, through all later arrivals to the last, whose
        // Acquire collects it and whose Release shows it to all who see the next phase.
        let before = self
            .word()
            .fetch_update(Ordering::AcqRel, Ordering::Relaxed, |word| {
                let last = (word & ARRIVED) + 1 >= parties;
                let arrived = if last { next(word, 0) } else { word + 1 };
                (word & BROKEN == 0).then_some(arrived)
            })
            .map_err(|_| BrokenBarrier)?;
        if (before & ARRIVED) + 1 >= parties {
            self.0.room.ring(0, u32::MAX);
            return Ok(Some(Arrival { leader: true }));
        }
        let begun = phase(before);
        // ORDERING: Acquire pairs with the last arrival.
        let over = || end_of(begun, self.word().load(Ordering::Acquire));
        let ended = self.0.room.wait(0, deadline, over);
        let ended = ended.map_or_else(|| self.withdraw(begun), Some);
        let arrival = Arrival { leader: false };
        ended.map(|end| end.map(|()| arrival)).transpose()
    }

    /// Takes back an arrival, unless it is too late for that.
    fn withdraw(&self, begun: u64) -> Option<Result<(), BrokenBarrier>> {
        // ORDERING: Relaxed: a read-modify-write keeps the chain of arrivals, and we take no part in
        // it. Acquire on failure pairs with the last arrival.
        let withdrawn = self
            .word()
            .fetch_update(Ordering::Relaxed, Ordering::Acquire, |word| {
                (phase(word) == begun && word & ARRIVED > 0).then(|| word - 1)
            });
        withdrawn.err().and_then(|word| end_of(begun, word))
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier")
            .field("arrived", &self.arrived())
            .field("parties", &self.parties())
            .finish_non_exhaustive()
    }
}
