//! [`JoinCounter`]: wait, among processes, until everything begun is done.
//!
//! One word has the count and a flag, so a process that is killed has counted or has not. Who owes a `done`
//! is nowhere written: work is often begun by one process and done by another. So a death leaves the count as
//! it is, and raises the flag, by which those who wait learn that zero may never come.

use std::error::Error;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use brigade_core::{CountOverflow, TooManyDone};

use super::atomic::{AtomicU64, Ordering};
use super::participants::Owner;
use super::segment::{Contents, PARTICIPANTS, Plan, Room, Segment};
use super::travel::travels;
use crate::sys::memory::{WORD, Words};

/// A process has died since there was nothing to do.
const ABANDONED: u64 = 1;
/// One unit of work.
const ONE: u64 = 2;

/// Counts work that was begun and is not done, in any process, and lets processes wait for zero.
///
/// It is a handle: it can be cloned, and passed to other processes like any argument. What happened
/// before a [`done`](Self::done) is visible to whoever has waited for zero.
///
/// # When a process dies
///
/// If a process that has the counter dies while the count is not zero, whoever waits is told
/// ([`Abandoned`]): it may have been the one to do the work. The count stays as it is. To go on, count what
/// it left as [`done`](Self::done) and call [`mark_clean`](Self::mark_clean). At zero all is in order again
/// by itself. Dropping the handles before the end of the process is no death.
///
/// A death is noticed a moment after it has happened. If the count was zero then and is not any more, those
/// who wait are told as well.
///
/// # Progress
///
/// [`add`](Self::add), [`done`](Self::done) and [`count`](Self::count) are lock-free and never wait; they may
/// be called in signal handlers. What waits is blocking.
///
/// # At the bound
///
/// The count neither wraps around nor goes below zero: both are errors and change nothing.
///
/// # Example
///
/// ```
/// use brigade::shared::JoinCounter;
///
/// let running = JoinCounter::new()?;
/// running.add(2).unwrap();
/// for _ in 0..2 {
///     let running = running.clone(); // or passed to another process
///     std::thread::spawn(move || running.done().unwrap());
/// }
/// running.wait()?;
/// assert!(running.done().is_err(), "one too many");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct JoinCounter(Segment<Count>);

travels!(JoinCounter);

/// A process died while there was something left to do. The count may never become zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Abandoned {
    /// What was left at that moment.
    pub count: u32,
}

impl fmt::Display for Abandoned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count } = self;
        write!(
            f,
            "a process died while {count} units of work were not done"
        )
    }
}

impl Error for Abandoned {}

/// The contents.
struct Count {
    word: Words,
    room: Arc<Room>,
}

impl Contents for Count {
    const KIND: u32 = 5;
    const NAME: &'static str = "join-counter";

    fn attach(room: &Arc<Room>) -> Option<Self> {
        Some(Self {
            word: room.words(0, 1).filter(|_| room.bells() == 1)?,
            room: Arc::clone(room),
        })
    }

    fn recover(&self, _dead: Owner) {
        // ORDERING: Relaxed: it speaks of the count, in the same word.
        let _ = self.word[0].fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| {
            (word >= ONE).then_some(word | ABANDONED)
        });
    }

    fn leave(&self, _me: Owner) {}
}

impl JoinCounter {
    /// A count of zero.
    ///
    /// # Errors
    ///
    /// The system's: there is no memory, or there are too many files open.
    pub fn new() -> io::Result<Self> {
        let plan = Plan {
            participants: PARTICIPANTS,
            bells: 1,
            length: WORD,
            config: [0; 8],
        };
        Segment::create(plan, |_| ()).map(Self)
    }

    fn word(&self) -> &AtomicU64 {
        &self.0.word[0]
    }

