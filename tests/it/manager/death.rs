//! Clients and servers that are killed, also while somebody waits.

use std::fs;
use std::thread;
use std::time::Duration;

use brigade::manager::{Client, Error, Event, Lock, Queue};
use brigade::{Manager, Process};

use super::{await_death, in_time, kill};
use crate::harness::{LONG, until};

#[test]
fn the_lock_of_a_dead_process_is_free_and_says_so() {
    let manager = Manager::start().unwrap();
    let lock = manager.lock().unwrap();
    let at: Queue<String> = manager.queue().unwrap();
    let die = |(lock, at): (Lock, Queue<String>)| {
        let _guard = lock.lock().unwrap();
        await_death(&at);
    };
    let child = Process::start(die, (lock.clone(), at.clone())).unwrap();
    at.get_timeout(LONG).unwrap();
    assert!(lock.try_lock().unwrap().is_none());
    let next = thread::spawn({
        let lock = lock.clone();
        move || lock.lock_timeout(LONG).unwrap().unwrap().was_abandoned()
    });
    kill(child);
    assert!(next.join().unwrap());
    assert!(!lock.lock().unwrap().was_abandoned(), "one is told");
}

#[test]
fn the_permit_of_a_dead_process_comes_back() {
    let manager = Manager::start().unwrap();
    let seats = manager.semaphore(3).unwrap();
    let at: Queue<String> = manager.queue().unwrap();
    let die = |(seats, at): (brigade::manager::Semaphore, Queue<String>)| {
        let _permits = [seats.acquire().unwrap(), seats.acquire().unwrap()];
        await_death(&at);
    };
    let child = Process::start(die, (seats.clone(), at.clone())).unwrap();
    at.get_timeout(LONG).unwrap();
    assert_eq!(seats.available().unwrap(), 1);
    kill(child);
    until(|| seats.available().unwrap() == 3);
}

#[test]
fn who_is_killed_while_it_waits_takes_nothing() {
    let manager = Manager::start().unwrap();
    let queue: Queue<u8> = manager.queue().unwrap();
    let lock = manager.lock().unwrap();
    let at: Queue<u32> = manager.queue().unwrap();
    let guard = lock.lock().unwrap();
    let [getter, locker] = [true, false].map(|get| {
        let wait = |(queue, lock, at, get): (Queue<u8>, Lock, Queue<u32>, bool)| {
            at.put(std::process::id()).unwrap();
            if get {
                queue.get().unwrap();
            } else {
                let _guard = lock.lock().unwrap();
            }
        };
        let child = Process::start(wait, (queue.clone(), lock.clone(), at.clone(), get)).unwrap();
        let pid = at.get_timeout(LONG).unwrap();
        // It sleeps for its answer.
        until(|| is_asleep(pid));
        child
    });
    kill(getter);
    kill(locker);
    queue.put(1).unwrap();
    assert_eq!(queue.get_timeout(LONG).unwrap(), 1);
    drop(guard);
    assert!(lock.lock_timeout(LONG).unwrap().is_some());
}

/// Whether all threads of the process sleep.
fn is_asleep(pid: u32) -> bool {
    let Ok(mut tasks) = fs::read_dir(format!("/proc/{pid}/task")) else {
        return false;
    };
    tasks.all(|task| {
        let stat = task.and_then(|task| fs::read_to_string(task.path().join("stat")));
        stat.is_ok_and(|stat| stat.rsplit(") ").next().unwrap().starts_with('S'))
    })
}

