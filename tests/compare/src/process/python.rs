//! Python as a rival: a script that gets ready, says so, and runs when it is told to.

use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};

use super::child::Guarded;
use crate::measure::{Sample, Whose, measure};

/// What every script begins with: it and the processes it forks die with their parents, and
/// `released()` is the gate.
const PRELUDE: &str = "
import ctypes, os, sys
def mortal(*_):
    ctypes.CDLL(None).prctl(1, 9)
mortal()
def released():
    print('ready', flush=True)
    sys.stdin.readline()
def done(came_to):
    print(came_to, flush=True)
    sys.stdin.readline()
";

/// Whether there is a Python to compare with.
#[must_use]
pub fn is_there() -> bool {
    let version = Command::new("python3").arg("--version").output();
    version.is_ok_and(|output| output.status.success())
}

/// A script that has said that it is ready.
#[derive(Debug)]
pub struct Script {
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    process: Guarded,
}

impl Script {
    /// Starts a script and waits until it is ready.
    ///
    /// # Panics
    ///
    /// If it is not.
    #[must_use]
    pub fn start(script: &str, args: &[u64]) -> Self {
        let mut process = Guarded::start(
            Command::new("python3")
                .arg("-c")
                .arg(format!("{PRELUDE}{script}"))
                .args(args.iter().map(u64::to_string))
                .stdin(Stdio::piped())
                .stdout(Stdio::piped()),
        );
        let stdin = process.0.stdin.take().expect("piped");
        let stdout = BufReader::new(process.0.stdout.take().expect("piped"));
        let mut script = Self {
            stdin,
            stdout,
            process,
        };
        assert_eq!(script.line(), "ready", "the script got ready");
        script
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("it writes text");
        line.trim_end().to_owned()
    }

    /// Lets it run, and measures until it is done. Returns also what it came to.
    ///
    /// # Panics
    ///
    /// If it fails.
    #[must_use]
    pub fn run(mut self, items: u64) -> (Sample, String) {
        let mut came_to = String::new();
        let sample = measure(Whose::Family, items, || {
            self.stdin.write_all(b"\n").expect("it reads");
            came_to = self.line();
        });
        let _ = self.stdin.write_all(b"\n");
        self.process.join();
        (sample, came_to)
    }
}
