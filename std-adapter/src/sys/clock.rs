//! The clock that all processes of the machine share, and [`Instant`](std::time::Instant) reads.

/// Nanoseconds since some moment before the machine started; never 0.
pub(crate) fn nanos() -> u64 {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: writes to a structure of ours.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &raw mut now) };
    let (seconds, nanos) = (now.tv_sec.unsigned_abs(), now.tv_nsec.unsigned_abs());
    (seconds * 1_000_000_000 + nanos).max(1)
}
