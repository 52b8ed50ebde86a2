//! [`Child`]: a process that was started, as those know it who wait for it.

#![forbid(unsafe_code)]

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::{io, mem};

use super::Exit;
use crate::Event;
use crate::shared::travel::Attachments;
use crate::sys::process::pidfd::{self, Stop};

/// A process that was started by this one.
pub(crate) struct Child {
    pub(super) name: String,
    pub(super) pid: u32,
    pub(super) pidfd: OwnedFd,
    /// Where its answer is when it has ended.
    pub(super) letter: File,
    /// The shared objects in its argument, which it opens when it decodes that. Kept until it has ended.
    attachments: Mutex<Attachments>,
    /// There when it has ended.
    exit: OnceLock<Exit>,
    /// For threads. To set it runs no code but ours.
    ended: Event,
    /// For tasks, whose wakers may be any code: set by another thread, a moment later.
    told: Event,
}

impl Child {
    pub(super) fn new(
        name: String,
        pid: u32,
        pidfd: OwnedFd,
        letter: File,
        attachments: Attachments,
    ) -> Self {
        Self {
            name,
            pid,
            pidfd,
            letter,
            attachments: Mutex::new(attachments),
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

    /// Set when it has ended and its exit is known. For threads alone: it has no wakers.
    pub(crate) fn ended(&self) -> &Event {
        &self.ended
    }

    /// As [`ended`](Self::ended), for tasks, and a moment later.
    pub(crate) fn told(&self) -> &Event {
        &self.told
    }

    /// Sends it a signal, unless it has ended. Async-signal-safe.
    pub(crate) fn stop(&self, how: Stop) -> io::Result<()> {
        pidfd::stop(self.pidfd.as_fd(), how)
    }

    /// It has ended.
    pub(super) fn set_ended(&self, exit: Exit) {
        let _ = self.exit.set(exit);
        self.ended.set();
    }

    /// What follows from its end. Runs wakers of tasks, and what shared objects do when they are dropped.
    pub(super) fn tell(&self) {
        // A panic, which has been reported by then, is nobody's concern here.
        let _ = catch_unwind(AssertUnwindSafe(|| {
            let attachments = self.attachments.lock();
            let attachments = mem::take(&mut *attachments.unwrap_or_else(PoisonError::into_inner));
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
