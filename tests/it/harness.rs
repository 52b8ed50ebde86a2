//! What several modules need: bounded waiting, and looking at threads from outside.

use std::time::{Duration, Instant};
use std::{fs, thread};

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
