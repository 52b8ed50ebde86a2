//! A process that is busy is killed: the time until who waits for its task has the error.
//!
//! The floor is the time until the kernel tells the death of a bare child by its pidfd.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use brigade::TaskError;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, pidfd_open};
use rustix::thread::futex;

use super::Effort;
use super::process_tasks::PROCESSES;
use crate::contender::{Contender, Role};
use crate::measure::Sample;
use crate::process::child::{self, Guarded, command};
use crate::process::crew::{Member, wait_until, wake_all};
use crate::process::python::{self, Script};
use crate::process::segment::Segment;

/// The role of a process that is killed.
pub(super) const ROLE: child::Role = ("victim", |member: &Member| {
    wait_until(member.gate().u32(NEVER), 1);
});

/// Which of the times of a run counts: this many percent are shorter.
#[derive(Clone, Copy)]
pub(super) struct Percentile(pub(super) usize);

impl Percentile {
    fn of(self, mut times: Vec<Duration>) -> Sample {
        times.sort();
        let at = (times.len() * self.0).div_ceil(100).saturating_sub(1);
        let wall = times[at].as_nanos() as f64;
        // Processor time says nothing here: it is mostly that of starting the next process.
        Sample { wall, cpu: wall }
    }
}

/// Kills a process, and measures until `told` returns.
fn kill(pid: Pid, told: impl FnOnce()) -> Duration {
    let start = Instant::now();
    kill_process(pid, Signal::KILL).expect("it is there");
    told();
    start.elapsed()
}

fn ours(kills: usize) -> Vec<Duration> {
    let pool = brigade::ProcessPool::builder().workers(PROCESSES).build();
    let pool = pool.expect("processes can be started");
    let kill = |_| {
        let gate = Segment::create(4096);
        let task = pool
            .submit_with(be_victim, gate.address())
            .expect("running");
        let pid = gate.u32(PID);
        while pid.load(Ordering::Acquire) == 0 {
            let _ = futex::wait(pid, futex::Flags::empty(), 0, None);
        }
        let pid = pid.load(Ordering::Acquire).cast_signed();
        let pid = Pid::from_raw(pid).expect("a process number");
        kill(pid, || {
            let error = task.result().expect_err("its worker was killed");
            assert!(matches!(error, TaskError::WorkerLost(_)), "{error}");
        })
    };
    (0..kills).map(kill).collect()
}

/// Where a victim tells its number.
const PID: usize = 0;
/// What never changes.
const NEVER: usize = 128;

#[expect(
    clippy::needless_pass_by_value,
    reason = "it has come from another process"
)]
fn be_victim(address: String) {
    let gate = Segment::open(&address);
    gate.u32(PID).store(std::process::id(), Ordering::Release);
    wake_all(gate.u32(PID));
    wait_until(gate.u32(NEVER), 1);
}

fn bare() -> Duration {
    let gate = Segment::create(4096);
    let victim = Guarded::start(&mut command(ROLE.0, &[gate.address()]));
    let pid = Pid::from_child(&victim.0);
    let fd = pidfd_open(pid, PidfdFlags::empty()).expect("a child has a pidfd");
    kill(pid, || {
        let mut fds = [PollFd::new(&fd, PollFlags::IN)];
        poll(&mut fds, None).expect("a pidfd can be polled");
    })
}

/// `ProcessPoolExecutor` breaks as a whole, so every kill takes a new one.
const PYTHON: &str = "
import concurrent.futures, multiprocessing, signal, time
kills = int(sys.argv[1])
def victim():
    mortal()
    os.write(tell, os.getpid().to_bytes(4, 'little'))
    time.sleep(1000)
multiprocessing.set_start_method('fork')
listen, tell = os.pipe()
times = []
released()
for _ in range(kills):
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        task = pool.submit(victim)
        pid = int.from_bytes(os.read(listen, 4), 'little')
        start = time.perf_counter_ns()
        os.kill(pid, signal.SIGKILL)
        try: task.result()
        except concurrent.futures.process.BrokenProcessPool: pass
        times.append(time.perf_counter_ns() - start)
done(' '.join(map(str, times)))
";

fn python(kills: u64, percentile: Percentile) -> Sample {
    let script = Script::start(PYTHON, &[kills]);
    let (_, times) = script.run(kills);
    let nanos = times.split_whitespace().map(str::parse);
    percentile.of(nanos
        .map(|nanos| Duration::from_nanos(nanos.expect("a number")))
        .collect())
}

pub(super) fn contenders(effort: Effort, percentile: Percentile) -> Vec<Contender> {
    let kills = effort.choose(100_usize, 10);
    let mut all = vec![
        Contender::new(Role::Ours, "brigade ProcessPool", "pool", move || {
            percentile.of(ours(kills))
        }),
        Contender::new(Role::Floor, "kill to pidfd, no pool", "", move || {
            percentile.of((0..kills).map(|_| bare()).collect())
        }),
    ];
    if python::is_there() {
        all.push(Contender::new(
            Role::Rival,
            "Python ProcessPoolExecutor",
            "pool",
            move || python(kills as u64, percentile),
        ));
    }
    all
}
