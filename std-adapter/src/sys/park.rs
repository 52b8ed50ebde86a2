//! How threads of one process wait: a moment of spinning, a few yields, then sleep in the kernel.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use brigade_core::sync::Word;
use brigade_core::wait::{AsyncPark, Park, TimedPark, Wake};

use super::wakers::TaskWakers;
use super::{affinity, sleep};

/// The way threads of this process wait for each other: private futexes on Linux and Android,
/// `parking_lot_core` elsewhere.
///
/// It is a type-level choice and has no values; [`Queue`](crate::Queue), [`Event`](crate::Event)
/// and [`JoinCounter`](crate::JoinCounter) are the core's types with this choice made. Deadlines
/// are [`Instant`]s. A time-out too long for an `Instant` means "for ever".
///
/// Tasks of any executor may `.await` the same things (what ends in `_async`), as many as there are:
/// their wakers are kept on the heap, in memory that is allocated when the first task waits, grows to
/// the most that ever waited at a time and is freed with what they wait for.
#[derive(Debug)]
pub enum Parker {}

/// Steps of spinning before the first yield; step `n` pauses the processor `2^n` times.
///
/// 15 pauses in all take 0.2 to 0.7 us on current x86-64 and less on ARM: enough for a peer that is
/// in the middle of an operation on another processor, or about to begin one.
const SPIN_STEPS: u32 = 4;

/// Pauses of one spin: on the machines named above, 0.05 to 0.2 us.
const SPIN: u32 = 4;

/// Yields after spinning, before going to sleep.
///
/// The one we wait for is often ready and not running, on our own processor at that, because the
/// kernel likes to put a thread where the one is that woke it. A yield lets it run for a fraction
/// of the price of a sleep, and if there is nobody to run it is a pause. A few are enough: what has
/// not happened by then is not about to. Measured against twice as many pauses and none between
/// them: answers from a pool come a third sooner, and sparse messages cost less processor time.
const YIELD_STEPS: u32 = 4;

impl Park for Parker {
    type Deadline = Instant;
    type Wakers = TaskWakers;

    #[inline]
    fn park(word: &Word, expected: u32, deadline: Option<Instant>) -> Wake {
        sleep::wait(word, expected, deadline)
    }

    #[inline]
    fn unpark(word: &Word, sleepers: u32) {
        sleep::wake(word, sleepers);
    }

    #[inline]
    fn relax(step: u32) -> bool {
        if step < SPIN_STEPS && spinning_helps() {
            for _ in 0..1 << step {
                std::hint::spin_loop();
            }
        } else {
            std::thread::yield_now();
        }
        step < SPIN_STEPS + YIELD_STEPS
    }

    #[inline]
    fn spin() -> bool {
        let helps = spinning_helps();
        if helps {
            for _ in 0..SPIN {
                std::hint::spin_loop();
            }
        }
        helps
    }
}

impl AsyncPark for Parker {}

impl TimedPark for Parker {
    fn deadline_after(timeout: Duration) -> Option<Instant> {
        Instant::now().checked_add(timeout)
    }
}

/// Whether somebody else can run while we spin: not on a machine, or in a container, that has one
/// processor for us, nor on a thread that is kept on one, where those we wait for may be as well.
///
/// A thread asks once, so it does not notice if it is pinned or let go after its first wait. That
/// costs time and nothing else.
#[inline]
fn spinning_helps() -> bool {
    thread_local! {
        /// Needs no destructor, and so may be read in a signal handler.
        static HELPS: Cell<Option<bool>> = const { Cell::new(None) };
    }
    HELPS.get().unwrap_or_else(|| {
        let helps = !affinity::pinned() && processors() > 1;
        HELPS.set(Some(helps));
        helps
    })
}

/// The number of processors this process may use, asked for once: the answer takes several system
/// calls and reading files.
#[cold]
fn processors() -> u32 {
    const UNKNOWN: u32 = 0;
    static PROCESSORS: AtomicU32 = AtomicU32::new(UNKNOWN);

    // ORDERING: Relaxed, also below: a number that stands for itself; threads that race to fill
    // it in store the same one.
    let known = PROCESSORS.load(Ordering::Relaxed);
    if known != UNKNOWN {
        return known;
    }
    let count = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    PROCESSORS.store(count, Ordering::Relaxed);
    count
}
