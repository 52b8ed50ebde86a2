//! Unix signals as an [`Event`]: ask threads to stop, from Ctrl-C.
//!
//! [`on`] has a set of signals set an event; everything that waits for the event, or looks at it
//! between two pieces of work, then sees the request. The signal that comes *after* the first one
//! takes its default action, so a program that is slow to stop can always be stopped by a second
//! Ctrl-C. Dropping the [`Guard`] restores what was there before. [`wait`](wait()) waits for a signal, and
//! [`mask`](mask()) keeps signals away from a thread.
//!
//! # Several at once
//!
//! A guard has any number of signals, and a signal any number of guards: each arrival sets the
//! events of all of them. Whether it takes its default action, too, the guard decides that was made
//! last, among those of this signal: it does if that guard has received a signal before. So who
//! makes a guard later, deeper inside the program, is asked first.
//!
//! Handlers that other code has installed **before**, in any way, are called ahead of ours, with all
//! they would get from the kernel; one that wants to be called once (`SA_RESETHAND`) is called once, and
//! the default action comes back in its place. One that is installed **later** takes the signal from us unless it
//! calls what was there before it, as handlers should ([signal-hook], and with it tokio, does); if it
//! stays beyond the guard it is left alone, and ours goes on passing signals from it to those before.
//!
//! # Limits
//!
//! - Unix only: on other systems this module does not exist, and naming it does not compile.
//! - `SIGKILL` and `SIGSTOP` cannot be handled, and handling `SIGSEGV`, `SIGBUS`, `SIGFPE` or
//!   `SIGILL` takes more than an event; [`on`] refuses them. So it does signals whose default action it does not
//!   know, such as the real-time ones.
//! - A disposition belongs to the whole process. A handler runs on whichever thread the kernel
//!   picks among those that do not block the signal; if all block it, it stays pending. System calls
//!   that it interrupts are restarted where the system can do so, so a thread in a blocking `read`
//!   stays there: have another wait for the event.
//! - A thread that waits by `sigwait`, or a `signalfd`, and our handler do not both get a signal. Those
//!   two take signals that all threads block, and then no handler runs.
//! - After `fork` without `exec` the child has our handlers and, as far as memory goes, the same events;
//!   it has not the thread that wakes tasks.
//! - **Tasks** that await an event which a signal sets are woken by a thread of ours, named
//!   `brigade-signals`: their wakers are not run in a handler. It is started when a task waits for the
//!   first time in a program that handles signals, or the other way around, sleeps when there is
//!   nothing to do, and stays. On systems other than Linux and Android it wakes threads as well, and
//!   starts with the first guard. A handler of *yours* that sets an event which tasks await runs their
//!   wakers itself; few are fit for that.
//! - Of two handlers that are installed over ours one after the other, with guards made in between, the
//!   first may not be called while there is a guard made after the second, and from then on: ours knows
//!   one handler that lies over it, and the one from before all.
//! - In a library that is loaded with `dlopen`, the first access of a thread to its thread-local
//!   variables may allocate, also in a handler. Programs and what is linked with them are fine.
//!
//! # What the handler does
//!
//! It walks a list of all guards, and for each of the signal does a few atomic operations, among
//! them a compare-and-exchange to record the first signal, and [`Event::set`]: an atomic exchange and
//! at most one system call. At most one more system call wakes `brigade-signals`. Two more block other
//! signals meanwhile, those apart that a thread causes itself, such as `SIGSEGV`. It takes no lock,
//! waits for nobody, allocates and frees nothing and leaves `errno` alone, so it is safe at any
//! instruction of the program it interrupts. Events and guards are freed by the threads that drop
//! them. The tests count what is allocated in handlers during a storm of signals; to see the system
//! calls, run a program under `strace -f` and look at what stands between `--- SIGINT ...` and
//! `rt_sigreturn`: `futex` calls between two of `rt_sigprocmask`, and nothing else.
//!
//! The same holds for what you call in handlers of your own: of this crate, [`Event::set`], `clear`
//! and `is_set` on Linux and Android, as long as no task awaits the event, and what the core's
//! documentation says is fit for it.
//!
//! [signal-hook]: https://docs.rs/signal-hook
//!
//! # Example
//!
//! ```
//! use brigade::{Event, signal};
//!
//! static STOP: Event = Event::new();
//!
//! fn main() -> Result<(), signal::Error> {
//!     let guard = signal::on([signal::SIGINT, signal::SIGTERM], &STOP)?;
//!     for _piece in 0..3 {
//!         if STOP.is_set() {
//!             println!("stopped by signal {:?}", guard.received());
//!             break;
//!         }
//!         // ... work ...
//!     }
//!     Ok(())
//! }
//! ```

#![forbid(unsafe_code)]

mod error;
mod mask;
mod wait;

