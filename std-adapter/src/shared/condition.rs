//! [`Condition`]: to wait, without a lock, until somebody has changed what it protects.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use brigade_core::wait::Wake;

use super::lock::LockGuard;
use super::lock_error::LockResult;
use super::participants::Owner;
use super::segment::{Contents, PARTICIPANTS, Plan, Room, Segment};
use super::travel::travels;
use crate::sys::plain::Plain;

/// Lets who holds a [`Lock`](super::Lock) wait for a change of what it protects: what Python calls
/// `multiprocessing.Condition`.
///
/// It is a handle: it can be cloned, and passed to other processes beside the lock. A wait may end
/// without a reason; so wait in a loop, or by [`wait_while`](Self::wait_while).
///
/// # When a process dies
///
/// If a process dies that was to notify, or was notified instead of another, all who wait are woken and look
/// again. If it died with the lock, who takes the lock next is told, also at the end of a wait.
///
/// # Example
///
/// ```
/// use brigade::shared::{Condition, Lock};
///
/// let (jobs, changed) = (Lock::new(0_u32)?, Condition::new()?);
/// let (their_jobs, their_changed) = (jobs.clone(), changed.clone()); // or passed to another process
/// let worker = std::thread::spawn(move || {
///     let jobs = their_jobs.lock().unwrap();
///     let mut jobs = their_changed.wait_while(jobs, |jobs| *jobs == 0).unwrap();
///     *jobs -= 1;
/// });
/// *jobs.lock().unwrap() += 1;
/// changed.notify_one();
/// worker.join().unwrap();
/// assert_eq!(*jobs.lock().unwrap(), 0);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct Condition(Segment<Waiters>);

travels!(Condition);

/// The contents: nothing but the bell.
struct Waiters(Arc<Room>);

impl Contents for Waiters {
    const KIND: u32 = 4;
    const NAME: &'static str = "condition";

    fn attach(room: &Arc<Room>) -> Option<Self> {
        (room.bells() == 1).then(|| Self(Arc::clone(room)))
    }

    fn recover(&self, _dead: Owner) {}
}

impl Condition {
    /// A condition that nobody waits for.
    ///
    /// # Errors
    ///
    /// The system's: there is no memory, or there are too many files open.
    pub fn new() -> io::Result<Self> {
        let plan = Plan {
            participants: PARTICIPANTS,
            bells: 1,
            length: 0,
            config: [0; 8],
        };
        Segment::create(plan, |_| ()).map(Self)
    }

    /// Gives the lock back, waits to be notified, and takes the lock again. May end without a reason.
    /// Blocks.
    ///
    /// A change of the value is put back before. Who notifies after it could take the lock has this
    /// call among those who wait.
    ///
    /// # Errors
    ///
    /// [`OwnerDied`](super::LockError::OwnerDied), with the guard, as at [`Lock::lock`](super::Lock::lock).
    pub fn wait<'a, T: Plain>(&self, guard: LockGuard<'a, T>) -> LockResult<LockGuard<'a, T>> {
        self.wait_until(guard, None).1
    }

    /// As [`wait`](Self::wait), but for `timeout` at most, and then for the lock; says whether the wait
    /// ended before.
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait).
    pub fn wait_timeout<'a, T: Plain>(
        &self,
        guard: LockGuard<'a, T>,
        timeout: Duration,
    ) -> LockResult<(LockGuard<'a, T>, bool)> {
        // Too far for the clock is for ever.
        let (wake, guard) = self.wait_until(guard, Instant::now().checked_add(timeout));
        let in_time = |guard| (guard, wake == Wake::Woken);
        guard.map(in_time).map_err(|error| error.map(in_time))
    }

    /// As [`wait_timeout`](Self::wait_timeout), until `deadline` at most.
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait).
    pub fn wait_deadline<'a, T: Plain>(
        &self,
        guard: LockGuard<'a, T>,
        deadline: Instant,
    ) -> LockResult<(LockGuard<'a, T>, bool)> {
        let (wake, guard) = self.wait_until(guard, Some(deadline));
        let in_time = |guard| (guard, wake == Wake::Woken);
        guard.map(in_time).map_err(|error| error.map(in_time))
    }

    /// Waits, again and again, while the value is so. Returns at once if it is not. Blocks.
    ///
    /// # Errors
    ///
    /// As [`wait`](Self::wait), at once, whatever the value is.
    pub fn wait_while<'a, T: Plain>(
        &self,
        mut guard: LockGuard<'a, T>,
        mut so: impl FnMut(&T) -> bool,
    ) -> LockResult<LockGuard<'a, T>> {
        while so(&guard) {
            guard = self.wait(guard)?;
        }
        Ok(guard)
    }

    /// Wakes one of those who wait. Progress: lock-free.
    pub fn notify_one(&self) {
        self.0.0.ring(0, 1);
    }

    /// Wakes all who wait. Progress: lock-free.
    pub fn notify_all(&self) {
        self.0.0.ring(0, u32::MAX);
    }

    fn wait_until<'a, T: Plain>(
        &self,
        guard: LockGuard<'a, T>,
        deadline: Option<Instant>,
    ) -> (Wake, LockResult<LockGuard<'a, T>>) {
        let room = &self.0.0;
        let key = room.bell(0).announce();
        // A death before this is found here, one after it disturbs the bell.
        room.ensure_watched();
        let lock = guard.lock();
        drop(guard);
        let wake = room.sleep(0, key, deadline);
        (wake, lock.lock())
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condition").finish_non_exhaustive()
    }
}
