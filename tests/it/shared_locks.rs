//! `shared::{Lock, RLock, Condition}`, above all when a process dies with them.

use std::thread;
use std::time::{Duration, Instant};

use brigade::shared::{Condition, Event, Lock, LockError, LockTimeoutError, RLock, TryLockError};

use crate::other_process::{Other, argument, await_death, say};

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(20);

fn is_locked<G>(answer: &Result<G, TryLockError<G>>) -> bool {
    matches!(answer, Err(TryLockError::Locked))
}

#[test]
fn dies_with_a_lock() {
    let Some(lock) = argument::<Lock<[u64; 4]>>("shared_locks::dies_with_a_lock") else {
        return;
    };
    *lock.lock().unwrap() = [1; 4];
    let mut guard = lock.lock().unwrap();
    *guard = [2; 4];
    say("held");
    await_death();
}

#[test]
fn the_next_is_told_that_the_holder_died() {
    let lock = Lock::new([0_u64; 4]).unwrap();
    let mut other = Other::start("shared_locks::dies_with_a_lock", &lock);
    assert_eq!(other.hear().as_deref(), Some("held"));
    assert!(is_locked(&lock.try_lock()));
    let late = lock.lock_timeout(SHORT);
    assert!(matches!(late, Err(LockTimeoutError::Timeout)));
    // Somebody waits already when it happens.
    let waiting = lock.clone();
    let waiter = thread::spawn(move || match waiting.lock_timeout(LONG) {
        Err(LockTimeoutError::OwnerDied(guard)) => *guard,
        answer => panic!("{answer:?}"),
    });
    other.kill();
    // What the dead one had put back, and not what it was about to.
    assert_eq!(waiter.join().unwrap(), [1; 4]);
    assert!(lock.is_abandoned());
    let guard = match lock.lock() {
        Err(LockError::OwnerDied(guard)) => guard,
        answer => panic!("everyone is told: {answer:?}"),
    };
    guard.mark_clean();
    drop(guard);
    assert_eq!(*lock.lock().unwrap(), [1; 4]);
}

/// Also one who comes after the death, when nobody of this process has been watching.
#[test]
fn who_comes_later_is_told_too() {
    let lock = Lock::new([0_u64; 4]).unwrap();
    let mut other = Other::start("shared_locks::dies_with_a_lock", &lock);
    assert_eq!(other.hear().as_deref(), Some("held"));
    other.kill();
    let taken = lock.lock_timeout(LONG);
    assert!(matches!(taken, Err(LockTimeoutError::OwnerDied(_))));
}

/// A holder that is stopped is slow, and not dead.
#[test]
fn nothing_is_taken_from_a_stopped_holder() {
    let lock = Lock::new([0_u64; 4]).unwrap();
    let mut other = Other::start("shared_locks::dies_with_a_lock", &lock);
    assert_eq!(other.hear().as_deref(), Some("held"));
    other.stop();
    let late = lock.lock_timeout(Duration::from_millis(300));
    assert!(matches!(late, Err(LockTimeoutError::Timeout)));
    other.kill();
    let taken = lock.lock_timeout(LONG);
    assert!(matches!(taken, Err(LockTimeoutError::OwnerDied(_))));
}

#[test]
fn adds_up() {
    let Some(total) = argument::<Lock<u64>>("shared_locks::adds_up") else {
        return;
    };
    for _ in 0..1_000 {
        *total.lock().unwrap() += 1;
    }
}

#[test]
fn one_at_a_time() {
    let total = Lock::new(0_u64).unwrap();
    let others: Vec<_> = (0..3)
        .map(|_| Other::start("shared_locks::adds_up", &total))
        .collect();
    thread::scope(|scope| {
        for _ in 0..2 {
            let total = total.clone();
            scope.spawn(move || (0..1_000).for_each(|_| *total.lock().unwrap() += 1));
        }
    });
    others.into_iter().for_each(Other::join);
    assert_eq!(*total.lock().unwrap(), 5_000);
}

#[test]
fn who_would_wait_for_himself_is_told() {
    let lock = Lock::new(()).unwrap();
    let guard = lock.lock().unwrap();
    assert!(matches!(lock.lock(), Err(LockError::HeldByThisThread)));
    assert!(matches!(
        lock.clone().try_lock(),
        Err(TryLockError::HeldByThisThread)
    ));
    thread::scope(|scope| {
        scope.spawn(|| assert!(is_locked(&lock.try_lock())));
    });
    drop(guard);
    drop(lock.lock().unwrap());
}

#[test]
fn a_panic_leaves_the_value_as_it_was() {
    let lock = Lock::new(1).unwrap();
    let inside = lock.clone();
    let panicked = thread::spawn(move || {
        let mut guard = inside.lock().unwrap();
        *guard = 2;
        panic!("on purpose");
    });
    assert!(panicked.join().is_err());
    assert_eq!(*lock.lock().unwrap(), 1);
}

