//! What several modules need: bounded waiting, looking at threads from outside, and child processes.

use std::io::Read;
use std::process::{self, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

/// Far more than anything here takes, also on a loaded machine.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// Returns when `condition` holds; fails the test if it takes too [`LONG`].
#[track_caller]
pub(crate) fn until(condition: impl Fn() -> bool) {
    let deadline = Instant::now() + LONG;
    while !condition() {
        assert!(Instant::now() < deadline, "this takes too long");
        thread::yield_now();
    }
}

/// A thread as the operating system sees it.
#[derive(Clone, Debug)]
pub(crate) struct OsThread {
    /// Its folder below `/proc`.
    folder: String,
}

impl OsThread {
    /// The calling thread.
    pub(crate) fn current() -> Self {
        let link = fs::read_link("/proc/thread-self").unwrap();
        Self {
            folder: format!("/proc/{}", link.display()),
        }
    }

    /// Whether there is a thread of this name in this process.
    pub(crate) fn exists(name: &str) -> bool {
        fs::read_dir("/proc/self/task").unwrap().any(|task| {
            task.and_then(|task| fs::read_to_string(task.path().join("comm")))
                .is_ok_and(|comm| comm.trim_end() == name)
        })
    }

    /// Its name.
    pub(crate) fn name(&self) -> String {
        let comm = fs::read_to_string(format!("{}/comm", self.folder)).unwrap();
        comm.trim_end().into()
    }

    /// Whether it sleeps in the kernel.
    pub(crate) fn is_asleep(&self) -> bool {
        let stat = fs::read_to_string(format!("{}/stat", self.folder)).unwrap();
        // After the name, which is in parentheses.
        stat.rsplit(')')
            .next()
            .unwrap()
            .trim_start()
            .starts_with('S')
    }

    /// Its time on a processor in nanoseconds, and how often it got there.
    pub(crate) fn effort(&self) -> (u64, u64) {
        let stat = fs::read_to_string(format!("{}/schedstat", self.folder)).unwrap();
        let mut fields = stat.split_whitespace().map(|field| field.parse().unwrap());
        let ran = fields.next().unwrap();
        (ran, fields.nth(1).unwrap())
    }
}

/// In the environment of a [`Child`]: what it is to do.
const CASE: &str = "BRIGADE_TEST_CASE";

/// What this process is to do, if it is a [`Child`].
pub(crate) fn case() -> Option<String> {
    env::var(CASE).ok()
}

/// This program once more, running one test, which asks for its [`case`].
pub(crate) struct Child(process::Child);

impl Child {
    pub(crate) fn start(test: &str, case: &str) -> Self {
        let child = Command::new(env::current_exe().unwrap())
            .args([test, "--exact", "--nocapture", "--test-threads=1"])
            .env(CASE, case)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        Self(child.unwrap())
    }

    /// Waits for its end; says how it ended and what it printed. Kills it if it takes too [`LONG`].
    pub(crate) fn finish(mut self) -> (ExitStatus, String) {
        let (sender, printed) = mpsc::channel();
        let pipes: [Option<Box<dyn Read + Send>>; 2] = [
            self.0.stdout.take().map(|pipe| Box::new(pipe) as _),
            self.0.stderr.take().map(|pipe| Box::new(pipe) as _),
        ];
        for mut pipe in pipes.into_iter().flatten() {
            let sender = sender.clone();
            thread::spawn(move || {
                let mut bytes = Vec::new();
                let _ = pipe.read_to_end(&mut bytes);
                let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
            });
        }
        let texts: Result<String, _> = (0..2).map(|_| printed.recv_timeout(LONG)).collect();
        if texts.is_err() {
            self.0.kill().unwrap();
        }
        let status = self.0.wait().unwrap();
        (status, texts.expect("the child takes too long"))
    }

    /// Waits for its end, which is to be a good one, with the one test run; says what it printed.
    #[track_caller]
    pub(crate) fn ends_well(self) -> String {
        let (status, text) = self.finish();
        assert!(
            status.success() && text.contains("1 passed"),
            "{status}: {text}"
        );
        text
    }
}