    /// Counts `more` units of work as begun. Progress: lock-free.
    ///
    /// # Errors
    ///
    /// [`CountOverflow`] if the count would exceed `u32::MAX`; it stays as it was.
    pub fn add(&self, more: u32) -> Result<(), CountOverflow> {
        // ORDERING: Relaxed: beginning work publishes nothing; as a read-modify-write it keeps the chain of
        // the `done`s intact.
        self.word()
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |word| {
                let next = word.checked_add(u64::from(more) * ONE)?;
                u32::try_from(next / ONE).is_ok().then_some(next)
            })
            .map(drop)
            .map_err(|_| CountOverflow)
    }

    /// Counts one unit of work as done; the last one wakes all who wait. Progress: lock-free.
    ///
    /// # Errors
    ///
    /// [`TooManyDone`] if the count is zero; it stays zero.
    pub fn done(&self) -> Result<(), TooManyDone> {
        // ORDERING: Release hands our work to the waiter, through the later `done`s if there are any.
        let before = self
            .word()
            .fetch_update(Ordering::Release, Ordering::Relaxed, |word| {
                let next = word.checked_sub(ONE)?;
                Some(if next < ONE { 0 } else { next })
            })
            .map_err(|_| TooManyDone)?;
        if before / ONE == 1 {
            self.0.room.ring(0, u32::MAX);
        }
        Ok(())
    }

    /// How much is begun and not done. Old news as soon as it is read, unless it is zero and nobody adds.
    #[must_use]
    pub fn count(&self) -> u32 {
        // ORDERING: Acquire pairs with `done`, so that a zero means what it says.
        count_in(self.word().load(Ordering::Acquire))
    }

    /// Goes on waiting although a process died: those who wait next are not told of it any more.
    ///
    /// Count what it has left undone as [`done`](Self::done) first.
    pub fn mark_clean(&self) {
        // ORDERING: Relaxed: it speaks of the count, in the same word.
        self.word().fetch_and(!ABANDONED, Ordering::Relaxed);
    }

    /// Waits until the count is zero; returns at once if it is. Blocks.
    ///
    /// A zero that does not last may go by unnoticed.
    ///
    /// # Errors
    ///
    /// [`Abandoned`] if a process has died and the count is not zero.
    pub fn wait(&self) -> Result<(), Abandoned> {
        self.wait_until(None).map(drop)
    }

    /// Waits until the count is zero or the time is up; says whether it was zero. Blocks, for `timeout` at
    /// most.
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait).
    pub fn wait_timeout(&self, timeout: Duration) -> Result<bool, Abandoned> {
        // Too far for the clock is for ever.
        self.wait_until(Instant::now().checked_add(timeout))
    }

    /// Waits until the count is zero or the deadline has passed; says whether it was zero. Blocks, until
    /// `deadline` at most.
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait).
    pub fn wait_deadline(&self, deadline: Instant) -> Result<bool, Abandoned> {
        self.wait_until(Some(deadline))
    }

    /// Waits until the count is zero. Cancel-safe. A thread of this process sleeps for the task.
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait).
    pub fn wait_async(&self) -> impl Future<Output = Result<(), Abandoned>> + Send + use<> {
        let waiting = self.clone();
        self.0.room.wait_async(0, move || waiting.attempt())
    }

    fn wait_until(&self, deadline: Option<Instant>) -> Result<bool, Abandoned> {
        let waited = self.0.room.wait(0, deadline, || self.attempt());
        waited.map_or(Ok(false), |zero| zero.map(|()| true))
    }

    fn attempt(&self) -> Option<Result<(), Abandoned>> {
        // ORDERING: Acquire pairs with `done`.
        let word = self.word().load(Ordering::Acquire);
        let count = count_in(word);
        if count == 0 {
            Some(Ok(()))
        } else {
            (word & ABANDONED != 0).then_some(Err(Abandoned { count }))
        }
    }
}

/// A count that nobody could have made is as good as the largest.
fn count_in(word: u64) -> u32 {
    u32::try_from(word / ONE).unwrap_or(u32::MAX)
}

impl fmt::Debug for JoinCounter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinCounter")
            .field("count", &self.count())
            .finish_non_exhaustive()
    }
}
