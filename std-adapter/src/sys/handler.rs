//! Whether this thread is in a signal handler of ours, where nothing foreign may be called.

use std::cell::Cell;

thread_local! {
    /// Made at compile time and without a destructor, so that a handler may touch it.
    static IN_HANDLER: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread is in a signal handler of ours.
#[inline]
pub(crate) fn in_signal_handler() -> bool {
    IN_HANDLER.get()
}
