//! Keeping signals away from a thread for a while.

use std::fmt;
use std::marker::PhantomData;

use super::error::{Error, checked};
use super::wait::take_left;
use crate::sys::disposition::set_of;
use crate::sys::mask::{block, send_to_self, unblock};
use crate::sys::signal::unseen;

/// Blocks signals for the calling thread, until the guard is dropped.
///
/// A signal that arrives for the process goes to a thread that does not block it; if all do, it
/// stays pending, and so does one sent to this very thread. However often it arrives meanwhile, it
/// is pending once. What is pending when the guard is dropped is delivered there and then.
///
/// # Who inherits it
///
/// **Threads** start with the mask of the thread that spawns them, and keep it when that one's guard
/// is dropped. So a mask set up before any thread is spawned holds in all of them: see
/// [`wait`](fn@super::wait) for what that is good for. **Processes** do so as well, and after `exec` too:
/// a child started while `SIGTERM` is masked ignores a polite request to end, unless it unmasks it
/// itself.
///
/// # Errors
///
/// Those of [`on`](super::on), for the same signals. Nothing is blocked then.
///
/// # Blocking
///
/// Never blocks: one system call, here and when the guard is dropped. Not for signal handlers.
///
/// # Example
///
/// ```
/// use brigade::{Event, signal};
///
/// static STOP: Event = Event::new();
///
/// let _guard = signal::on([signal::SIGINT], &STOP)?;
/// {
///     let _mask = signal::mask([signal::SIGINT])?;
///     // ... calls into a library that does not like to be interrupted ...
/// }
/// // A Ctrl-C from meanwhile has set the event by now, if no other thread was there to take it.
/// assert!(!STOP.is_set());
/// # Ok::<(), signal::Error>(())
/// ```
pub fn mask(signals: impl IntoIterator<Item = i32>) -> Result<MaskGuard, Error> {
    let signals = checked(signals)?;
    let blocked = block(set_of(&signals)).map_err(|error| Error::os((signals[0], error)))?;
    Ok(MaskGuard {
        blocked,
        thread: PhantomData,
    })
}

/// Signals that this thread blocks, from [`mask`](mask()).
///
/// Dropping it unblocks those that were not blocked before. Drop guards of one thread in the
/// reverse of their order, as locals are: each restores what it has found. It cannot leave its
/// thread:
///
/// ```compile_fail
/// # use brigade::signal;
/// let mask = signal::mask([signal::SIGINT]).unwrap();
/// std::thread::spawn(move || drop(mask));
/// ```
#[must_use = "dropping the guard unblocks the signals"]
pub struct MaskGuard {
    blocked: u32,
    /// Not `Send`: a mask is that of its thread.
    thread: PhantomData<*const ()>,
}

impl Drop for MaskGuard {
    fn drop(&mut self) {
        // A guard that was there when they came has been told.
        send_to_self(unseen(take_left(self.blocked)));
        // It cannot fail: it was possible to block them.
        let _ = unblock(self.blocked);
    }
}

impl fmt::Debug for MaskGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MaskGuard").finish_non_exhaustive()
    }
}
