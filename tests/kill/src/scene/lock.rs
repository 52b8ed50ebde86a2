//! Locks, the values in them, and conditions.

use std::io;
use std::thread::JoinHandle;
use std::time::Duration;

use brigade::Process;
use brigade::shared::{Condition, Lock, LockGuard, LockTimeoutError, Value};

use super::{
    Entry, SLEEP, Started, die_in, heard, hold, nothing, play, play_sweep, promptly, sleeping,
};

pub(super) const SCENES: &[Entry] = &[
    ("lock", "taken, and reported", || {
        play(Lock::new(PAIR), lock, nothing, take)
    }),
    ("unlock", "changed, and given back", || {
        play(Lock::new(PAIR), unlock, wait, next)
    }),
    ("sweep after a lock", "reported", || {
        play_sweep(Lock::new(PAIR), keep, witness, wait, swept)
    }),
    ("lock that is held", "not taken", || {
        play(Lock::new(PAIR), lock, occupy, take_after)
    }),
    ("value set", "new", || {
        play(Value::new(PAIR), set, nothing, whole)
    }),
    ("value update", "new", || {
        play(Value::new(PAIR), update, nothing, whole)
    }),
    ("condition notify", "changed, and heard", || {
        play(board(), post, expect, posted)
    }),
];

/// A value of several words that are always the same.
type Pair = [u64; 4];
const PAIR: Pair = [0; 4];

fn lock(lock: &Lock<Pair>) -> Started {
    let enter = |lock: Lock<Pair>| die_in(|| std::mem::forget(lock.lock()));
    Process::start(enter, lock.clone())
}

/// Changes the value and dies in giving the lock back.
fn unlock(lock: &Lock<Pair>) -> Started {
    let enter = |lock: Lock<Pair>| {
        let mut guard = lock.lock().expect("nobody has it");
        *guard = guard.map(|word| word + 1);
        die_in(|| drop(guard));
    };
    Process::start(enter, lock.clone())
}

/// Dies with the lock.
fn keep(lock: &Lock<Pair>) -> Started {
    let enter = |lock: Lock<Pair>| hold(lock.lock());
    Process::start(enter, lock.clone())
}

fn witness(lock: &Lock<Pair>) -> Started {
    Process::start(hold, lock.clone())
}

/// Whether the lock's former holder is said to have died, and its value.
type Found = (bool, Pair);

fn locked(lock: &Lock<Pair>) -> Result<Found, String> {
    promptly("the lock", |time| locked_within(lock, time))?
}

fn locked_within(lock: &Lock<Pair>, time: Duration) -> Result<Found, String> {
    let (died, guard): (_, LockGuard<'_, Pair>) = match lock.lock_timeout(time) {
        Ok(guard) => (false, guard),
        Err(LockTimeoutError::OwnerDied(guard)) => {
            guard.mark_clean();
            (true, guard)
        }
        Err(other) => return Err(other.to_string()),
    };
    let pair = *guard;
    if pair.iter().all(|&word| word == pair[0]) {
        Ok((died, pair))
    } else {
        Err(format!("half a change: {pair:?}"))
    }
}

fn take(lock: &Lock<Pair>, (): ()) -> Result<&'static str, String> {
    Ok(if locked(lock)?.0 {
        "taken, and reported"
    } else {
        "not taken"
    })
}

fn wait(lock: &Lock<Pair>) -> Result<JoinHandle<Result<Found, String>>, String> {
    let lock = lock.clone();
    sleeping(move || locked_within(&lock, SLEEP))
}

fn next(
    lock: &Lock<Pair>,
    sleeper: JoinHandle<Result<Found, String>>,
) -> Result<&'static str, String> {
    let (died, pair) = heard(sleeper)??;
    let (again, now) = locked(lock)?;
    if again || now != pair {
        return Err("the second to take it finds something else".to_owned());
    }
    // For the next victim.
    *lock.lock().map_err(|error| error.to_string())? = PAIR;
    match (died, pair == PAIR) {
        (true, true) => Ok("not changed, and reported"),
        (true, false) => Ok("changed, and reported"),
        (false, false) => Ok("changed, and given back"),
        (false, true) => Err("the lock was given back, but not the value".to_owned()),
    }
}

