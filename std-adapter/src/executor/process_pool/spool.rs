//! [`Spool`]: where arguments and answers lie that are too long for a block.
//!
//! A file in memory that only one process appends to; the other reads. What has been read is punched
//! out, so that the file takes as much memory as what is in use, however far its end has moved:
//!
//! ```text
//!     | hole hole hole | in use | hole | in use |  <-- appended here
//! ```
//!
//! It is read by copying and never mapped: a peer that cuts it off causes an error and no signal. What
//! a dead writer has left is punched out when nothing of it is to be read any more.

#![forbid(unsafe_code)]

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::sync::{Mutex, PoisonError};

use crate::sys::spool;

/// Contents begin at multiples of this, so that each has its pages to itself.
const PAGE: u64 = 4096;

pub(super) struct Spool {
    file: File,
    end: Mutex<u64>,
}

impl Spool {
    pub(super) fn create() -> io::Result<Self> {
        Ok(Self::over(spool::create()?, 0))
    }

    /// That of another process.
    pub(super) fn open(pid: u32, descriptor: i32) -> io::Result<Self> {
        let file = spool::open(pid, descriptor)?;
        // Behind what a former writer has left.
        let end = file.metadata()?.len().next_multiple_of(PAGE);
        Ok(Self::over(file, end))
    }

    fn over(file: File, end: u64) -> Self {
        Self {
            file,
            end: Mutex::new(end),
        }
    }

    pub(super) fn descriptor(&self) -> i32 {
        self.file.as_raw_fd()
    }

    /// Writes something behind all that was written before; says where.
    pub(super) fn append(&self, bytes: &[u8]) -> io::Result<u64> {
        let length = (bytes.len() as u64).next_multiple_of(PAGE);
        let at = {
            let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
            let at = *end;
            *end = at.checked_add(length).ok_or(io::ErrorKind::FileTooLarge)?;
            at
        };
        let written = self.file.write_all_at(bytes, at);
        if written.is_err() {
            self.forget(at, bytes.len());
        }
        written.map(|()| at)
    }

    /// Reads what the other has written.
    ///
    /// # Errors
    ///
    /// The system's, and if there is not so much.
    pub(super) fn read(&self, at: u64, length: usize, into: &mut Vec<u8>) -> io::Result<()> {
        let end = at.checked_add(length as u64);
        if end.is_none_or(|end| end > self.file.metadata().map_or(0, |file| file.len())) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        into.clear();
        into.resize(length, 0);
        self.file.read_exact_at(into, at)
    }

    /// Gives back what a dead writer has left, if all that is to be read has been.
    pub(super) fn clear(&self) {
        let length = self.file.metadata().map_or(0, |file| file.len());
        if length > 0 {
            spool::punch(&self.file, 0, length.next_multiple_of(PAGE));
        }
    }

    /// Gives its memory back.
    pub(super) fn forget(&self, at: u64, length: usize) {
        spool::punch(&self.file, at, (length as u64).next_multiple_of(PAGE));
    }
}
