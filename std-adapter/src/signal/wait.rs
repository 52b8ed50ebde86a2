//! Waiting for a signal without an event of one's own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::EventRef;
use super::error::{Error, checked};
use crate::Event;
use crate::sys::disposition::{bit, set_of};
use crate::sys::mask::{block, blocked, unblock};
use crate::sys::signal::Watch;

/// Waits until one of `signals` arrives; says which.
///
/// May be called from any thread, by several at once, and while there are guards: each is told. It
/// is as if a guard existed during the call: before and afterwards a signal takes the course it
/// takes without, and one that comes after the first, before the call has returned, takes its
/// default action.
///
/// # Again and again
///
/// Between two calls a signal would take its default action, which ends the program. So
/// [`mask`](super::mask()) it first, before any thread is spawned: it is pending then until the next
/// call, which unblocks the signals for its thread and for as long as it waits. None is lost and none
/// takes its default action, though several of one kind may arrive as one. (There is one exception: a
/// handler of others that was to be called once, and that sends itself the signal again to end.)
///
/// ```
/// use std::thread;
/// use brigade::signal::{self, SIGHUP, SIGUSR1};
/// # use std::process::{self, Command};
/// # fn send(signal: &str) {
/// #     let kill = Command::new("kill").args([signal, &process::id().to_string()]).status();
/// #     assert!(kill.unwrap().success());
/// # }
///
/// fn main() -> Result<(), signal::Error> {
///     let _mask = signal::mask([SIGHUP, SIGUSR1])?; // first thing in main: all threads inherit it
///
///     let listener = thread::spawn(|| {
///         let mut reloads = 0;
///         while signal::wait([SIGHUP, SIGUSR1])? == SIGHUP {
///             reloads += 1; // ... read the configuration again ...
/// #           send("-USR1");
///         }
///         Ok(reloads)
///     });
/// #   send("-HUP");
///     assert_eq!(listener.join().unwrap()?, 1); // one SIGHUP, then SIGUSR1
///     Ok(())
/// }
/// ```
///
/// # Errors
///
/// Those of [`on`](super::on); then it has not waited.
///
/// # Blocking
///
/// Blocks until a signal arrives. Must not be called from a signal handler.
pub fn wait(signals: impl IntoIterator<Item = i32>) -> Result<i32, Error> {
    let signals = checked(signals)?;
    loop {
        if let Some(signal) = waited(signals.iter().copied(), Event::wait)? {
            return Ok(signal);
        }
    }
}

/// Waits until one of `signals` arrives, for `timeout` at most; says which, or `None` if the time is
/// up.
///
/// Otherwise as [`wait`]. What is pending is taken even if the time-out is zero.
///
/// # Errors
///
/// Those of [`on`](super::on); then it has not waited.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use brigade::signal::{self, SIGUSR2};
///
/// assert_eq!(signal::wait_timeout([SIGUSR2], Duration::from_millis(1))?, None);
/// # Ok::<(), signal::Error>(())
/// ```
pub fn wait_timeout(
    signals: impl IntoIterator<Item = i32>,
    timeout: Duration,
) -> Result<Option<i32>, Error> {
    waited(signals, |event| {
        let _ = event.wait_timeout(timeout);
    })
}

/// Waits until one of `signals` arrives or the deadline has passed; says which, or `None`.
///
/// Otherwise as [`wait_timeout`].
///
/// # Errors
///
/// Those of [`on`](super::on); then it has not waited.
///
/// # Example
///
/// ```
/// use std::time::{Duration, Instant};
/// use brigade::signal::{self, SIGUSR2};
///
/// let deadline = Instant::now() + Duration::from_millis(1);
/// assert_eq!(signal::wait_deadline([SIGUSR2], deadline)?, None);
/// # Ok::<(), signal::Error>(())
/// ```
pub fn wait_deadline(
    signals: impl IntoIterator<Item = i32>,
    deadline: Instant,
) -> Result<Option<i32>, Error> {
    waited(signals, |event| {
        let _ = event.wait_deadline(deadline);
    })
}

/// Signals that the system has delivered to a call that was about to return with another one, and
/// that were masked where it was made: they are pending for the next call that asks for them, or
/// until the mask is dropped.
static LEFT: AtomicU32 = AtomicU32::new(0);

/// Takes those of these signals that were left.
pub(super) fn take_left(signals: u32) -> u32 {
    // ORDERING: Relaxed, here and below: a set that stands for itself.
    signals & LEFT.fetch_and(!signals, Ordering::Relaxed)
}

/// Sets up what it takes to be told of the signals, has `sleep` wait for the event, and takes it all
/// down again; says which signal arrived first.
fn waited(
    signals: impl IntoIterator<Item = i32>,
    sleep: impl FnOnce(&Event),
) -> Result<Option<i32>, Error> {
    let signals = checked(signals)?;
    let failed = |source| Error::os((signals[0], source));
    let masked = blocked(set_of(&signals)).map_err(failed)?;
    for &signal in &signals {
        if take_left(masked & bit(signal)) != 0 {
            return Ok(Some(signal));
        }
    }
    let event = Arc::new(Event::new());
    let watch =
        Watch::new(&signals, EventRef::from(Arc::clone(&event)), masked).map_err(Error::os)?;
    unblock(masked).map_err(failed)?;
    sleep(&event);
    // First the mask, so that what comes from now on is pending again. It cannot fail: it was like
    // this before.
    let _ = block(masked);
    let (first, seen) = watch.end();
    // ORDERING: Relaxed, see above.
    LEFT.fetch_or(seen & masked & !first.map_or(0, bit), Ordering::Relaxed);
    Ok(first)
}
