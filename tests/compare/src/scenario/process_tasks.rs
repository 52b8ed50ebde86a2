//! Tiny tasks, submitted one by one as fast as they are taken, then all results: what a task costs
//! when there are many.

use super::Effort;
use crate::contender::{Contender, Role};
use crate::measure::{Sample, Whose, measure};
use crate::process::python::{self, Script};
use crate::process_pool::{self, Kernel, ProcessPool};

/// How many processes a pool has.
pub(super) const PROCESSES: usize = 2;

#[derive(Clone, Copy)]
struct Flow {
    tasks: u64,
}

/// What the results of so many tasks add up to.
fn sum(tasks: u64) -> u64 {
    tasks * (tasks + 1) / 2
}

impl Kernel for Flow {
    type Output = Sample;

    fn run<P: ProcessPool>(self) -> Sample {
        let workers = P::start(PROCESSES);
        assert_eq!(P::flow(&workers, 100), sum(100));
        let tasks = self.tasks / P::SLOWNESS;
        measure(Whose::Family, tasks, || {
            assert_eq!(P::flow(&workers, tasks), sum(tasks));
        })
    }
}

const PYTHON: &str = "
import multiprocessing as mp
processes, tasks = map(int, sys.argv[1:])
def task(number):
    return number + 1
mp.set_start_method('fork')
pool = mp.Pool(processes, initializer=mortal)
def flow(tasks):
    results = [pool.apply_async(task, (number,)) for number in range(tasks)]
    return sum(result.get() for result in results)
flow(100)
released()
done(flow(tasks))
pool.terminate()
";

pub(super) fn contenders(effort: Effort) -> Vec<Contender> {
    let mut all = process_pool::contenders(Flow {
        tasks: effort.choose(200_000, 20_000),
    });
    if python::is_there() {
        let tasks = effort.choose(20_000, 2_000);
        all.push(Contender::new(
            Role::Rival,
            "Python Pool.apply_async",
            "pool",
            move || {
                let script = Script::start(PYTHON, &[PROCESSES as u64, tasks]);
                let (sample, came_to) = script.run(tasks);
                assert_eq!(came_to, sum(tasks).to_string(), "tasks lost or made up");
                sample
            },
        ));
    }
    all
}
