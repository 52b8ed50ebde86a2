//! One task at a time, each awaited before the next: how long it takes to have something done in
//! another process.
//!
//! The floor is two processes that do nothing but wake each other.

use std::any::type_name;
use std::sync::atomic::Ordering;

use rustix::thread::futex;

use super::Effort;
use super::process_tasks::PROCESSES;
use crate::contender::{Contender, Role};
use crate::measure::{Pinned, Sample};
use crate::process::child;
use crate::process::crew::{Crew, Member, wait_until};
use crate::process::python::{self, Script};
use crate::process::segment::Segment;
use crate::process_pool::{self, Kernel, ProcessPool};

/// The role of the processes that wake each other.
pub(super) const PING_PONG: child::Role = ("ping-pong", play);

/// The role of a process that has a pool, and submits to it.
pub(super) const OWNER: child::Role = ("owner", own);

#[derive(Clone, Copy)]
struct ToResult {
    tasks: u64,
    one_cpu: bool,
}

impl ToResult {
    fn pin(self) -> Option<Pinned> {
        self.one_cpu.then(Pinned::to_one_cpu)
    }
}

impl Kernel for ToResult {
    type Output = Sample;

    /// The pool is in a process of its own, so that no thread is there that was not pinned.
    fn run<P: ProcessPool>(self) -> Sample {
        let _pinned = self.pin();
        let tasks = self.tasks / P::SLOWNESS;
        let mut crew = Crew::default();
        crew.add(OWNER.0, &[type_name::<P>(), &tasks.to_string()]);
        crew.run(tasks).0
    }
}

/// The owner of a pool, in its process.
#[derive(Clone, Copy)]
struct Owner {
    member: &'static Member,
}

impl Kernel for Owner {
    type Output = ();

    fn admits<P: ProcessPool>(self) -> bool {
        self.member.args()[0] == type_name::<P>()
    }

    fn run<P: ProcessPool>(self) {
        let tasks = self.member.args()[1].parse().expect("a number");
        let workers = P::start(PROCESSES);
        let ask = |tasks| {
            for task in 0..tasks {
                assert_eq!(P::result(&workers, task), task + 1);
            }
        };
        ask(100);
        self.member.work(|| {
            ask(tasks);
            0
        });
    }
}

fn own(member: &Member) {
    let member = Box::leak(Box::new(member.clone()));
    for owner in process_pool::contenders(Owner { member }) {
        let () = owner.run();
    }
}

/// Where the two words are in their segment.
const THERE: usize = 0;
const BACK: usize = 128;

fn ping_pong(rounds: u32) -> Sample {
    let segment = Segment::create(4096);
    let mut crew = Crew::default();
    for (own, other) in [(THERE, BACK), (BACK, THERE)] {
        let [own, other] = [own, other].map(|at| at.to_string());
        crew.add(
            PING_PONG.0,
            &[&segment.address(), &own, &other, &rounds.to_string()],
        );
    }
    let (sample, _) = crew.run(rounds.into());
    sample
}

fn play(member: &Member) {
    let [address, own, other, rounds] = member.args() else {
        panic!("not the arguments of ping-pong");
    };
    let [own, other] = [own, other].map(|at| at.parse().expect("a number"));
    let rounds = rounds.parse().expect("a number");
    let segment = Segment::open(address);
    let hand_over = |round| {
        segment.u32(own).store(round, Ordering::Release);
        futex::wake(segment.u32(own), futex::Flags::empty(), 1).expect("a word of ours");
    };
    member.work(|| {
        for round in 1..=rounds {
            if own == THERE {
                hand_over(round);
                wait_until(segment.u32(other), round);
            } else {
                wait_until(segment.u32(other), round);
                hand_over(round);
            }
        }
        0
    });
}

const PYTHON: &str = "
import multiprocessing as mp
processes, tasks = map(int, sys.argv[1:])
def task(number):
    return number + 1
mp.set_start_method('fork')
pool = mp.Pool(processes, initializer=mortal)
def ask(tasks):
    for number in range(tasks):
        assert pool.apply(task, (number,)) == number + 1
ask(100)
released()
ask(tasks)
done('')
pool.terminate()
";

pub(super) fn contenders(effort: Effort, one_cpu: bool) -> Vec<Contender> {
    let rounds: u32 = effort.choose(20_000, 4_000);
    let kernel = ToResult {
        tasks: u64::from(rounds),
        one_cpu,
    };
    let mut all = process_pool::contenders(kernel);
    if python::is_there() {
        let tasks = effort.choose(4_000, 400);
        all.push(Contender::new(
            Role::Rival,
            "Python Pool.apply",
            "pool",
            move || {
                Script::start(PYTHON, &[PROCESSES as u64, tasks])
                    .run(tasks)
                    .0
            },
        ));
    }
    all.push(Contender::new(
        Role::Floor,
        "raw futex ping-pong",
        "",
        move || {
            let _pinned = kernel.pin();
            ping_pong(rounds)
        },
    ));
    all
}
