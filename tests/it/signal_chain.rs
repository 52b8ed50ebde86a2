//! Signals that others handle, too: with handlers installed before ours, after it, and between.

use std::ffi::{c_int, c_void};
use std::mem;
use std::process::Command;
use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

use brigade::Event;
use brigade::signal::{self, SIGCHLD, SIGUSR1, SIGUSR2};
use libc::{sigaction, siginfo_t};
use signal_hook::low_level::raise;

use crate::alone::{ends_by, ends_well, so_far_so_good};
use crate::harness::LONG;
use crate::signal::is_caught;

static EVENT: Event = Event::new();
/// How often other people's handlers have run.
static CALLS: AtomicUsize = AtomicUsize::new(0);

/// What the kernel has for this signal.
fn disposition() -> sigaction {
    // SAFETY: a C structure, of which zero is a value.
    let mut now = unsafe { mem::zeroed() };
    // SAFETY: writes to our structure.
    let result = unsafe { libc::sigaction(SIGUSR1, ptr::null(), &raw mut now) };
    assert_eq!(result, 0);
    now
}

fn install(action: &sigaction) {
    // SAFETY: the handlers here are fit to be called at any time.
    let result = unsafe { libc::sigaction(SIGUSR1, action, ptr::null_mut()) };
    assert_eq!(result, 0);
}

/// The default, with this handler in its place.
fn action(handler: *const (), flags: c_int) -> sigaction {
    // SAFETY: a C structure, of which zero is a value.
    let mut new: sigaction = unsafe { mem::zeroed() };
    new.sa_sigaction = handler as usize;
    new.sa_flags = flags;
    new
}

extern "C" fn plain(signal: c_int) {
    assert_eq!(signal, SIGUSR1);
    CALLS.fetch_add(1, SeqCst);
}

extern "C" fn informed(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: who calls us has set `SA_SIGINFO`, or chains correctly.
    let number = unsafe { (*info).si_signo };
    assert!(number == signal && !context.is_null());
    CALLS.fetch_add(1, SeqCst);
}

/// What `passing` was installed over.
static BELOW: AtomicUsize = AtomicUsize::new(0);

/// A handler that does as handlers should: it calls the one before it.
extern "C" fn passing(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    CALLS.fetch_add(1, SeqCst);
    let below = BELOW.load(SeqCst);
    if below != libc::SIG_DFL && below != libc::SIG_IGN {
        type Handler = extern "C" fn(c_int, *mut siginfo_t, *mut c_void);
        let below = ptr::with_exposed_provenance::<()>(below);
        // SAFETY: ours was there, which takes all three.
        let below = unsafe { mem::transmute::<*const (), Handler>(below) };
        below(signal, info, context);
    }
}

fn install_passing() {
    BELOW.store(disposition().sa_sigaction, SeqCst);
    install(&action(passing as *const (), libc::SA_SIGINFO));
}

/// A signal to a new guard, which sees it; says how often others do.
fn guarded() -> usize {
    let guard = signal::on([SIGUSR1], &EVENT).unwrap();
    let calls = unguarded();
    assert!(EVENT.wait_timeout(LONG));
    assert_eq!(guard.received(), Some(SIGUSR1));
    EVENT.clear();
    calls
}

/// A signal; says how often others see it.
fn unguarded() -> usize {
    raise(SIGUSR1).unwrap();
    CALLS.swap(0, SeqCst)
}

#[test]
fn handlers_from_before_are_called_and_come_back() {
    ends_well(|| {
        for (handler, flags) in [
            (plain as *const (), libc::SA_RESTART),
            (informed as *const (), libc::SA_SIGINFO | libc::SA_ONSTACK),
        ] {
            install(&action(handler, flags));
            for _ in 0..3 {
                assert_eq!(guarded(), 1);
                let now = disposition();
                assert_eq!(now.sa_sigaction, handler as usize);
                assert_eq!(now.sa_flags & flags, flags);
                assert_eq!(unguarded(), 1);
            }
        }
    });
}

#[test]
fn a_handler_is_no_longer_called_when_its_owner_has_taken_it_away() {
    ends_by(SIGUSR1, || {
        install(&action(plain as *const (), 0));
        assert_eq!(guarded(), 1);
        install(&action(ptr::without_provenance(libc::SIG_DFL), 0));
        assert_eq!(guarded(), 0);
        so_far_so_good();
        unguarded();
    });
}

