//! Unix stream sockets with abstract names: Linux.
//!
//! An abstract name is no file: it vanishes with the last descriptor of its socket, so a process
//! that is killed leaves nothing behind. It has no owner and no mode either: anybody may connect, and
//! anybody may take a free name. So both ends ask the kernel [who the other is](Stream::is_same_user).
//!
//! A stream's reader learns how the other end went: [`Stream::receive`] says `Ok(0)` if the other
//! end has read all that was sent to it before it closed, and fails with `ECONNRESET` if it has
//! not. The manager's server builds on that (`unix_release_sock` in the kernel's `af_unix.c`).
//!
//! What is sent never raises `SIGPIPE`. Descriptors are closed by `exec`.

#![forbid(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::task::Wake;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, Shutdown, SocketAddrUnix, SocketFlags, SocketType,
    accept_with, bind, connect, listen, recv, send, shutdown, socket_with, sockopt,
};
use rustix::process::geteuid;
use rustix::rand::{GetRandomFlags, getrandom};

/// Connections that have not been accepted yet.
const BACKLOG: i32 = 128;

/// A socket that others connect to.
pub(crate) struct Listener(OwnedFd);

impl Listener {
    /// Fails if the name is taken, or longer than 107 bytes.
    pub(crate) fn bind(name: &str) -> io::Result<Self> {
        let address = SocketAddrUnix::new_abstract_name(name.as_bytes())?;
        let socket = unix_socket()?;
        bind(&socket, &address)?;
        listen(&socket, BACKLOG)?;
        Ok(Self(socket))
    }

    /// Waits for the next connection; `None` when `stop`, a bell or a process's descriptor, is
    /// readable and nobody has connected, or the deadline has passed.
    pub(crate) fn accept(
        &self,
        stop: impl AsFd,
        deadline: Option<Instant>,
    ) -> io::Result<Option<Stream>> {
        loop {
            let mut fds = [
                PollFd::new(&self.0, PollFlags::IN),
                PollFd::new(&stop, PollFlags::IN),
            ];
            let happened = poll_until(&mut fds, deadline)?;
            if !happened || fds[0].revents().is_empty() {
                return Ok(None);
            }
            match accept_with(&self.0, SocketFlags::CLOEXEC) {
                // Who has connected may have gone again.
                Err(Errno::INTR | Errno::CONNABORTED) => {}
                other => return Ok(Some(Stream(other?))),
            }
        }
    }
}

/// One end of a connection.
pub(crate) struct Stream(OwnedFd);

/// How [`Stream::wait`] ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Woken {
    /// The bell rang; it is silent again.
    Rung,
    /// The other end has closed the connection, or ended.
    HungUp,
    /// The deadline has passed.
    TimedOut,
}

impl Stream {
    /// Connects, for so long at most: a listener that accepts nothing has room for a few.
    pub(crate) fn connect(name: &str, patience: Duration) -> io::Result<Self> {
        let address = SocketAddrUnix::new_abstract_name(name.as_bytes())?;
        let socket = unix_socket()?;
        sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, Some(patience))?;
        connect(&socket, &address)?;
        sockopt::set_socket_timeout(&socket, sockopt::Timeout::Send, None)?;
        Ok(Self(socket))
    }

    /// Two ends of one connection.
    #[cfg(test)]
    pub(crate) fn pair() -> io::Result<(Self, Self)> {
        let (one, other) = rustix::net::socketpair(
            AddressFamily::UNIX,
            SocketType::STREAM,
            SocketFlags::CLOEXEC,
            None,
        )?;
        Ok((Self(one), Self(other)))
    }

    /// Whether the other end runs as the same user as we: the effective user of whoever connected,
    /// or began to listen, at that time.
    pub(crate) fn is_same_user(&self) -> io::Result<bool> {
        Ok(sockopt::socket_peercred(&self.0)?.uid == geteuid())
    }

    /// Waits for bytes; 0 says that there will be none, and that the other end has read all of ours.
    pub(crate) fn receive(&self, into: &mut [u8], deadline: Option<Instant>) -> io::Result<usize> {
        loop {
            self.wait_for(PollFlags::IN, deadline)?;
            match recv(&self.0, &mut *into, RecvFlags::empty()) {
                Err(Errno::INTR) => {}
                other => return Ok(other?.1),
            }
        }
    }

    /// Waits for room until all bytes are sent.
    pub(crate) fn send(&self, mut bytes: &[u8], deadline: Option<Instant>) -> io::Result<()> {
        while !bytes.is_empty() {
            self.wait_for(PollFlags::OUT, deadline)?;
            let flags = match deadline {
                Some(_) => SendFlags::NOSIGNAL | SendFlags::DONTWAIT,
                None => SendFlags::NOSIGNAL,
            };
            match send(&self.0, bytes, flags) {
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) if deadline.is_some() => {}
                other => bytes = &bytes[other?..],
            }
        }
        Ok(())
    }

    /// Ends the connection in both directions, whoever uses it.
    pub(crate) fn hang_up(&self) {
        // Fails if the other end was first.
        let _ = shutdown(&self.0, Shutdown::Both);
    }

    /// Sleeps until the bell rings, the other end has gone or the deadline has passed.
    pub(crate) fn wait(&self, bell: &Bell, deadline: Option<Instant>) -> io::Result<Woken> {
        // Whether the other end still reads is seen in RDHUP and HUP, which is always told.
        let mut fds = [
            PollFd::new(&self.0, PollFlags::RDHUP),
            PollFd::new(&bell.0, PollFlags::IN),
        ];
        if !poll_until(&mut fds, deadline)? {
            return Ok(Woken::TimedOut);
        }
        if !fds[1].revents().is_empty() {
            bell.silence();
            return Ok(Woken::Rung);
        }
        Ok(Woken::HungUp)
    }

    /// Without a deadline the operation itself waits.
    fn wait_for(&self, what: PollFlags, deadline: Option<Instant>) -> io::Result<()> {
        if deadline.is_some() && !poll_until(&mut [PollFd::new(&self.0, what)], deadline)? {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(())
    }
}

