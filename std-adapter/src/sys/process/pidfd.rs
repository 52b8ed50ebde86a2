//! Children by their descriptors: signals that cannot reach anybody else, and their end.
//!
//! A number of a process is used again after its end, a descriptor stays that of the one process.

#![forbid(unsafe_code)]

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::buffer::spare_capacity;
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, epoll, eventfd, poll};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, pidfd_open, pidfd_send_signal, waitid,
};

/// Opens the descriptor of a child that has not been waited for.
pub(crate) fn open(pid: u32) -> io::Result<OwnedFd> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or(Errno::SRCH)?;
    Ok(pidfd_open(pid, PidfdFlags::empty())?)
}

/// How a process is asked to end, or made to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stop {
    /// By `SIGTERM`.
    Terminate,
    /// By `SIGKILL`.
    Kill,
}

/// Sends the signal, unless the process has ended.
pub(crate) fn stop(pidfd: BorrowedFd<'_>, how: Stop) -> io::Result<()> {
    let signal = match how {
        Stop::Terminate => Signal::TERM,
        Stop::Kill => Signal::KILL,
    };
    match pidfd_send_signal(pidfd, signal) {
        Ok(()) | Err(Errno::SRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Blocks until the process has ended, until `deadline` at the latest; whether it has.
pub(crate) fn wait(pidfd: BorrowedFd<'_>, deadline: Option<Instant>) -> io::Result<bool> {
    let mut polled = [PollFd::new(&pidfd, PollFlags::IN)];
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        // What is too long for the system is for ever.
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        match poll(&mut polled, left.as_ref()) {
            Ok(ready) => return Ok(ready > 0),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// With what a child ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Status {
    Code(i32),
    Signal(i32),
    /// It was waited for by somebody else.
    Unknown,
}

/// Takes the status of a child that has ended, so that nothing is left of it; `None` if it has not.
pub(crate) fn reap(pidfd: BorrowedFd<'_>) -> Option<Status> {
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
    loop {
        match waitid(WaitId::PidFd(pidfd), options) {
            Ok(None) => return None,
            Ok(Some(status)) => {
                let code = status.exit_status().map(Status::Code);
                let signal = || status.terminating_signal().map(Status::Signal);
                return code.or_else(signal).or(Some(Status::Unknown));
            }
            Err(Errno::INTR) => {}
            Err(_) => return Some(Status::Unknown),
        }
    }
}

/// Waits for the end of many processes, and for calls of other threads.
pub(crate) struct Watch {
    epoll: OwnedFd,
    bell: OwnedFd,
}

/// What a [`Watch`] waits for that is no process.
const BELL: u64 = u64::MAX;

impl Watch {
    pub(crate) fn new() -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let data = epoll::EventData::new_u64(BELL);
        epoll::add(&epoll, &bell, data, epoll::EventFlags::IN)?;
        Ok(Self { epoll, bell })
    }

    /// Wakes the thread that waits, or will.
    pub(crate) fn ring(&self) {
        // It fails only if the bell has been rung so often that it cannot count it.
        let _ = rustix::io::write(&self.bell, &1_u64.to_ne_bytes());
    }

    /// Watches a process too, and tells of its end once, by `key`, which is below [`u64::MAX`].
    pub(crate) fn add(&self, key: u64, pidfd: BorrowedFd<'_>) -> io::Result<()> {
        let data = epoll::EventData::new_u64(key);
        let once = epoll::EventFlags::IN | epoll::EventFlags::ONESHOT;
        Ok(epoll::add(&self.epoll, pidfd, data, once)?)
    }

    /// Watches it no longer.
    pub(crate) fn remove(&self, pidfd: BorrowedFd<'_>) {
        // It is there.
        let _ = epoll::delete(&self.epoll, pidfd);
    }

    /// Sleeps until a process ends or the bell is rung, for `timeout` at most, and adds the keys of processes
    /// that have ended to `ended`.
    pub(crate) fn wait(&self, ended: &mut Vec<u64>, timeout: Option<Duration>) {
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        let mut events = Vec::with_capacity(64);
        // What it fails with is an interruption by a signal; then nothing has happened.
        let _ = epoll::wait(&self.epoll, spare_capacity(&mut events), timeout.as_ref());
        for event in &events {
            match event.data.u64() {
                BELL => {
                    let _ = rustix::io::read(&self.bell, &mut [0_u8; 8]);
                }
                key => ended.push(key),
            }
        }
    }
}
