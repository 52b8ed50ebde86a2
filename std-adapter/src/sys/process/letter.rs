//! Memory that a parent and its child hand to each other as a file: [`create`], [`open`], [`read`].
//!
//! It has no name anywhere, so nothing is left of it when both are gone. The child opens it as
//! `/proc/PARENT/fd/NUMBER`, hence no descriptor has to be inherited.

#![forbid(unsafe_code)]

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek};
use std::os::fd::AsRawFd;

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::io::fcntl_dupfd_cloexec;

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

/// A copy of what is in it. No mapping: it is not sealed, and whoever else has it could cut that off.
pub(crate) fn read(mut file: &File) -> io::Result<Vec<u8>> {
    let len = file.metadata()?.len();
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(usize::try_from(len).map_err(io::Error::other)?)?;
    file.rewind()?;
    file.take(len).read_to_end(&mut bytes)?;
    Ok(bytes)
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
            assert_eq!(read(&file).unwrap(), bytes);
        }
    }
}
