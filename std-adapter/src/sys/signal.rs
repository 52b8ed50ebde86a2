//! What runs in a signal handler, and the dispositions around it.
//!
//! Signal-hook's registry owns the process's handler and runs our action among others. Two things
//! it does not do are done here:
//!
//! - **Restoring.** After its last action is gone the registry keeps its handler in place, and
//!   the signal is ignored from then on. We remember the disposition that its handler replaced
//!   and put it back with our last hook of that signal; at the next hook the registry's handler
//!   is put in place again.
//! - **Knowing when not to.** If the registry's handler was there before our first hook, or
//!   somebody else's handler has replaced it since, the disposition is not ours to change.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{io, mem, ptr};

use libc::sigaction;
use signal_hook::SigId;
use signal_hook::low_level;

use super::errno::preserved;
use super::notify::notifier;
use crate::Event;

/// No signal has this number.
const NONE: i32 = 0;

/// What the handlers of one guard share: the first signal that arrived, and what to tell of it.
pub(crate) struct Arrivals {
    first: AtomicI32,
    notify: Box<dyn Fn() + Send + Sync>,
}

impl Arrivals {
    /// Nothing has arrived; arrivals will set `event`.
    pub(crate) fn new(event: &'static Event) -> io::Result<Arc<Self>> {
        Ok(Arc::new(Self {
            first: AtomicI32::new(NONE),
            notify: Box::new(notifier(event)?),
        }))
    }

    /// The first signal that arrived.
    pub(crate) fn first(&self) -> Option<i32> {
        // ORDERING: Relaxed: the number stands for itself. Whoever comes here because the event
        // was set sees it: `arrive` stores it before `Event::set`, which publishes it.
        let first = self.first.load(Ordering::Relaxed);
        (first != NONE).then_some(first)
    }

    /// The whole of the handler: async-signal-safe, and leaves `errno` alone.
    fn arrive(&self, signal: i32) {
        preserved(|| {
            // ORDERING: Relaxed: see `first`; that only one arrival is the first takes no more
            // than the atomicity of the exchange.
            let exchange =
                self.first
                    .compare_exchange(NONE, signal, Ordering::Relaxed, Ordering::Relaxed);
            if exchange.is_err() {
                // Comes back only for signals that by default are ignored or stop the process. It
                // cannot fail: `signal::on` turns away signals it does not know.
                let _ = low_level::emulate_default_handler(signal);
            }
            (self.notify)();
        });
    }
}

/// An action of ours for one signal. Dropping it removes the action.
pub(crate) struct Hook {
    signal: i32,
    action: SigId,
}

/// What we know of a signal that has hooks of ours.
struct Hooked {
    /// How many.
    hooks: usize,
    /// The disposition to put back with the last of them, if that is our business.
    before: Option<sigaction>,
}

/// Who has hooked what, and the registry's handler once it has been seen.
///
/// The lock is taken to hook and unhook, never in a handler.
struct Table {
    hooked: BTreeMap<i32, Hooked>,
    registry: Option<sigaction>,
}

static TABLE: Mutex<Table> = Mutex::new(Table {
    hooked: BTreeMap::new(),
    registry: None,
});

fn table() -> MutexGuard<'static, Table> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hook {
    /// Reports arrivals of `signal` to `arrivals` from now on.
    ///
    /// The caller has ruled out the signals that signal-hook refuses.
    pub(crate) fn new(signal: i32, arrivals: &Arc<Arrivals>) -> io::Result<Self> {
        let mut table = table();
        let before = disposition(signal)?;
        let action = {
            let arrivals = Arc::clone(arrivals);
            // SAFETY: `arrive` makes atomic accesses and async-signal-safe system calls only, and
            // does not panic, lock or allocate.
            unsafe { low_level::register(signal, move || arrivals.arrive(signal)) }?
        };
        match table.install(signal, before) {
            Ok(()) => Ok(Self { signal, action }),
            Err(error) => {
                low_level::unregister(action);
                Err(error)
            }
        }
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        let mut table = table();
        // Before the action goes, so that no signal falls between the two.
        table.uninstall(self.signal);
        low_level::unregister(self.action);
    }
}

impl Table {
    /// Counts a hook of `signal`, whose disposition was `before` until its action was registered,
    /// and sees to it that the registry's handler is in place.
    fn install(&mut self, signal: i32, before: sigaction) -> io::Result<()> {
        if let Some(hooked) = self.hooked.get_mut(&signal) {
            hooked.hooks += 1;
            return Ok(());
        }
        let mut after = disposition(signal)?;
        if !same_handler(&before, &after) {
            self.registry = Some(after);
        } else if let Some(registry) = self.registry {
            // The registry thinks that its handler is in place, but we took it away.
            set_disposition(signal, &registry)?;
            after = registry;
        }
        let before = (!same_handler(&before, &after)).then_some(before);
        self.hooked.insert(signal, Hooked { hooks: 1, before });
        Ok(())
    }

    /// Takes back one `install`; with the last one, the disposition is restored.
    fn uninstall(&mut self, signal: i32) {
        let Some(hooked) = self.hooked.get_mut(&signal) else {
            return;
        };
        hooked.hooks -= 1;
        if hooked.hooks > 0 {
            return;
        }
        let before = hooked.before;
        self.hooked.remove(&signal);
        if let (Some(before), Some(registry)) = (before, self.registry) {
            let ours = disposition(signal).is_ok_and(|now| same_handler(&now, &registry));
            if ours {
                // It cannot fail: the kernel gave us this disposition for this signal.
                let _ = set_disposition(signal, &before);
            }
        }
    }
}

fn same_handler(one: &sigaction, other: &sigaction) -> bool {
    one.sa_sigaction == other.sa_sigaction
}

fn disposition(signal: i32) -> io::Result<sigaction> {
    // SAFETY: a plain C structure, of which zero is a value.
    let mut current = unsafe { mem::zeroed() };
    // SAFETY: the new disposition is absent, the old one is written to a structure of ours.
    match unsafe { libc::sigaction(signal, ptr::null(), &raw mut current) } {
        0 => Ok(current),
        _ => Err(io::Error::last_os_error()),
    }
}

fn set_disposition(signal: i32, new: &sigaction) -> io::Result<()> {
    // SAFETY: `new` is a disposition that the kernel has reported for this signal, so its handler
    // is one that code of this process put there.
    match unsafe { libc::sigaction(signal, new, ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicI32;

    use errno::{Errno, errno, set_errno};

    use super::{Arrivals, NONE};

    #[test]
    fn the_handler_leaves_errno_alone() {
        let arrivals = Arc::new(Arrivals {
            first: AtomicI32::new(NONE),
            notify: Box::new(|| set_errno(Errno(1))),
        });
        set_errno(Errno(4321));
        arrivals.arrive(libc::SIGUSR1);
        assert_eq!(errno(), Errno(4321));
        assert_eq!(arrivals.first(), Some(libc::SIGUSR1));
    }
}
