//! The command line, and the manual that `--help` prints.

use std::ffi::OsString;
use std::num::NonZero;
use std::thread;

use clap::{Parser, value_parser};

/// Something shared is for 64 processes: these, the program itself, and some that have just died.
#[cfg(brigade_processes)]
const MOST_PROCESSES: i64 = 60;

/// Print the SHA-256 of every file under the given paths, several at a time.
///
/// Prints what `sha256sum` prints for the same files, so that `sha256sum -c` can check it, in an
/// order that depends on nothing but the names: depth first, the entries of each folder sorted by
/// the bytes of their names, the paths in the order given.
#[derive(Debug, Parser)]
#[command(name = "sha256tree", version, verbatim_doc_comment, after_long_help = MANUAL)]
pub(crate) struct Args {
    /// Files hashed at the same time [default: one per CPU]
    #[arg(long, value_name = "N", value_parser = value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,

    /// Hash in so many processes instead of threads
    ///
    /// One that crashes or is killed costs the file that it had in hand, and is replaced.
    #[cfg(brigade_processes)]
    #[arg(
        long,
        value_name = "N",
        conflicts_with = "threads",
        value_parser = value_parser!(u16).range(1..=MOST_PROCESSES),
        verbatim_doc_comment
    )]
    processes: Option<u16>,

    /// Files that the walk may be ahead of the output
    ///
    /// While one file takes long, up to N files after it are hashed in the meantime; their
    /// results wait in memory until it is their turn to be printed.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1024,
        value_parser = value_parser!(u32).range(1..=1_000_000),
        verbatim_doc_comment
    )]
    queue: u32,

    /// Files to hash, and folders to hash the files of
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<OsString>,
}

impl Args {
    pub(crate) fn threads(&self) -> usize {
        self.threads.map_or_else(
            || thread::available_parallelism().map_or(1, NonZero::get),
            usize::from,
        )
    }

    #[cfg(brigade_processes)]
    pub(crate) fn processes(&self) -> Option<usize> {
        self.processes.map(usize::from)
    }

    pub(crate) fn queue(&self) -> usize {
        self.queue as usize
    }
}

const MANUAL: &str = "\
What is hashed:
  Regular files, whatever their names. Symbolic links are not followed, and are
  passed over in silence like devices, sockets and named pipes; that goes for a
  link given as PATH, too (`find -P` does the same), unless a slash follows it.

What is printed:
  On stdout, one line a file: the hash, two spaces, the path as `find PATH`
  shows it. If the path holds a newline, a carriage return or a backslash, the
  line begins with a backslash and they are written \\n, \\r and \\\\.
  On stderr, a line for each file or folder that could not be read (the others
  are hashed all the same); and, if that is a terminal, a progress bar.

Signals:
  After SIGINT (Ctrl-C) or SIGTERM no new file is begun. Files in hand have half
  a second to be finished; those that take longer are given up and named. A
  second signal ends the program at once.

Exit status:
    0  every file was hashed
    1  something could not be read, or the output not be written
    2  the command line makes no sense
  130  stopped by SIGINT
  141  stdout was closed before the end, as by `| head`
  143  stopped by SIGTERM";
