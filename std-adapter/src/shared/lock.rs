//! [`Lock`]: mutual exclusion between processes, with a value.

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use super::cell::Cell;
use super::lock_error::{LockError, LockResult, LockTimeoutError, TryLockError};
use super::participants::Owner;
use super::raw_lock::{RawLock, Taken};
use super::segment::{Contents, PARTICIPANTS, Plan, Room, Segment};
use super::travel;
use crate::sys::memory::WORD;
use crate::sys::plain::Plain;

/// Lets one thread of all processes in at a time, to a value: what Python calls `multiprocessing.Lock`.
///
/// `Lock<()>` is a lock without a value, for what is elsewhere. It is a handle: it can be cloned, and passed
/// to other processes like any argument.
///
/// The value is plain data. A guard works on a copy and puts it back when it is dropped, as a whole:
/// nobody ever sees half a change.
///
/// # When a process dies
///
/// The lock of a holder that has died goes to the next, with the news: [`LockError::OwnerDied`] has
/// the guard. The value is what it was before the dead one took the lock, or what its guard has put
/// back. Everyone is told until one calls [`mark_clean`](LockGuard::mark_clean). A holder that was
/// merely stopped keeps the lock; it is not taken away from anybody who lives.
///
/// A guard that is dropped by a panic does not put its value back.
///
/// # Progress
///
/// Blocking, but for [`try_lock`](Self::try_lock). Who comes along may be faster than who waits. Not for
/// signal handlers: the thread below may hold it.
///
/// # Example
///
/// ```
/// use brigade::shared::Lock;
///
/// let total = Lock::new(0_u64)?;
/// *total.lock().unwrap() += 5; // here, or in a process that it was passed to
/// assert_eq!(*total.lock().unwrap(), 5);
///
/// let guard = total.lock().unwrap();
/// assert!(total.lock().is_err(), "this thread would wait for itself");
/// # drop(guard);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Lock<T: Plain = ()> {
    segment: Segment<Locked>,
    value: PhantomData<fn() -> T>,
}

/// The contents: the lock, then the value.
pub(crate) struct Locked {
    pub(crate) lock: RawLock,
    pub(crate) cell: Cell,
}

impl Contents for Locked {
    const KIND: u32 = 2;
    const NAME: &'static str = "lock";

    fn attach(room: &Arc<Room>) -> Option<Self> {
        Some(Self {
            lock: RawLock::attach(room, 0, 0)?,
            cell: Cell::attach(room, WORD, room.config()[0])?,
        })
    }

    fn recover(&self, dead: Owner) {
        self.lock.recover(dead);
    }
}

impl Locked {
    /// A segment with a lock and a value.
    pub(crate) fn create<T: Plain>(value: T) -> io::Result<Segment<Self>> {
        let plan = Plan {
            participants: PARTICIPANTS,
            bells: 1,
            length: WORD + Cell::length(size_of::<T>()),
            config: [size_of::<T>() as u64, 0, 0, 0, 0, 0, 0, 0],
        };
        Segment::create(plan, |locked: &Self| locked.cell.write(&value))
    }

    /// One that has come in, if its value is of this type.
    pub(crate) fn deserialize<'de, T: Plain, D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Segment<Self>, D::Error> {
        let segment: Segment<Self> = serde::Deserialize::deserialize(deserializer)?;
        if segment.cell.fits::<T>() {
            Ok(segment)
        } else {
            let what = "the shared value is of another type";
            Err(travel::refuse(what))
        }
    }
}

impl<T: Plain> Lock<T> {
    /// A lock that nobody holds, with this value.
    ///
    /// # Errors
    ///
    /// The system's: there is no memory, or there are too many files open.
    pub fn new(value: T) -> io::Result<Self> {
        Ok(Self {
            segment: Locked::create(value)?,
            value: PhantomData,
        })
    }

