//! The side that must not be impressed.

use std::env;
use std::io;
use std::process::{Child, Command, ExitCode, id};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use brigade::Process;
use brigade::process::JoinError;
use brigade::shared::{
    Array, Barrier, Condition, Event, JoinCounter, Lock, Queue, Semaphore, Value,
};
use serde::{Deserialize, Serialize};

use crate::vandal;

/// How many milliseconds the threads of a round are at it.
const ROUND: u64 = 40;
/// What an operation is given.
const LITTLE: Duration = Duration::from_millis(5);
/// What all of a round may take on a busy machine, before it counts as a hang.
const PATIENCE: Duration = Duration::from_secs(60);

/// Everything that can be shared.
#[derive(Clone, Serialize, Deserialize)]
struct Things {
    event: Event,
    lock: Lock<[u64; 4]>,
    condition: Condition,
    value: Value<[u32; 5]>,
    array: Array<u64>,
    semaphore: Semaphore,
    barrier: Barrier,
    counter: JoinCounter,
    queue: Queue<String>,
}

impl Things {
    fn new() -> io::Result<Self> {
        Ok(Self {
            event: Event::new()?,
            lock: Lock::new([0; 4])?,
            condition: Condition::new()?,
            value: Value::new([0; 5])?,
            array: Array::zeroed(100)?,
            semaphore: Semaphore::new(5)?,
            barrier: Barrier::new(2)?,
            counter: JoinCounter::new()?,
            queue: Queue::<String>::builder()
                .capacity(5)
                .leases(3)
                .bytes(64 * 1024)
                .build()?,
        })
    }
}

/// Something to do with the things, again and again. What it comes to does not matter.
/// None of it may wait without end: a hostile peer can always hold a lock.
type Deed = (&'static str, fn(&Things));

const DEEDS: &[Deed] = &[
    ("event", |things| {
        let _ = things.event.wait_timeout(LITTLE);
        things.event.set();
        things.event.clear();
    }),
    ("lock", |things| {
        // Not what waits at the condition: it comes back with the lock, whoever has that.
        if let Ok(mut guard) = things.lock.lock_timeout(LITTLE) {
            guard[0] += 1;
        }
        things.condition.notify_all();
    }),
    ("value", |things| {
        let _ = things.value.get();
        let _ = things.array.get(99);
        things.array.set(7, 1);
        let _ = things.array.to_vec();
    }),
    ("semaphore", |things| {
        drop(things.semaphore.acquire_timeout(LITTLE));
        let _ = things.semaphore.available();
    }),
    ("barrier", |things| {
        if things.barrier.wait_timeout(LITTLE).is_err() {
            things.barrier.reset();
        }
    }),
    ("put", |things| put(things, 10)),
    ("put of pages", |things| put(things, 10_000)),
    ("get", |things| {
        let _ = things.queue.get_timeout(LITTLE);
        let _ = things.queue.task_done();
        let _ = things.queue.join_timeout(LITTLE);
    }),
    ("lease", |things| {
        drop(things.queue.lease_timeout(LITTLE));
        if let Ok(lease) = things.queue.try_lease() {
            lease.put_back();
        }
    }),
    ("counter", |things| {
        let _ = things.counter.add(1);
        let _ = things.counter.done();
        let _ = things.counter.wait_timeout(LITTLE);
    }),
];

/// A length that takes a block, or up to three pages.
fn put(things: &Things, length: usize) {
    let _ = things.queue.put_timeout("x".repeat(length), LITTLE);
    let _ = (things.queue.len(), things.queue.is_full());
}

pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let mut numbers = arguments.iter().map(|text| text.parse::<u64>());
    let (Ok(rounds), Ok(first)) = (
        numbers.next().unwrap_or(Ok(200)),
        numbers.next().unwrap_or(Ok(0)),
    ) else {
        eprintln!("usage: hostile [ROUNDS [SEED]]");
        return ExitCode::FAILURE;
    };
    for seed in first..first + rounds {
        if let Err(complaint) = round(seed) {
            eprintln!("error: seed {seed}: {complaint}");
            return ExitCode::FAILURE;
        }
    }
    println!(
        "{rounds} rounds, {} threads each: no crash, no panic, no hang",
        DEEDS.len()
    );
    ExitCode::SUCCESS
}

fn round(seed: u64) -> Result<(), String> {
    let in_words = |error: io::Error| error.to_string();
    let things = Things::new().map_err(in_words)?;
    let mut vandal = Vandal::start(seed).map_err(in_words)?;
    let (say, hear) = mpsc::channel();
    for &(name, deed) in DEEDS {
        let (things, say) = (things.clone(), say.clone());
        thread::spawn(move || {
            // Sent also by a panic.
            let _notice = Notice { name, say };
            repeat(deed, &things);
        });
    }
    drop(say);
    if seed % 8 == 0 {
        newcomer(&things)?;
    }
    let deadline = Instant::now() + PATIENCE;
    let mut missing: Vec<&str> = DEEDS.iter().map(|&(name, _)| name).collect();
    while !missing.is_empty() {
        let left = deadline.saturating_duration_since(Instant::now());
        let (name, panicked) = hear
            .recv_timeout(left)
            .map_err(|_| format!("hangs: {missing:?}"))?;
        if panicked {
            return Err(format!("{name} has panicked"));
        }
        missing.retain(|other| *other != name);
    }
    match vandal.0.wait() {
        Ok(status) if status.success() => Ok(()),
        other => Err(format!("the vandal: {other:?}")),
    }
}

fn repeat(deed: fn(&Things), things: &Things) {
    let end = Instant::now() + Duration::from_millis(ROUND);
    while Instant::now() < end {
        deed(things);
    }
}

/// One that opens what is spoiled already: refused, or served.
fn newcomer(things: &Things) -> Result<(), String> {
    let visit = |things: Things| DEEDS.iter().for_each(|(_, deed)| deed(&things));
    let visitor = Process::start(visit, things.clone()).map_err(|error| error.to_string())?;
    match visitor.join_timeout(PATIENCE) {
        Ok(Ok(()) | Err(JoinError::Argument(_))) => Ok(()),
        Ok(Err(error)) => Err(format!("the newcomer: {error}")),
        Err(_) => Err("the newcomer hangs".to_owned()),
    }
}

/// Says that a thread is at its end.
struct Notice {
    name: &'static str,
    say: mpsc::Sender<(&'static str, bool)>,
}

impl Drop for Notice {
    fn drop(&mut self) {
        let _ = self.say.send((self.name, thread::panicking()));
    }
}

/// The other process, which ends with the round.
struct Vandal(Child);

impl Vandal {
    fn start(seed: u64) -> io::Result<Self> {
        let arguments = [u64::from(id()), seed, ROUND].map(|number| number.to_string());
        let program = env::current_exe()?;
        Command::new(program)
            .arg(vandal::ROLE)
            .args(arguments)
            .spawn()
            .map(Self)
    }
}

impl Drop for Vandal {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
