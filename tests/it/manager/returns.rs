//! What is held is returned, to whom it belongs, whatever becomes of the connections.

use std::thread;
use std::time::Duration;

use brigade::manager::{Address, Error, Key, Lock, Queue};
use brigade::{Manager, Process};
use rustix::process::Signal;

use super::{in_time, signal};
use crate::harness::LONG;

#[test]
fn a_lock_is_released_when_all_connections_are_used_up() {
    let manager = Manager::builder().connections(3).start().unwrap();
    let lock = manager.lock().unwrap();
    let seats = manager.semaphore(1).unwrap();
    let jobs: Queue<u8> = manager.queue().unwrap();
    jobs.put(1).unwrap();
    let guard = lock.lock().unwrap();
    let permit = seats.acquire().unwrap();
    let lease = jobs.lease().unwrap();
    let lockers = [(); 4].map(|()| {
        let lock = lock.clone();
        // The holder's process is let in beyond the limit, up to a bound.
        thread::spawn(move || match lock.lock() {
            Err(Error::Busy) => lock_when_there_is_room(&lock),
            result => drop(result.unwrap()),
        })
    });
    // They have all that can be had.
    let sitter = thread::spawn({
        let seats = seats.clone();
        move || {
            loop {
                match seats.acquire() {
                    Err(Error::Busy) => thread::yield_now(),
                    result => return drop(result.unwrap()),
                }
            }
        }
    });
    lease.put_back().unwrap();
    permit.release().unwrap();
    guard.unlock().unwrap();
    in_time(move || {
        for locker in lockers {
            locker.join().unwrap();
        }
        sitter.join().unwrap();
    });
    assert_eq!(jobs.len().unwrap(), 1);
    assert_eq!(seats.available().unwrap(), 1);
}

fn lock_when_there_is_room(lock: &Lock) {
    loop {
        match lock.lock() {
            Err(Error::Busy) => thread::yield_now(),
            result => return drop(result.unwrap()),
        }
    }
}

#[test]
fn who_holds_something_is_let_in_beyond_the_limit() {
    let manager = Manager::builder().connections(1).start().unwrap();
    let lock = manager.lock().unwrap();
    let value = manager.value(&1).unwrap();
    let guard = lock.lock().unwrap();
    value.set(&2).unwrap();
    assert!(lock.try_lock().unwrap().is_none());
    guard.unlock().unwrap();
    assert!(!lock.lock().unwrap().was_abandoned());
}

#[test]
fn a_server_that_does_not_answer_leaves_locks_where_they_are() {
    let manager = Manager::start().unwrap();
    let lock = manager.lock().unwrap();
    let queue: Queue<u8> = manager.queue().unwrap();
    let guard = lock.lock().unwrap();
    signal(&manager, Signal::STOP);
    // What does not wait is not waited for either.
    let waiters = [
        thread::spawn({
            let queue = queue.clone();
            move || queue.get_timeout(Duration::from_millis(1)).unwrap_err()
        }),
        thread::spawn({
            let queue = queue.clone();
            move || queue.try_get().unwrap_err()
        }),
        thread::spawn({
            let lock = lock.clone();
            move || lock.try_lock().unwrap_err()
        }),
    ];
    let errors = in_time(move || waiters.map(|waiter| waiter.join().unwrap()));
    signal(&manager, Signal::CONT);
    for error in errors {
        assert!(matches!(error, Error::Unresponsive), "{error:?}");
    }
    let locked = |lock: Lock| lock.try_lock().unwrap().is_some();
    let child = Process::start(locked, lock.clone()).unwrap();
    assert!(!child.join().unwrap(), "we still hold it");
    guard.unlock().unwrap();
    assert!(!lock.lock_timeout(LONG).unwrap().unwrap().was_abandoned());
}

#[test]
fn an_old_guard_returns_nothing_of_another_object() {
    let address = Address::random().unwrap();
    let key = Key::random().unwrap();
    let start = || {
        let builder = Manager::builder().address(address.clone());
        builder.key(key.clone()).start().unwrap()
    };
    let first = start();
    let lock = first.lock().unwrap();
    let guard = lock.lock().unwrap();
    let jobs: Queue<u8> = first.queue().unwrap();
    jobs.put(1).unwrap();
    let lease = jobs.lease().unwrap();
    drop(first);
    // The same address and key, and the same numbers of objects.
    let second = start();
    let lost = second.lock().unwrap_err();
    assert!(matches!(lost, Error::Gone(_)), "an old connection: {lost}");
    let again = second.lock().unwrap();
    let queue: Queue<u8> = second.queue().unwrap();
    assert!(again == lock && queue == jobs);
    queue.put(2).unwrap();
    let held = (again.lock().unwrap(), queue.lease().unwrap());
    assert!(matches!(guard.unlock(), Err(Error::NotHeld)));
    assert!(matches!(lease.put_back(), Err(Error::NotHeld)));
    assert!(again.try_lock().unwrap().is_none());
    assert!(queue.is_empty().unwrap());
    held.0.unlock().unwrap();
    assert_eq!(held.1.finish().unwrap(), 2);
}
