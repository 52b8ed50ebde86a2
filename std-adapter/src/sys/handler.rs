//! What this thread is doing in signal handlers of ours.
//!
//! - *Handling* a signal: it is somewhere in our handler, maybe in one of others that ours calls.
//! - *Leaving tasks*: it is setting an event for us, so it must call no waker. Who else sets an event
//!   in a handler, below or above ours, wakes tasks himself: no courier would do it for him.

use std::cell::Cell;

thread_local! {
    /// A bit for each signal that this thread is handling.
    ///
    /// Made at compile time and without a destructor, so that a handler may touch it.
    #[cfg(unix)]
    static HANDLING: Cell<u32> = const { Cell::new(0) };

    /// The same goes for this.
    static LEAVING_TASKS: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread must wake no tasks now: the courier does it.
#[inline]
pub(super) fn leaves_tasks() -> bool {
    LEAVING_TASKS.get()
}

/// Has this thread wake no tasks in `action`. All signals must be blocked meanwhile, or it would
/// hold for handlers that cut in as well.
#[cfg(unix)]
pub(super) fn leaving_tasks(action: impl FnOnce()) {
    LEAVING_TASKS.set(true);
    action();
    LEAVING_TASKS.set(false);
}

/// This thread is in our handler of a signal as long as this exists.
#[cfg(unix)]
pub(super) struct Handling {
    bit: u32,
}

#[cfg(unix)]
impl Handling {
    /// `None` if this thread is in it already: a handler installed over ours, to which we have
    /// passed the signal on, has passed it on to us.
    pub(super) fn begin(bit: u32) -> Option<Self> {
        let now = HANDLING.get();
        if now & bit != 0 {
            return None;
        }
        // The handler of another signal may cut in between. It leaves the bits as it found them.
        HANDLING.set(now | bit);
        Some(Self { bit })
    }
}

#[cfg(unix)]
impl Drop for Handling {
    fn drop(&mut self) {
        HANDLING.set(HANDLING.get() & !self.bit);
    }
}
