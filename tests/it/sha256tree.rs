//! The example `sha256tree`: the real binary, in real folders and with real signals.

mod output;
#[cfg(not(brigade_portable))]
mod processes;
mod stopping;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

use crate::program::{self, Running, text};

/// More than anything could read while it is being watched.
const HUGE: u64 = 40 << 30;

fn sha256tree(args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
    let mut command = Command::new(program::example("sha256tree"));
    command.args(args).stdin(Stdio::null());
    command
}

fn run(args: impl IntoIterator<Item = impl AsRef<OsStr>>, folder: &TempDir) -> Output {
    Running::start(sha256tree(args).current_dir(folder)).finish()
}

/// A folder with these files, each of which holds its own name.
fn tree(files: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let path = folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, file).unwrap();
    }
    folder
}

/// Adds a file without content, and without blocks on the disk.
fn add_sparse(folder: &TempDir, name: &str, size: u64) {
    let file = File::create(folder.path().join(name)).unwrap();
    file.set_len(size).unwrap();
}

/// The names in an output, none of which needs escapes.
fn names(output: &Output) -> Vec<&str> {
    text(&output.stdout)
        .lines()
        .map(|line| &line[66..])
        .collect()
}

#[track_caller]
fn assert_ended(output: &Output, status: i32, stderr: &str) {
    assert_eq!(text(&output.stderr), stderr);
    assert_eq!(output.status.code(), Some(status), "{}", output.status);
}
