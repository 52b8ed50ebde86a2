//! One thread of another process, run one instruction at a time.
//!
//! By ptrace: `PTRACE_SEIZE` attaches without a stop, a [`mark`] in the thread's code stops it, and
//! `PTRACE_SINGLESTEP` lets it execute one instruction. Only that one thread is traced; the others
//! of its process run.

use std::ffi::CStr;
use std::fs;
use std::io;
use std::ptr;
use std::thread;
use std::time::{Duration, Instant};

use libc::{c_int, c_void, pid_t};

use crate::scene::PATIENCE;

/// How often a wait looks whether the thread has gone to sleep.
const TICK: Duration = Duration::from_millis(10);

/// What the thread that is to be stepped is called.
pub(crate) const VICTIM: &CStr = c"victim";

const TRAP_BRKPT: c_int = 1;
const TRAP_TRACE: c_int = 2;

/// Stops the calling thread for its tracer; without a tracer, it ends the process.
#[inline]
pub(crate) fn mark() {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a breakpoint. It changes no register and no memory.
    unsafe {
        std::arch::asm!("int3", options(nostack));
    }
    #[cfg(not(target_arch = "x86_64"))]
    // SAFETY: sends the calling thread a signal.
    unsafe {
        libc::raise(libc::SIGTRAP);
    }
}

/// Why a run of steps ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// As many instructions as asked for have been executed.
    Counted,
    /// The thread came to a [`mark`].
    Mark,
    /// The thread sleeps in a system call.
    Asleep,
    /// The thread has ended.
    Gone,
}

/// A thread that is traced by the calling one, which must make all the calls.
pub(crate) struct Tracee {
    process: pid_t,
    thread: pid_t,
}

impl Tracee {
    /// Attaches to a thread, which goes on.
    pub(crate) fn seize(process: pid_t, thread: pid_t) -> io::Result<Self> {
        thread_local! {
            static CLOCK: () = start_clock();
        }
        CLOCK.with(|()| ());
        let this = Self { process, thread };
        this.request(libc::PTRACE_SEIZE, 0)?;
        Ok(this)
    }

    /// Has the thread stop where it is.
    pub(crate) fn interrupt(&self) -> io::Result<()> {
        self.request(libc::PTRACE_INTERRUPT, 0)?;
        match self.wait()? {
            Stop::Gone => Err(io::Error::other("the thread has ended")),
            _ => Ok(()),
        }
    }

    /// Lets the thread run to its next mark.
    pub(crate) fn run_to_mark(&self) -> io::Result<()> {
        loop {
            match self.wait()? {
                Stop::Mark => return Ok(()),
                Stop::Step => self.request(libc::PTRACE_CONT, 0)?,
                Stop::Signal(signal) => self.request(libc::PTRACE_CONT, signal)?,
                Stop::Asleep => {}
                Stop::Gone => return Err(io::Error::other("the process ended before its mark")),
            }
        }
    }

    /// Executes up to `most` instructions of the thread, which must have stopped. Says how many it
    /// were, a last one that does not return among them.
    pub(crate) fn steps(&self, most: u64) -> io::Result<(u64, End)> {
        let mut signal = 0;
        let mut done = 0;
        while done < most {
            self.request(libc::PTRACE_SINGLESTEP, signal)?;
            signal = 0;
            match self.wait()? {
                Stop::Step => done += 1,
                Stop::Mark => return Ok((done, End::Mark)),
                Stop::Signal(other) => signal = other,
                Stop::Asleep => return Ok((done + 1, End::Asleep)),
                Stop::Gone => return Ok((done + 1, End::Gone)),
            }
        }
        Ok((done, End::Counted))
    }

    /// Kills the process, wherever its threads are, and waits until the traced one is gone.
    pub(crate) fn kill(self) -> io::Result<()> {
        // SAFETY: sends a signal. The process is there: it has a thread of which this is the tracer.
        if unsafe { libc::kill(self.process, libc::SIGKILL) } != 0 {
            return Err(io::Error::last_os_error());
        }
        while !matches!(self.wait(), Err(_) | Ok(Stop::Gone)) {}
        Ok(())
    }

    fn request(&self, request: libc::c_uint, signal: c_int) -> io::Result<()> {
        let nothing: *mut c_void = ptr::null_mut();
        // SAFETY: none of the requests used here reads or writes memory of this process.
        let answer = unsafe { libc::ptrace(request, self.thread, nothing, signal) };
        if answer == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }

    fn wait(&self) -> io::Result<Stop> {
        let mut asleep = false;
        loop {
            let mut status = 0;
            // SAFETY: writes to the one word it is given.
            let answer = unsafe { libc::waitpid(self.thread, &raw mut status, libc::__WALL) };
            if answer == self.thread {
                return self.stop(status);
            }
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
            // Seen asleep twice: the first may have been a pause on the way to the stop.
            if asleep && self.sleeps()? {
                return Ok(Stop::Asleep);
            }
            asleep = self.sleeps()?;
        }
    }

