//! What a lock says instead of simply being locked.

use std::error::Error;
use std::fmt;

/// What a lock says with its guard, or instead of it.
#[derive(Debug)]
#[non_exhaustive]
pub enum LockError<G> {
    /// The lock is held now, here is its guard. But a process died with it before, so what it protects may
    /// be in the middle of a change. Everyone who takes it is told, until one has called `mark_clean`.
    OwnerDied(G),
    /// The calling thread holds the lock already, and would wait for itself.
    HeldByThisThread,
}

/// The guard of a lock, or what the lock says instead.
pub type LockResult<G> = Result<G, LockError<G>>;

/// What a lock says that is not waited for.
#[derive(Debug)]
#[non_exhaustive]
pub enum TryLockError<G> {
    /// Somebody holds it.
    Locked,
    /// As [`LockError::OwnerDied`].
    OwnerDied(G),
    /// As [`LockError::HeldByThisThread`].
    HeldByThisThread,
}

/// What a lock says that is waited for as long as there is time.
#[derive(Debug)]
#[non_exhaustive]
pub enum LockTimeoutError<G> {
    /// Somebody has held it all the time.
    Timeout,
    /// As [`LockError::OwnerDied`].
    OwnerDied(G),
    /// As [`LockError::HeldByThisThread`].
    HeldByThisThread,
}

const OWNER_DIED: &str = "a process died while it held the lock";
const HELD: &str = "the calling thread holds the lock already";

impl<G> LockError<G> {
    /// The guard, if there is one: for those who can go on whatever was left behind.
    pub fn into_guard(self) -> Option<G> {
        match self {
            Self::OwnerDied(guard) => Some(guard),
            Self::HeldByThisThread => None,
        }
    }

    pub(crate) fn map<H>(self, with: impl FnOnce(G) -> H) -> LockError<H> {
        match self {
            Self::OwnerDied(guard) => LockError::OwnerDied(with(guard)),
            Self::HeldByThisThread => LockError::HeldByThisThread,
        }
    }
}

impl<G> From<LockError<G>> for TryLockError<G> {
    fn from(error: LockError<G>) -> Self {
        match error {
            LockError::OwnerDied(guard) => Self::OwnerDied(guard),
            LockError::HeldByThisThread => Self::HeldByThisThread,
        }
    }
}

impl<G> From<LockError<G>> for LockTimeoutError<G> {
    fn from(error: LockError<G>) -> Self {
        match error {
            LockError::OwnerDied(guard) => Self::OwnerDied(guard),
            LockError::HeldByThisThread => Self::HeldByThisThread,
        }
    }
}

impl<G> fmt::Display for LockError<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OwnerDied(_) => OWNER_DIED,
            Self::HeldByThisThread => HELD,
        })
    }
}

impl<G> fmt::Display for TryLockError<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Locked => "the lock is held",
            Self::OwnerDied(_) => OWNER_DIED,
            Self::HeldByThisThread => HELD,
        })
    }
}

impl<G> fmt::Display for LockTimeoutError<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Timeout => "the lock was held all the time",
            Self::OwnerDied(_) => OWNER_DIED,
            Self::HeldByThisThread => HELD,
        })
    }
}

impl<G: fmt::Debug> Error for LockError<G> {}
impl<G: fmt::Debug> Error for TryLockError<G> {}
impl<G: fmt::Debug> Error for LockTimeoutError<G> {}
