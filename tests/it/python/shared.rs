//! What `multiprocessing` has for processes to share.

use std::path::Path;
use std::time::Duration;
use std::{fs, thread};

use brigade::Process;
use brigade::process::JoinError;
use brigade::shared::{
    Array, Barrier, Bytes, Condition, Event, Lock, LockError, LockTimeoutError, RLock, Semaphore,
    TryLockError, Value,
};
use serde::{Deserialize, Serialize};

use crate::harness::LONG;

const SOON: Duration = Duration::from_millis(5);

#[derive(Clone, Serialize, Deserialize)]
struct Shared {
    start: Event,
    all_here: Barrier,
    seats: Semaphore,
    seated: Value<u32>,
    most_seated: Value<u32>,
    lock: Lock<[u32; 2]>,
    again: RLock,
    changed: Condition,
    array: Array<f64>,
    book: Bytes,
}

/// What each process does with all of them.
fn work((number, shared): (u32, Shared)) -> usize {
    assert!(shared.start.wait_timeout(LONG));
    shared.all_here.wait_timeout(LONG).unwrap().unwrap();
    for _ in 0..100 {
        let seat = shared.seats.acquire();
        let seated = shared.seated.update(|seated| {
            *seated += 1;
            *seated
        });
        shared.most_seated.update(|most| *most = seated.max(*most));
        shared.seated.update(|seated| *seated -= 1);
        drop(seat);
    }
    shared.array.set(number as usize, f64::from(number) / 2.0);

    let _outer = shared.again.lock().unwrap();
    let _inner = shared.again.lock().unwrap();
    let mut both = shared.lock.lock().unwrap();
    both[0] += 1;
    thread::yield_now();
    both[1] += 1;
    drop(both);
    shared.changed.notify_all();
    shared.book.len()
}

/// `Lock`, `RLock`, `Condition`, `Semaphore`, `Event`, `Barrier`, `Value`, `Array`, `shared_memory`: all of
/// them at once, in one argument, between several processes.
#[test]
fn lock_rlock_condition_semaphore_event_barrier_value_array_shared_memory() {
    const WORKERS: u32 = 3;

    let shared = Shared {
        start: Event::new().unwrap(),
        all_here: Barrier::new(4).unwrap(),
        seats: Semaphore::new(2).unwrap(),
        seated: Value::new(0).unwrap(),
        most_seated: Value::new(0).unwrap(),
        lock: Lock::new([0, 0]).unwrap(),
        again: RLock::new().unwrap(),
        changed: Condition::new().unwrap(),
        array: Array::zeroed(WORKERS as usize).unwrap(),
        book: Bytes::from_slice(&vec![7; 1_000_000]).unwrap(),
    };
    let workers: Vec<_> = (0..WORKERS)
        .map(|number| Process::start(work, (number, shared.clone())).unwrap())
        .collect();
    shared.start.set();
    shared.all_here.wait_timeout(LONG).unwrap().unwrap();

    let both = shared.lock.lock().unwrap();
    let all_done = |both: &[u32; 2]| both[0] < WORKERS;
    let both = shared.changed.wait_while(both, all_done).unwrap();
    assert_eq!(*both, [WORKERS; 2]);
    drop(both);
    for worker in workers {
        let length = worker.join_timeout(LONG).unwrap().unwrap();
        assert_eq!(length, 1_000_000);
    }
    assert!((1..=2).contains(&shared.most_seated.get()));
    assert_eq!(shared.seated.get(), 0);
    assert_eq!(shared.array.to_vec(), [0.0, 0.5, 1.0]);

    // What is set is cleared, and what is held is waited for so long and no longer.
    shared.start.clear();
    assert!(!shared.start.is_set() && !shared.start.wait_timeout(SOON));
    let _held = shared.lock.lock().unwrap();
    let other = shared.lock.clone();
    let other = thread::spawn(move || {
        assert!(matches!(other.try_lock(), Err(TryLockError::Locked)));
        assert!(matches!(
            other.lock_timeout(SOON),
            Err(LockTimeoutError::Timeout)
        ));
    });
    other.join().unwrap();
}

/// The trap: a process that is killed with a lock, with a permit, or at a barrier, and all others wait for
/// it for ever.
#[test]
fn a_dead_holder_is_reported() {
    fn hold((lock, seats, all_here, has_it): (Lock<[i64; 2]>, Semaphore, Barrier, Event)) {
        let mut accounts = lock.lock().unwrap();
        accounts[0] -= 100;
        let _seat = seats.acquire();
        has_it.set();
        let _ = all_here.wait();
    }

    let (lock, has_it) = (Lock::new([500, 0]).unwrap(), Event::new().unwrap());
    let (seats, all_here) = (Semaphore::new(1).unwrap(), Barrier::new(2).unwrap());
    let shared = (
        lock.clone(),
        seats.clone(),
        all_here.clone(),
        has_it.clone(),
    );
    let child = Process::start(hold, shared).unwrap();
    assert!(has_it.wait_timeout(LONG));
    assert!(seats.try_acquire().is_none());
    child.kill().unwrap();
    assert!(matches!(child.join(), Err(JoinError::Ended(_))));

    let Err(LockError::OwnerDied(accounts)) = lock.lock() else {
        panic!("its holder is dead");
    };
    assert_eq!(*accounts, [500, 0], "half a change");
    accounts.mark_clean();
    drop(accounts);
    assert_eq!(*lock.lock().unwrap(), [500, 0]);
    assert!(seats.acquire_timeout(LONG).is_some());
    assert!(all_here.wait_timeout(LONG).is_err());
}

/// The trap of `shared_memory`: what nobody unlinks remains. Here nothing has a name.
#[test]
fn shared_memory_leaves_nothing_behind() {
    let names = || {
        let files = fs::read_dir(Path::new("/dev/shm")).into_iter().flatten();
        let names = files.map(|file| file.unwrap().file_name());
        names
            .filter(|name| name.to_string_lossy().contains("brigade"))
            .count()
    };
    let before = names();
    let image = Array::<u8>::zeroed(1 << 20).unwrap();
    let child = Process::start(
        |image: Array<u8>| {
            image.write(3, &[255; 5]);
            std::process::abort()
        },
        image.clone(),
    );
    let ended: Result<(), _> = child.unwrap().join();
    assert!(matches!(ended, Err(JoinError::Ended(exit)) if exit.signal() == Some(6)));
    assert_eq!(image.get(7), 255);
    assert_eq!(names(), before);
}
