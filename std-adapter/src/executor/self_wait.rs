//! Waiting of a pool for itself, which is found out instead of suffered.
//!
//! A worker that waits for a task of its own pool helps nobody meanwhile. When all workers wait like
//! that, the tasks they wait for will never be run:
//!
//! ```text
//!     worker 0: waits for a --+        queue: [ a | b ]
//!     worker 1: waits for b --+-- nobody takes them
//! ```
//!
//! So a worker that is about to wait for its own pool, and without a deadline, says so in the pool's
//! `Roster`, together with a [`Probe`] that tells whether the wait is over. If the last worker
//! that is not waiting wants to wait as well, then either the pool starts another one, if there may be
//! more, or that worker is refused, and its task gets an error to deal with.
//!
//! Exactness: under the roster's lock all workers stand still, each in a wait whose probe says that
//! it is not over; and nobody else has a task of the pool in hand. So nothing that goes on in the
//! pool can end any of these waits. Who could is somebody outside, by cancelling a task or by making
//! room in a queue; nobody may count on that. Who waits is not disturbed by those who come later; but
//! the last worker may end instead of waiting, or an outsider may take the room that a submitter was
//! to have. Therefore everybody on the roster looks again from time to time.
//!
//! A thread that is no worker and runs a task of the pool, as a scope does for its caller, is counted
//! and waits like a worker while it does so: it [helps](help).
//!
//! Not found out: a wait for something else than tasks of one pool, such as a channel, a lock, or
//! another pool whose workers wait for this one.

#![forbid(unsafe_code)]

use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::thread_pool::{Part, Shared};

/// How often a worker on the roster looks whether the others have come to a standstill without
/// telling it.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// The wait would never end: all workers of the pool wait for the pool.
///
/// # Example
///
/// ```
/// use std::sync::Arc;
/// use brigade::{ThreadPool, WouldDeadlock};
///
/// let pool = Arc::new(ThreadPool::new()?);
/// let inside = Arc::clone(&pool);
/// let joined = pool.submit(move || inside.join())?;
/// assert_eq!(joined.result()?, Err(WouldDeadlock));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WouldDeadlock;

impl fmt::Display for WouldDeadlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the pool would wait for itself")
    }
}

impl std::error::Error for WouldDeadlock {}

/// Which pool a task belongs to, or none: a number that no other pool of the process has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PoolId(u64);

impl PoolId {
    pub(super) fn new() -> Self {
        // A lock, as not every system has an atomic of 64 bits; smaller ones wrap around.
        static LAST: Mutex<u64> = Mutex::new(0);
        let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
        *last += 1;
        Self(*last)
    }
}

/// Tells whether a wait is over; asked by other threads than the one that waits.
pub(super) trait Probe: Sync {
    fn is_over(&self) -> bool;
}

impl<F: Fn() -> bool + Sync> Probe for F {
    fn is_over(&self) -> bool {
        self()
    }
}

/// What this thread is to its pool.
pub(super) enum Own {
    /// One of its workers.
    Working(Arc<Shared>),
    /// A former worker, which the pool does not count on any more.
    Leaving(PoolId),
}

thread_local! {
    static OWN: RefCell<Option<Own>> = const { RefCell::new(None) };
    /// The pools that this thread helps.
    static HELPED: RefCell<Vec<Arc<Shared>>> = const { RefCell::new(Vec::new()) };
}

/// Makes this thread a worker of a pool, or of none.
pub(super) fn set_own(own: Option<Own>) {
    // Fails at the end of the thread, when it is a worker of none already.
    let _ = OWN.try_with(|place| place.replace(own));
}

/// Whether this thread belongs to the pool: as a worker, a former one, or one that helps.
pub(super) fn belongs_to(pool: PoolId) -> bool {
    let leaves =
        |own: &RefCell<_>| matches!(&*own.borrow(), Some(Own::Leaving(left)) if *left == pool);
    OWN.try_with(leaves).unwrap_or(false) || member_of(pool).is_some()
}

/// Somebody who runs tasks of a pool.
struct Member {
    shared: Arc<Shared>,
    part: Part,
}

/// What this thread is to the pool, if it runs tasks of it.
fn member_of(pool: PoolId) -> Option<Member> {
    let works = OWN.try_with(|own| match &*own.borrow() {
        Some(Own::Working(shared)) if shared.roster.pool() == pool => Some(Member {
            shared: Arc::clone(shared),
            part: Part::Works,
        }),
        _ => None,
    });
    let helps = || {
        HELPED.try_with(|helped| {
            let helped = helped.borrow();
            let shared = helped.iter().find(|shared| shared.roster.pool() == pool)?;
            Some(Member {
                shared: Arc::clone(shared),
                part: Part::Helps,
            })
        })
    };
    works.ok().flatten().or_else(|| helps().ok().flatten())
}

/// Does `work`, which runs a task of the pool's on this thread; if that is none of its workers, it
/// counts among those that the task's waits are compared with.
pub(super) fn help<R>(shared: &Arc<Shared>, work: impl FnOnce() -> R) -> R {
    /// Goes, also if `work` panics.
    struct Helper<'a>(&'a Shared);

    impl Drop for Helper<'_> {
        fn drop(&mut self) {
            let _ = HELPED.try_with(|helped| helped.borrow_mut().pop());
            self.0.roster.helper_goes();
        }
    }

    let is_known = member_of(shared.roster.pool()).is_some();
    let enter = |helped: &RefCell<Vec<_>>| helped.borrow_mut().push(Arc::clone(shared));
    // Fails at the end of the thread, when it cannot be found again.
    if is_known || HELPED.try_with(enter).is_err() {
        return work();
    }
    shared.roster.helper_comes();
    let _helper = Helper(shared);
    work()
}

/// Waits until `probe` says that it is over, by calling `sleep`, which waits until then or until the
/// deadline and says whether it is over.
///
/// Everybody who waits without a deadline for what only `pool` can bring about does it here: for
/// its tasks, and for room in its queue. Threads that run no tasks of it just sleep. Who waits for
/// any of several tasks does so only if all of them are of `pool`; who waits for all, with a probe
/// that is over when those of `pool` are.
///
/// # Errors
///
/// If all workers of the pool would wait for the pool then, and the wait is not over.
pub(super) fn wait(
    pool: PoolId,
    probe: &dyn Probe,
    mut sleep: impl FnMut(Option<Instant>) -> bool,
) -> Result<(), WouldDeadlock> {
    let Some(Member { shared, part }) = member_of(pool) else {
        while !sleep(None) {}
        return Ok(());
    };
    let answer = shared.roster.while_waiting(part, probe, |ask| {
        loop {
            if !shared.may_wait(ask) {
                return Err(WouldDeadlock);
            }
            if sleep(Instant::now().checked_add(LOOK_AGAIN)) {
                return Ok(());
            }
        }
    });
    // If there are spare workers, they have done their duty.
    shared.nudge();
    answer
}

/// As [`wait`], for a caller that cannot give up: it is on the list of those that wait, so that
/// another one is refused.
///
/// There must be another one, or the wait must end by itself. For a scope that waits for a task of
/// its own there is: that task, or one that it waits for in the end, waits in [`wait`] if it waits for
/// the pool at all.
pub(super) fn wait_patiently(
    pool: PoolId,
    probe: &dyn Probe,
    mut sleep: impl FnMut(Option<Instant>) -> bool,
) {
    match member_of(pool) {
        Some(Member { shared, part }) => shared
            .roster
            .while_waiting(part, probe, |_| while !sleep(None) {}),
        None => while !sleep(None) {},
    }
}
