//! [`Event`]: a flag between processes.
//!
//! The word is that of the event between threads, with the bell apart: the lowest bit says whether it is
//! set, the others count how often it was, so that a waiter notices a set that was cleared again before it
//! ran. Nobody holds anything, so nothing is to be done about a death: it was set before, or was
//! not.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::atomic::{AtomicU64, Ordering};
use super::participants::Owner;
use super::segment::{Contents, PARTICIPANTS, Plan, Room, Segment};
use super::travel::travels;
use crate::sys::memory::Words;

const SET: u64 = 1;
/// One set, in the count.
const ONE: u64 = 2;

/// A flag that processes wait for until somebody sets it: what Python calls `multiprocessing.Event`.
///
/// Once set it stays set, and lets every waiter through, until [`clear`](Self::clear). It is a handle:
/// it can be cloned, and passed to other processes like any argument. What happened before a
/// [`set`](Self::set) is visible to whoever finds the event set, and to whoever clears it.
///
/// # When a process dies
///
/// The event is as it was. A process that is killed within `set` has set it and woken all, or not set
/// it.
///
/// # Progress
///
/// [`set`](Self::set), [`clear`](Self::clear) and [`is_set`](Self::is_set) never wait and are lock-free; they
/// may be called in signal handlers. What waits is blocking.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use brigade::shared::Event;
///
/// let ready = Event::new()?;
/// let other = ready.clone(); // or passed to another process
/// let waiter = std::thread::spawn(move || other.wait_timeout(Duration::from_secs(10)));
/// ready.set();
/// assert!(waiter.join().unwrap());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct Event(Segment<Flag>);

/// The contents.
struct Flag {
    word: Words,
    room: Arc<Room>,
}

travels!(Event);

impl Contents for Flag {
    const KIND: u32 = 1;
    const NAME: &'static str = "event";

    fn attach(room: &Arc<Room>) -> Option<Self> {
        Some(Self {
            word: room.words(0, 1).filter(|_| room.bells() == 1)?,
            room: Arc::clone(room),
        })
    }

    fn recover(&self, _dead: Owner) {}
}

impl Event {
    /// An event that is not set.
    ///
    /// # Errors
    ///
    /// The system's: there is no memory, or there are too many files open.
    pub fn new() -> io::Result<Self> {
        let plan = Plan {
            participants: PARTICIPANTS,
            bells: 1,
            length: size_of::<u64>(),
            config: [0; 8],
        };
        Segment::create(plan, |_| ()).map(Self)
    }

    fn word(&self) -> &AtomicU64 {
        &self.0.word[0]
    }

    /// Sets the event and wakes all who wait for it.
    ///
    /// Progress: lock-free. Safe in signal handlers: a few atomic accesses and at most one system
    /// call.
    pub fn set(&self) {
        // ORDERING: Release shows what we did to whoever finds the event set or clears it. Of several,
        // the last shows what all of them did, as a read-modify-write continues their release
        // sequences.
        let next = |word| {
            Some(if word & SET != 0 {
                word
            } else {
                (word + ONE) | SET
            })
        };
        let before = self
            .word()
            .fetch_update(Ordering::Release, Ordering::Relaxed, next);
        if before.is_ok_and(|before| before & SET == 0) {
            self.0.room.bell(0).ring(u32::MAX);
        }
    }

    /// Makes the event not set. Those who began to wait before it was last set go on all the same.
    ///
    /// What was done before any of the sets that this clears is visible afterwards. Progress: lock-free.
    pub fn clear(&self) {
        // ORDERING: Acquire pairs with `set`. Waiters that see the new count acquire the set through
        // this, as a read-modify-write continues its release sequence.
        self.word().fetch_and(!SET, Ordering::Acquire);
    }

    /// Whether the event is set. Progress: wait-free.
    #[must_use]
    pub fn is_set(&self) -> bool {
        // ORDERING: Acquire pairs with `set`.
        self.word().load(Ordering::Acquire) & SET != 0
    }

    /// Waits until the event is set; returns at once if it is. Blocks.
    ///
    /// A set that comes after the call has begun ends it, also if the event is cleared before the waiter
    /// gets to run.
    pub fn wait(&self) {
        self.wait_until(None);
    }

    /// Waits until the event is set or the time is up; says whether it was set. Blocks, for `timeout` at
    /// most.
    #[must_use = "a time-out is reported by the return value alone"]
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        // Too far for the clock is for ever.
        self.wait_until(Instant::now().checked_add(timeout))
    }

    /// Waits until the event is set or the deadline has passed; says whether it was set. Blocks, until
    /// `deadline` at most.
    #[must_use = "a time-out is reported by the return value alone"]
    pub fn wait_deadline(&self, deadline: Instant) -> bool {
        self.wait_until(Some(deadline))
    }

    /// Waits until the event is set. Cancel-safe.
    ///
    /// A set that comes after this call ends it, also before the first poll. A thread of this process
    /// sleeps for the task.
    pub fn wait_async(&self) -> impl Future<Output = ()> + Send + use<> {
        let waiting = self.clone();
        let over = waiting.over();
        let attempt = move || over(waiting.word()).then_some(());
        self.0.room.wait_async(0, attempt)
    }

    fn wait_until(&self, deadline: Option<Instant>) -> bool {
        let over = self.over();
        let attempt = || over(self.word()).then_some(());
        self.0.room.wait(0, deadline, attempt).is_some()
    }

    /// Tells whether a wait that begins now is over.
    fn over(&self) -> impl Fn(&AtomicU64) -> bool + use<> {
        // ORDERING: Acquire pairs with `set`, here and below: what was before the set is visible to who
        // has seen its count, also if the event has been cleared since.
        let begun = self.word().load(Ordering::Acquire);
        move |word| {
            let now = word.load(Ordering::Acquire);
            now & SET != 0 || now / ONE != begun / ONE
        }
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("set", &self.is_set())
            .finish()
    }
}
