//! Whether this thread is in a signal handler of ours, where nothing foreign may be called.

use std::cell::Cell;

thread_local! {
    /// A bit for each signal that this thread is handling.
    ///
    /// Made at compile time and without a destructor, so that a handler may touch it.
    static HANDLING: Cell<u32> = const { Cell::new(0) };
}

/// Whether this thread is in a signal handler of ours.
#[inline]
pub(crate) fn in_signal_handler() -> bool {
    HANDLING.get() != 0
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
