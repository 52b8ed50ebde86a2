//! stdout: lines as `sha256sum` writes them, many at a time.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::hash::Sha;

/// When this much has come together, it is written.
const FULL: usize = 32 * 1024;

pub(crate) struct Lines {
    out: File,
    waiting: Vec<u8>,
}

impl Lines {
    /// On stdout, past the buffer that the standard library has before it.
    pub(crate) fn to_stdout() -> io::Result<Self> {
        Ok(Self {
            out: io::stdout().as_fd().try_clone_to_owned()?.into(),
            waiting: Vec::with_capacity(2 * FULL),
        })
    }

    pub(crate) fn add(&mut self, sha: &Sha, path: &Path) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let line = &mut self.waiting;
        let path = path.as_os_str().as_bytes();
        let plain = !path.iter().any(|byte| b"\n\r\\".contains(byte));
        if !plain {
            line.push(b'\\');
        }
        for byte in sha {
            line.push(DIGITS[usize::from(byte >> 4)]);
            line.push(DIGITS[usize::from(byte & 15)]);
        }
        line.extend_from_slice(b"  ");
        if plain {
            line.extend_from_slice(path);
        } else {
            for &byte in path {
                match byte {
                    b'\n' => line.extend_from_slice(b"\\n"),
                    b'\r' => line.extend_from_slice(b"\\r"),
                    b'\\' => line.extend_from_slice(b"\\\\"),
                    byte => line.push(byte),
                }
            }
        }
        line.push(b'\n');
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether it is time to [`write`](Self::write).
    pub(crate) fn is_full(&self) -> bool {
        self.waiting.len() >= FULL
    }

    /// Writes all the lines that wait. Those that cannot be written are lost.
    pub(crate) fn write(&mut self) -> io::Result<()> {
        let written = self.out.write_all(&self.waiting);
        self.waiting.clear();
        written
    }
}