#[test]
fn a_storm_of_kills_loses_no_item() {
    let manager = Manager::start().unwrap();
    let queue: Queue<u32> = manager.queue().unwrap();
    let got: Queue<u32> = manager.queue().unwrap();
    let total = 200;
    for item in 0..total {
        queue.put(item).unwrap();
    }
    let work = |(queue, got): (Queue<u32>, Queue<u32>)| {
        while let Ok(lease) = queue.lease() {
            // The same item may come again.
            got.put(*lease).unwrap();
        }
    };
    let start = || Process::start(work, (queue.clone(), got.clone())).unwrap();
    let mut seen = vec![false; total as usize];
    for round in 0..10 {
        let child = start();
        for _ in 0..10 + round {
            if let Ok(item) = got.get_timeout(Duration::from_secs(5)) {
                seen[item as usize] = true;
            }
        }
        kill(child);
    }
    queue.shutdown(brigade::Shutdown::Drain).unwrap();
    start().join().unwrap();
    queue.join_timeout(LONG).unwrap();
    while let Ok(item) = got.try_get() {
        seen[item as usize] = true;
    }
    assert!(seen.iter().all(|seen| *seen));
}

#[test]
fn who_waits_for_a_killed_server_gets_an_error_at_once() {
    let manager = Manager::start().unwrap();
    let (queue, lock, event): (Queue<u8>, _, _) = (
        manager.queue().unwrap(),
        manager.lock().unwrap(),
        manager.event().unwrap(),
    );
    let full: Queue<u8> = manager.bounded_queue(0).unwrap();
    let guard = lock.lock().unwrap();
    let waiters: [Box<dyn FnOnce() -> Error + Send>; 4] = {
        let (queue, lock, event) = (queue.clone(), lock.clone(), event.clone());
        [
            Box::new(move || queue.get().unwrap_err()),
            Box::new(move || full.put(1).unwrap_err().error),
            Box::new(move || lock.lock().unwrap_err()),
            Box::new(move || event.wait().unwrap_err()),
        ]
    };
    let waiters = waiters.map(thread::spawn);
    let child = {
        let wait = |event: Event| matches!(event.wait(), Err(Error::Gone(_)));
        Process::start(wait, event).unwrap()
    };
    let pid = i32::try_from(manager.pid().unwrap()).unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    in_time(move || {
        for waiter in waiters {
            let error = waiter.join().unwrap();
            assert!(matches!(error, Error::Gone(_)), "{error:?}");
        }
        assert!(child.join().unwrap());
    });
    drop(guard);
    assert!(matches!(queue.len(), Err(Error::Gone(_))));
    assert!(matches!(queue.len(), Err(Error::Gone(_))));
    let again = Client::connect(manager.address().clone(), manager.key().clone());
    assert!(matches!(again, Err(Error::Gone(_))));
}

#[test]
fn the_server_ends_with_its_manager_and_with_its_parent() {
    let manager = Manager::start().unwrap();
    let pid = manager.pid().unwrap();
    let queue: Queue<u8> = manager.queue().unwrap();
    let waiter = thread::spawn(move || queue.get());
    manager.shutdown();
    assert!(matches!(waiter.join().unwrap(), Err(Error::Gone(_))));
    assert!(!fs::exists(format!("/proc/{pid}")).unwrap());

    let outer = Manager::start().unwrap();
    let pids: Queue<u32> = outer.queue().unwrap();
    let start = |pids: Queue<u32>| -> () {
        let manager = Manager::start().unwrap();
        pids.put(manager.pid().unwrap()).unwrap();
        loop {
            thread::park();
        }
    };
    let parent = Process::start(start, pids.clone()).unwrap();
    let pid = pids.get_timeout(LONG).unwrap();
    assert!(fs::exists(format!("/proc/{pid}")).unwrap());
    kill(parent);
    until(|| !is_running(pid));
}

/// Whether the process has not ended, or is at least not a zombie.
fn is_running(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| !stat.rsplit(") ").next().unwrap().starts_with('Z'))
}

#[test]
fn the_server_leaves_interrupts_to_others() {
    let manager = Manager::start().unwrap();
    let value = manager.value(&1).unwrap();
    let pid = i32::try_from(manager.pid().unwrap()).unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(value.get().unwrap(), 1);
}
