//! [`Semaphore`]: a number of permits, each held by one at a time, in any process.
//!
//! ```text
//!     one word for each permit:    FREE (0)    KEPT (1)    held: the owner's tag
//! ```
//!
//! A count would not tell who has what, and two words could be torn apart by a death. So each permit has a
//! word, and one compare-and-swap takes it and says for whom; whoever learns of a death frees what the dead
//! held. The price is a search, which begins where this process last found something.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant};

use brigade_core::TooManyPermits;

use super::atomic::{AtomicU64, Ordering};
use super::participants::Owner;
use super::segment::{Contents, PARTICIPANTS, Plan, Room, Segment};
use super::travel::travels;
use crate::sys::memory::{WORD, Words};

const FREE: u64 = 0;
/// Nobody's, and not free until it is released.
const KEPT: u64 = 1;

/// Lets a limited number of holders in at a time, in all processes together: what Python calls
/// `multiprocessing.BoundedSemaphore`.
///
/// It is a handle: it can be cloned, and passed to other processes like any argument. What happened
/// before a permit was returned is visible to whoever acquires it next.
///
/// # When a process dies
///
/// The permits that it held are free again. (Not those that it [kept](Permit::keep): these belong to nobody.)
/// One that was merely stopped keeps its permits.
///
/// # Progress
///
/// [`try_acquire`](Self::try_acquire), [`release`](Self::release) and dropping a [`Permit`] never wait and are
/// lock-free, in steps that grow with the number of permits. What waits is blocking. Not for signal
/// handlers.
///
/// # Example
///
/// ```
/// use brigade::shared::Semaphore;
///
/// let channels = Semaphore::new(2)?;
/// let first = channels.acquire();
/// let second = channels.try_acquire().unwrap();
/// assert!(channels.try_acquire().is_none());
/// drop(first); // as it would be if this process were killed
/// assert_eq!(channels.available(), 1);
/// # drop(second);
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone)]
pub struct Semaphore(Segment<Permits>);

travels!(Semaphore);

/// The contents: how often a permit was returned, then the permits.
struct Permits {
    returned: Words,
    words: Words,
    room: Arc<Room>,
    /// Where to begin to search.
    near: AtomicUsize,
}

impl Contents for Permits {
    const KIND: u32 = 6;
    const NAME: &'static str = "semaphore";

    fn attach(room: &Arc<Room>) -> Option<Self> {
        let bound = usize::try_from(room.config()[0]).ok()?;
        Some(Self {
            returned: room.words(0, 1).filter(|_| room.bells() == 1)?,
            words: room.words(WORD, bound)?,
            room: Arc::clone(room),
            near: AtomicUsize::new(0),
        })
    }

    fn recover(&self, dead: Owner) {
        let dead = held(dead);
        for permit in self.words.iter() {
            // ORDERING: Release pairs with `take`: what we know of the dead one's work.
            let _ = permit.compare_exchange(dead, FREE, Ordering::Release, Ordering::Relaxed);
        }
    }
}

/// The word of a permit that is held.
fn held(owner: Owner) -> u64 {
    u64::from(owner.tag()) << 1
}

impl Permits {
    /// Changes one permit from this to that; says which.
    fn change(&self, from: u64, to: u64) -> Option<usize> {
        let count = self.words.len();
        // ORDERING: Relaxed: only a guess.
        let near = self.near.load(Ordering::Relaxed);
        let place = (0..count).map(|step| (near + step) % count).find(|&at| {
            let permit: &AtomicU64 = &self.words[at];
            // ORDERING: Relaxed: the compare-and-swap decides. Its Acquire pairs with the release of who
            // changed it before: what was done under the permit is visible. Its Release hands that
            // on if the permit is kept.
            permit.load(Ordering::Relaxed) == from
                && permit
                    .compare_exchange(from, to, Ordering::AcqRel, Ordering::Relaxed)
                    .is_ok()
        })?;
        // ORDERING: Relaxed: as above.
        self.near.store(place, Ordering::Relaxed);
        Some(place)
    }

    /// Takes a free permit. That none was free was so at one moment.
    fn take(&self) -> Option<usize> {
        loop {
            // ORDERING: Acquire, here and below: as many returned permits are seen as it says.
            let returned = self.returned[0].load(Ordering::Acquire);
            let taken = self.change(FREE, held(self.room.me()));
            // While the search was under way, a permit may have been returned behind it and another
            // taken before it.
            if taken.is_some() || self.returned[0].load(Ordering::Acquire) == returned {
                return taken;
            }
        }
    }

    fn put(&self, place: usize, what: u64) {
        // ORDERING: Release pairs with `change`.
        self.words[place].store(what, Ordering::Release);
        if what == FREE {
            // ORDERING: Release pairs with `take`.
            self.returned[0].fetch_add(1, Ordering::Release);
            self.room.ring(0, 1);
        }
    }
}

impl Semaphore {
    /// The most permits that there can be.
    pub const MOST: u32 = 1 << 20;

    /// A semaphore with this many permits, all of them free, and no more of them ever.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if they are more than [`MOST`](Self::MOST); otherwise the system's: there is no
    /// memory, or there are too many files open.
    pub fn new(permits: u32) -> io::Result<Self> {
        Self::with_bound(permits, permits)
    }

