//! [`Select`]: to wait for whichever of several things comes first.

#![forbid(unsafe_code)]

pub(crate) mod any;

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::hash::{BuildHasher, RandomState};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::sys::thread_waker::wait_for;

/// Waits for whichever of several queues, events and other things comes first.
///
/// What can be waited for is what the operations that end in `_async` return, such as
/// [`get_async`](brigade_core::Queue::get_async), [`lease_async`](brigade_core::Queue::lease_async),
/// [`wait_async`](brigade_core::Event::wait_async) and
/// [`acquire_async`](brigade_core::Semaphore::acquire_async), and any other future, such as a
/// [`Task`](crate::Task). No executor is needed: the calling thread polls them and sleeps in between.
/// With each goes a function that says what it means; what the function returns is the answer.
///
/// ```
/// use std::time::Duration;
/// use brigade::{Event, GetError, Queue, Select};
///
/// static STOP: Event = Event::new();
///
/// enum Next {
///     Order(&'static str),
///     Return(u32),
///     Stop,
/// }
///
/// let orders = Queue::bounded(8);
/// let returns: Queue<u32> = Queue::unbounded();
/// orders.put("tea").unwrap();
///
/// let next = Select::new()
///     .on(orders.get_async(), |got| got.map_or(Next::Stop, Next::Order))
///     .on(returns.get_async(), |got| got.map_or(Next::Stop, Next::Return))
///     .on(STOP.wait_async(), |()| Next::Stop)
///     .wait_timeout(Duration::from_secs(10));
/// match next {
///     Some(Next::Order(what)) => assert_eq!(what, "tea"),
///     Some(Next::Return(_) | Next::Stop) => unreachable!("nobody returned or stopped anything"),
///     None => println!("nothing in ten seconds"),
/// }
/// ```
///
/// For several of a kind there is [`select`].
///
/// # What is promised
///
/// - **One wins.** Its function is called, on this thread, and nothing is taken from any other: no
///   item, no permit, no wake-up.
/// - **The choice is fair.** Each look begins at a source chosen at random, so none that is ready is
///   passed over for ever, in whatever order they were given.
/// - **A shutdown wins like an item.** A queue that is shut down and empty is ready, with an error,
///   at once and for ever: leave it out of the next `Select`.
///
/// A put may be among them. Lend it, and the item comes back if something else wins:
///
/// ```
/// use brigade::{Event, Queue, Select};
///
/// let full = Queue::bounded(1);
/// full.put(1).unwrap();
/// let stop = Event::new();
/// stop.set();
///
/// let mut put = full.put_async(2);
/// let is_put = Select::new()
///     .on(&mut put, |result| result.is_ok())
///     .on(stop.wait_async(), |()| false)
///     .wait();
/// assert!(!is_put);
/// assert_eq!(put.into_item(), Some(2));
/// ```
///
/// # Where it may be used
///
/// On threads; the calls that wait block. In a task use the executor's own `select`: the same futures
/// fit in there. Not in signal handlers, but an [`Event`](crate::Event) that a handler sets wakes it.
/// A worker of a pool must not wait in this way for tasks of its own pool: nobody finds out that it
/// waits for itself.
///
/// Progress: blocking. Each source costs an allocation, and a place among those who wait for it, for
/// as long as the call takes.
#[must_use = "nothing is waited for before one of the calls that wait"]
pub struct Select<'a, R> {
    sources: Vec<Source<'a, R>>,
}

/// What is waited for. Its output makes the answer when it is called, by which time the other sources
/// have been dropped: `then` is the user's code and may take its time.
type Source<'a, R> = Pin<Box<dyn Future<Output = Answer<'a, R>> + 'a>>;
type Answer<'a, R> = Box<dyn FnOnce() -> R + 'a>;

impl<'a, R> Select<'a, R> {
    /// With nothing to wait for yet.
    pub const fn new() -> Self {
        Self {
            sources: Vec::new(),
        }
    }

