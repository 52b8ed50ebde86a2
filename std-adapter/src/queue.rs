//! [`Queue`]: the core's queue on the heap, between threads.

use std::fmt;

use brigade_core::bounded::{
    Container, HeapTwoLock, Nothing, Refused, Run, Unbounded, WithCapacity,
};

use crate::Parker;
use crate::unbounded::UnboundedFifo;

/// A queue between threads: what Python calls `queue.Queue`.
///
/// Made by [`bounded`](brigade_core::Queue::bounded) or
/// [`unbounded`](brigade_core::Queue::unbounded); items come out in the order in which they went
/// in. Everything it does is said at [`brigade_core::Queue`], of which this is the form for threads:
/// those who wait spin for a microsecond or two and then sleep, deadlines are
/// [`Instant`](std::time::Instant)s.
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
