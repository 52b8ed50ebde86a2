//! [`OpenError`]: why a shared object that came in cannot be used.

use std::error::Error;
use std::fmt;
use std::io;

/// Why a shared object cannot be used here.
#[derive(Debug)]
pub(crate) enum OpenError {
    /// It does not exist any more: the process that passed it on has dropped it, or has ended.
    Gone,
    /// It is something else than was expected, or from another version of this crate.
    Mismatch,
    /// What it says about itself makes no sense.
    Corrupted,
    /// As many processes use it as it was made for.
    Crowded,
    /// The system refuses.
    System(io::Error),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone => f.write_str(
                "the shared object does not exist any more: whoever passed it on has dropped it or ended",
            ),
            Self::Mismatch => {
                f.write_str("the shared object is of another kind, or of another version of brigade")
            }
            Self::Corrupted => f.write_str("the shared object is corrupted"),
            Self::Crowded => {
                f.write_str("as many processes use the shared object as it was made for")
            }
            Self::System(error) => write!(f, "the shared object cannot be opened: {error}"),
        }
    }
}

impl Error for OpenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::System(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

impl From<OpenError> for io::Error {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::System(error) => error,
            error => Self::other(error),
        }
    }
}
