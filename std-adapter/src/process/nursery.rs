//! The thread that starts all children of this process, and takes note of their end.
//!
//! ```text
//!     any thread --- request, bell ---> brigade-nursery --- spawn ---> child
//!         '----------- child -----------'    | ^                        |
//!                                            | '------ pidfd -----------' (dies with its starter)
//!     tasks that wait <-- brigade-telling <--'
//! ```
//!
//! Threads that wait for a child sleep on its pidfd themselves.
//!
//! A child that is to die with its parent is killed by the kernel when the *thread* ends that started
//! it, in whichever way. So one thread starts them all, which ends only with the process. It also waits for all of them, hence no
//! zombie is left of a child whose handle was dropped.
//!
//! No code of the user's runs on it: wakers of tasks are run by a second thread, which may thus start
//! processes and wait for them.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::fs::File;
use std::process::{self, ChildStderr, ChildStdin, ChildStdout, Command};
use std::sync::mpsc::{self, Receiver, Sender, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{io, thread};

use super::child::Child;
use super::current::Info;
use crate::shared::travel::Attachments;
use crate::sys::mask::{self, Mask};
use crate::sys::pidfd::Pidfd;
use crate::sys::vigil::{Bell, Vigil};

/// How long to wait for the status of a child that has ended and is held by a debugger.
const HELD: Duration = Duration::from_millis(50);

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
    vigil: Vigil,
    /// Rung when there is a request.
    bell: Bell,
    /// The signals that children are to block when they start: those that the first starter did.
    mask: Mask,
    /// `None` when the thread has ended, which it should not.
    requests: Mutex<Option<Requests>>,
    children: Mutex<Children>,
}

/// What is to be started, and where the answer goes.
type Requests = Vec<(Request, SyncSender<io::Result<Started>>)>;

/// The key of what is no child.
const BELL: u64 = u64::MAX;

/// Those that have not ended, by keys that are never used again, as numbers of processes are.
#[derive(Default)]
struct Children {
    by_key: BTreeMap<u64, Arc<Child>>,
    next: u64,
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
    let ended = || io::Error::other("the thread that starts processes has ended");
    let mut requests = lock(&nursery.requests);
    let queue = requests.as_mut().ok_or_else(ended)?;
    queue.push((request, reply));
    drop(requests);
    nursery.bell.ring();
    started.recv().unwrap_or_else(|_| Err(ended()))
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
        // Of those whose end others have noticed this thread may not have heard yet.
        let live = children.by_key.values().filter(|child| !child.has_ended());
        let mut infos: Vec<_> = live.map(info).collect();
        infos.sort_by_key(Info::pid);
        infos
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
    let (vigil, bell) = (Vigil::new()?, Bell::new()?);
    vigil.add(&bell, BELL)?;
    let nursery = Arc::new(Nursery {
        process,
        vigil,
        bell,
        mask: Mask::current()?,
        requests: Mutex::new(Some(Vec::new())),
        children: Mutex::new(Children::default()),
    });
    let (ended, telling) = mpsc::channel();
    let own = Arc::clone(&nursery);
    // Handlers of signals are for the program's own threads.
    mask::while_all_are_blocked(|| {
        let thread = |name: &str| thread::Builder::new().name(name.into());
        thread("brigade-telling").spawn(move || tell(&telling))?;
        thread("brigade-nursery").spawn(move || own.serve(&ended))
    })??;
    *current = Some(Arc::clone(&nursery));
    Ok(nursery)
}

/// What the second thread does.
fn tell(ended: &Receiver<Arc<Child>>) {
    for child in ended {
        child.tell();
    }
}

/// Nobody is to wait for a thread that is gone.
struct Closing<'a>(&'a Nursery);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        let requests = lock(&self.0.requests).take();
        drop(requests);
    }
}

impl Nursery {
    fn serve(&self, tell: &Sender<Arc<Child>>) {
        let _closing = Closing(self);
        let mut ended = Vec::new();
        loop {
            let requests = lock(&self.requests).as_mut().map(std::mem::take);
            for (request, reply) in requests.unwrap_or_default() {
                // Who asked waits for it.
                let _ = reply.send(self.spawn(request));
            }
            let again = (!ended.is_empty()).then_some(HELD);
            // It fails if somebody has closed the descriptor, and there is nothing to be done about that.
            let _ = self.vigil.wait(&mut ended, again);
            ended.retain(|&key| !self.reap(key, tell));
        }
    }

    fn spawn(&self, request: Request) -> io::Result<Started> {
        let Request {
            mut command,
            name,
            letter,
            attachments,
        } = request;
        let mut process = self.mask.during(|| command.spawn())??;
        let pid = process.id();
        let key = {
            let mut children = lock(&self.children);
            children.next += 1;
            children.next
        };
        let watched = Pidfd::of_child(pid).and_then(|pidfd| {
            self.vigil.add(&pidfd, key)?;
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
        lock(&self.children).by_key.insert(key, Arc::clone(&child));
        Ok(Started {
            child,
            stdin: process.stdin,
            stdout: process.stdout,
            stderr: process.stderr,
        })
    }

    /// Takes note of the end of a child; false if its status is not there yet.
    fn reap(&self, key: u64, tell: &Sender<Arc<Child>>) -> bool {
        if key == BELL {
            self.bell.silence();
            return true;
        }
        let Some(child) = lock(&self.children).by_key.get(&key).cloned() else {
            return true;
        };
        // To be told once is enough. It fails if that was another time.
        let _ = self.vigil.remove(&*child);
        if !child.reap() {
            return false;
        }
        lock(&self.children).by_key.remove(&key);
        // The other thread is there as long as this one.
        let _ = tell.send(child);
        true
    }
}
