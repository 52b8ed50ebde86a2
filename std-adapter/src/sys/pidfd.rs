//! Whether a process lives, told by the kernel; and for children signals that cannot reach anybody else,
//! and how they ended.
//!
//! A number names a process only as long as nobody else can get it. So a process is named by its
//! number and the time at which it started ([`Life`]); and a [`Pidfd`], once it is open and
//! the start has been compared, stays with that process whatever becomes of the number. It is readable
//! when all threads of the process have ended: then no instruction of it runs any more.

#![forbid(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, pidfd_open, pidfd_send_signal, waitid,
};

/// Bits of the start time that are kept. In the kernel's ticks of 10 ms they wrap around after 124
/// days: within one number, which by then has been through all others.
pub(crate) const START_BITS: u32 = 30;

/// Bits of a process number: Linux has no more than 2^22.
pub(crate) const PID_BITS: u32 = 22;

/// One process, and no other that had its number before or gets it later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Life {
    pub(crate) pid: u32,
    /// When it started, in ticks since the machine did; the lowest [`START_BITS`].
    pub(crate) start: u32,
}

impl Life {
    /// The process that we are in.
    pub(crate) fn mine() -> io::Result<Self> {
        Self::of(std::process::id())?.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// The process that has this number now; `None` if there is none. One that has ended and was not
    /// waited for still has its number.
    pub(crate) fn of(pid: u32) -> io::Result<Option<Self>> {
        let stat = match std::fs::read(format!("/proc/{pid}/stat")) {
            Ok(stat) => stat,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            // It ended between opening the file and reading it.
            Err(error) if error.raw_os_error() == Some(Errno::SRCH.raw_os_error()) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        match start_in(&stat).map(|start| Self { pid, start }) {
            Some(life) => Ok(Some(life)),
            None => Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("/proc/{pid}/stat does not read as expected"),
            )),
        }
    }
}

/// Whether a signal has stopped the process. It may go on at any moment.
pub(crate) fn is_stopped(pid: u32) -> bool {
    let stat = std::fs::read(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The third field; the second, the name, may contain blanks and parentheses.
    let end_of_name = stat.iter().rposition(|&byte| byte == b')');
    end_of_name.is_some_and(|end| stat[end..].starts_with(b") T"))
}

/// The 22nd field; the second, the name, may contain blanks and parentheses.
fn start_in(stat: &[u8]) -> Option<u32> {
    let end_of_name = stat.iter().rposition(|&byte| byte == b')')?;
    let fields = std::str::from_utf8(&stat[end_of_name + 1..]).ok()?;
    let ticks: u64 = fields.split_ascii_whitespace().nth(19)?.parse().ok()?;
    u32::try_from(ticks & ((1 << START_BITS) - 1)).ok()
}

/// A hold on a process.
#[derive(Debug)]
pub(crate) struct Pidfd(OwnedFd);

impl Pidfd {
    /// `None` if the process has ended and its number is free, or another's.
    pub(crate) fn open(life: Life) -> io::Result<Option<Self>> {
        let pidfd = match Self::of(life.pid) {
            Ok(pidfd) => pidfd,
            // There is none, or the number is that of a thread.
            Err(Errno::SRCH | Errno::INVAL) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        // Compared afterwards: if the number had gone to another before we opened it, the start
        // differs; if it goes to another now, the one we hold has ended.
        match Life::of(life.pid)? {
            Some(now) => Ok((now == life).then_some(pidfd)),
            None if pidfd.has_ended()? => Ok(None),
            // It may live, and `/proc` not show it.
            None => Err(io::ErrorKind::PermissionDenied.into()),
        }
    }

    /// That of a child that has not been waited for, so that nobody else can have its number.
    pub(crate) fn of_child(pid: u32) -> io::Result<Self> {
        Ok(Self::of(pid)?)
    }

    fn of(pid: u32) -> rustix::io::Result<Self> {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
        pidfd_open(pid.ok_or(Errno::SRCH)?, PidfdFlags::empty()).map(Self)
    }

    /// Whether it has ended: none of its threads runs any more. It may still have to be waited for.
    pub(crate) fn has_ended(&self) -> io::Result<bool> {
        self.poll(Some(Duration::ZERO))
    }

    /// Blocks until it has ended, until `deadline` at the latest; whether it has.
    pub(crate) fn wait(&self, deadline: Option<Instant>) -> io::Result<bool> {
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            match self.poll(left) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }

    fn poll(&self, timeout: Option<Duration>) -> io::Result<bool> {
        // What is too long for the system is for ever.
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        let mut polled = [PollFd::new(&self.0, PollFlags::IN)];
        Ok(poll(&mut polled, timeout.as_ref())? > 0)
    }

    /// Sends the signal, unless the process has ended. Async-signal-safe.
    pub(crate) fn stop(&self, how: Stop) -> io::Result<()> {
        let signal = match how {
            Stop::Terminate => Signal::TERM,
            Stop::Kill => Signal::KILL,
        };
        match pidfd_send_signal(&self.0, signal) {
            Ok(()) | Err(Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes the status of a child that has ended, so that nothing is left of it; `None` if it has not.
    pub(crate) fn reap(&self) -> Option<Status> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
        loop {
            match waitid(WaitId::PidFd(self.as_fd()), options) {
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
}

impl AsFd for Pidfd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// How a process is asked to end, or made to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Stop {
    /// By `SIGTERM`.
    Terminate,
    /// By `SIGKILL`.
    Kill,
}

/// With what a child ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Status {
    Code(i32),
    Signal(i32),
    /// It was waited for by somebody else.
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::{Life, Pidfd, start_in};

    #[test]
    fn the_start_is_found_behind_any_name() {
        let stat = b"7 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 1073741829 20";
        assert_eq!(start_in(stat), Some(5), "the lowest 30 bits");
        assert_eq!(start_in(b"7 (a) S 1 2"), None);
        assert_eq!(start_in(b""), None);
    }

    #[test]
    fn we_live() {
        let mine = Life::mine().unwrap();
        let pidfd = Pidfd::open(mine).unwrap().unwrap();
        assert!(!pidfd.has_ended().unwrap());
        let other = Life {
            start: mine.start ^ 1,
            ..mine
        };
        assert!(
            Pidfd::open(other).unwrap().is_none(),
            "another with our number"
        );
    }
}
