//! [`Barrier`]: nobody goes on until all have arrived.
//!
//! ```text
//!     31                     16 15                      0
//!     +------------------------+------------------------+
//!     |       generation       |      how many have     |
//!     |                        | arrived in it so far   |
//!     +------------------------+------------------------+
//! ```
//!
//! One word holds everything: arriving, withdrawing and letting all go are one atomic update each.
//! The last to arrive begins the next generation and wakes the others.

use core::fmt;
use core::marker::PhantomData;
use core::time::Duration;

use crate::sync::{
    Ordering::{AcqRel, Acquire, Relaxed},
    Word,
};
use crate::wait::{Park, Spin, TimedPark, Wake};

/// One generation, in the word.
const GENERATION: u32 = 1 << 16;

/// The part of the word that says how many have arrived.
const ARRIVED: u32 = GENERATION - 1;

/// Lets a number of threads go on when all of them have arrived, again and again.
///
/// What Python calls `threading.Barrier`. `P` is how to sleep; the default spins. Exactly one of
/// those who go on together is told that it is the leader.
///
/// What each did before it arrived is visible to all after they went on.
///
/// A thread that gives up, by a time-out, has not arrived: the others go on waiting until somebody
/// else comes. (Python's barrier is broken from then on.)
///
/// # Wrap-around
///
/// Generations are counted modulo 2^16. With no more threads than parties that is no limit, since a
/// thread that has not gone on holds up the next generation. With more of them, one that does not
/// get to run during exactly a multiple of 2^16 generations waits for one generation more.
///
/// # Where it may be used
///
/// It is blocking, by its nature, and so for threads and loom models;
/// [`arrived`](Self::arrived) may be asked anywhere.
///
/// ```
/// use brigade_core::Barrier;
///
/// static READY: Barrier = Barrier::new(2);
///
/// # extern crate std;
/// std::thread::scope(|scope| {
///     let other = scope.spawn(|| READY.wait().is_leader());
///     let here = READY.wait().is_leader();
///     assert_ne!(here, other.join().unwrap());
/// });
/// ```
pub struct Barrier<P: Park = Spin> {
    word: Word,
    parties: u16,
    park: PhantomData<fn() -> P>,
}

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

impl<P: Park> Barrier<P> {
    crate::sync::const_fn! {
        /// A barrier for this many threads.
        ///
        /// # Panics
        ///
        /// If `parties` is 0; in a `static` that is a compile error.
        #[must_use]
        pub const fn new(parties: u16) -> Self {
            assert!(parties > 0, "a barrier is for one thread at least");
            Self { word: Word::new(0), parties, park: PhantomData }
        }
    }

    /// Arrives, and waits until all have. Blocks.
    pub fn wait(&self) -> Arrival {
        loop {
            // Without a deadline it does not give up.
            if let Some(arrival) = self.wait_until(None) {
                return arrival;
            }
        }
    }

    /// Arrives, and waits until all have, or withdraws when the time is up and returns `None`.
    /// Blocks, for `timeout` at most.
    #[must_use = "a time-out is reported by the return value alone"]
    pub fn wait_timeout(&self, timeout: Duration) -> Option<Arrival>
    where
        P: TimedPark,
    {
        self.wait_until(P::deadline_after(timeout))
    }

    /// Arrives, and waits until all have, or withdraws when the deadline has passed and returns
    /// `None`. Blocks, until `deadline` at most.
    #[must_use = "a time-out is reported by the return value alone"]
    pub fn wait_deadline(&self, deadline: P::Deadline) -> Option<Arrival> {
        self.wait_until(Some(deadline))
    }

    /// How many have arrived and wait for the others. Old news as soon as it is read.
    #[must_use]
    pub fn arrived(&self) -> u32 {
        // ORDERING: Relaxed: a number, and no promise about what they did.
        self.word.load(Relaxed) & ARRIVED
    }

    /// How many it takes.
    #[must_use]
    pub fn parties(&self) -> u16 {
        self.parties
    }

    /// Counts the caller in; `Ok` if it is the last.
    fn arrive(&self) -> Result<(), u32> {
        // ORDERING: Relaxed: the compare-and-swap decides.
        let mut word = self.word.load(Relaxed);
        loop {
            let last = (word & ARRIVED) + 1 == u32::from(self.parties);
            let next = if last {
                (word & !ARRIVED).wrapping_add(GENERATION)
            } else {
                word + 1
            };
            // ORDERING: the release half hands over what we did before, through all later arrivals
            // to the last, whose acquire half collects it and whose release half shows it to all
            // who see the new generation.
            match self.word.compare_exchange_weak(word, next, AcqRel, Relaxed) {
                Ok(_) if last => return Ok(()),
                Ok(_) => return Err(next),
                Err(now) => word = now,
            }
        }
    }

    fn wait_until(&self, deadline: Option<P::Deadline>) -> Option<Arrival> {
        let Err(mut word) = self.arrive() else {
            P::unpark(&self.word, u32::MAX);
            return Some(Arrival { leader: true });
        };
        let generation = word & !ARRIVED;
        let mut step = 0;
        let mut wake = Wake::Woken;
        while word & !ARRIVED == generation {
            if wake == Wake::TimedOut {
                // ORDERING: Relaxed: a read-modify-write keeps the chain of arrivals, and we take no
                // part in it. Acquire on failure as below.
                match self.word.compare_exchange(word, word - 1, Relaxed, Acquire) {
                    Ok(_) => return None,
                    Err(now) => word = now,
                }
                continue;
            }
            if P::relax(step) {
                step += 1;
            } else {
                wake = P::park(&self.word, word, deadline);
            }
            // ORDERING: Acquire pairs with the last arrival, see `arrive`.
            word = self.word.load(Acquire);
        }
        Some(Arrival { leader: false })
    }
}

impl<P: Park> fmt::Debug for Barrier<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier")
            .field("arrived", &self.arrived())
            .field("parties", &self.parties)
            .finish_non_exhaustive()
    }
}
