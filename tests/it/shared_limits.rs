//! Shared objects where something is unusual: tasks that are dropped, forks, no descriptors left, a hostile
//! peer.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;
use std::{fs, process, thread};

use brigade::process::JoinError;
use brigade::shared::{Event, Lock, Queue, Semaphore};
use brigade::{Process, shared};

use crate::harness::LONG;

/// How long it takes, as a rule, until a thread sleeps. If not, these tests see less.
const SOON: Duration = Duration::from_millis(200);

/// Begins to wait as a task, for which a thread soon sleeps, and gives up.
fn wait_and_give_up<F: Future>(mut task: Pin<Box<F>>) {
    let mut context = Context::from_waker(Waker::noop());
    assert!(task.as_mut().poll(&mut context).is_pending());
    thread::sleep(SOON);
}

/// One permit, one wake-up: it must not be the one for a task that is no more.
#[test]
fn a_task_that_has_given_up_takes_no_wake_up() {
    let semaphore = Semaphore::new(1).unwrap();
    let permit = semaphore.acquire();
    wait_and_give_up(Box::pin(semaphore.acquire_async()));
    thread::scope(|scope| {
        let waiter = scope.spawn(|| semaphore.acquire_timeout(LONG).is_some());
        thread::sleep(SOON);
        drop(permit);
        assert!(waiter.join().unwrap());
    });
}

#[test]
fn a_task_that_has_given_up_takes_no_item() {
    let queue = Queue::<u32>::bounded(4).unwrap();
    wait_and_give_up(Box::pin(queue.get_async()));
    thread::scope(|scope| {
        let waiter = scope.spawn(|| queue.get_timeout(LONG));
        thread::sleep(SOON);
        queue.put(7).unwrap();
        assert_eq!(waiter.join().unwrap().unwrap(), 7);
    });
}

/// Takes the lock and dies with it.
fn die_with((lock, held, go): (Lock<u32>, Event, Event)) {
    go.wait();
    let _guard = lock.lock().unwrap();
    held.set();
    thread::sleep(SOON);
    process::abort();
}

/// Whether the death of a process that has a lock is noticed.
fn notices_a_death(between: impl FnOnce()) -> bool {
    let lock = Lock::new(0).unwrap();
    let [held, go] = [Event::new().unwrap(), Event::new().unwrap()];
    let argument = (lock.clone(), held.clone(), go.clone());
    let child = Process::start(die_with, argument).unwrap();
    between();
    go.set();
    while !held.is_set() {
        thread::yield_now();
    }
    let taken = lock.lock_timeout(LONG);
    drop(child);
    matches!(taken, Err(shared::LockTimeoutError::OwnerDied(_)))
}

#[test]
fn a_fork_watches_for_itself() {
    let in_process = |()| {
        // From here on there is a watch.
        let _event = Event::new().unwrap();
        // SAFETY: this process has no other threads whose locks the child would need.
        let fork = unsafe { libc::fork() };
        if fork == 0 {
            let code = i32::from(!notices_a_death(|| ()));
            // SAFETY: ends the process, and runs nothing.
            unsafe { libc::_exit(code) };
        }
        let mut status = -1;
        // SAFETY: waits for a child and writes to a variable of ours.
        assert_eq!(unsafe { libc::waitpid(fork, &raw mut status, 0) }, fork);
        (status, notices_a_death(|| ()))
    };
    let (of_fork, own) = Process::start(in_process, ()).unwrap().join().unwrap();
    assert_eq!(of_fork, 0);
    assert!(own);
}

#[test]
fn deaths_are_noticed_without_descriptors() {
    let in_process = |()| {
        notices_a_death(|| {
            let none = libc::rlimit {
                rlim_cur: 3,
                rlim_max: 1024,
            };
            // SAFETY: reads a structure of ours.
            let limited = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const none) };
            assert_eq!(limited, 0);
        })
    };
    let child = Process::start(in_process, ()).unwrap();
    assert!(child.join().unwrap());
}

/// Shared memory as a hostile peer makes it: nearly all of it a hole, and a header that asks for as much.
#[test]
fn what_a_header_asks_for_is_bounded() {
    use std::os::fd::FromRawFd;
    use std::os::unix::fs::{FileExt, MetadataExt};

    let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
    // SAFETY: the name ends with a zero byte.
    let descriptor = unsafe { libc::memfd_create(c"hostile".as_ptr(), flags) };
    assert!(descriptor >= 0);
    // SAFETY: it is new, and nobody else's.
    let file = unsafe { fs::File::from_raw_fd(descriptor) };
    let magic = u64::from_le_bytes(*b"brigade\x01");
    for (place, word) in [magic, 1 << 32 | 1, 64, 1 << 34].into_iter().enumerate() {
        file.write_all_at(&word.to_ne_bytes(), place as u64 * 8)
            .unwrap();
    }
    file.set_len(1 << 42).unwrap();
    let seals = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL;
    // SAFETY: seals a file of ours.
    let sealed = unsafe { libc::fcntl(descriptor, libc::F_ADD_SEALS, seals) };
    assert_eq!(sealed, 0);
    let meta = file.metadata().unwrap();
    let reference = (process::id(), descriptor, meta.dev(), meta.ino());
    let text = serde_json::to_string(&reference).unwrap();
    let refused = serde_json::from_str::<Event>(&text).unwrap_err();
    assert!(refused.to_string().contains("corrupted"), "{refused}");
}

/// A child has ended when its result is read.
#[test]
fn a_result_may_hold_what_the_parent_has() {
    let event = Event::new().unwrap();
    let back = Process::start(|event: Event| event, event.clone()).unwrap();
    back.join().unwrap().set();
    assert!(event.is_set());

    let own = Process::start(|()| Event::new().unwrap(), ()).unwrap();
    match own.join() {
        Err(JoinError::Result(reason)) => assert!(reason.contains("does not exist"), "{reason}"),
        other => panic!("{other:?}"),
    }
}
