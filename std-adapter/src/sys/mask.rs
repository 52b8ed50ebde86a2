//! The calling thread's signal mask, by sets of signals with a bit for each number.

use std::{io, mem, ptr};

use libc::{c_int, sigset_t};
use signal_hook::low_level;

/// Has the calling thread block these signals; says which of them it did not block before.
pub(crate) fn block(signals: u32) -> io::Result<u32> {
    let before = change(libc::SIG_BLOCK, &set_of(signals))?;
    Ok(signals & !bits_of(&before))
}

/// Has the calling thread not block these signals. What is pending of them is delivered.
pub(crate) fn unblock(signals: u32) -> io::Result<()> {
    change(libc::SIG_UNBLOCK, &set_of(signals)).map(drop)
}

/// Sends these signals to the calling thread.
pub(crate) fn send_to_self(signals: u32) {
    for signal in numbers(signals) {
        // It cannot fail: they are signals.
        let _ = low_level::raise(signal);
    }
}

/// Which of these signals the calling thread blocks.
pub(crate) fn blocked(signals: u32) -> io::Result<u32> {
    // To block none more changes nothing.
    let now = change(libc::SIG_BLOCK, &empty())?;
    Ok(signals & bits_of(&now))
}

/// Signals by which a thread is told of what it has just done itself. Blocked, they would end the
/// process without a word from whoever handles them.
const SYNCHRONOUS: [c_int; 6] = [
    libc::SIGBUS,
    libc::SIGFPE,
    libc::SIGILL,
    libc::SIGSEGV,
    libc::SIGSYS,
    libc::SIGTRAP,
];

/// Runs `action` while the calling thread blocks all signals but the synchronous ones.
///
/// Async-signal-safe if `action` is.
pub(crate) fn while_all_are_blocked<R>(action: impl FnOnce() -> R) -> io::Result<R> {
    let mut all = empty();
    // SAFETY: writes to a structure of ours.
    unsafe { libc::sigfillset(&raw mut all) };
    for number in SYNCHRONOUS {
        // SAFETY: as above.
        unsafe { libc::sigdelset(&raw mut all, number) };
    }
    let before = change(libc::SIG_BLOCK, &all)?;
    let result = action();
    change(libc::SIG_SETMASK, &before)?;
    Ok(result)
}

/// Which signals a thread blocks. For what starts processes.
#[cfg(brigade_processes)]
#[derive(Clone, Copy)]
pub(crate) struct Mask(sigset_t);

#[cfg(brigade_processes)]
impl Mask {
    /// Those that the calling thread does.
    pub(crate) fn current() -> io::Result<Self> {
        // To block none more changes nothing.
        change(libc::SIG_BLOCK, &empty()).map(Self)
    }

    /// Runs `action` while the calling thread blocks these.
    pub(crate) fn during<R>(&self, action: impl FnOnce() -> R) -> io::Result<R> {
        let before = change(libc::SIG_SETMASK, &self.0)?;
        let result = action();
        change(libc::SIG_SETMASK, &before)?;
        Ok(result)
    }
}

fn change(how: c_int, set: &sigset_t) -> io::Result<sigset_t> {
    let mut before = empty();
    // SAFETY: reads the one structure and writes the other, both ours.
    match unsafe { libc::pthread_sigmask(how, ptr::from_ref(set), &raw mut before) } {
        0 => Ok(before),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

fn empty() -> sigset_t {
    // SAFETY: a plain C structure, of which zero is a value.
    let mut set = unsafe { mem::zeroed() };
    // SAFETY: writes to a structure of ours.
    unsafe { libc::sigemptyset(&raw mut set) };
    set
}

fn numbers(signals: u32) -> impl Iterator<Item = c_int> {
    (1..32).filter(move |number| signals >> number & 1 == 1)
}

fn set_of(signals: u32) -> sigset_t {
    let mut set = empty();
    for number in numbers(signals) {
        // SAFETY: writes to a structure of ours. A number that is no signal is refused.
        unsafe { libc::sigaddset(&raw mut set, number) };
    }
    set
}

fn bits_of(set: &sigset_t) -> u32 {
    numbers(u32::MAX)
        // SAFETY: reads a structure of ours. A number that is no signal is refused.
        .filter(|&number| unsafe { libc::sigismember(ptr::from_ref(set), number) } == 1)
        .fold(0, |bits, number| bits | 1 << number)
}
