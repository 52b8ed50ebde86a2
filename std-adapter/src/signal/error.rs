//! Why signals could not be handled, or masked; and which can be.

use std::{error, fmt, io};

use signal_hook::consts::{FORBIDDEN, SIGBUS};
use signal_hook::low_level::signal_name;

/// Why [`on`](super::on), [`wait`](fn@super::wait) or [`mask`](super::mask()) could not do it.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The set of signals was empty.
    NoSignals,
    /// This signal cannot be handled or blocked (`SIGKILL`, `SIGSTOP`), or not by setting an event
    /// (`SIGSEGV`, `SIGBUS`, `SIGFPE`, `SIGILL`).
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

impl Error {
    pub(super) fn os((signal, source): (i32, io::Error)) -> Self {
        Self::Os { signal, source }
    }
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

/// The signals, each once, if all of them can be handled.
pub(super) fn checked(signals: impl IntoIterator<Item = i32>) -> Result<Vec<i32>, Error> {
    let mut signals: Vec<i32> = signals.into_iter().collect();
    signals.sort_unstable();
    signals.dedup();
    if signals.is_empty() {
        return Err(Error::NoSignals);
    }
    for &signal in &signals {
        if FORBIDDEN.contains(&signal) || signal == SIGBUS {
            return Err(Error::Forbidden(signal));
        }
        if signal_name(signal).is_none() {
            return Err(Error::Unknown(signal));
        }
    }
    Ok(signals)
}

#[cfg(test)]
mod tests {
    use super::super::{SIGUSR1, mask, on};
    use super::{Error, SIGBUS};
    use crate::Event;

    static EVENT: Event = Event::new();

    #[test]
    fn impossible_sets_are_refused_with_a_reason() {
        let text = |signals: &[i32]| on(signals.iter().copied(), &EVENT).unwrap_err().to_string();
        assert_eq!(text(&[]), "no signals to handle: the set is empty");
        assert_eq!(text(&[SIGUSR1, 9]), "SIGKILL cannot be handled");
        assert_eq!(text(&[11]), "SIGSEGV cannot be handled");
        assert_eq!(text(&[SIGBUS]), "SIGBUS cannot be handled");
        for nonsense in [0, -1, 64, 65, 1000, i32::MIN, i32::MAX] {
            assert!(matches!(on([nonsense], &EVENT), Err(Error::Unknown(n)) if n == nonsense));
        }
        assert!(matches!(mask([9]), Err(Error::Forbidden(9))));
    }
}
