//! What threads wait for besides queues: the core's types, between threads.

use crate::Parker;

/// A flag that threads wait for until somebody sets it: what Python calls `threading.Event`.
///
/// Everything it does is said at [`brigade_core::Event`], of which this is the form for threads.
/// It can be a `static`. On Linux and Android, `set` may be called from a signal handler, as
/// [`signal::on`](crate::signal::on) does. It does so also if tasks await the event; a handler of
/// yours would run their wakers.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use brigade::Event;
///
/// static READY: Event = Event::new();
///
/// let waiter = std::thread::spawn(|| READY.wait_timeout(Duration::from_secs(10)));
/// READY.set();
/// assert!(waiter.join().unwrap());
/// ```
pub type Event = brigade_core::Event<Parker>;

/// Counts work that was begun and is not done, and lets threads wait for zero.
///
/// Everything it does is said at [`brigade_core::JoinCounter`], of which this is the form for
/// threads.
///
/// # Example
///
/// ```
/// use brigade::JoinCounter;
///
/// static RUNNING: JoinCounter = JoinCounter::new();
///
/// for _ in 0..3 {
///     RUNNING.add(1).unwrap();
///     std::thread::spawn(|| RUNNING.done().unwrap());
/// }
/// RUNNING.wait();
/// ```
pub type JoinCounter = brigade_core::JoinCounter<Parker>;

/// Lets a limited number of holders in at a time: what Python calls `threading.BoundedSemaphore`.
///
/// Everything it does is said at [`brigade_core::Semaphore`], of which this is the form for threads.
///
/// # Example
///
/// ```
/// use brigade::Semaphore;
///
/// static CONNECTIONS: Semaphore = Semaphore::new(2);
///
/// std::thread::scope(|scope| {
///     for _ in 0..8 {
///         scope.spawn(|| {
///             let _permit = CONNECTIONS.acquire();
///             // ... two at a time
///         });
///     }
/// });
/// assert_eq!(CONNECTIONS.available(), 2);
/// ```
pub type Semaphore = brigade_core::Semaphore<Parker>;

/// A permit of a [`Semaphore`]; returns it when dropped.
pub type Permit<'a> = brigade_core::Permit<'a, Parker>;

/// Lets a number of threads go on when all of them have arrived: what Python calls
/// `threading.Barrier`.
///
/// Everything it does is said at [`brigade_core::Barrier`], of which this is the form for threads.
///
/// # Example
///
/// ```
/// use brigade::Barrier;
///
/// let barrier = Barrier::new(3);
/// std::thread::scope(|scope| {
///     for _ in 0..3 {
///         scope.spawn(|| {
///             // ... prepare, then go on together
///             barrier.wait();
///         });
///     }
/// });
/// ```
pub type Barrier = brigade_core::Barrier<Parker>;