    /// Takes the lock, waiting until it is free. Blocks.
    ///
    /// # Errors
    ///
    /// [`OwnerDied`](LockError::OwnerDied), with the guard, if a process died with the lock;
    /// [`HeldByThisThread`](LockError::HeldByThisThread) instead of waiting for ever.
    pub fn lock(&self) -> LockResult<LockGuard<'_, T>> {
        loop {
            // Without a deadline it does not give up.
            if let Some(taken) = self.segment.lock.take(None) {
                return self.guard(taken);
            }
        }
    }

    /// Takes the lock if it is free. Progress: lock-free.
    ///
    /// # Errors
    ///
    /// [`Locked`](TryLockError::Locked) if it is not; otherwise as [`lock`](Self::lock).
    pub fn try_lock(&self) -> Result<LockGuard<'_, T>, TryLockError<LockGuard<'_, T>>> {
        let taken = self.segment.lock.try_take();
        Ok(self.guard(taken.ok_or(TryLockError::Locked)?)?)
    }

    /// Takes the lock, waiting until it is free or the time is up. Blocks, for `timeout` at most.
    ///
    /// # Errors
    ///
    /// [`Timeout`](LockTimeoutError::Timeout) if the time is up; otherwise as [`lock`](Self::lock).
    pub fn lock_timeout(
        &self,
        timeout: Duration,
    ) -> Result<LockGuard<'_, T>, LockTimeoutError<LockGuard<'_, T>>> {
        // Too far for the clock is for ever.
        self.lock_until(Instant::now().checked_add(timeout))
    }

    /// Takes the lock, waiting until it is free or the deadline has passed. Blocks, until `deadline` at
    /// most.
    ///
    /// # Errors
    ///
    /// As [`lock_timeout`](Self::lock_timeout).
    pub fn lock_deadline(
        &self,
        deadline: Instant,
    ) -> Result<LockGuard<'_, T>, LockTimeoutError<LockGuard<'_, T>>> {
        self.lock_until(Some(deadline))
    }

    fn lock_until(
        &self,
        deadline: Option<Instant>,
    ) -> Result<LockGuard<'_, T>, LockTimeoutError<LockGuard<'_, T>>> {
        let taken = self.segment.lock.take(deadline);
        Ok(self.guard(taken.ok_or(LockTimeoutError::Timeout)?)?)
    }

    /// Whether a process died with the lock and nobody has called `mark_clean` since. Old news as soon as it
    /// is read.
    #[must_use]
    pub fn is_abandoned(&self) -> bool {
        self.segment.lock.is_abandoned()
    }

    fn guard(&self, taken: Taken) -> LockResult<LockGuard<'_, T>> {
        if taken == Taken::Mine {
            return Err(LockError::HeldByThisThread);
        }
        let guard = LockGuard {
            lock: self,
            value: self.segment.cell.read(),
            changed: false,
            panicking: thread::panicking(),
            thread: PhantomData,
        };
        match taken {
            Taken::Abandoned => Err(LockError::OwnerDied(guard)),
            _ => Ok(guard),
        }
    }
}

/// A [`Lock`] that is held; gives it back when dropped.
#[must_use = "dropping the guard gives the lock back"]
pub struct LockGuard<'a, T: Plain = ()> {
    lock: &'a Lock<T>,
    value: T,
    /// Whether the value may have to be put back.
    changed: bool,
    /// Whether the thread was panicking before.
    panicking: bool,
    /// It stays on its thread, as the holder is one.
    thread: PhantomData<MutexGuard<'a, ()>>,
}

impl<'a, T: Plain> LockGuard<'a, T> {
    /// Says that what a dead holder left is in order: the next ones are not told any more.
    pub fn mark_clean(&self) {
        self.lock.segment.lock.mark_clean();
    }

    pub(crate) fn lock(&self) -> &'a Lock<T> {
        self.lock
    }
}

impl<T: Plain> Deref for LockGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: Plain> DerefMut for LockGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.changed = true;
        &mut self.value
    }
}

impl<T: Plain> Drop for LockGuard<'_, T> {
    fn drop(&mut self) {
        let segment = &self.lock.segment;
        if self.changed && (self.panicking || !thread::panicking()) {
            segment.cell.write(&self.value);
        }
        segment.lock.release();
    }
}

impl<T: Plain + fmt::Debug> fmt::Debug for LockGuard<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LockGuard").field(&self.value).finish()
    }
}

impl<T: Plain> Clone for Lock<T> {
    fn clone(&self) -> Self {
        Self {
            segment: self.segment.clone(),
            value: PhantomData,
        }
    }
}

impl<T: Plain> fmt::Debug for Lock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock")
            .field("abandoned", &self.is_abandoned())
            .finish_non_exhaustive()
    }
}

impl<T: Plain> serde::Serialize for Lock<T> {
    /// Writes a reference. Whoever reads it has the same lock, as long as this process has.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.segment.serialize(serializer)
    }
}

impl<'de, T: Plain> serde::Deserialize<'de> for Lock<T> {
    /// Reads a reference, to a lock of another process or of this one. Fails if its value is not of the size of
    /// `T`; more is not known of its type.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self {
            segment: Locked::deserialize::<T, D>(deserializer)?,
            value: PhantomData,
        })
    }
}