use std::fmt;
use std::sync::Arc;

pub use error::Error;
pub use mask::{MaskGuard, mask};
pub use signal_hook::consts::signal::{
    SIGABRT, SIGALRM, SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM, SIGTSTP,
    SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2, SIGWINCH,
};
pub use wait::{wait, wait_deadline, wait_timeout};

use crate::Event;
use crate::sys::signal::Watch;
use error::checked;

/// Has every arrival of one of `signals` set `event`, until the guard is dropped.
///
/// May be called from any thread, any number of times. The event is a `&'static Event` or an
/// `Arc<Event>`. The first signal to arrive, of all in the set, is remembered
/// ([`Guard::received`]). Any that comes after it *also* takes its default action, which for most
/// signals ends the process there and then: also where the signal was ignored before, as `SIGHUP` is
/// under `nohup`, and after the handler of others that was there before has been called. Clearing the
/// event does not change that, a new guard does. A signal named twice counts once.
///
/// Numbers that have no constant in this module are fine as long as the system knows them.
///
/// # Errors
///
/// No handler is left behind if this fails.
///
/// - [`Error::NoSignals`] if `signals` is empty;
/// - [`Error::Forbidden`] for signals that cannot or must not be handled this way;
/// - [`Error::Unknown`] for numbers that are not signals of this system, or whose default action
///   is not known;
/// - [`Error::Os`] if the system refuses.
///
/// # Blocking
///
/// Takes a lock, shared with other calls of `on` and with guards being dropped, and may start a
/// thread (see the module's limits). Must not be called from a signal handler.
///
/// # Example
///
/// ```
/// use brigade::{Event, signal};
///
/// static STOP: Event = Event::new();
///
/// let guard = signal::on([signal::SIGTERM], &STOP)?;
/// assert_eq!(guard.received(), None);
///
/// assert!(matches!(signal::on([9], &STOP), Err(signal::Error::Forbidden(9))));
/// # Ok::<(), signal::Error>(())
/// ```
pub fn on(
    signals: impl IntoIterator<Item = i32>,
    event: impl Into<EventRef>,
) -> Result<Guard, Error> {
    let signals = checked(signals)?;
    let none_patient = 0;
    let watch = Watch::new(&signals, event.into(), none_patient).map_err(Error::os)?;
    Ok(Guard { watch })
}

/// An event that handlers may set: one that lasts for ever, or a share of one.
///
/// Made from `&'static Event` or `Arc<Event>`. A guard keeps its share; the thread that drops the guard
/// lets go of it, never a handler.
///
/// ```
/// use std::sync::Arc;
/// use brigade::{Event, signal};
///
/// let stop = Arc::new(Event::new());
/// let guard = signal::on([signal::SIGTERM], Arc::clone(&stop))?;
/// drop(guard);
/// assert_eq!(Arc::strong_count(&stop), 1);
/// # Ok::<(), signal::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct EventRef(Share);

#[derive(Clone, Debug)]
enum Share {
    Static(&'static Event),
    Counted(Arc<Event>),
}

impl EventRef {
    pub(crate) fn get(&self) -> &Event {
        match &self.0 {
            Share::Static(event) => event,
            Share::Counted(event) => event,
        }
    }
}

impl From<&'static Event> for EventRef {
    fn from(event: &'static Event) -> Self {
        Self(Share::Static(event))
    }
}

impl From<Arc<Event>> for EventRef {
    fn from(event: Arc<Event>) -> Self {
        Self(Share::Counted(event))
    }
}

/// Signals handled by an [`Event`], from [`on`].
///
/// Dropping it takes our handlers away. For each signal that no other guard handles, the
/// disposition becomes what it was before the first one: if that was the default, the next signal
/// takes the default action again; if the signal was ignored (`nohup`), it is ignored again. It
/// waits for handlers that are running, which is not for long, and so must not be dropped in one.
#[must_use = "dropping the guard restores the signals' former dispositions"]
pub struct Guard {
    watch: Watch,
}

impl Guard {
    /// The signal that arrived first since the guard was made, if any did.
    ///
    /// Never blocks. Whoever has seen the event set by a signal gets `Some`.
    ///
    /// # Example
    ///
    /// ```
    /// use brigade::{Event, signal};
    ///
    /// static STOP: Event = Event::new();
    ///
    /// let guard = signal::on([signal::SIGINT], &STOP)?;
    /// // The usual exit status of a program that a signal has stopped.
    /// let status = guard.received().map_or(0, |signal| 128 + signal);
    /// assert_eq!(status, 0);
    /// # Ok::<(), signal::Error>(())
    /// ```
    #[must_use]
    pub fn received(&self) -> Option<i32> {
        self.watch.first()
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("received", &self.received())
            .finish_non_exhaustive()
    }
}
