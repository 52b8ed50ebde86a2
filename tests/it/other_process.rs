//! Another process to try shared things with: this very binary, told to run one *role*.
//!
//! A role is a test that does nothing in an ordinary run. In the other process it gets its argument and
//! says on standard output when it has come so far as to be killed.

use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;
use serde::de::DeserializeOwned;

const ROLE: &str = "BRIGADE_TEST_ROLE";
const ARGUMENT: &str = "BRIGADE_TEST_ARGUMENT";
/// Begins a line that is meant for the test; the test runner says other things.
const SAID: &str = "said: ";

/// A process in a role. Killed when dropped.
pub(crate) struct Other {
    child: Child,
    output: BufReader<ChildStdout>,
}

impl Other {
    /// Starts a process in this role: the full name of a test.
    pub(crate) fn start(role: &str, argument: &impl Serialize) -> Self {
        let mut child = Command::new(env::current_exe().unwrap())
            .args(["--exact", role, "--nocapture", "--test-threads=1"])
            .env(ROLE, role)
            .env(ARGUMENT, serde_json::to_string(argument).unwrap())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, output }
    }

    /// Waits until it says something; `None` if it ended before.
    pub(crate) fn hear(&mut self) -> Option<String> {
        loop {
            let mut line = String::new();
            if self.output.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            // The runner may have begun the line.
            if let Some((_, said)) = line.split_once(SAID) {
                return Some(said.trim_end().to_owned());
            }
        }
    }

    /// Stops it with `SIGSTOP`.
    pub(crate) fn stop(&self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.unwrap(), Signal::STOP).unwrap();
    }

    /// Kills it with `SIGKILL`, and returns when it is dead.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end, which must be a good one.
    pub(crate) fn join(mut self) {
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).unwrap();
        assert!(self.child.wait().unwrap().success(), "{rest}");
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// In a role: the argument. `None` in an ordinary run, and in another role.
pub(crate) fn argument<T: DeserializeOwned>(role: &str) -> Option<T> {
    if env::var(ROLE).ok()? != role {
        return None;
    }
    // Ends with the parent, however that ends.
    thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::abort();
    });
    Some(serde_json::from_str(&env::var(ARGUMENT).unwrap()).unwrap())
}

/// In a role: says something to the test.
pub(crate) fn say(what: &str) {
    let mut output = std::io::stdout().lock();
    writeln!(output, "\n{SAID}{what}").unwrap();
    output.flush().unwrap();
}

/// In a role: waits to be killed.
pub(crate) fn await_death() -> ! {
    loop {
        thread::park();
    }
}
