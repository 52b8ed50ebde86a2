//! Semaphores, barriers and join counters.

use std::io;
use std::thread::JoinHandle;

use brigade::Process;
use brigade::shared::{Abandoned, Barrier, BrokenBarrier, JoinCounter, Lock, Semaphore};

use super::{
    Entry, SLEEP, Started, die_in, hear, heard, in_words, nothing, play, promptly, sleeping, until,
};

pub(super) const SCENES: &[Entry] = &[
    ("semaphore acquire", "permits all free", || {
        play(Semaphore::new(2), acquire, nothing, all_free)
    }),
    ("semaphore release", "permits all free", || {
        play(Semaphore::new(2), release, wait_for_permit, permitted)
    }),
    ("semaphore leave", "permits all free", || {
        play(Semaphore::new(2), leave, wait_for_permit, permitted)
    }),
    ("barrier wait", "met", || {
        play(Barrier::new(2), meet, wait_to_meet, met)
    }),
    ("join counter add", "counted, and reported", || {
        play(JoinCounter::new(), add, nothing, added)
    }),
    ("join counter done", "done", || {
        play(counted(), done, wait_for_zero, zero)
    }),
];

fn acquire(semaphore: &Semaphore) -> Started {
    let enter = |semaphore: Semaphore| die_in(|| std::mem::forget(semaphore.acquire()));
    Process::start(enter, semaphore.clone())
}

fn all_free(semaphore: &Semaphore, (): ()) -> Result<&'static str, String> {
    let acquire = || promptly("a permit", |time| semaphore.acquire_timeout(time));
    let first = acquire()?.ok_or("no permit is left")?;
    let second = acquire()?.ok_or("a permit is lost")?;
    if semaphore.try_acquire().is_some() {
        return Err("a permit too many".to_owned());
    }
    drop((first, second));
    Ok("permits all free")
}

/// Has both permits, and gives one back.
fn release(semaphore: &Semaphore) -> Started {
    let enter = |semaphore: Semaphore| {
        let both = (semaphore.acquire(), semaphore.acquire());
        die_in(|| drop(both.0));
    };
    Process::start(enter, semaphore.clone())
}

/// Has both permits, and drops its last handle.
fn leave(semaphore: &Semaphore) -> Started {
    let enter = |semaphore: Semaphore| {
        std::mem::forget((semaphore.acquire(), semaphore.acquire()));
        die_in(|| drop(semaphore));
    };
    Process::start(enter, semaphore.clone())
}

fn wait_for_permit(semaphore: &Semaphore) -> Result<JoinHandle<bool>, String> {
    let semaphore = semaphore.clone();
    sleeping(move || semaphore.acquire_timeout(SLEEP).is_some())
}

fn permitted(semaphore: &Semaphore, sleeper: JoinHandle<bool>) -> Result<&'static str, String> {
    if !heard(sleeper)? {
        return Err("who waited got no permit".to_owned());
    }
    all_free(semaphore, ())
}

fn meet(barrier: &Barrier) -> Started {
    let enter = |barrier: Barrier| die_in(|| barrier.wait());
    Process::start(enter, barrier.clone())
}

type Met = Result<Option<brigade::shared::Arrival>, BrokenBarrier>;

fn wait_to_meet(barrier: &Barrier) -> Result<JoinHandle<Met>, String> {
    let barrier = barrier.clone();
    sleeping(move || barrier.wait_timeout(SLEEP))
}

fn met(barrier: &Barrier, sleeper: JoinHandle<Met>) -> Result<&'static str, String> {
    let outcome = match heard(sleeper)? {
        Ok(Some(_)) => "met",
        Err(BrokenBarrier { .. }) => "broken",
        Ok(None) => return Err("who waits is not told that nobody comes".to_owned()),
    };
    until("the death breaks the barrier", || {
        barrier.is_broken().then_some(())
    })?;
    barrier.reset();
    Ok(outcome)
}

fn add(counter: &JoinCounter) -> Started {
    let enter = |counter: JoinCounter| die_in(|| counter.add(1));
    Process::start(enter, counter.clone())
}

fn added(counter: &JoinCounter, (): ()) -> Result<&'static str, String> {
    let waited = promptly("nothing left to do", |time| counter.wait_timeout(time))?;
    let outcome = match (counter.count(), waited) {
        (0, Ok(true)) => return Ok("not counted"),
        (1, Err(Abandoned { .. })) => "counted, and reported",
        other => return Err(format!("{other:?}")),
    };
    counter.done().map_err(in_words)?;
    counter.mark_clean();
    Ok(outcome)
}

/// A counter, and a lock that who dies has.
type Counted = (JoinCounter, Lock<()>);

fn counted() -> io::Result<Counted> {
    Ok((JoinCounter::new()?, Lock::new(())?))
}

fn done((counter, knell): &Counted) -> Started {
    counter.add(1).expect("it was zero");
    let enter = |(counter, knell): Counted| {
        std::mem::forget(knell.lock());
        die_in(|| counter.done());
    };
    Process::start(enter, (counter.clone(), knell.clone()))
}

fn wait_for_zero((counter, _): &Counted) -> Result<JoinHandle<Result<bool, Abandoned>>, String> {
    let counter = counter.clone();
    sleeping(move || counter.wait_timeout(SLEEP))
}

fn zero(
    (counter, knell): &Counted,
    sleeper: JoinHandle<Result<bool, Abandoned>>,
) -> Result<&'static str, String> {
    let outcome = match heard(sleeper)? {
        Ok(true) => "done",
        Ok(false) => return Err("who waits is not told that nobody does it".to_owned()),
        Err(_) => {
            counter.done().map_err(in_words)?;
            counter.mark_clean();
            "reported"
        }
    };
    // Not later: it would be told to who waits for what the next one does.
    hear(knell)?;
    Ok(outcome)
}
