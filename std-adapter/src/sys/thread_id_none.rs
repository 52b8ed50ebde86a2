//! The number the operating system gives a thread, where we do not ask for it.

/// That of the calling thread.
pub(crate) fn current() -> Option<u32> {
    None
}
