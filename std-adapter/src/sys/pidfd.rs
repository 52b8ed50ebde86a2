//! Whether a process lives, told by the kernel.
//!
//! A number names a process only as long as nobody else can get it. So a process is named by its
//! number and the time at which it started ([`Life`]); and a [`Pidfd`], once it is open and
//! the start has been compared, stays with that process whatever becomes of the number. It is readable
//! when all threads of the process have ended: then no instruction of it runs any more.

use std::io;
use std::os::fd::OwnedFd;

use rustix::event::{PollFd, PollFlags, Timespec, epoll, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

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
        let Some(pid) = i32::try_from(life.pid).ok().and_then(Pid::from_raw) else {
            return Ok(None);
        };
        let pidfd = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(pidfd) => pidfd,
            // There is none, or the number is that of a thread.
            Err(Errno::SRCH | Errno::INVAL) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        // Compared afterwards: if the number had gone to another before we opened it, the start
        // differs; if it goes to another now, the one we hold has ended.
        let pidfd = Self(pidfd);
        match Life::of(life.pid)? {
            Some(now) => Ok((now == life).then_some(pidfd)),
            None if pidfd.has_ended()? => Ok(None),
            // It may live, and `/proc` not show it.
            None => Err(io::ErrorKind::PermissionDenied.into()),
        }
    }

    /// Whether it has ended: none of its threads runs any more. It may still have to be waited for.
    pub(crate) fn has_ended(&self) -> io::Result<bool> {
        let now = Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let mut polled = [PollFd::new(&self.0, PollFlags::IN)];
        Ok(poll(&mut polled, Some(&now))? > 0)
    }
}

/// Waits for the first of many processes to end.
#[derive(Debug)]
pub(crate) struct Vigil(OwnedFd);

impl Vigil {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self(epoll::create(epoll::CreateFlags::CLOEXEC)?))
    }

    /// From now on [`wait`](Self::wait) tells of this process, by `key`, also if it has ended already.
    /// Until the pidfd is dropped or [removed](Self::remove).
    pub(crate) fn add(&self, pidfd: &Pidfd, key: u64) -> io::Result<()> {
        let data = epoll::EventData::new_u64(key);
        Ok(epoll::add(&self.0, &pidfd.0, data, epoll::EventFlags::IN)?)
    }

    pub(crate) fn remove(&self, pidfd: &Pidfd) -> io::Result<()> {
        Ok(epoll::delete(&self.0, &pidfd.0)?)
    }

    /// Blocks until a process has ended; leaves the keys of some that have.
    pub(crate) fn wait(&self, ended: &mut Vec<u64>) -> io::Result<()> {
        ended.clear();
        let mut events = Vec::with_capacity(64);
        while let Err(error) =
            epoll::wait(&self.0, rustix::buffer::spare_capacity(&mut events), None)
        {
            if error != Errno::INTR {
                return Err(error.into());
            }
        }
        ended.extend(events.iter().map(|event: &epoll::Event| event.data.u64()));
        Ok(())
    }
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
