//! Lets shuttle switch threads at every step of the core.

use std::io::Write as _;
use std::rc::Rc;

use brigade_core::sync::steps::{Hook, on_step};
use shuttle::rand::Rng as _;
use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::sync::atomic::{AtomicBool, Ordering::SeqCst};
use shuttle::{Config, Runner};

/// How many schedules of each kind a test goes through.
const SCHEDULES: usize = 3_000;
/// How many steps PCT needs in the right order to find something.
const DEPTHS: [usize; 2] = [2, 4];

/// Where shuttle may switch.
struct Switch;

impl Hook for Switch {
    fn step(&self) {
        // It may switch at any access to an atomic of its own. To yield would tell it that this
        // thread waits for another.
        AtomicBool::new(false).load(SeqCst);
    }

    fn pause(&self) {
        shuttle::thread::yield_now();
    }

    fn fails(&self) -> bool {
        below(4) == 0
    }
}

/// Waits for others in a loop.
pub(crate) struct Yield;

impl spin::RelaxStrategy for Yield {
    fn relax() {
        shuttle::thread::yield_now();
    }
}

/// A choice that belongs to the schedule.
pub(crate) fn below(bound: u32) -> u32 {
    shuttle::rand::thread_rng().gen_range(0..bound)
}

/// Does this again and again: switching at random; and by PCT, where the thread of the highest
/// priority runs until it waits, or until one of a few random steps takes its priority away.
pub(crate) fn explore(work: fn()) {
    let schedules = on_step(Rc::new(Switch), || {
        let at_random = Runner::new(RandomScheduler::new(SCHEDULES), Config::default());
        let by_priority =
            DEPTHS.map(|depth| Runner::new(PctScheduler::new(depth, SCHEDULES), Config::default()));
        let by_priority = by_priority.map(|runner| runner.run(work));
        at_random.run(work) + by_priority.iter().sum::<usize>()
    });
    // Not by `eprintln!`, which the test runner would swallow.
    let name = std::thread::current();
    let name = name.name().unwrap_or("a test");
    let _ = writeln!(std::io::stderr(), "{name}: {schedules} schedules");
    assert_eq!(schedules, (1 + DEPTHS.len()) * SCHEDULES);
}
