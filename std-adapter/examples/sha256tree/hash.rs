//! Hashing one file: the work that the pool does.

use std::cell::RefCell;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::board::{Amount, board};
use crate::message::Plain;

/// Enough to make a system call cheap beside the hashing of what it brings, little enough to
/// stay in the CPU's second-level cache.
const CHUNK: usize = 128 * 1024;

thread_local! {
    /// Each worker's own, for all its files.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; CHUNK]);
}

pub(crate) type Sha = [u8; 32];

/// What came of a file. It may come from another process, hence text for errors.
#[derive(Serialize, Deserialize)]
pub(crate) enum Outcome {
    Hashed(Sha),
    Failed(String),
    /// It took longer than a stopping program may.
    GivenUp,
}

/// Hashes the file at `path`, unless the program comes to its end before.
///
/// The path is an `OsString` because names of all kinds can travel as one, and not as a `PathBuf`.
#[allow(
    clippy::needless_pass_by_value,
    reason = "an executor hands its argument over"
)]
pub(crate) fn hash(path: OsString) -> Outcome {
    let path = Path::new(&path);
    BUFFER.with_borrow_mut(
        |buffer| match open(path).and_then(|file| read(file, buffer)) {
            Ok(Some(sha)) => {
                board().add(Amount { files: 1, bytes: 0 });
                Outcome::Hashed(sha)
            }
            Ok(None) => Outcome::GivenUp,
            Err(error) => Outcome::Failed(Plain(&error).to_string()),
        },
    )
}

/// Opens what the walk has seen to be a regular file. Something else may have taken its place
/// since: a link is not followed, and a named pipe not waited for.
fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::other("not a regular file any more"))
    }
}

fn read(mut file: File, buffer: &mut [u8]) -> io::Result<Option<Sha>> {
    let mut sha = Sha256::new();
    while !board().is_given_up() {
        match file.read(buffer) {
            Ok(0) => return Ok(Some(sha.finalize().into())),
            Ok(n) => {
                sha.update(&buffer[..n]);
                let bytes = n as u64;
                board().add(Amount { files: 0, bytes });
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}
