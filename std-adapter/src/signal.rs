//! Unix signals as an [`Event`]: ask threads to stop, from Ctrl-C.
//!
//! [`on`] has a set of signals set an event; everything that waits for the event, or looks at it
//! between two pieces of work, then sees the request. The signal that comes *after* the first one
//! takes its default action, so a program that is slow to stop can always be stopped by a second
//! Ctrl-C. Dropping the [`Guard`] restores what was there before.
//!
//! # Limits
//!
//! - Unix only: on other systems this module does not exist, and naming it does not compile.
//! - `SIGKILL` and `SIGSTOP` cannot be handled, and handling `SIGSEGV`, `SIGFPE` or `SIGILL` takes
//!   more than an event; [`on`] refuses them. So it does signals whose default action it does not
//!   know, such as the real-time ones.
//! - A disposition belongs to the whole process. A handler that other code has installed before,
//!   in any way, keeps running, ahead of ours. Other users of [signal-hook] share the signal with
//!   us; but if one of them registers *after* [`on`] and stays beyond the guard, it loses the
//!   signal when the guard restores the disposition.
//! - A handler runs on whichever thread the kernel picks among those that do not block the signal.
//!   System calls that it interrupts are restarted where the system can do so.
//! - On systems other than Linux and Android the handler cannot wake threads itself; it tells a
//!   helper thread, which ends with the guard.
//!
//! # What the handler does
//!
//! One compare-and-exchange to record the first signal, and [`Event::set`]: an atomic exchange and
//! at most one system call. It takes no lock, allocates nothing and leaves `errno` alone, so it is
//! safe at any instruction of the program it interrupts.
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

use std::sync::Arc;
use std::{error, fmt, io};

use signal_hook::low_level::signal_name;

pub use signal_hook::consts::signal::{
    SIGABRT, SIGALRM, SIGCHLD, SIGCONT, SIGHUP, SIGINT, SIGPIPE, SIGQUIT, SIGTERM, SIGTSTP,
    SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2, SIGWINCH,
};

use crate::Event;
use crate::sys::signal::{Arrivals, Hook};

/// Has every arrival of one of `signals` set `event`, until the guard is dropped.
///
/// May be called from any thread, any number of times. The first signal to arrive, of all in the
/// set, is remembered ([`Guard::received`]). Any that comes after it *also* takes its default
/// action, which for most signals ends the process there and then; clearing the event does not
/// change that, a new guard does. A signal named twice counts once.
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
/// Takes a lock, shared with other calls of `on` and with guards being dropped. Must not be called
/// from a signal handler.
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
pub fn on(signals: impl IntoIterator<Item = i32>, event: &'static Event) -> Result<Guard, Error> {
    let mut wanted: Vec<i32> = signals.into_iter().collect();
    wanted.sort_unstable();
    wanted.dedup();
    if wanted.is_empty() {
        return Err(Error::NoSignals);
    }
    for &signal in &wanted {
        if signal_hook::consts::FORBIDDEN.contains(&signal) {
            return Err(Error::Forbidden(signal));
        }
        if signal_name(signal).is_none() {
            return Err(Error::Unknown(signal));
        }
    }
    let failed = |signal| move |source| Error::Os { signal, source };
    let arrivals = Arrivals::new(event).map_err(failed(wanted[0]))?;
    let hooks = wanted
        .into_iter()
        .map(|signal| Hook::new(signal, &arrivals).map_err(failed(signal)))
        .collect::<Result<_, _>>()?;
    Ok(Guard {
        _hooks: hooks,
        arrivals,
    })
}

/// Signals handled by an [`Event`], from [`on`].
///
/// Dropping it takes our handlers away. For each signal that no other guard handles, the
/// disposition becomes what it was before the first one: if that was the default, the next signal
/// takes the default action again; if the signal was ignored (`nohup`), it is ignored again.
#[must_use = "dropping the guard restores the signals' former dispositions"]
pub struct Guard {
    _hooks: Vec<Hook>,
    arrivals: Arc<Arrivals>,
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
        self.arrivals.first()
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard")
            .field("received", &self.received())
            .finish_non_exhaustive()
    }
}

/// Why [`on`] could not set up the handlers.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The set of signals was empty.
    NoSignals,
    /// This signal cannot be handled (`SIGKILL`, `SIGSTOP`), or not by setting an event (`SIGSEGV`,
    /// `SIGFPE`, `SIGILL`).
    Forbidden(i32),
    /// This number is not a signal of this system, or one whose default action is not known, so
    /// that a second arrival could not take it.
    Unknown(i32),
    /// The operating system refused.
    #[non_exhaustive]
    Os {
        /// The signal being set up.
        signal: i32,
        /// What the system said.
        source: io::Error,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSignals => write!(f, "no signals to handle: the set is empty"),
            Self::Forbidden(signal) => write!(f, "{} cannot be handled", Name(*signal)),
            Self::Unknown(signal) => write!(
                f,
                "{signal} is not a signal with a known default action on this system"
            ),
            Self::Os { signal, .. } => write!(f, "cannot handle {}", Name(*signal)),
        }
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Os { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// A signal as people know it.
struct Name(i32);

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match signal_name(self.0) {
            Some(name) => f.write_str(name),
            None => write!(f, "signal {}", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Error, SIGUSR1, on};
    use crate::Event;

    static EVENT: Event = Event::new();

    #[test]
    fn impossible_sets_are_refused_with_a_reason() {
        let text = |signals: &[i32]| on(signals.iter().copied(), &EVENT).unwrap_err().to_string();
        assert_eq!(text(&[]), "no signals to handle: the set is empty");
        assert_eq!(text(&[SIGUSR1, 9]), "SIGKILL cannot be handled");
        assert_eq!(text(&[11]), "SIGSEGV cannot be handled");
        for nonsense in [0, -1, 64, 65, 1000, i32::MIN, i32::MAX] {
            assert!(matches!(on([nonsense], &EVENT), Err(Error::Unknown(n)) if n == nonsense));
        }
    }
}