fn swept(
    lock: &Lock<Pair>,
    sleeper: JoinHandle<Result<Found, String>>,
) -> Result<&'static str, String> {
    if !heard(sleeper)??.0 {
        return Err("who waited is not told that the holder died".to_owned());
    }
    if locked(lock)?.0 {
        return Err("a death is reported twice".to_owned());
    }
    Ok("reported")
}

/// Somebody in the house has the lock, until told.
fn occupy(lock: &Lock<Pair>) -> Result<Holder, String> {
    let lock = lock.clone();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let thread = sleeping(move || {
        let guard = lock.lock();
        let _ = released.recv();
        guard.is_ok()
    })?;
    Ok(Holder { release, thread })
}

struct Holder {
    release: std::sync::mpsc::Sender<()>,
    thread: JoinHandle<bool>,
}

fn take_after(lock: &Lock<Pair>, holder: Holder) -> Result<&'static str, String> {
    let Holder { release, thread } = holder;
    drop(release);
    if !heard(thread)? {
        return Err("the holder did not get it".to_owned());
    }
    take(lock, ())
}

fn set(value: &Value<Pair>) -> Started {
    let enter = |value: Value<Pair>| {
        let next = value.get()[0] + 1;
        die_in(|| value.set([next; 4]));
    };
    Process::start(enter, value.clone())
}

fn update(value: &Value<Pair>) -> Started {
    let enter =
        |value: Value<Pair>| die_in(|| value.update(|pair| *pair = pair.map(|word| word + 1)));
    Process::start(enter, value.clone())
}

/// The old value or the new one, and the next writer is not kept out.
fn whole(value: &Value<Pair>, (): ()) -> Result<&'static str, String> {
    let pair = value.get();
    let other = value.clone();
    heard(sleeping(move || other.set(PAIR))?)?;
    if value.get() != PAIR {
        return Err("what was set is not there".to_owned());
    }
    match pair {
        PAIR => Ok("old"),
        [1, 1, 1, 1] => Ok("new"),
        other => Err(format!("half a change: {other:?}")),
    }
}

/// Something to change, and who is to be told.
struct Board {
    lock: Lock<Pair>,
    changed: Condition,
}

fn board() -> io::Result<Board> {
    Ok(Board {
        lock: Lock::new(PAIR)?,
        changed: Condition::new()?,
    })
}

fn post(board: &Board) -> Started {
    let enter = |(lock, changed): (Lock<Pair>, Condition)| {
        die_in(|| {
            *lock.lock().expect("nobody has died with it") = [1; 4];
            changed.notify_one();
        });
    };
    Process::start(enter, (board.lock.clone(), board.changed.clone()))
}

fn expect(board: &Board) -> Result<JoinHandle<bool>, String> {
    let (lock, changed) = (board.lock.clone(), board.changed.clone());
    sleeping(move || {
        let mut guard = lock.lock().ok();
        while let Some(held) = guard {
            if *held != PAIR {
                return true;
            }
            // Whether a former holder died does not matter here.
            guard = match changed.wait(held) {
                Ok(held) => Some(held),
                Err(error) => error.into_guard(),
            };
        }
        false
    })
}

fn posted(board: &Board, sleeper: JoinHandle<bool>) -> Result<&'static str, String> {
    let (died, pair) = locked(&board.lock)?;
    if pair == PAIR {
        *board.lock.lock().map_err(|error| error.to_string())? = [1; 4];
        board.changed.notify_one();
    }
    if !heard(sleeper)? {
        return Err("who waited did not get the lock".to_owned());
    }
    let _ = locked(&board.lock)?;
    *board.lock.lock().map_err(|error| error.to_string())? = PAIR;
    match (died, pair == PAIR) {
        (false, true) => Ok("not changed"),
        (true, true) => Ok("not changed, and reported"),
        (true, false) => Ok("changed, and reported"),
        (false, false) => Ok("changed, and heard"),
    }
}
