//! [`Lock`] and [`Semaphore`]: permits that a manager owns, and that come back when a process dies.

use std::fmt;
use std::time::{Duration, Instant};

use super::super::handshake::Session;
use super::super::protocol::{Id, ToPermits};
use super::{Client, Create, Error, Patience, Proxy, Reply, Request, count, kind, until};

/// A lock that a manager owns: what Python calls `manager.Lock()`.
///
/// Made by [`Client::lock`]. It guards whatever its users agree on. If the process that holds it dies,
/// it is released, and the next holder [is told](Guard::was_abandoned).
///
/// A thread that locks it again while it holds it waits for itself.
///
/// # Where it may be used
///
/// In threads: each operation is a message to the manager and its answer. Not in signal handlers; in a task
/// it blocks the executor's thread. The guard may be dropped in any thread of its process.
///
/// # Errors
///
/// All operations fail if the lock was deleted or the manager is gone.
///
/// # Example
///
/// ```
/// use brigade::Manager;
///
/// let manager = Manager::start()?;
/// let printer = manager.lock()?;
/// let guard = printer.lock()?;
/// assert!(!guard.was_abandoned());
/// assert!(printer.try_lock()?.is_none());
/// drop(guard);
/// assert!(printer.try_lock()?.is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type Lock = Proxy<kind::Lock>;

/// Lets a limited number of holders in at a time, of all processes: what Python calls
/// `manager.BoundedSemaphore()`.
///
/// Made by [`Client::semaphore`]. The permits of a process that dies come back.
///
/// # Where it may be used
///
/// In threads: each operation is a message to the manager and its answer. Not in signal handlers; in a task
/// it blocks the executor's thread. The permit may be dropped in any thread of its process.
///
/// # Errors
///
/// All operations fail if the semaphore was deleted or the manager is gone.
///
/// # Example
///
/// ```
/// use brigade::Manager;
///
/// let manager = Manager::start()?;
/// let seats = manager.semaphore(2)?;
/// let permits = (seats.acquire()?, seats.acquire()?);
/// assert!(seats.try_acquire()?.is_none());
/// drop(permits);
/// assert_eq!(seats.available()?, 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type Semaphore = Proxy<kind::Semaphore>;

/// A [`Lock`] that is held; releases it when dropped.
#[derive(Debug)]
#[must_use = "a guard that is dropped at once holds nothing"]
pub struct Guard(Holding);

/// A permit of a [`Semaphore`]; returns it when dropped.
#[derive(Debug)]
#[must_use = "a permit that is dropped at once holds nothing"]
pub struct Permit(Holding);

impl Client {
    /// A new lock that is free.
    ///
    /// # Errors
    ///
    /// If the manager has as many objects as it may, or is gone.
    pub fn lock(&self) -> Result<Lock, Error> {
        self.make(Create::Lock)
    }

    /// A new semaphore with so many permits.
    ///
    /// # Errors
    ///
    /// If the manager has as many objects as it may, or is gone.
    pub fn semaphore(&self, permits: u32) -> Result<Semaphore, Error> {
        self.make(Create::Semaphore(permits))
    }
}

#[allow(clippy::missing_errors_doc)] // They are said at the type.
impl Lock {
    /// Waits until the lock is free and takes it. Blocks.
    pub fn lock(&self) -> Result<Guard, Error> {
        Holding::acquire(&self.client, self.id, None).map(Guard)
    }

    /// Takes the lock if it is free.
    pub fn try_lock(&self) -> Result<Option<Guard>, Error> {
        self.lock_timeout(Duration::ZERO)
    }

    /// Takes the lock, waiting for so long at most; `None` if it was not free in time. Blocks.
    pub fn lock_timeout(&self, timeout: Duration) -> Result<Option<Guard>, Error> {
        let held = Holding::in_time(&self.client, self.id, Some(timeout))?;
        Ok(held.map(Guard))
    }

