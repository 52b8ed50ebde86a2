//! [`Queue`], [`LifoQueue`], [`PriorityQueue`]: the core's queue on the heap, between threads and tasks.

mod by_priority;
mod locked;

use std::fmt;

use brigade_core::bounded::{
    Container, HeapTwoLock, Nothing, Refused, Run, Unbounded, WithCapacity,
};

use crate::Parker;
use crate::unbounded::UnboundedFifo;

pub(crate) use by_priority::ByPriority;
pub(crate) use locked::Locked;

/// A queue between threads and tasks: what Python calls `queue.Queue`.
///
/// Made by [`bounded`](brigade_core::Queue::bounded) or
/// [`unbounded`](brigade_core::Queue::unbounded); items come out in the order in which they went
/// in. Everything it does is said at [`brigade_core::Queue`], of which this is the form for threads:
/// those who wait spin for a microsecond or two and then sleep, deadlines are
/// [`Instant`](std::time::Instant)s. Threads and tasks of any executor may be at either end.
///
/// Progress: blocking, as locks are (see [`Store`]); not for signal handlers. For those take a
/// `brigade_core::Queue<bounded::Fifo<T, N>, Parker>`, whose `try_put` and
/// `try_get` are safe there on Linux and Android (elsewhere the backend's wake-up takes a lock).
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use brigade::{Queue, Shutdown};
///
/// let jobs = Queue::bounded(2);
/// std::thread::scope(|scope| {
///     scope.spawn(|| {
///         // A lease reports its item as finished when it is dropped, also by a panic.
///         while let Ok(job) = jobs.lease() {
///             println!("doing job {}", *job);
///         }
///     });
///     for job in 0..10 {
///         jobs.put(job).unwrap(); // waits while the queue is full
///     }
///     jobs.join(); // waits until all of them are finished
///     jobs.shutdown(Shutdown::Drain);
/// });
/// assert!(jobs.get_timeout(Duration::from_secs(1)).is_err(), "it was shut down");
/// ```
pub type Queue<T> = brigade_core::Queue<Store<T>, Parker>;

/// An item of a [`Queue`] that a consumer holds and has not finished.
pub type Lease<'a, T> = brigade_core::Lease<'a, Store<T>, Parker>;

/// A stack that waits: what Python calls `queue.LifoQueue`.
///
/// Items come out last in, first out. It has all that [`Queue`] has, and says it in the same words:
/// everything is at [`brigade_core::Queue`].
///
/// Progress: blocking, by one lock that is held for a few instructions, or for a reallocation. Not for
/// signal handlers. With a bound it holds any number of items from 1 to 2<sup>28</sup>. Full and Empty
/// are exact.
///
/// # Example
///
/// ```
/// use brigade::{LifoQueue, Shutdown};
///
/// let visited = LifoQueue::unbounded();
/// for page in ["home", "news", "weather"] {
///     visited.put(page).unwrap();
/// }
/// assert_eq!(visited.get(), Ok("weather"));
/// visited.shutdown(Shutdown::Drain);
/// assert!(visited.iter().eq(["news", "home"]));
/// ```
pub type LifoQueue<T> = brigade_core::Queue<LifoStore<T>, Parker>;

/// An item of a [`LifoQueue`] that a consumer holds and has not finished.
pub type LifoLease<'a, T> = brigade_core::Lease<'a, LifoStore<T>, Parker>;

/// What a [`LifoQueue`] keeps its items in: a stack that grows as needed, under a lock.
pub type LifoStore<T> = Locked<Vec<T>>;

