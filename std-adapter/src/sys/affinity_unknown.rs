//! Where a thread may run: not asked.

/// Whether the calling thread is known to be kept on one processor.
pub(super) const fn pinned() -> bool {
    false
}