/// Ends a [`Stream::wait`] or a [`Listener::accept`]; a waker for futures.
pub(crate) struct Bell(OwnedFd);

impl Bell {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self(eventfd(
            0,
            EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK,
        )?))
    }

    pub(crate) fn ring(&self) {
        // Fails only where the bell has been rung 2^64 - 1 times and is ringing still.
        let _ = rustix::io::write(&self.0, &1_u64.to_ne_bytes());
    }

    fn silence(&self) {
        // Fails if it does not ring.
        let _ = rustix::io::read(&self.0, &mut [0; 8]);
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.ring();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ring();
    }
}

/// Bytes that nobody can guess.
pub(crate) fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    let mut filled = 0;
    while filled < N {
        match getrandom(&mut bytes[filled..], GetRandomFlags::empty()) {
            Err(Errno::INTR) => {}
            other => filled += other?,
        }
    }
    Ok(bytes)
}

fn unix_socket() -> io::Result<OwnedFd> {
    Ok(socket_with(
        AddressFamily::UNIX,
        SocketType::STREAM,
        SocketFlags::CLOEXEC,
        None,
    )?)
}

/// Whether something happened before the deadline.
fn poll_until(fds: &mut [PollFd<'_>], deadline: Option<Instant>) -> io::Result<bool> {
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        // What is too far for the clock is never.
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        match poll(fds, left.as_ref()) {
            Err(Errno::INTR) => {}
            other => return Ok(other? > 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::sync::Arc;
    use std::thread;
    use std::time::{Duration, Instant};

    use super::{Bell, Listener, Stream, Woken, random};

    fn soon() -> Instant {
        Instant::now() + Duration::from_millis(20)
    }

    #[test]
    fn a_name_is_free_again_when_its_listener_is_dropped() {
        let name = format!("brigade-test-{:x}", u64::from_ne_bytes(random().unwrap()));
        let stop = Bell::new().unwrap();
        for _ in 0..2 {
            let listener = Listener::bind(&name).unwrap();
            assert_eq!(
                Listener::bind(&name).err().unwrap().kind(),
                ErrorKind::AddrInUse
            );
            let client = Stream::connect(&name, Duration::from_secs(10)).unwrap();
            let server = listener.accept(&stop, None).unwrap().unwrap();
            assert!(server.is_same_user().unwrap() && client.is_same_user().unwrap());
        }
        let refused = Stream::connect(&name, Duration::from_secs(10))
            .err()
            .unwrap();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    }

    #[test]
    fn a_listener_stops_at_the_bell() {
        let name = format!("brigade-test-{:x}", u64::from_ne_bytes(random().unwrap()));
        let listener = Listener::bind(&name).unwrap();
        let stop = Bell::new().unwrap();
        stop.ring();
        assert!(listener.accept(&stop, None).unwrap().is_none());
    }

    #[test]
    fn the_end_says_whether_all_was_read() {
        for (read, at_end) in [(true, Ok(0)), (false, Err(ErrorKind::ConnectionReset))] {
            let (ours, theirs) = Stream::pair().unwrap();
            ours.send(b"reply", None).unwrap();
            if read {
                assert_eq!(theirs.receive(&mut [0; 8], None).unwrap(), 5);
            }
            drop(theirs);
            let end = ours
                .receive(&mut [0; 8], None)
                .map_err(|error| error.kind());
            assert_eq!(end, at_end);
        }
    }

    #[test]
    fn what_is_read_in_part_was_not_read() {
        let (ours, theirs) = Stream::pair().unwrap();
        ours.send(b"reply", None).unwrap();
        assert_eq!(theirs.receive(&mut [0; 4], None).unwrap(), 4);
        drop(theirs);
        assert!(ours.receive(&mut [0; 8], None).is_err());
    }

    #[test]
    fn deadlines_end_each_wait() {
        let (ours, _theirs) = Stream::pair().unwrap();
        let late = ours.receive(&mut [0; 8], Some(soon())).unwrap_err();
        assert_eq!(late.kind(), ErrorKind::TimedOut);
        let late = ours.send(&vec![0; 1 << 24], Some(soon())).unwrap_err();
        assert_eq!(late.kind(), ErrorKind::TimedOut);
        let bell = Bell::new().unwrap();
        assert_eq!(ours.wait(&bell, Some(soon())).unwrap(), Woken::TimedOut);
    }

    #[test]
    fn a_wait_ends_by_the_bell_or_the_other_end() {
        let (ours, theirs) = Stream::pair().unwrap();
        let bell = Arc::new(Bell::new().unwrap());
        theirs.send(b"bytes do not end it", None).unwrap();
        assert_eq!(ours.wait(&bell, Some(soon())).unwrap(), Woken::TimedOut);
        let ringer = thread::spawn({
            let bell = Arc::clone(&bell);
            move || bell.ring()
        });
        assert_eq!(ours.wait(&bell, None).unwrap(), Woken::Rung);
        ringer.join().unwrap();
        let closer = thread::spawn(move || drop(theirs));
        assert_eq!(ours.wait(&bell, None).unwrap(), Woken::HungUp);
        closer.join().unwrap();
    }

    #[test]
    fn who_sends_to_nobody_gets_an_error_and_no_signal() {
        let (ours, theirs) = Stream::pair().unwrap();
        drop(theirs);
        assert_eq!(
            ours.send(b"hello", None).unwrap_err().kind(),
            ErrorKind::BrokenPipe
        );
    }
}