/// A queue from which the smallest item comes first: what Python calls `queue.PriorityQueue`.
///
/// Equal items come out in the order in which they went in. It has all that [`Queue`] has, and says it
/// in the same words: everything is at [`brigade_core::Queue`]. An item that is
/// [put back](brigade_core::Lease::put_back) counts as the youngest of its equals.
///
/// # What is smallest
///
/// `T: Ord` decides. A tuple compares its first field first, so `(priority, item)` does what it does
/// in Python; and as there, when two priorities are equal the items are compared next, so they must
/// be `Ord` too. Where that is not wanted, give the item a type whose `Ord` looks at the priority
/// alone, as `Job` below. [`Reverse`](std::cmp::Reverse) brings the largest first.
///
/// ```
/// use std::cmp::{Ordering, Reverse};
/// use brigade::PriorityQueue;
///
/// let largest_first = PriorityQueue::unbounded();
/// largest_first.put_many([1, 3, 2].map(Reverse)).unwrap();
/// assert_eq!(largest_first.get(), Ok(Reverse(3)));
///
/// struct Job {
///     priority: u8,
///     work: fn() -> &'static str, // not to be compared
/// }
///
/// impl Ord for Job {
///     fn cmp(&self, other: &Self) -> Ordering {
///         self.priority.cmp(&other.priority)
///     }
/// }
/// # impl PartialOrd for Job {
/// #     fn partial_cmp(&self, other: &Self) -> Option<Ordering> { Some(self.cmp(other)) }
/// # }
/// # impl PartialEq for Job {
/// #     fn eq(&self, other: &Self) -> bool { self.cmp(other).is_eq() }
/// # }
/// # impl Eq for Job {}
/// // PartialOrd, PartialEq and Eq in terms of it ...
///
/// let jobs = PriorityQueue::bounded(10);
/// jobs.put(Job { priority: 2, work: || "log" }).unwrap();
/// jobs.put(Job { priority: 1, work: || "brake" }).unwrap();
/// jobs.put(Job { priority: 1, work: || "steer" }).unwrap();
/// let done: Vec<_> = (0..3).map(|_| (jobs.get().unwrap().work)()).collect();
/// assert_eq!(done, ["brake", "steer", "log"]);
/// ```
///
/// # Progress
///
/// Blocking: an operation compares up to twice the logarithm of the number of items, under one lock.
/// The items' `Ord` must not use the queue they are in: it would wait for itself. Not for signal
/// handlers. With a bound it holds any number of items from 1 to 2<sup>28</sup>. Full and Empty are
/// exact.
///
/// # Panics
///
/// If a comparison panics, so does the operation, and leaves the queue as it was: a get takes
/// nothing; a put puts nothing in, and its item is dropped. If `Ord` contradicts itself, items come
/// out in any order, but all of them do.
pub type PriorityQueue<T> = brigade_core::Queue<PriorityStore<T>, Parker>;

/// An item of a [`PriorityQueue`] that a consumer holds and has not finished.
pub type PriorityLease<'a, T> = brigade_core::Lease<'a, PriorityStore<T>, Parker>;

/// What a [`PriorityQueue`] keeps its items in: a binary heap that grows as needed, under a lock.
pub type PriorityStore<T> = Locked<ByPriority<T>>;

/// What a [`Queue`] keeps its items in: with a bound, the core's ring of two locks; without one, two
/// buffers that trade places.
///
/// The ring never allocates after it is made. Producers share one lock and consumers another, each
/// held for a few instructions; a thread that is preempted there holds up the others at its end.
///
/// The unbounded buffers grow as needed and shrink after a burst. Producers share one lock and
/// consumers another, each held for a few instructions, or for a reallocation.
pub struct Store<T>(Kind<T>);

enum Kind<T> {
    Bounded(HeapTwoLock<T>),
    Unbounded(UnboundedFifo<T>),
}

/// Hands the call to whichever container it is.
macro_rules! either {
    ($store:expr, $container:ident => $call:expr) => {
        match &$store.0 {
            Kind::Bounded($container) => $call,
            Kind::Unbounded($container) => $call,
        }
    };
}

impl<T> Container for Store<T> {
    type Item = T;

    #[inline]
    fn try_push(&self, item: T) -> Result<(), Refused<T>> {
        either!(self, container => container.try_push(item))
    }

    #[inline]
    fn try_pop(&self) -> Result<T, Nothing> {
        either!(self, container => container.try_pop())
    }

    fn try_push_many(&self, items: &mut Run<T>) -> Result<usize, Refused<()>> {
        either!(self, container => container.try_push_many(items))
    }

    fn try_pop_many(&self, most: usize, into: &mut impl Extend<T>) -> Result<usize, Nothing> {
        either!(self, container => container.try_pop_many(most, into))
    }

    fn close(&self) {
        either!(self, container => container.close());
    }

    fn is_closed(&self) -> bool {
        either!(self, container => container.is_closed())
    }

    #[inline]
    fn pushed(&self) -> u32 {
        either!(self, container => container.pushed())
    }

    #[inline]
    fn after(&self, pushed: u32) -> u32 {
        either!(self, container => container.after(pushed))
    }

    #[inline]
    fn between(&self, from: u32, to: u32) -> u32 {
        either!(self, container => container.between(from, to))
    }

    fn confirm_empty(&self) -> bool {
        either!(self, container => container.confirm_empty())
    }

    fn confirm_full(&self) -> bool {
        either!(self, container => container.confirm_full())
    }

    fn len(&self) -> usize {
        either!(self, container => container.len())
    }

    fn is_full(&self) -> bool {
        either!(self, container => Container::is_full(container))
    }

    fn capacity(&self) -> usize {
        either!(self, container => container.capacity())
    }
}

impl<T> WithCapacity for Store<T> {
    fn with_capacity(capacity: usize) -> Self {
        Self(Kind::Bounded(HeapTwoLock::with_capacity(capacity)))
    }
}

impl<T> Unbounded for Store<T> {
    fn unbounded() -> Self {
        Self(Kind::Unbounded(UnboundedFifo::unbounded()))
    }
}

impl<T> fmt::Debug for Store<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        either!(self, container => container.fmt(f))
    }
}