    /// Takes the lock, waiting until then at most; `None` if it was not free in time. Blocks.
    pub fn lock_deadline(&self, deadline: Instant) -> Result<Option<Guard>, Error> {
        self.lock_timeout(until(deadline))
    }
}

#[allow(clippy::missing_errors_doc)] // They are said at the type.
impl Semaphore {
    /// Waits until a permit is free and takes it. Blocks.
    pub fn acquire(&self) -> Result<Permit, Error> {
        Holding::acquire(&self.client, self.id, None).map(Permit)
    }

    /// Takes a permit if one is free.
    pub fn try_acquire(&self) -> Result<Option<Permit>, Error> {
        self.acquire_timeout(Duration::ZERO)
    }

    /// Takes a permit, waiting for so long at most; `None` if none was free in time. Blocks.
    pub fn acquire_timeout(&self, timeout: Duration) -> Result<Option<Permit>, Error> {
        let held = Holding::in_time(&self.client, self.id, Some(timeout))?;
        Ok(held.map(Permit))
    }

    /// Takes a permit, waiting until then at most; `None` if none was free in time. Blocks.
    pub fn acquire_deadline(&self, deadline: Instant) -> Result<Option<Permit>, Error> {
        self.acquire_timeout(until(deadline))
    }

    /// How many permits are free.
    pub fn available(&self) -> Result<usize, Error> {
        let request = Request::Permits(self.id, ToPermits::Free);
        self.client.call(&request, count)
    }
}

impl Guard {
    /// Whether a process died that held the lock before: what it guards may be half done. Only the
    /// first holder after that is told.
    #[must_use]
    pub fn was_abandoned(&self) -> bool {
        self.0.abandoned
    }

    /// Releases the lock; dropping the guard does the same and hides the error.
    ///
    /// # Errors
    ///
    /// [`Error::NotHeld`] if the connection was lost since, so that the lock was released then; or the
    /// manager is gone.
    pub fn unlock(self) -> Result<(), Error> {
        self.0.release()
    }
}

impl Permit {
    /// Returns the permit; dropping it does the same and hides the error.
    ///
    /// # Errors
    ///
    /// [`Error::NotHeld`] if the connection was lost since, so that the permit came back then; or the
    /// manager is gone.
    pub fn release(self) -> Result<(), Error> {
        self.0.release()
    }
}

/// A permit of a lock or of a semaphore.
struct Holding {
    client: Client,
    id: Id,
    /// By which it is returned, and to whom; none if it was.
    number: Option<(u64, Session)>,
    abandoned: bool,
}

impl Holding {
    fn acquire(client: &Client, id: Id, patience: Patience) -> Result<Self, Error> {
        let request = Request::Permits(id, ToPermits::Take(patience));
        let ((number, abandoned), session) = client.take(&request, |reply| match reply {
            Reply::Permit(number, abandoned) => Some(Ok((*number, *abandoned))),
            _ => None,
        })?;
        Ok(Self {
            client: client.clone(),
            id,
            number: Some((number, session)),
            abandoned,
        })
    }

    /// `None` if it was not to be had in time.
    fn in_time(client: &Client, id: Id, patience: Patience) -> Result<Option<Self>, Error> {
        match Self::acquire(client, id, patience) {
            Ok(held) => Ok(Some(held)),
            Err(Error::Timeout) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn release(mut self) -> Result<(), Error> {
        self.give_back()
    }

    fn give_back(&mut self) -> Result<(), Error> {
        match self.number.take() {
            Some((number, session)) => {
                let request = Request::Permits(self.id, ToPermits::Return(number));
                self.client.give_back(&request, session)
            }
            None => Ok(()),
        }
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        // Without a connection the manager has taken it back.
        let _ = self.give_back();
    }
}

impl fmt::Debug for Holding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Holding")
            .field("abandoned", &self.abandoned)
            .finish_non_exhaustive()
    }
}
