//! [`PlainQueue`]: a queue between processes whose items are written and read where they lie.

#![forbid(unsafe_code)]

mod in_place;

use std::io;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, Instant};

use brigade_core::{Shutdown, TooManyDone};

use super::corrupted::Corrupted;
use super::depot::{Depot, Filling, Hold, Shape, Ticket};
use super::participants::Owner;
use super::queue::ends::ends;
use super::queue::{Iter, Remaining};
use super::queue_error::{GetError, PutError, PutFailure};
use super::segment::{Contents, PARTICIPANTS, Room, Segment};
use crate::sys::memory::copy_in;
use crate::sys::plain::{self, Plain};

pub use in_place::{Loan, PlainLease};

/// A queue between processes for items that are nothing but their bytes, as numbers, arrays of them and what
/// is [`Plain`] besides: nothing is serialised, and nothing has to be copied.
///
/// All that is said of [`Queue`](super::Queue) holds, what happens when a process dies above all. Besides, an
/// item can be written in the memory that all share, and read there:
///
/// - [`loan`](Self::loan) gives a free place, which is written in any number of steps and then
///   [committed](Loan::commit). A process that is killed before has put nothing.
/// - [`lease`](Self::lease) gives an item that is read in any number of steps, as much of it as is of interest.
///
/// That is for items that are large, as images or buffers of samples are: of an array, elements and
/// slices are written and read by themselves. There are no references to items: another process may write there
/// at any moment, even if only a broken or malicious one does.
///
/// # The bound
///
/// The queue holds as many items as its [capacity](Self::capacity), and has room for those that are
/// loaned or leased [besides](Self::with_leases). A loan does not reserve a place in the queue: its
/// commit waits if others have filled it meanwhile.
///
/// # Progress
///
/// What begins with `try_` never waits and is lock-free. What waits is blocking: busily for a moment, then
/// asleep. Not for signal handlers. Full and Empty are exact while no more are loaned and leased
/// than planned for.
///
/// # Example
///
/// ```
/// use brigade::Shutdown;
/// use brigade::shared::PlainQueue;
///
/// let frames = PlainQueue::<[f32; 1000]>::bounded(8)?;
/// let camera = frames.clone(); // or passed to another process
/// let camera = std::thread::spawn(move || {
///     for number in 0..20_u8 {
///         let mut frame = camera.loan().unwrap();
///         frame.write_from(0, &[f32::from(number); 1000]);
///         frame.set(999, 0.5);
///         frame.commit().unwrap();
///     }
///     camera.shutdown(Shutdown::Drain);
/// });
/// let mut sum = 0.0;
/// while let Ok(frame) = frames.lease() {
///     sum += frame.get(0) + frame.get(999); // reads two of the thousand
/// }
/// assert_eq!(sum, 190.0 + 20.0 * 0.5);
/// camera.join().unwrap();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct PlainQueue<T: Plain> {
    segment: Segment<Places>,
    of: PhantomData<fn(T) -> T>,
}

ends!(PlainQueue<T: Plain>, PlainLease);

/// The contents.
struct Places {
    depot: Depot,
    /// Bytes of an item.
    size: u64,
}

impl Contents for Places {
    const KIND: u32 = 21;
    const NAME: &'static str = "plain-queue";

    fn attach(room: &Arc<Room>) -> Option<Self> {
        let depot = Depot::attach(room)?;
        let size = room.config()[SIZE];
        let is_inside = size <= depot.payloads().inside() as u64;
        is_inside.then_some(Self { depot, size })
    }

    fn recover(&self, dead: Owner) {
        self.depot.recover(dead);
    }
}

/// Where the size of an item is, behind the [`Shape`].
const SIZE: usize = 4;

impl<T: Plain> PlainQueue<T> {
    /// A queue for up to `capacity` items, and for as many, but 64 at least, that are loaned or leased.
    /// Memory is taken as it is written to.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the capacity is 0 or too large; otherwise the system's: there is no memory, or there are
    /// too many files open.
    pub fn bounded(capacity: usize) -> io::Result<Self> {
        Self::with_leases(capacity, capacity.max(64))
    }

