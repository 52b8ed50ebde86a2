//! The number the operating system gives a thread: the one of `top -H`, `perf` and `/proc`.

/// That of the calling thread. One system call.
#[allow(
    clippy::unnecessary_wraps,
    reason = "other systems have no such number"
)]
pub(crate) fn current() -> Option<u32> {
    Some(
        rustix::thread::gettid()
            .as_raw_nonzero()
            .get()
            .unsigned_abs(),
    )
}
