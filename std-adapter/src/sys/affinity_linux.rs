//! Where a thread may run: Linux.

use rustix::thread::sched_getaffinity;

use super::errno::preserved;

/// Whether the calling thread is kept on one processor. One system call.
pub(super) fn pinned() -> bool {
    // It fails on machines with more processors than a `CpuSet` counts.
    preserved(|| sched_getaffinity(None)).is_ok_and(|set| set.count() == 1)
}

#[cfg(test)]
mod tests {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

    use super::pinned;

    #[test]
    fn a_thread_kept_on_one_processor_knows_it() {
        let allowed = sched_getaffinity(None).unwrap();
        assert_eq!(pinned(), allowed.count() == 1);
        let first = (0..CpuSet::MAX_CPU).find(|&cpu| allowed.is_set(cpu));
        let mut one = CpuSet::new();
        one.set(first.unwrap());
        // This test has a thread to itself.
        sched_setaffinity(None, &one).unwrap();
        assert!(pinned());
        sched_setaffinity(None, &allowed).unwrap();
    }
}
