//! Memory that several processes share: a memfd, mapped by each of them.
//!
//! Another process reaches it by an address in the parent's `/proc/PID/fd`. Nothing has a name, so
//! nothing is left behind.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, AtomicU64};

use rustix::fs::{MemfdFlags, Mode, OFlags, fstat, ftruncate, memfd_create, open};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

/// A mapped segment of memory, zeroes at first.
#[derive(Debug)]
pub struct Segment {
    file: OwnedFd,
    base: NonNull<u8>,
    len: usize,
}

impl Segment {
    /// A new segment of `len` bytes.
    ///
    /// # Panics
    ///
    /// If the kernel has none to give.
    #[must_use]
    pub fn create(len: usize) -> Self {
        let file = memfd_create("compare", MemfdFlags::CLOEXEC).expect("a memfd can be made");
        ftruncate(&file, len as u64).expect("a memfd takes any size");
        Self::map(file, len)
    }

    /// The segment that is at `address` in a living process.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[must_use]
    pub fn open(address: &str) -> Self {
        let file = open(address, OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
            .expect("the segment is there while its process lives");
        let len = fstat(&file).expect("an open file has a size").st_size;
        Self::map(file, usize::try_from(len).expect("sizes are positive"))
    }

    #[expect(unsafe_code, reason = "memory is mapped here and nowhere else")]
    fn map(file: OwnedFd, len: usize) -> Self {
        let (access, flags) = (ProtFlags::READ | ProtFlags::WRITE, MapFlags::SHARED);
        // SAFETY: without an address of ours the kernel chooses one where nothing is.
        let base = unsafe { mmap(std::ptr::null_mut(), len, access, flags, file.as_fd(), 0) };
        let base = base.expect("a memfd can be mapped").cast();
        let base = NonNull::new(base).expect("nothing is mapped at zero");
        Self { file, base, len }
    }

    /// Where other processes find it.
    #[must_use]
    pub fn address(&self) -> String {
        address(&self.file)
    }

    /// Its size in bytes.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "an empty mapping cannot be")]
    pub fn len(&self) -> usize {
        self.len
    }

    /// `count` words of 64 bits from byte `at` on.
    ///
    /// # Panics
    ///
    /// If they are not within the segment, or `at` is not aligned.
    #[must_use]
    #[expect(unsafe_code, reason = "memory is mapped here and nowhere else")]
    pub fn u64s(&self, at: usize, count: usize) -> &[AtomicU64] {
        let base = self.at(at, count * size_of::<AtomicU64>());
        // SAFETY: aligned and within the mapping, which lives as long as `self`. Everybody reads
        // and writes it by atomics alone; any value is one.
        unsafe { std::slice::from_raw_parts(base.cast().as_ptr(), count) }
    }

    /// The word of 32 bits at byte `at`.
    ///
    /// # Panics
    ///
    /// If it is not within the segment, or `at` is not aligned.
    #[must_use]
    #[expect(unsafe_code, reason = "memory is mapped here and nowhere else")]
    pub fn u32(&self, at: usize) -> &AtomicU32 {
        let base = self.at(at, size_of::<AtomicU32>());
        // SAFETY: as above.
        unsafe { base.cast().as_ref() }
    }

    fn at(&self, at: usize, len: usize) -> NonNull<u8> {
        assert!(
            at.is_multiple_of(8) && at <= self.len && len <= self.len - at,
            "within the segment"
        );
        #[expect(unsafe_code, reason = "memory is mapped here and nowhere else")]
        // SAFETY: just checked.
        unsafe {
            self.base.add(at)
        }
    }
}

impl Drop for Segment {
    #[expect(unsafe_code, reason = "memory is mapped here and nowhere else")]
    fn drop(&mut self) {
        // SAFETY: mapped by `map`, and no reference outlives `self`.
        let _ = unsafe { munmap(self.base.as_ptr().cast(), self.len) };
    }
}

#[expect(unsafe_code, reason = "memory is mapped here and nowhere else")]
// SAFETY: it is memory that is shared between processes, so threads may share it, too.
unsafe impl Send for Segment {}
#[expect(unsafe_code, reason = "memory is mapped here and nowhere else")]
// SAFETY: as above; only atomics are given out.
unsafe impl Sync for Segment {}

/// Where other processes find an open file of this one.
#[must_use]
pub fn address(file: &impl AsFd) -> String {
    format!(
        "/proc/{}/fd/{}",
        std::process::id(),
        file.as_fd().as_raw_fd()
    )
}
