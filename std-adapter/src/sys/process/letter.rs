//! Memory that a parent and its child hand to each other as a file: [`create`], [`open`], [`read`].
//!
//! It has no name anywhere, so nothing is left of it when both are gone. The child opens it as
//! `/proc/PARENT/fd/NUMBER`, hence no descriptor has to be inherited.

use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Deref;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::{ptr, slice};

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::io::fcntl_dupfd_cloexec;
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

/// An empty one.
pub(crate) fn create() -> io::Result<File> {
    let file = memfd_create("brigade-process", MemfdFlags::CLOEXEC)?;
    if file.as_raw_fd() > 2 {
        return Ok(file.into());
    }
    // The standard stream with this number is closed, but may be printed to.
    Ok(fcntl_dupfd_cloexec(&file, 3)?.into())
}

/// Opens one of another process, of the same user as a rule.
pub(crate) fn open(pid: u32, number: u32) -> io::Result<File> {
    let path = format!("/proc/{pid}/fd/{number}");
    OpenOptions::new().read(true).write(true).open(path)
}

/// What is in it.
///
/// # Safety
///
/// - It was made by [`create`].
/// - As long as the answer is there, nobody writes to it or makes it shorter: whoever has it has
///   handed it over.
pub(crate) unsafe fn read(file: &File) -> io::Result<Content> {
    /// Copying what is longer takes more time than mapping it.
    const LONG: usize = 64 * 1024;

    let len = file.metadata()?.len();
    let len = usize::try_from(len).map_err(io::Error::other)?;
    if len < LONG {
        let mut bytes = vec![0; len];
        file.read_exact_at(&mut bytes, 0)?;
        return Ok(Content(Inner::Copied(bytes)));
    }
    // All of it will be read, so all of it is mapped at once.
    // SAFETY: a new mapping, which takes the place of no other.
    let address = unsafe {
        mmap(
            ptr::null_mut(),
            len,
            ProtFlags::READ,
            MapFlags::SHARED | MapFlags::POPULATE,
            file,
            0,
        )
    }?;
    Ok(Content(Inner::Mapped {
        address: address.cast::<u8>(),
        len,
    }))
}

/// What somebody has handed over.
pub(crate) struct Content(Inner);

enum Inner {
    Copied(Vec<u8>),
    Mapped { address: *mut u8, len: usize },
}

// SAFETY: memory that is only read, and belongs to no thread.
unsafe impl Send for Content {}
// SAFETY: as above.
unsafe impl Sync for Content {}

impl Deref for Content {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Inner::Copied(bytes) => bytes,
            // SAFETY: it is mapped until it is dropped, that long, and `read`'s caller has promised
            // that nobody writes to it.
            Inner::Mapped { address, len } => unsafe { slice::from_raw_parts(*address, *len) },
        }
    }
}

impl Drop for Content {
    fn drop(&mut self) {
        if let Inner::Mapped { address, len } = self.0 {
            // SAFETY: it was mapped by `read`, and nobody borrows from it any more.
            let _ = unsafe { munmap(address.cast(), len) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{create, read};
    use std::os::unix::fs::FileExt;

    #[test]
    fn short_and_long_ones_are_read_whole() {
        for len in [0_usize, 1, 100, 65_535, 65_536, 1_000_001] {
            let file = create().unwrap();
            let bytes: Vec<u8> = (0..=250).cycle().take(len).collect();
            file.write_all_at(&bytes, 0).unwrap();
            // SAFETY: nobody else has the file.
            let content = unsafe { read(&file) }.unwrap();
            assert_eq!(&*content, bytes);
        }
    }
}
