//! Processes that put, lease, get and lock.
//!
//! ```text
//!     jobs     any worker puts, any leases: reports it, then acknowledges
//!     notes    any worker puts, any gets, and reports it
//!     reports  what was leased and got, how often before, and by whom; the survivor reads them
//! ```
//!
//! In a ledger each worker writes the number of the job or note that it is about to put, and again when
//! it has. So the survivor knows what must have come, what may have (one for each death), and that
//! a job which came twice was leased by one who was killed.

use std::collections::{BTreeMap, BTreeSet};
use std::hint;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use brigade::shared::{Array, Event, Lock, LockTimeoutError, PutFailure, Queue};
use brigade::{Process, process};
use serde::{Deserialize, Serialize};

use crate::random::Random;

const WORKERS: usize = 4;
/// What an operation is given in a worker, which has other things to do.
const LITTLE: Duration = Duration::from_millis(1);
/// What may take long on a busy machine, before it counts as a hang.
const PATIENCE: Duration = Duration::from_secs(60);

/// Who put it, and its number with them.
type Item = (u64, u64);

#[derive(Debug, Serialize, Deserialize)]
struct Report {
    item: Item,
    /// `None` for notes.
    attempts: Option<u16>,
    by: u64,
}

/// Columns of the ledger.
const JOB_BEGUN: usize = 0;
const JOB_DONE: usize = 1;
const NOTE_BEGUN: usize = 2;
const NOTE_DONE: usize = 3;
const COLUMNS: usize = 4;

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Things {
    jobs: Queue<Item>,
    notes: Queue<Item>,
    reports: Queue<Report>,
    ledger: Array<u64>,
    lock: Lock<[u64; 2]>,
    stop: Event,
}

impl Things {
    fn new(workers: u64) -> io::Result<Self> {
        let rows = usize::try_from(workers).map_err(io::Error::other)?;
        Ok(Self {
            jobs: Queue::bounded(32)?,
            notes: Queue::bounded(5)?,
            reports: Queue::bounded(256)?,
            ledger: Array::zeroed(rows * COLUMNS)?,
            lock: Lock::new([0; 2])?,
            stop: Event::new()?,
        })
    }
}

pub(crate) fn storm(kills: u64, seed: u64) -> Result<String, String> {
    let things = Things::new(kills + WORKERS as u64).map_err(in_words)?;
    let mut random = Random::new(seed);
    let mut crew = Vec::new();
    let mut started = 0;
    let mut audit = Audit::default();
    for _ in 0..WORKERS {
        crew.push(start(&things, &mut started)?);
    }
    for _ in 0..kills {
        // Meanwhile the reports are read.
        let end = Instant::now() + Duration::from_micros(random.below(10_000) as u64);
        while Instant::now() < end {
            audit.read(&things, Duration::from_micros(200))?;
        }
        let (number, process) = crew.swap_remove(random.below(WORKERS));
        process.kill().map_err(in_words)?;
        match process.join() {
            Err(process::JoinError::Ended(process::Exit::Signal(libc::SIGKILL))) => {}
            other => return Err(format!("worker {number} ended by itself: {other:?}")),
        }
        audit.killed.insert(number);
        crew.push(start(&things, &mut started)?);
    }
    things.stop.set();
    let deadline = Instant::now() + PATIENCE;
    while crew.iter().any(|(_, process)| process.is_alive()) {
        audit.read(&things, LITTLE)?;
        if Instant::now() > deadline {
            return Err("a worker does not end".to_owned());
        }
    }
    for (number, process) in crew {
        process
            .join()
            .map_err(|error| format!("worker {number}: {error}"))?;
    }
    audit.finish(&things, started)
}

fn in_words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

fn start(things: &Things, started: &mut u64) -> Result<(u64, Process<()>), String> {
    let number = *started;
    *started += 1;
    let process = Process::start(work, (number, things.clone())).map_err(in_words)?;
    Ok((number, process))
}

/// A worker, until it is told to stop, or killed.
fn work((number, things): (u64, Things)) {
    let mut random = Random::new(number);
    let row = usize::try_from(number).expect("there are not so many") * COLUMNS;
    while !things.stop.is_set() {
        match random.below(8) {
            0..=2 => put(
                &things.jobs,
                &things.ledger,
                number,
                row + JOB_BEGUN,
                row + JOB_DONE,
            ),
            3 => put(
                &things.notes,
                &things.ledger,
                number,
                row + NOTE_BEGUN,
                row + NOTE_DONE,
            ),
            4 | 5 => {
                if let Ok(lease) = things.jobs.lease_timeout(LITTLE) {
                    if random.below(8) == 0 {
                        lease.put_back();
                        continue;
                    }
                    busy(&mut random);
                    let attempts = Some(lease.attempts());
                    let report = Report {
                        item: *lease,
                        attempts,
                        by: number,
                    };
                    things.reports.put(report).expect("the survivor reads them");
                    // Reported, and not acknowledged.
                    busy(&mut random);
                }
            }
            6 => {
                if let Ok(item) = things.notes.get_timeout(LITTLE) {
                    busy(&mut random);
                    let report = Report {
                        item,
                        attempts: None,
                        by: number,
                    };
                    things.reports.put(report).expect("the survivor reads them");
                    things.notes.task_done().expect("it was got");
                }
            }
            _ => count(&things.lock),
        }
    }
}