    /// Waits for this future too. If it wins, `then` makes the answer of what came out of it.
    pub fn on<F: Future + 'a>(mut self, source: F, then: impl FnOnce(F::Output) -> R + 'a) -> Self {
        self.sources.push(Box::pin(async move {
            let output = source.await;
            Box::new(move || then(output)) as Answer<'a, R>
        }));
        self
    }

    /// Waits until one is ready. Blocks.
    ///
    /// # Panics
    ///
    /// If there is nothing to wait for; and if a future or a function does. The other sources lose
    /// nothing by it.
    #[allow(
        clippy::must_use_candidate,
        reason = "the functions may have done all there is to do"
    )]
    pub fn wait(self) -> R {
        match self.wait_until(None) {
            Some(answer) => answer,
            None => unreachable!("without a deadline it waits until there is an answer"),
        }
    }

    /// Waits until one is ready or the time is up, which is `None`. Blocks, for `timeout` at most.
    ///
    /// A time-out too long for an [`Instant`] means "for ever".
    ///
    /// # Panics
    ///
    /// As [`wait`](Self::wait).
    #[must_use = "what came first is lost otherwise"]
    pub fn wait_timeout(self, timeout: Duration) -> Option<R> {
        self.wait_until(Instant::now().checked_add(timeout))
    }

    /// Waits until one is ready or the deadline has passed, which is `None`. Blocks, until `deadline`
    /// at most. What is ready at once wins also when the deadline has passed already.
    ///
    /// # Panics
    ///
    /// As [`wait`](Self::wait).
    #[must_use = "what came first is lost otherwise"]
    pub fn wait_deadline(self, deadline: Instant) -> Option<R> {
        self.wait_until(Some(deadline))
    }

    /// The answer of one that is ready now, if any is. Never sleeps.
    ///
    /// # Panics
    ///
    /// As [`wait`](Self::wait).
    #[must_use = "what came first is lost otherwise"]
    pub fn try_wait(mut self) -> Option<R> {
        match self.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answer) => Some(self.settle(answer)),
            Poll::Pending => None,
        }
    }

    fn wait_until(mut self, deadline: Option<Instant>) -> Option<R> {
        let answer = wait_for(deadline, |context| self.poll(context))?;
        Some(self.settle(answer))
    }

    /// Lets go of the sources, so that wake-ups which came to them go to others, and makes the answer.
    fn settle(self, answer: Answer<'a, R>) -> R {
        drop(self);
        answer()
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Answer<'a, R>> {
        let sources = self.sources.len();
        assert!(sources > 0, "there is nothing to wait for");
        any::poll_any(&mut self.sources, random_below(sources), context)
    }
}

/// Waits for whichever of several of a kind comes first; the answer is its number, from 0, and what
/// came out of it.
///
/// It makes a [`Select`], which says how to wait. More can be added to that.
///
/// ```
/// use brigade::{Queue, select};
///
/// let shelves: Vec<Queue<&str>> = (0..3).map(|_| Queue::bounded(4)).collect();
/// shelves[2].put("jam").unwrap();
///
/// let (shelf, got) = select(shelves.iter().map(|shelf| shelf.get_async())).wait();
/// assert_eq!((shelf, got), (2, Ok("jam")));
/// ```
pub fn select<'a, F: Future + 'a>(
    sources: impl IntoIterator<Item = F>,
) -> Select<'a, (usize, F::Output)> {
    let mut select = Select::new();
    for (number, source) in sources.into_iter().enumerate() {
        select = select.on(source, move |output| (number, output));
    }
    select
}

/// A number that nobody can foresee, and need not be good for more than a fair choice.
fn random_below(bound: usize) -> usize {
    thread_local! {
        // Not 0, which would stay 0.
        static STATE: Cell<u64> = Cell::new(RandomState::new().hash_one(0) | 1);
    }
    // Marsaglia's generator ("Xorshift RNGs", 2003).
    let mut state = STATE.get();
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    STATE.set(state);
    #[allow(clippy::cast_possible_truncation, reason = "any bits will do")]
    let random = (state >> 32) as usize;
    random % bound
}

impl<R> Default for Select<'_, R> {
    fn default() -> Self {
        Self::new()
    }
}

impl<R> fmt::Debug for Select<'_, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Select")
            .field("sources", &self.sources.len())
            .finish()
    }
}
