//! Bytes that nobody can change any more: a memfd that is sealed against writes, and so may be mapped
//! and borrowed as what it is.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::ptr::NonNull;

use rustix::fs::{self, MemfdFlags, SealFlags};
use rustix::mm::{self, MapFlags, ProtFlags};

use super::memory::{Identity, identity};

/// All that it takes for the bytes, and their number, to stay as they are.
const SEALS: SealFlags = SealFlags::SHRINK
    .union(SealFlags::GROW)
    .union(SealFlags::WRITE);

/// A file in memory that is still being written.
pub(crate) fn draft(name: &str) -> io::Result<File> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    Ok(File::from(fs::memfd_create(name, flags)?))
}

/// Bytes that stay as they are.
#[derive(Debug)]
pub(crate) struct Sealed {
    descriptor: OwnedFd,
    identity: Identity,
    base: NonNull<u8>,
    length: usize,
}

// SAFETY: it owns a mapping that nobody writes to.
unsafe impl Send for Sealed {}
// SAFETY: as above.
unsafe impl Sync for Sealed {}

impl Sealed {
    /// Ends the writing. Nobody, in this process or another, can write to the file from now on.
    pub(crate) fn seal(draft: File) -> io::Result<Self> {
        fs::fcntl_add_seals(&draft, SEALS | SealFlags::SEAL)?;
        Self::open(draft.into())
    }

    /// Maps what somebody else has sealed.
    ///
    /// # Errors
    ///
    /// The system's, and `InvalidData` if it is not sealed.
    pub(crate) fn open(descriptor: OwnedFd) -> io::Result<Self> {
        // Anything but a memfd has no seals to ask for.
        if !fs::fcntl_get_seals(&descriptor)?.contains(SEALS) {
            let what = "shared bytes that are not sealed";
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        let length = usize::try_from(fs::fstat(&descriptor)?.st_size)
            .ok()
            .filter(|&length| isize::try_from(length).is_ok())
            .ok_or(io::ErrorKind::InvalidData)?;
        let base = if length == 0 {
            NonNull::dangling()
        } else {
            // Private, as older kernels refuse a shared mapping of what is sealed against writes. Nothing
            // is copied for that, as nothing is written.
            // SAFETY: a new mapping at a place that the kernel chooses touches nothing that exists.
            let base = unsafe {
                mm::mmap(
                    std::ptr::null_mut(),
                    length,
                    ProtFlags::READ,
                    MapFlags::PRIVATE,
                    &descriptor,
                    0,
                )
            }?;
            NonNull::new(base.cast()).ok_or(io::ErrorKind::OutOfMemory)?
        };
        Ok(Self {
            identity: identity(descriptor.as_fd())?,
            descriptor,
            base,
            length,
        })
    }

    #[inline]
    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: mapped, of this length, as long as we are borrowed; and by the seals nobody can write to it
        // or cut it off.
        unsafe { std::slice::from_raw_parts(self.base.as_ptr(), self.length) }
    }

    pub(crate) fn identity(&self) -> Identity {
        self.identity
    }

    /// The number of the descriptor in this process.
    pub(crate) fn descriptor(&self) -> i32 {
        self.descriptor.as_fd().as_raw_fd()
    }
}

impl Drop for Sealed {
    fn drop(&mut self) {
        if self.length > 0 {
            // SAFETY: the mapping is ours, and what is borrowed from it is borrowed from us.
            let unmapped = unsafe { mm::munmap(self.base.as_ptr().cast(), self.length) };
            debug_assert!(unmapped.is_ok());
        }
    }
}