/// Works, for up to a fifth of a millisecond.
fn busy(random: &mut Random) {
    let end = Instant::now() + Duration::from_micros(random.below(200) as u64);
    while Instant::now() < end {
        hint::spin_loop();
    }
}

fn put(queue: &Queue<Item>, ledger: &Array<u64>, worker: u64, begun: usize, done: usize) {
    let number = ledger.get(done) + 1;
    ledger.set(begun, number);
    match queue.put_timeout((worker, number), LITTLE) {
        Ok(()) => ledger.set(done, number),
        Err(refused) => assert_eq!(refused.why, PutFailure::Full),
    }
}

/// Two numbers under a lock that are always the same.
fn count(lock: &Lock<[u64; 2]>) {
    let mut guard = match lock.lock_timeout(LITTLE) {
        Ok(guard) => guard,
        Err(LockTimeoutError::OwnerDied(guard)) => {
            guard.mark_clean();
            guard
        }
        Err(_) => return,
    };
    assert_eq!(guard[0], guard[1]);
    guard[0] += 1;
    guard[1] += 1;
}

/// What the survivor knows.
#[derive(Default)]
struct Audit {
    killed: BTreeSet<u64>,
    /// For each job, by whom it was leased, by its attempts.
    jobs: BTreeMap<Item, BTreeMap<u16, u64>>,
    notes: BTreeSet<Item>,
}

impl Audit {
    fn read(&mut self, things: &Things, timeout: Duration) -> Result<(), String> {
        let Ok(report) = things.reports.get_timeout(timeout) else {
            return Ok(());
        };
        things.reports.task_done().map_err(in_words)?;
        let Report { item, attempts, by } = report;
        let again = match attempts {
            Some(attempts) => self
                .jobs
                .entry(item)
                .or_default()
                .insert(attempts, by)
                .is_some(),
            None => !self.notes.insert(item),
        };
        if again {
            Err(format!("{item:?} came twice, at attempt {attempts:?}"))
        } else {
            Ok(())
        }
    }

    /// When nobody works any more: empties everything, and compares with the ledger.
    fn finish(mut self, things: &Things, started: u64) -> Result<String, String> {
        let survivor = started;
        let deadline = Instant::now() + PATIENCE;
        // Until nothing is held by the dead, either.
        while things.jobs.join_timeout(Duration::ZERO) != Ok(true)
            || things.notes.join_timeout(Duration::ZERO) != Ok(true)
            || !things.reports.is_empty()
        {
            if Instant::now() > deadline {
                return Err(format!("something is left: {things:?}"));
            }
            self.read(things, Duration::ZERO)?;
            while let Ok(lease) = things.jobs.try_lease() {
                self.jobs
                    .entry(*lease)
                    .or_default()
                    .insert(lease.attempts(), survivor);
            }
            while let Ok(note) = things.notes.try_get() {
                self.notes.insert(note);
                things.notes.task_done().map_err(in_words)?;
            }
            thread::yield_now();
        }
        let mut again = 0;
        for (job, leases) in &self.jobs {
            // All but the last have been killed.
            let mut earlier = leases.values().rev().skip(1);
            if let Some(by) = earlier.find(|by| !self.killed.contains(by)) {
                return Err(format!(
                    "{job:?} was taken from {by}, who lived: {leases:?}"
                ));
            }
            again += leases.len() - 1;
        }
        let mut sums = [0; 2];
        let mut lost = 0;
        for worker in 0..started {
            let row = usize::try_from(worker).map_err(in_words)? * COLUMNS;
            let [job_begun, job_done, note_begun, note_done] =
                std::array::from_fn(|at| things.ledger.get(row + at));
            for (begun, done) in [(job_begun, job_done), (note_begun, note_done)] {
                if begun > done + 1 {
                    return Err(format!("worker {worker} has begun {begun} and done {done}"));
                }
            }
            for number in 1..=job_done {
                if !self.jobs.contains_key(&(worker, number)) {
                    return Err(format!("job {number} of worker {worker} is lost"));
                }
            }
            lost += (1..=note_done)
                .filter(|&number| !self.notes.contains(&(worker, number)))
                .count();
            sums[0] += job_done;
            sums[1] += note_done;
        }
        let strange = |&(worker, number): &Item, begun| {
            usize::try_from(worker)
                .is_ok_and(|worker| things.ledger.get(worker * COLUMNS + begun) < number)
        };
        if let Some(item) = self.jobs.keys().find(|item| strange(item, JOB_BEGUN)) {
            return Err(format!("job {item:?} was never put"));
        }
        if let Some(item) = self.notes.iter().find(|item| strange(item, NOTE_BEGUN)) {
            return Err(format!("note {item:?} was never put"));
        }
        if lost > self.killed.len() {
            return Err(format!(
                "{} deaths have cost {lost} notes",
                self.killed.len()
            ));
        }
        let guard = things.lock.lock_timeout(PATIENCE);
        if !matches!(guard, Ok(_) | Err(LockTimeoutError::OwnerDied(_))) {
            return Err("the lock is lost".to_owned());
        }
        Ok(format!(
            "queues: {} kills; {} jobs leased, {again} of them again after a death, none lost; {} notes got, {lost} died with who got them",
            self.killed.len(),
            sums[0],
            sums[1],
        ))
    }
}
