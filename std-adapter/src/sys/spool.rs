//! Files in memory that one process appends to and another reads, and from which pieces are given back.

#![forbid(unsafe_code)]

use std::fs::{File, OpenOptions};
use std::io;

use rustix::fs::{FallocateFlags, MemfdFlags, fallocate, memfd_create};

/// An empty one.
pub(crate) fn create() -> io::Result<File> {
    Ok(memfd_create("brigade-spool", MemfdFlags::CLOEXEC)?.into())
}

/// That which another process has under this descriptor.
pub(crate) fn open(pid: u32, descriptor: i32) -> io::Result<File> {
    let path = format!("/proc/{pid}/fd/{descriptor}");
    OpenOptions::new().read(true).write(true).open(path)
}

/// Gives the memory of a piece back; it reads as zeroes from then on.
pub(crate) fn punch(file: &File, at: u64, length: u64) {
    let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
    // If the system refuses, the memory stays in use until the file is closed.
    let _ = fallocate(file, flags, at, length);
}
