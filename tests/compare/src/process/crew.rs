//! Processes that wait to be released together: what `Team` is for threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::io::Errno;
use rustix::thread::futex::{self, Timespec};

use super::child::{Guarded, command};
use super::segment::Segment;
use crate::measure::{Sample, Whose, measure};

/// Where things are in the gate's segment: each on lines of its own.
const READY: usize = 0;
const GO: usize = 128;
const DONE: usize = 256;
const SUM: usize = 384;

/// How often the crew is looked after while it works.
const PATROL: Duration = Duration::from_millis(100);

/// Processes that have been started and wait at the gate.
#[derive(Debug)]
pub struct Crew {
    gate: Segment,
    members: Vec<Guarded>,
}

impl Default for Crew {
    fn default() -> Self {
        Self {
            gate: Segment::create(4096),
            members: Vec::new(),
        }
    }
}

impl Crew {
    /// Starts a member in a role.
    pub fn add(&mut self, role: &str, args: &[&str]) {
        let mut all = vec![self.gate.address()];
        all.extend(args.iter().map(|&arg| arg.to_owned()));
        self.members.push(Guarded::start(&mut command(role, &all)));
    }

    /// Releases the crew, which handles `items` items between them, and measures until the last
    /// member has done its work. Returns also the sum of what their work came to.
    ///
    /// # Panics
    ///
    /// If a member fails.
    #[must_use]
    pub fn run(mut self, items: u64) -> (Sample, u64) {
        self.await_all(READY);
        let sample = measure(Whose::Family, items, || {
            let go = self.gate.u32(GO);
            go.store(1, Ordering::Release);
            wake_all(go);
            self.await_all(DONE);
        });
        for member in self.members {
            member.join();
        }
        (sample, self.gate.u64s(SUM, 1)[0].load(Ordering::Relaxed))
    }

    /// Waits until all members have counted themselves at `at`.
    fn await_all(&mut self, at: usize) {
        let count = self.gate.u32(at);
        let everybody = u32::try_from(self.members.len()).expect("few processes");
        loop {
            let now = count.load(Ordering::Acquire);
            if now == everybody {
                return;
            }
            let patrol = Timespec::try_from(PATROL).expect("a short time");
            match futex::wait(count, futex::Flags::empty(), now, Some(&patrol)) {
                Ok(()) | Err(Errno::AGAIN | Errno::INTR | Errno::TIMEDOUT) => {}
                Err(error) => panic!("futex wait: {error}"),
            }
            for member in &mut self.members {
                if let Some(status) = member.ended() {
                    assert!(status.success(), "a member failed: {status}");
                }
            }
        }
    }
}

/// The place of a member in its crew, seen from the member.
#[derive(Clone, Debug)]
pub struct Member {
    gate: Arc<Segment>,
    args: Vec<String>,
}

impl Member {
    pub(super) fn new(gate: &str, args: &[String]) -> Self {
        Self {
            gate: Arc::new(Segment::open(gate)),
            args: args.to_vec(),
        }
    }

    /// What it was given.
    #[must_use]
    pub fn args(&self) -> &[String] {
        &self.args
    }

    /// The gate itself.
    #[must_use]
    pub fn gate(&self) -> &Segment {
        &self.gate
    }

    /// Waits at the gate, does its work and tells that it is done, and what it came to.
    pub fn work(&self, work: impl FnOnce() -> u64) {
        count_in(self.gate.u32(READY));
        wait_until(self.gate.u32(GO), 1);
        let came_to = work();
        self.gate.u64s(SUM, 1)[0].fetch_add(came_to, Ordering::Relaxed);
        count_in(self.gate.u32(DONE));
    }
}

fn count_in(count: &AtomicU32) {
    count.fetch_add(1, Ordering::AcqRel);
    wake_all(count);
}

/// Waits until `word`, which processes share, is `value`. Sleeps at once.
///
/// # Panics
///
/// If the kernel refuses.
pub fn wait_until(word: &AtomicU32, value: u32) {
    loop {
        let now = word.load(Ordering::Acquire);
        if now == value {
            return;
        }
        match futex::wait(word, futex::Flags::empty(), now, None) {
            Ok(()) | Err(Errno::AGAIN | Errno::INTR) => {}
            Err(error) => panic!("futex wait: {error}"),
        }
    }
}

/// Wakes everybody who sleeps on `word`, in any process.
///
/// # Panics
///
/// If the kernel refuses.
pub fn wake_all(word: &AtomicU32) {
    futex::wake(word, futex::Flags::empty(), i32::MAX.unsigned_abs()).expect("a word of ours");
}