    /// A queue for up to `capacity` items, and `leases` that are loaned, leased or just being put besides.
    /// While more are, it is full.
    ///
    /// # Errors
    ///
    /// As [`bounded`](Self::bounded), also if `leases` is 0.
    pub fn with_leases(capacity: usize, leases: usize) -> io::Result<Self> {
        let shape = Shape::new(capacity, leases, size_of::<T>(), 0);
        let shape = shape.ok_or_else(|| {
            let what = "a queue holds 1 to 16 million items, and one besides";
            io::Error::new(io::ErrorKind::InvalidInput, what)
        })?;
        let mut plan = shape.plan(PARTICIPANTS)?;
        plan.config[SIZE] = size_of::<T>() as u64;
        Ok(Self {
            segment: Segment::create(plan, |_| ())?,
            of: PhantomData,
        })
    }

    #[inline]
    fn depot(&self) -> &Depot {
        &self.segment.depot
    }

    #[inline]
    fn attempt(&self, item: &T) -> Result<(), Hold> {
        let bytes = plain::bytes(std::slice::from_ref(item));
        self.depot()
            .put(|payloads, block| copy_in(payloads.bytes(block), bytes))
    }

    #[allow(
        clippy::unnecessary_wraps,
        reason = "those of the other queue can fail"
    )]
    #[inline]
    fn item_of(ticket: Ticket<'_>) -> Result<T, GetError> {
        let lease = PlainLease::new(ticket);
        let item = lease.read();
        lease.count();
        Ok(item)
    }

    #[allow(
        clippy::unnecessary_wraps,
        reason = "those of the other queue can fail"
    )]
    fn lease_of(ticket: Ticket<'_>) -> Result<PlainLease<'_, T>, GetError> {
        Ok(PlainLease::new(ticket.keep()))
    }

    /// A free place to write an item in, if there is one now. Never waits; lock-free.
    ///
    /// # Errors
    ///
    /// Says why there is none.
    pub fn try_loan(&self) -> Result<Loan<'_, T>, PutFailure> {
        loan(self.depot().begin())
    }

    /// A free place to write an item in, waiting for room if the queue is full. Blocks.
    ///
    /// # Errors
    ///
    /// If the queue was shut down, also while waiting, or is corrupted.
    pub fn loan(&self) -> Result<Loan<'_, T>, PutFailure> {
        loan(self.depot().begin_until(None))
    }

    /// A free place to write an item in, waiting for `timeout` at most. Blocks.
    ///
    /// # Errors
    ///
    /// As [`loan`](Self::loan), and if there was no room in time.
    pub fn loan_timeout(&self, timeout: Duration) -> Result<Loan<'_, T>, PutFailure> {
        loan(
            self.depot()
                .begin_until(Instant::now().checked_add(timeout)),
        )
    }

    /// A free place to write an item in, waiting until `deadline` at most. Blocks.
    ///
    /// # Errors
    ///
    /// As [`loan`](Self::loan), and if there was no room in time.
    pub fn loan_deadline(&self, deadline: Instant) -> Result<Loan<'_, T>, PutFailure> {
        loan(self.depot().begin_until(Some(deadline)))
    }

    /// A free place to write an item in, when there is one. Cancel-safe: dropping the future takes none. A
    /// thread of this process sleeps for the task.
    ///
    /// # Errors
    ///
    /// As [`loan`](Self::loan).
    pub async fn loan_async(&self) -> Result<Loan<'_, T>, PutFailure> {
        loan(self.depot().begin_async().await)
    }
}

fn loan<T: Plain>(filling: Result<Filling<'_>, Hold>) -> Result<Loan<'_, T>, PutFailure> {
    Ok(Loan::new(filling?))
}

impl<T: Plain> Clone for PlainQueue<T> {
    fn clone(&self) -> Self {
        Self {
            segment: self.segment.clone(),
            of: PhantomData,
        }
    }
}

impl<T: Plain> serde::Serialize for PlainQueue<T> {
    /// Writes a reference, not the items. Whoever reads it has the same queue, as long as this process
    /// has.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.segment.serialize(serializer)
    }
}

impl<'de, T: Plain> serde::Deserialize<'de> for PlainQueue<T> {
    /// Reads a reference, to a queue of another process or of this one. Fails if its items are not of the size of
    /// `T`; more is not known of their type.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let segment: Segment<Places> = serde::Deserialize::deserialize(deserializer)?;
        if segment.size != size_of::<T>() as u64 {
            let what = "the shared queue has items of another type";
            return Err(serde::de::Error::custom(what));
        }
        Ok(Self {
            segment,
            of: PhantomData,
        })
    }
}
