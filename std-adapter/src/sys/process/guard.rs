//! What runs before `main`, and what a child does first.
//!
//! The loader calls what is listed in the section `.init_array` when the program and all its
//! libraries are in place, the standard library's own entry among the first. In an ordinary run
//! [`GUARD`] asks the environment for one variable and returns. In a child it does not return: the child
//! runs its function and exits.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::IntoRawFd;
use std::os::unix::fs::MetadataExt;

use rustix::process::{Signal, getppid, set_parent_process_death_signal};

/// The variable that says whose child a process is.
pub(crate) const VARIABLE: &str = "BRIGADE_CHILD";

/// In the list of what is called before `main`.
#[cfg(feature = "early-start")]
#[used]
#[unsafe(link_section = ".init_array")]
static GUARD: extern "C" fn() = guard;

#[cfg(feature = "early-start")]
extern "C" fn guard() {
    crate::process::init();
}

/// Sees to it that no linker leaves the guard out of a program that starts processes.
pub(crate) fn link() {
    #[cfg(feature = "early-start")]
    std::hint::black_box(&GUARD);
}

/// What the variable says.
pub(crate) fn variable() -> Option<OsString> {
    env::var_os(VARIABLE)
}

/// Whether this process has more rights than whoever started it, as by a set-user-ID bit, and so must not
/// believe its environment.
pub(crate) fn is_privileged() -> bool {
    // SAFETY: it reads what the kernel has told the process, and nothing else.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// Opens `/dev/null` for each of the standard streams that is closed: or else the next file that is opened
/// gets its number, and what is printed. The standard library's start does so, but later.
pub(crate) fn fill_standard_streams() -> io::Result<()> {
    for stream in 0..3 {
        // SAFETY: it asks about a number, whoever's it is.
        if unsafe { libc::fcntl(stream, libc::F_GETFD) } == -1 {
            // It gets the lowest number that is free, which is this one.
            let null = fs::OpenOptions::new()
                .read(true)
                .write(true)
                .open("/dev/null")?;
            // The process's for ever, and that of programs that it starts.
            rustix::io::fcntl_setfd(&null, rustix::io::FdFlags::empty())?;
            let _ = null.into_raw_fd();
        }
    }
    Ok(())
}

/// Takes the variable out of the environment, so that programs that this one starts do not see it.
///
/// It stays if there is more than one thread: another might be reading it.
pub(crate) fn clear_variable() {
    // A folder has a link for each folder in it, beside its own two.
    let is_alone = fs::metadata("/proc/self/task").is_ok_and(|tasks| tasks.nlink() == 3);
    if is_alone {
        // SAFETY: no other thread is there to read the environment.
        unsafe { env::remove_var(VARIABLE) };
    }
}

/// Has the kernel kill this process when the thread that started it ends. False if the parent has ended, an
/// error if it is another one.
pub(crate) fn die_with(parent: u32) -> io::Result<bool> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // It may have ended before that, and this process may have got another parent then.
    let now = getppid().map(|pid| pid.as_raw_nonzero().get().unsigned_abs());
    if now == Some(parent) {
        return Ok(true);
    }
    // Of a process that has ended nothing but a number may be left, and that has no program.
    match fs::read_link(format!("/proc/{parent}/exe")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        _ => Err(io::Error::other("its parent is another process")),
    }
}

/// What the standard library's start does before `main`: writing to a pipe that nobody reads is to be an
/// error and no end.
pub(crate) fn ignore_broken_pipes() {
    // SAFETY: no handler of ours is called.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
}

/// Ctrl-C at the terminal is for the parent.
pub(crate) fn ignore_interrupts() {
    // SAFETY: no handler of ours is called.
    unsafe { libc::signal(libc::SIGINT, libc::SIG_IGN) };
}

/// Gives the process a name for `ps`, of which the system keeps 15 bytes.
pub(crate) fn set_name(name: &str) {
    if let Ok(name) = std::ffi::CString::new(name) {
        let _ = rustix::thread::set_name(&name);
    }
}
