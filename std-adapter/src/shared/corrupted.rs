//! [`Corrupted`]: what is said when shared memory makes no sense.

#![forbid(unsafe_code)]

use std::fmt;

/// What was read from shared memory cannot be: some process has written where it should not.
///
/// The memory of this process is not harmed. What was in the shared memory is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Corrupted;

impl fmt::Display for Corrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the shared memory is corrupted: a process has written where it should not")
    }
}

impl std::error::Error for Corrupted {}
