//! [`Event`] and [`JoinCounter`]: the core's, between threads.

use crate::Parker;

/// A flag that threads wait for until somebody sets it: what Python calls `threading.Event`.
///
/// Everything it does is said at [`brigade_core::Event`], of which this is the form for threads.
/// It can be a `static`. On Linux and Android, `set` may be called from a signal handler, as
/// [`signal::on`](crate::signal::on) does.
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
