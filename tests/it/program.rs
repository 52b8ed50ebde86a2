//! Programs as users run them: the examples, built and started, watched and stopped.

use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::{OnceLock, mpsc};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use rustix::process::{Pid, Signal, kill_process};

use crate::harness::LONG;

/// An example of brigade's, built in the profile and the target directory of this test. Where the
/// tests of the whole workspace are run there is nothing left to build.
pub(crate) fn example(name: &str) -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        // <target directory>/[<target triple>/]<profile>/deps/<this test>
        let test = env::current_exe().unwrap();
        let name = |above| test.ancestors().nth(above)?.file_name()?.to_str();
        let profile = name(2).unwrap();
        let triple = name(3).filter(|name| name.starts_with(env::consts::ARCH));
        let target_dir = test.ancestors().nth(if triple.is_some() { 4 } else { 3 });
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--workspace", "--examples"]);
        cargo.args([
            "--profile",
            if profile == "debug" { "dev" } else { profile },
        ]);
        cargo.args(triple.iter().flat_map(|triple| ["--target", triple]));
        cargo.arg("--target-dir").arg(target_dir.unwrap());
        cargo.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        assert!(cargo.status().unwrap().success());
        test.ancestors().nth(2).unwrap().join("examples")
    });
    folder.join(name)
}

/// A process that does not outlive its test, and what it prints.
pub(crate) struct Running {
    child: Child,
    stdout: mpsc::Receiver<Vec<u8>>,
    stderr: mpsc::Receiver<Vec<u8>>,
}

impl Running {
    /// Starts it and reads both streams.
    pub(crate) fn start(command: &mut Command) -> Self {
        Self::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()))
    }

    /// Starts it and reads those streams that are pipes.
    pub(crate) fn spawn(command: &mut Command) -> Self {
        Self::read(command.spawn().unwrap())
    }

    /// Starts it and leaves its stdout to the caller.
    pub(crate) fn start_unread(command: &mut Command) -> (Self, ChildStdout) {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        (Self::read(child), stdout)
    }

    fn read(mut child: Child) -> Self {
        let stdout = read_to_end(child.stdout.take());
        let stderr = read_to_end(child.stderr.take());
        Self {
            child,
            stdout,
            stderr,
        }
    }

    /// Waits for its end.
    pub(crate) fn finish(mut self) -> Output {
        let stdout = self.stdout.recv_timeout(LONG).expect("it takes too long");
        let stderr = self.stderr.recv_timeout(LONG).expect("it takes too long");
        let status = self.child.wait().unwrap();
        Output {
            status,
            stdout,
            stderr,
        }
    }

    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Sends the signal, waits for the end, and says how long that took.
    pub(crate) fn stop(self, signal: Signal) -> (Output, Duration) {
        let sent = Instant::now();
        self.signal(signal);
        let output = self.finish();
        (output, sent.elapsed())
    }

    pub(crate) fn proc(&self, file: &str) -> PathBuf {
        format!("/proc/{}/{file}", self.child.id()).into()
    }

    /// Whether it has a file open whose name begins like this.
    pub(crate) fn has_open(&self, prefix: &str) -> bool {
        has_open(self.child.id(), prefix)
    }

    /// Whether its thread of this name sleeps in the kernel.
    pub(crate) fn is_asleep(&self, thread: &str) -> bool {
        fs::read_dir(self.proc("task")).unwrap().any(|task| {
            let stat = task.and_then(|task| fs::read_to_string(task.path().join("stat")));
            stat.is_ok_and(|stat| stat.contains(&format!("({thread}) S")))
        })
    }

    /// The most memory it ever had, in KiB.
    pub(crate) fn peak(&self) -> u64 {
        let status = fs::read_to_string(self.proc("status")).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        line.unwrap().trim_end_matches("kB").trim().parse().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Fails if it has ended, as it should have.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether the process has a file open whose name begins like this.
pub(crate) fn has_open(pid: u32, prefix: &str) -> bool {
    let files = fs::read_dir(format!("/proc/{pid}/fd"));
    files.into_iter().flatten().any(|fd| {
        fd.and_then(|fd| fs::read_link(fd.path()))
            .is_ok_and(|file| {
                let name = file.file_name().unwrap_or_default();
                name.as_bytes().starts_with(prefix.as_bytes())
            })
    })
}

/// Reads in the background; nothing, if there is no pipe.
fn read_to_end(pipe: Option<impl Read + Send + 'static>) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            pipe.read_to_end(&mut bytes).unwrap();
        }
        let _ = sender.send(bytes);
    });
    receiver
}

pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}