    /// A semaphore with `permits` free at the start and never more than `bound`.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if there are more permits than the bound allows, or the bound is above
    /// [`MOST`](Self::MOST); otherwise as [`new`](Self::new).
    pub fn with_bound(permits: u32, bound: u32) -> io::Result<Self> {
        if permits > bound || bound > Self::MOST {
            let what = "a semaphore starts with no more permits than its bound, which is a million at most";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        }
        let [first_kept, bound] = [permits, bound].map(|number| number as usize);
        let plan = Plan {
            participants: PARTICIPANTS,
            bells: 1,
            length: WORD + bound * WORD,
            config: [bound as u64, 0, 0, 0, 0, 0, 0, 0],
        };
        let keep = |all: &Permits| {
            for permit in &all.words[first_kept..bound] {
                // ORDERING: Relaxed: nobody else has it yet.
                permit.store(KEPT, Ordering::Relaxed);
            }
        };
        Segment::create(plan, keep).map(Self)
    }

    /// Acquires a permit if one is free now. Never waits. Progress: lock-free.
    #[must_use = "dropping the permit returns it"]
    pub fn try_acquire(&self) -> Option<Permit<'_>> {
        let taken = self.0.take().or_else(|| {
            // A holder may be dead, and nobody may have looked after it.
            self.0.room.ensure_watched();
            self.0.take()
        });
        taken.map(|place| self.permit(place))
    }

    /// Acquires a permit, waiting for one if none is free. Blocks.
    #[must_use = "dropping the permit returns it"]
    pub fn acquire(&self) -> Permit<'_> {
        loop {
            // Without a deadline it does not give up.
            if let Some(permit) = self.acquire_until(None) {
                return permit;
            }
        }
    }

    /// Acquires a permit, waiting for one if none is free; `None` if the time is up before. Blocks, for
    /// `timeout` at most.
    #[must_use = "dropping the permit returns it"]
    pub fn acquire_timeout(&self, timeout: Duration) -> Option<Permit<'_>> {
        // Too far for the clock is for ever.
        self.acquire_until(Instant::now().checked_add(timeout))
    }

    /// Acquires a permit, waiting for one if none is free; `None` if the deadline has passed before. Blocks,
    /// until `deadline` at most.
    #[must_use = "dropping the permit returns it"]
    pub fn acquire_deadline(&self, deadline: Instant) -> Option<Permit<'_>> {
        self.acquire_until(Some(deadline))
    }

    /// Acquires a permit when one is free. Cancel-safe: dropping the future takes no permit. A thread of this
    /// process sleeps for the task.
    pub fn acquire_async(&self) -> impl Future<Output = Permit<'_>> + Send {
        let attempt = || self.0.take().map(|place| self.permit(place));
        self.0.room.wait_async(0, attempt)
    }

    fn acquire_until(&self, deadline: Option<Instant>) -> Option<Permit<'_>> {
        let place = self.0.room.wait(0, deadline, || self.0.take());
        place.map(|place| self.permit(place))
    }

    fn permit(&self, place: usize) -> Permit<'_> {
        Permit {
            permits: &self.0,
            place,
        }
    }

    /// Adds permits: those that were [kept](Permit::keep), or new ones up to the bound. Progress: lock-free.
    ///
    /// # Errors
    ///
    /// [`TooManyPermits`] if there would be more than the bound allows, those that are held included; then
    /// none was added.
    pub fn release(&self, permits: u32) -> Result<(), TooManyPermits> {
        let permits = permits as usize;
        if permits > self.0.words.len() {
            return Err(TooManyPermits);
        }
        // Held until it is known that there are enough: a death in between frees them.
        let me = held(self.0.room.me());
        let places: Vec<_> = (0..permits)
            .map_while(|_| self.0.change(KEPT, me))
            .collect();
        let (answer, what) = if places.len() == permits {
            (Ok(()), FREE)
        } else {
            (Err(TooManyPermits), KEPT)
        };
        for place in places {
            self.0.put(place, what);
        }
        answer
    }

    /// How many permits are free. Old news as soon as it is read.
    #[must_use]
    pub fn available(&self) -> u32 {
        // ORDERING: Acquire pairs with the return of a permit, so that who finds all permits free knows that the
        // work under them is done.
        let is_free = |permit: &&AtomicU64| permit.load(Ordering::Acquire) == FREE;
        let free = self.0.words.iter().filter(is_free).count();
        u32::try_from(free).unwrap_or(u32::MAX)
    }

    /// The most permits that can be free.
    #[must_use]
    pub fn bound(&self) -> u32 {
        u32::try_from(self.0.words.len()).unwrap_or(u32::MAX)
    }
}

impl fmt::Debug for Semaphore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Semaphore")
            .field("available", &self.available())
            .field("bound", &self.bound())
            .finish_non_exhaustive()
    }
}

/// A permit of a [`Semaphore`]; returns it when dropped, also by a panic, and when the process dies.
#[must_use = "dropping the permit returns it"]
pub struct Permit<'a> {
    permits: &'a Permits,
    place: usize,
}

impl Permit<'_> {
    /// Keeps the permit for good, also beyond the end of this process; [`Semaphore::release`] returns it, from
    /// anywhere.
    pub fn keep(self) {
        self.permits.put(self.place, KEPT);
        std::mem::forget(self);
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.permits.put(self.place, FREE);
    }
}

impl fmt::Debug for Permit<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").finish_non_exhaustive()
    }
}