#[test]
fn handlers_from_later_that_pass_on_go_along_with_ours_and_outlive_it() {
    ends_well(|| {
        install(&action(plain as *const (), 0));
        let guard = signal::on([SIGUSR1], &EVENT).unwrap();
        install_passing();
        assert_eq!(unguarded(), 2);
        assert!(EVENT.wait_timeout(LONG));
        EVENT.clear();
        assert_eq!(guard.received(), Some(SIGUSR1));
        drop(guard);
        for _ in 0..3 {
            assert_eq!(disposition().sa_sigaction, passing as *const () as usize);
            assert_eq!(unguarded(), 2, "each once");
            assert!(!EVENT.is_set());
            // Ours calls it now, while it calls ours.
            assert_eq!(guarded(), 2, "each once");
        }
    });
}

#[test]
fn a_later_handler_that_goes_leaves_the_default() {
    ends_by(SIGUSR1, || {
        let guard = signal::on([SIGUSR1], &EVENT).unwrap();
        let ours = disposition();
        install_passing();
        drop(guard);
        assert_eq!(unguarded(), 1);
        install(&ours); // as its owner found it
        assert!(is_caught(SIGUSR1));
        assert_eq!(guarded(), 0);
        assert!(!is_caught(SIGUSR1));
        so_far_so_good();
        unguarded();
    });
}

#[test]
fn a_handler_of_ours_that_was_put_back_too_late_takes_the_default_action() {
    ends_by(SIGUSR1, || {
        let guard = signal::on([SIGUSR1], &EVENT).unwrap();
        let ours = disposition();
        install_passing();
        drop(guard);
        install(&ours);
        so_far_so_good();
        unguarded();
    });
}

#[test]
fn users_of_signal_hook_may_come_during_a_guard_and_stay() {
    ends_well(|| {
        let seen = Arc::new(AtomicBool::new(false));
        let guard = signal::on([SIGUSR1, SIGUSR2], &EVENT).unwrap();
        signal_hook::flag::register(SIGUSR1, Arc::clone(&seen)).unwrap();
        unguarded();
        assert!(seen.swap(false, SeqCst));
        assert_eq!(guard.received(), Some(SIGUSR1));
        drop(guard);
        EVENT.clear();
        for _ in 0..3 {
            unguarded();
            assert!(seen.swap(false, SeqCst), "without a guard");
            guarded();
            assert!(seen.swap(false, SeqCst), "with one");
        }
    });
}

#[test]
fn a_new_guard_hears_what_a_later_handler_keeps_from_an_older_one() {
    ends_well(|| {
        static SECOND: Event = Event::new();
        let first = signal::on([SIGUSR1], &EVENT).unwrap();
        install(&action(plain as *const (), 0)); // calls nobody
        assert_eq!(unguarded(), 1);
        assert_eq!(first.received(), None);
        let second = signal::on([SIGUSR1], &SECOND).unwrap();
        assert_eq!(unguarded(), 1);
        assert!(SECOND.wait_timeout(LONG));
        assert_eq!(second.received(), Some(SIGUSR1));
        drop(first);
        drop(second);
        assert_eq!(unguarded(), 1, "it is back");
    });
}

#[test]
fn children_are_left_to_the_kernel_as_before() {
    ends_well(|| {
        for (handler, flags) in [(libc::SIG_IGN, 0), (libc::SIG_DFL, libc::SA_NOCLDWAIT)] {
            let left = action(ptr::without_provenance(handler), flags);
            // SAFETY: there is no handler.
            let result = unsafe { libc::sigaction(SIGCHLD, &raw const left, ptr::null_mut()) };
            assert_eq!(result, 0);
            let guard = signal::on([SIGCHLD], &EVENT).unwrap();
            let mut child = Command::new("true").spawn().unwrap();
            // With nobody to wait for, this waits until the last child has gone.
            let error = child.wait().unwrap_err();
            assert_eq!(error.raw_os_error(), Some(libc::ECHILD));
            assert!(EVENT.wait_timeout(LONG));
            EVENT.clear();
            drop(guard);
        }
    });
}

#[test]
fn a_handler_for_one_signal_is_called_once_and_does_not_come_back() {
    ends_by(SIGUSR1, || {
        install(&action(plain as *const (), libc::SA_RESETHAND));
        assert_eq!(guarded(), 1);
        assert_eq!(guarded(), 0);
        so_far_so_good();
        unguarded();
    });
}

#[test]
fn it_may_count_on_the_default_action_after_it_also_during_a_wait() {
    extern "C" fn says_farewell(_: c_int) {
        so_far_so_good();
        raise(SIGUSR1).unwrap();
    }
    ends_by(SIGUSR1, || {
        install(&action(says_farewell as *const (), libc::SA_RESETHAND));
        let _mask = signal::mask([SIGUSR1]).unwrap();
        raise(SIGUSR1).unwrap();
        let _ = signal::wait([SIGUSR1]);
    });
}
