//! [`RLock`]: a lock that its holder may take again.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use super::lock_error::{LockError, LockResult, LockTimeoutError, TryLockError};
use super::participants::Owner;
use super::raw_lock::{RawLock, Taken};
use super::segment::{Contents, PARTICIPANTS, Plan, Room, Segment};
use super::travel::travels;
use crate::sys::memory::WORD;

/// Lets one thread of all processes in at a time, as often as it likes: what Python calls
/// `multiprocessing.RLock`.
///
/// It is for what is elsewhere, and has no value: with two guards of one thread there would be two to change
/// it. Otherwise it is as [`Lock`](super::Lock), also when a process dies.
///
/// # Example
///
/// ```
/// use brigade::shared::RLock;
///
/// let lock = RLock::new()?;
/// let outer = lock.lock().unwrap();
/// let inner = lock.lock().unwrap();
/// drop((outer, inner)); // now others can
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct RLock(Segment<Bare>);

travels!(RLock);

/// The contents: a lock.
pub(crate) struct Bare(RawLock);

impl Contents for Bare {
    const KIND: u32 = 3;
    const NAME: &'static str = "rlock";

    fn attach(room: &Arc<Room>) -> Option<Self> {
        RawLock::attach(room, 0, 0).map(Self)
    }

    fn recover(&self, dead: Owner) {
        self.0.recover(dead);
    }
}

impl RLock {
    /// A lock that nobody holds.
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

    fn raw(&self) -> &RawLock {
        &self.0.0
    }

    /// Takes the lock, waiting until no other thread holds it. Blocks.
    ///
    /// # Errors
    ///
    /// [`OwnerDied`](LockError::OwnerDied), with the guard, if a process died with the lock;
    /// [`HeldByThisThread`](LockError::HeldByThisThread) if this thread holds it two million times already.
    pub fn lock(&self) -> LockResult<Held<'_>> {
        loop {
            // Without a deadline it does not give up.
            if let Some(taken) = self.raw().take(None) {
                return self.guard(taken);
            }
        }
    }

    /// Takes the lock if no other thread holds it. Progress: lock-free.
    ///
    /// # Errors
    ///
    /// [`Locked`](TryLockError::Locked) if one does; otherwise as [`lock`](Self::lock).
    pub fn try_lock(&self) -> Result<Held<'_>, TryLockError<Held<'_>>> {
        let taken = self.raw().try_take().ok_or(TryLockError::Locked)?;
        Ok(self.guard(taken)?)
    }

    /// Takes the lock, waiting until no other thread holds it or the time is up. Blocks, for `timeout` at
    /// most.
    ///
    /// # Errors
    ///
    /// [`Timeout`](LockTimeoutError::Timeout) if the time is up; otherwise as [`lock`](Self::lock).
    pub fn lock_timeout(&self, timeout: Duration) -> Result<Held<'_>, LockTimeoutError<Held<'_>>> {
        // Too far for the clock is for ever.
        self.lock_until(Instant::now().checked_add(timeout))
    }

    /// Takes the lock, waiting until no other thread holds it or the deadline has passed. Blocks, until
    /// `deadline` at most.
    ///
    /// # Errors
    ///
    /// As [`lock_timeout`](Self::lock_timeout).
    pub fn lock_deadline(&self, deadline: Instant) -> Result<Held<'_>, LockTimeoutError<Held<'_>>> {
        self.lock_until(Some(deadline))
    }

    fn lock_until(
        &self,
        deadline: Option<Instant>,
    ) -> Result<Held<'_>, LockTimeoutError<Held<'_>>> {
        let taken = self.raw().take(deadline);
        Ok(self.guard(taken.ok_or(LockTimeoutError::Timeout)?)?)
    }

    fn guard(&self, taken: Taken) -> LockResult<Held<'_>> {
        if taken == Taken::Mine && !self.raw().take_again() {
            return Err(LockError::HeldByThisThread);
        }
        Held::new(self.raw(), taken)
    }
}

impl fmt::Debug for RLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RLock")
            .field("abandoned", &self.raw().is_abandoned())
            .finish_non_exhaustive()
    }
}

/// A lock without a value that is held; gives it back when dropped.
#[must_use = "dropping the guard gives the lock back"]
pub struct Held<'a> {
    lock: &'a RawLock,
    /// It stays on its thread, as the holder is one.
    thread: PhantomData<MutexGuard<'a, ()>>,
}

impl<'a> Held<'a> {
    /// For who has taken the lock.
    pub(crate) fn new(lock: &'a RawLock, taken: Taken) -> LockResult<Self> {
        let held = Self {
            lock,
            thread: PhantomData,
        };
        match taken {
            Taken::Abandoned => Err(LockError::OwnerDied(held)),
            Taken::Clean | Taken::Mine => Ok(held),
        }
    }

    /// The same, but who holds it already has not taken it again.
    pub(crate) fn new_once(lock: &'a RawLock, taken: Taken) -> LockResult<Self> {
        if taken == Taken::Mine {
            return Err(LockError::HeldByThisThread);
        }
        Self::new(lock, taken)
    }

    /// Says that what a dead holder left is in order: the next ones are not told any more.
    pub fn mark_clean(&self) {
        self.lock.mark_clean();
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.lock.release();
    }
}

impl fmt::Debug for Held<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").finish_non_exhaustive()
    }
}
