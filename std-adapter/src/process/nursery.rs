//! The thread that starts all children of this process, and takes note of their end.
//!
//! ```text
//!     any thread --- request, bell ---> brigade-nursery --- spawn ---> child
//!         '----------- child -----------'    | ^                        |
//!                                            | '------ pidfd -----------' (dies with its starter)
//!     who waits for it <----- ended ---------'
//! ```
//!
//! A child that is to die with its parent is killed by the kernel when the *thread* ends that started
//! it, in whichever way. So one thread starts them all, which ends only with the process. It also waits for all of them, hence no
//! zombie is left of a child whose handle was dropped.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::fs::File;
use std::mem;
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{self, ChildStderr, ChildStdin, ChildStdout, Command};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{io, thread};

use super::child::Child;
use super::current::Info;
use crate::shared::travel::Attachments;
use crate::sys::process::pidfd::{self, Watch};

/// What is to be started.
pub(super) struct Request {
    pub(super) command: Command,
    pub(super) name: String,
    pub(super) letter: File,
    pub(super) attachments: Attachments,
}

/// What was started.
pub(super) struct Started {
    pub(super) child: Arc<Child>,
    pub(super) stdin: Option<ChildStdin>,
    pub(super) stdout: Option<ChildStdout>,
    pub(super) stderr: Option<ChildStderr>,
}

struct Nursery {
    /// Whose it is. A fork without exec has a copy of this, and not the thread.
    process: u32,
    watch: Watch,
    requests: Mutex<Vec<(Request, SyncSender<io::Result<Started>>)>>,
    /// Those that have not ended, by their numbers.
    children: Mutex<BTreeMap<u32, Arc<Child>>>,
}

static NURSERY: Mutex<Option<Arc<Nursery>>> = Mutex::new(None);

/// No code of the user's runs under any of these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Starts a process. Blocks until the system has.
pub(super) fn start(request: Request) -> io::Result<Started> {
    let nursery = nursery()?;
    let (reply, started) = sync_channel(1);
    lock(&nursery.requests).push((request, reply));
    nursery.watch.ring();
    let started = started.recv();
    started.unwrap_or_else(|_| {
        Err(io::Error::other(
            "the thread that starts processes has ended",
        ))
    })
}

/// The children that have not ended, or not long ago, in the order of their numbers.
pub(super) fn active() -> Vec<Info> {
    let nursery = lock(&NURSERY).clone();
    let nursery = nursery.filter(|nursery| nursery.process == process::id());
    nursery.map_or_else(Vec::new, |nursery| {
        let children = lock(&nursery.children);
        let info = |child: &Arc<Child>| Info {
            name: child.name().to_owned(),
            pid: child.pid(),
        };
        children.values().map(info).collect()
    })
}

/// That of this process. The first call starts the thread.
fn nursery() -> io::Result<Arc<Nursery>> {
    let mut current = lock(&NURSERY);
    let process = process::id();
    if let Some(nursery) = current
        .as_ref()
        .filter(|nursery| nursery.process == process)
    {
        return Ok(Arc::clone(nursery));
    }
    let nursery = Arc::new(Nursery {
        process,
        watch: Watch::new()?,
        requests: Mutex::new(Vec::new()),
        children: Mutex::new(BTreeMap::new()),
    });
    let thread = thread::Builder::new().name("brigade-nursery".into());
    let own = Arc::clone(&nursery);
    thread.spawn(move || own.serve())?;
    *current = Some(Arc::clone(&nursery));
    Ok(nursery)
}

impl Nursery {
    fn serve(&self) -> ! {
        let mut ended = Vec::new();
        loop {
            let requests = mem::take(&mut *lock(&self.requests));
            for (request, reply) in requests {
                // Who asked waits for it.
                let _ = reply.send(self.spawn(request));
            }
            self.watch.wait(&mut ended);
            for &pid in &ended {
                self.reap(pid);
            }
        }
    }

    fn spawn(&self, request: Request) -> io::Result<Started> {
        let Request {
            mut command,
            name,
            letter,
            attachments,
        } = request;
        let mut process = command.spawn()?;
        let pid = process.id();
        let watched = pidfd::open(pid).and_then(|pidfd| {
            self.watch.add(pid, pidfd.as_fd())?;
            Ok(pidfd)
        });
        let pidfd = match watched {
            Ok(pidfd) => pidfd,
            Err(error) => {
                // Without a descriptor nobody would hear of its end.
                let _ = process.kill();
                let _ = process.wait();
                return Err(error);
            }
        };
        let child = Arc::new(Child::new(name, pid, pidfd, letter, attachments));
        lock(&self.children).insert(pid, Arc::clone(&child));
        Ok(Started {
            child,
            stdin: process.stdin,
            stdout: process.stdout,
            stderr: process.stderr,
        })
    }

    fn reap(&self, pid: u32) {
        let Some(child) = lock(&self.children).get(&pid).cloned() else {
            return;
        };
        let Some(status) = pidfd::reap(child.as_fd()) else {
            return;
        };
        self.watch.remove(child.as_fd());
        lock(&self.children).remove(&pid);
        // Wakers of tasks are called here, which may panic; that is nobody's concern here.
        let _ = catch_unwind(AssertUnwindSafe(|| child.set_ended(status.into())));
    }
}