#[test]
fn a_lock_of_another_type_is_refused() {
    let text = {
        let lock = Lock::new(7_u32).unwrap();
        let text = serde_json::to_string(&lock).unwrap();
        assert!(serde_json::from_str::<Lock<u64>>(&text).is_err());
        assert!(serde_json::from_str::<Event>(&text).is_err());
        let again: Lock<u32> = serde_json::from_str(&text).unwrap();
        *again.lock().unwrap() += 1;
        assert_eq!(*lock.lock().unwrap(), 8);
        text
    };
    assert!(
        serde_json::from_str::<Lock<u32>>(&text).is_err(),
        "it is gone"
    );
}

#[test]
fn dies_with_an_rlock() {
    let Some(lock) = argument::<RLock>("shared_locks::dies_with_an_rlock") else {
        return;
    };
    let _outer = lock.lock().unwrap();
    let _inner = lock.lock().unwrap();
    say("held");
    await_death();
}

#[test]
fn an_rlock_can_be_taken_again_and_outlives_its_holder() {
    let lock = RLock::new().unwrap();
    let outer = lock.lock().unwrap();
    let inner = lock.try_lock().unwrap();
    drop(outer);
    let locked_elsewhere =
        || thread::scope(|scope| scope.spawn(|| is_locked(&lock.try_lock())).join().unwrap());
    assert!(locked_elsewhere(), "held once more");
    drop(inner);
    assert!(!locked_elsewhere());

    let mut other = Other::start("shared_locks::dies_with_an_rlock", &lock);
    assert_eq!(other.hear().as_deref(), Some("held"));
    assert!(is_locked(&lock.try_lock()));
    other.kill();
    let held = match lock.lock() {
        Err(LockError::OwnerDied(held)) => held,
        answer => panic!("{answer:?}"),
    };
    held.mark_clean();
    drop(held);
    drop(lock.lock_deadline(Instant::now() + LONG).unwrap());
}

#[test]
fn waits_for_a_turn() {
    let role = "shared_locks::waits_for_a_turn";
    let Some((turn, changed, mine)) = argument::<(Lock<u32>, Condition, u32)>(role) else {
        return;
    };
    say("waiting");
    let guard = turn.lock().unwrap();
    let mut guard = changed.wait_while(guard, |turn| *turn != mine).unwrap();
    *guard += 1;
    drop(guard);
    changed.notify_all();
}

#[test]
fn processes_take_turns() {
    let (turn, changed) = (Lock::new(0).unwrap(), Condition::new().unwrap());
    let others: Vec<_> = (0..3_u32)
        .rev()
        .map(|mine| Other::start("shared_locks::waits_for_a_turn", &(&turn, &changed, mine)))
        .collect();
    let done = changed.wait_while(turn.lock().unwrap(), |turn| *turn != 3);
    assert_eq!(*done.unwrap(), 3);
    others.into_iter().for_each(Other::join);
}

/// The wake-up for one goes to a waiter that dies with it, or to nobody: the other is woken all the same.
#[test]
fn a_killed_waiter_takes_no_wake_up_with_it() {
    let (turn, changed) = (Lock::new(0_u32).unwrap(), Condition::new().unwrap());
    let mut dying = Other::start("shared_locks::waits_for_a_turn", &(&turn, &changed, 7));
    assert_eq!(dying.hear().as_deref(), Some("waiting"));
    let waiter = {
        let (turn, changed) = (turn.clone(), changed.clone());
        thread::spawn(move || {
            // Not `wait_while`: the guard may come with the news of the death.
            let mut guard = turn.lock().unwrap();
            while *guard == 0 {
                guard = match changed.wait(guard) {
                    Ok(guard) | Err(LockError::OwnerDied(guard)) => guard,
                    Err(error) => panic!("{error}"),
                };
            }
        })
    };
    dying.stop();
    // It may be asleep, or be about to, or have the lock: then the change waits for its death.
    let notifier = {
        let (turn, changed) = (turn.clone(), changed.clone());
        thread::spawn(move || {
            let mut guard = match turn.lock() {
                Ok(guard) | Err(LockError::OwnerDied(guard)) => guard,
                Err(error) => panic!("{error}"),
            };
            *guard = 1;
            drop(guard);
            changed.notify_one();
        })
    };
    dying.kill();
    notifier.join().unwrap();
    waiter.join().unwrap();
}

#[test]
fn a_wait_ends_when_the_time_is_up() {
    let (lock, changed) = (Lock::new(()).unwrap(), Condition::new().unwrap());
    let begun = Instant::now();
    let mut guard = lock.lock().unwrap();
    loop {
        // It may end without a reason before.
        let (again, woken) = changed.wait_deadline(guard, begun + SHORT).unwrap();
        guard = again;
        if !woken {
            break;
        }
    }
    assert!(begun.elapsed() >= SHORT);
    drop(guard);
}