    fn stop(&self, status: c_int) -> io::Result<Stop> {
        if !libc::WIFSTOPPED(status) {
            return Ok(Stop::Gone);
        }
        let signal = libc::WSTOPSIG(status);
        if status >> 16 != 0 {
            return Ok(Stop::Step);
        }
        if signal != libc::SIGTRAP {
            return Ok(Stop::Signal(signal));
        }
        // SAFETY: all bytes zero is a value of it.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        let nothing: *mut c_void = ptr::null_mut();
        // SAFETY: writes a `siginfo_t` to where it is given one.
        let answer =
            unsafe { libc::ptrace(libc::PTRACE_GETSIGINFO, self.thread, nothing, &raw mut info) };
        if answer != 0 {
            return Err(io::Error::last_os_error());
        }
        // A step into or over an instruction sends the second, one over a system call the first; a
        // breakpoint sends SI_KERNEL, `raise` SI_TKILL.
        Ok(match info.si_code {
            TRAP_BRKPT | TRAP_TRACE => Stop::Step,
            _ => Stop::Mark,
        })
    }

    /// Is the thread in a system call that waits?
    fn sleeps(&self) -> io::Result<bool> {
        let stat = fs::read_to_string(format!("/proc/{}/task/{}/stat", self.process, self.thread))?;
        let state = stat.rsplit_once(") ").map(|(_, rest)| rest.as_bytes()[0]);
        Ok(state == Some(b'S'))
    }
}

enum Stop {
    Step,
    Mark,
    Signal(c_int),
    Asleep,
    Gone,
}

/// Interrupts each wait of the calling thread from time to time.
fn start_clock() {
    extern "C" fn nothing(_: c_int) {}
    // SAFETY: all bytes zero is a value of it.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // Without SA_RESTART: a wait ends.
    action.sa_sigaction = nothing as extern "C" fn(c_int) as usize;
    // SAFETY: a valid action, whose handler does nothing.
    unsafe { libc::sigaction(libc::SIGALRM, &raw const action, ptr::null_mut()) };
    // SAFETY: all bytes zero is a value of it.
    let mut event: libc::sigevent = unsafe { std::mem::zeroed() };
    event.sigev_notify = libc::SIGEV_THREAD_ID;
    event.sigev_signo = libc::SIGALRM;
    // SAFETY: asks for a number.
    event.sigev_notify_thread_id = unsafe { libc::gettid() };
    let mut timer = ptr::null_mut();
    // SAFETY: makes a timer, which lasts as long as this process, and writes its name.
    let made = unsafe { libc::timer_create(libc::CLOCK_MONOTONIC, &raw mut event, &raw mut timer) };
    assert_eq!(made, 0, "no timer: {}", io::Error::last_os_error());
    let tick = libc::timespec {
        tv_sec: 0,
        tv_nsec: TICK.subsec_nanos().into(),
    };
    let every = libc::itimerspec {
        it_interval: tick,
        it_value: tick,
    };
    // SAFETY: a timer made just now, and a valid time.
    let set = unsafe { libc::timer_settime(timer, 0, &raw const every, ptr::null_mut()) };
    assert_eq!(set, 0, "the timer: {}", io::Error::last_os_error());
}

/// Has others find the calling thread by [its name](VICTIM).
pub(crate) fn be_found() {
    // SAFETY: reads a string that ends with a zero.
    unsafe { libc::prctl(libc::PR_SET_NAME, VICTIM.as_ptr()) };
}

/// Waits until the calling thread is traced.
pub(crate) fn await_tracer() {
    be_found();
    loop {
        let status = fs::read_to_string("/proc/thread-self/status").expect("Linux");
        let tracer = status
            .lines()
            .find_map(|line| line.strip_prefix("TracerPid:"));
        if tracer.is_some_and(|tracer| tracer.trim() != "0") {
            return;
        }
        thread::yield_now();
    }
}

/// Finds a thread, once it is there.
pub(crate) fn thread_named(process: pid_t, name: &CStr) -> io::Result<pid_t> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        for task in fs::read_dir(format!("/proc/{process}/task"))?.flatten() {
            let comm = fs::read(task.path().join("comm")).unwrap_or_default();
            if comm.strip_suffix(b"\n") == Some(name.to_bytes()) {
                let number = task
                    .file_name()
                    .to_str()
                    .and_then(|number| number.parse().ok());
                return number.ok_or_else(|| io::Error::other("a thread without a number"));
            }
        }
        thread::yield_now();
    }
    Err(io::Error::other(format!("no thread is named {name:?}")))
}
