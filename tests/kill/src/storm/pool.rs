//! The workers of a pool. Only those that have begun to work are killed: a pool gives up if one after
//! the other does not get so far, whatever the reason.

use std::collections::{BTreeSet, VecDeque};
use std::hint;
use std::process;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use brigade::{ProcessPool, Task, TaskError};
use libc::c_int;

use crate::random::Random;

const WORKERS: usize = 4;
/// Tasks that are under way at a time.
const AHEAD: usize = 64;
/// What any task may take on a busy machine, with the workers that die in it, before it counts as a hang.
const PATIENCE: Duration = Duration::from_secs(60);

/// A number, and the worker's.
type Answer = (u64, u32);

/// The workers that have answered.
type AtWork = Mutex<BTreeSet<u32>>;

/// Half of the kills without retries, half with as many as it takes.
pub(crate) fn storm(kills: u64, seed: u64) -> Result<String, String> {
    let once = phase(kills.div_ceil(2), seed, 0)?;
    let again = phase(kills / 2, seed + 1, 1_000_000)?;
    if again.lost > 0 {
        return Err(format!("{} tasks are lost in spite of retries", again.lost));
    }
    Ok(format!(
        "pool: {kills} kills; without retries {} tasks with a result and {} lost; with retries {} with a result",
        once.results, once.lost, again.results
    ))
}

struct Tally {
    results: u64,
    lost: u64,
}

fn phase(kills: u64, seed: u64, retries: u32) -> Result<Tally, String> {
    let pool = ProcessPool::builder()
        .workers(WORKERS)
        .retries(retries)
        .build();
    let pool = pool.map_err(|error| error.to_string())?;
    let at_work = AtWork::default();
    let killed = AtomicU64::new(0);
    let over = AtomicBool::new(false);
    let tally = thread::scope(|scope| {
        let reaper = scope.spawn(|| {
            let mut random = Random::new(seed);
            while killed.load(Relaxed) < kills && !over.load(Relaxed) {
                thread::sleep(Duration::from_micros(random.below(3000) as u64));
                killed.fetch_add(u64::from(kill_one(&pool, &at_work, &mut random)), Relaxed);
            }
        });
        let tally = work(&pool, &at_work, || reaper.is_finished());
        over.store(true, Relaxed);
        tally
    })?;
    let killed = killed.into_inner();
    if tally.lost > killed {
        return Err(format!("{killed} kills cost {} tasks", tally.lost));
    }
    pool.shutdown(brigade::Shutdown::Drain);
    match pool.join_timeout(PATIENCE) {
        Ok(true) => Ok(tally),
        other => Err(format!("the pool does not end: {other:?}")),
    }
}

/// Submits tasks, and looks at what comes of each, until `enough`.
fn work(pool: &ProcessPool, at_work: &AtWork, enough: impl Fn() -> bool) -> Result<Tally, String> {
    let mut tally = Tally {
        results: 0,
        lost: 0,
    };
    let mut tasks: VecDeque<(u64, Task<Answer>)> = VecDeque::new();
    for number in 0.. {
        let stop = enough();
        while tasks.len() > if stop { 0 } else { AHEAD } {
            let Some((number, task)) = tasks.pop_front() else {
                break;
            };
            match task.result_timeout(PATIENCE) {
                Ok(Ok((result, worker))) if result == number * 2 + 1 => {
                    tally.results += 1;
                    at_work
                        .lock()
                        .expect("nobody panics with it")
                        .insert(worker);
                }
                Ok(Err(TaskError::WorkerLost(lost))) if lost.signal() == Some(libc::SIGKILL) => {
                    tally.lost += 1;
                }
                Ok(other) => return Err(format!("task {number} has come to {other:?}")),
                Err(_) => return Err(format!("task {number} does not end")),
            }
        }
        if stop {
            break;
        }
        let task = pool
            .submit_with(task, number)
            .map_err(|error| error.to_string())?;
        tasks.push_back((number, task));
    }
    Ok(tally)
}

/// Busy for a time between nothing and a fifth of a millisecond.
fn task(number: u64) -> Answer {
    let end = Instant::now() + Duration::from_micros(Random::new(number).below(200) as u64);
    while Instant::now() < end {
        hint::spin_loop();
    }
    (number * 2 + 1, process::id())
}

/// Kills a worker; says whether there was one.
fn kill_one(pool: &ProcessPool, at_work: &AtWork, random: &mut Random) -> bool {
    let mut at_work = at_work.lock().expect("nobody panics with it");
    let mut pids = pool.pids();
    pids.retain(|pid| at_work.contains(pid));
    if pids.is_empty() {
        return false;
    }
    let pid = pids[random.below(pids.len())];
    at_work.remove(&pid);
    drop(at_work);
    // SAFETY: opens a descriptor.
    let pidfd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    // The number is still the worker's, so the descriptor is.
    let found = pidfd >= 0 && pool.pids().contains(&pid);
    let nothing: *const libc::siginfo_t = std::ptr::null();
    // SAFETY: sends a signal to whom the descriptor stands for.
    let killed = found
        && unsafe {
            libc::syscall(
                libc::SYS_pidfd_send_signal,
                pidfd,
                libc::SIGKILL,
                nothing,
                0,
            )
        } == 0;
    if let Ok(pidfd) = c_int::try_from(pidfd) {
        // SAFETY: closes what was opened above; of -1 it takes no notice.
        unsafe { libc::close(pidfd) };
    }
    killed
}
