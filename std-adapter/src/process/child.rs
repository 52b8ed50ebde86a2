//! [`Child`]: a process that was started, as those know it who wait for it.

#![forbid(unsafe_code)]

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;
use std::{io, mem};

use super::Exit;
use crate::Event;
use crate::shared::travel::Attachments;
use crate::sys::pidfd::{Pidfd, Stop};

/// A process that was started by this one.
pub(crate) struct Child {
    pub(super) name: String,
    pub(super) pid: u32,
    pub(super) pidfd: Pidfd,
    /// Where its answer is when it has ended.
    pub(super) letter: File,
    /// The shared objects in its argument, which it opens when it decodes that. Kept until it has ended.
    attachments: Mutex<Attachments>,
    /// Held by whoever takes its status, which there is once.
    reaping: Mutex<()>,
    /// There when it has ended.
    exit: OnceLock<Exit>,
    /// For threads that cannot wait for the process itself. To set it runs no code but ours.
    ended: Event,
    /// For tasks, whose wakers may be any code: set by another thread, a moment later.
    told: Event,
}

impl Child {
    pub(super) fn new(
        name: String,
        pid: u32,
        pidfd: Pidfd,
        letter: File,
        attachments: Attachments,
    ) -> Self {
        Self {
            name,
            pid,
            pidfd,
            letter,
            attachments: Mutex::new(attachments),
            reaping: Mutex::new(()),
            exit: OnceLock::new(),
            ended: Event::new(),
            told: Event::new(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// How it ended, if it has.
    pub(crate) fn exit(&self) -> Option<Exit> {
        self.exit.get().copied()
    }

    /// Waits until it has ended and its exit is known, until `deadline` at the latest; whether it has. For
    /// threads.
    ///
    /// Of its descriptor, and takes the status itself, if the thread that started it does not come first:
    /// that is one thread less between the end and who waits for it. What lasts as long as a process
    /// is not waited for busily.
    pub(super) fn wait(&self, deadline: Option<Instant>) -> bool {
        match self.pidfd.wait(deadline) {
            Ok(false) => return self.has_ended(),
            Ok(true) if self.reap() => return true,
            // A debugger holds the status, or the system has no memory for the call.
            Ok(true) | Err(_) => {}
        }
        if let Some(deadline) = deadline {
            return self.ended.wait_deadline(deadline);
        }
        self.ended.wait();
        true
    }

    /// Whether it has ended and its exit is known. Never blocks.
    pub(super) fn has_ended(&self) -> bool {
        self.exit.get().is_some()
    }

    /// Set when it has ended, for tasks, and a moment later than threads know of it.
    pub(crate) fn told(&self) -> &Event {
        &self.told
    }

    /// Sends it a signal, unless it has ended. Async-signal-safe.
    pub(crate) fn stop(&self, how: Stop) -> io::Result<()> {
        self.pidfd.stop(how)
    }

    /// Takes note of its end; false if it has not ended, or its status is not there yet.
    pub(super) fn reap(&self) -> bool {
        let _alone = lock(&self.reaping);
        if self.has_ended() {
            return true;
        }
        let Some(status) = self.pidfd.reap() else {
            return false;
        };
        let _ = self.exit.set(status.into());
        self.ended.set();
        true
    }

    /// What follows from its end. Runs wakers of tasks, and what shared objects do when they are dropped.
    pub(super) fn tell(&self) {
        // A panic, which has been reported by then, is nobody's concern here.
        let _ = catch_unwind(AssertUnwindSafe(|| {
            let attachments = mem::take(&mut *lock(&self.attachments));
            drop(attachments);
        }));
        let _ = catch_unwind(AssertUnwindSafe(|| self.told.set()));
    }
}

impl AsFd for Child {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.pidfd.as_fd()
    }
}

/// No code of the user's runs under any of these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
