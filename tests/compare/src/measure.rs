//! The clocks, and the team of threads they are held against.

use std::sync::Barrier;
use std::thread;
use std::time::Instant;

mod family;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// What one item cost in one run, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Time on the wall.
    pub wall: f64,
    /// Processor time of all threads together, user and system.
    pub cpu: f64,
}

/// Whose processor time counts.
#[derive(Clone, Copy, Debug)]
pub enum Whose {
    /// All threads of this process.
    Ours,
    /// The processes it started and has waited for.
    Childrens,
    /// This process, the processes it has waited for, and those that live and stem from it.
    Family,
}

/// Measures `work`, which handles `items` items.
pub fn measure(whose: Whose, items: u64, work: impl FnOnce()) -> Sample {
    let cpu = cpu_nanos(whose);
    let start = Instant::now();
    work();
    let wall = start.elapsed().as_nanos();
    let cpu = cpu_nanos(whose) - cpu;
    Sample {
        wall: wall as f64 / items as f64,
        cpu: cpu as f64 / items as f64,
    }
}

fn cpu_nanos(whose: Whose) -> i64 {
    match whose {
        Whose::Ours => used(UsageWho::RUSAGE_SELF),
        Whose::Childrens => used(UsageWho::RUSAGE_CHILDREN),
        Whose::Family => {
            used(UsageWho::RUSAGE_SELF) + used(UsageWho::RUSAGE_CHILDREN) + family::cpu_nanos()
        }
    }
}

fn used(who: UsageWho) -> i64 {
    let usage = getrusage(who).expect("getrusage takes no argument that could be wrong");
    (usage.user_time() + usage.system_time()).num_nanoseconds()
}

/// Threads that wait to be released together.
#[derive(Default)]
pub struct Team<'env> {
    members: Vec<Box<dyn FnOnce() + Send + 'env>>,
}

impl<'env> Team<'env> {
    /// Adds a thread that will run `work`.
    pub fn add(&mut self, work: impl FnOnce() + Send + 'env) {
        self.members.push(Box::new(work));
    }

    /// Runs the team, which handles `items` items between them, and measures
    /// from its release until its last member has ended.
    ///
    /// # Panics
    ///
    /// If a member panics.
    #[must_use]
    pub fn run(self, items: u64) -> Sample {
        let gate = Barrier::new(self.members.len() + 1);
        let gate = &gate;
        thread::scope(|scope| {
            let threads: Vec<_> = self
                .members
                .into_iter()
                .map(|work| {
                    scope.spawn(move || {
                        gate.wait();
                        work();
                    })
                })
                .collect();
            measure(Whose::Ours, items, || {
                gate.wait();
                for thread in threads {
                    thread.join().expect("a member of the team panicked");
                }
            })
        })
    }
}

/// Keeps the calling thread, and all that it starts, on one CPU until dropped.
pub struct Pinned {
    before: CpuSet,
}

impl Pinned {
    /// Pins to the first CPU this thread may use.
    ///
    /// # Panics
    ///
    /// If the kernel refuses.
    #[must_use]
    pub fn to_one_cpu() -> Self {
        let before = sched_getaffinity(None).expect("the kernel tells the CPUs of this thread");
        let first = (0..CpuSet::MAX_CPU)
            .find(|&cpu| before.is_set(cpu))
            .expect("this thread runs on some CPU");
        let mut only = CpuSet::new();
        only.set(first);
        sched_setaffinity(None, &only).expect("a thread may be kept on a CPU it may use");
        Self { before }
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        sched_setaffinity(None, &self.before).expect("a thread may go back to its CPUs");
    }
}
