//! Whose handler a signal has: how ours gets in, passes on to others, and gets out again.
//!
//! ```text
//!     installed over another:            one that comes later, and passes on:
//!
//!     kernel --> ours --> former         kernel --> later --> ours --> former
//! ```
//!
//! - **In.** What was there before is remembered. If it is a handler, ours calls it first, with all
//!   that it would get from the kernel, so its owner notices nothing.
//! - **Out.** If ours is still what the kernel calls, the disposition of before is put back.
//! - **Buried.** If not, somebody has installed a handler over ours, and may call it for ever. It
//!   stays as it is, and ours goes on passing signals to the former one.
//! - **In again over one that lies over us.** If it calls us, it does so while we call it. The inner
//!   call is noticed ([`Handling`]), and goes on to what was there before all.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{io, mem, ptr};

use libc::{c_int, c_void, sigaction, siginfo_t};
use signal_hook::low_level;

use super::errno::preserved;
use super::handler::Handling;
use super::signal::{Verdict, arrived};

/// Signals that we know have lower numbers.
const SIGNALS: usize = 32;

/// The bit that stands for a signal in a set; none for a number that is too high.
pub(crate) fn bit(signal: i32) -> u32 {
    u32::try_from(signal)
        .ok()
        .and_then(|shift| 1_u32.checked_shl(shift))
        .unwrap_or(0)
}

/// The set of these signals.
pub(crate) fn set_of(signals: &[i32]) -> u32 {
    signals.iter().fold(0, |set, &signal| set | bit(signal))
}

/// A handler, in the form in which ours reads it. One word at most holds a function.
struct Former {
    /// `SIG_DFL`, which is 0, `SIG_IGN`, or a function that takes the signal.
    plain: AtomicUsize,
    /// A function that takes all there is, or 0.
    informed: AtomicUsize,
    /// Whether it is called each time (`LASTING`), or just once (`ONCE`) and has been (`SPENT`).
    turn: AtomicU8,
}

const LASTING: u8 = 0;
/// It was installed with `SA_RESETHAND`: after its first signal comes the default action.
const ONCE: u8 = 1;
const SPENT: u8 = 2;

impl Former {
    const fn new() -> Self {
        Self {
            plain: AtomicUsize::new(libc::SIG_DFL),
            informed: AtomicUsize::new(0),
            turn: AtomicU8::new(LASTING),
        }
    }

    fn set(&self, action: &sigaction) {
        let function = action.sa_sigaction;
        let is_function = ![libc::SIG_DFL, libc::SIG_IGN].contains(&function);
        let informed = is_function && action.sa_flags & libc::SA_SIGINFO != 0;
        let once = is_function && action.sa_flags & libc::SA_RESETHAND != 0;
        let (plain, informed) = if informed {
            (libc::SIG_DFL, function)
        } else {
            (function, 0)
        };
        // ORDERING: Relaxed, here and below: the words stand for themselves. A handler that runs
        // while they change finds a function that is, or just was, in its place.
        self.plain.store(plain, Ordering::Relaxed);
        self.informed.store(informed, Ordering::Relaxed);
        self.turn
            .store(if once { ONCE } else { LASTING }, Ordering::Relaxed);
    }

    /// Calls it, if it is a function that may be called still.
    fn call(&self, signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
        // ORDERING: Relaxed: of several handlers the exchange lets one through.
        let turn = self
            .turn
            .compare_exchange(ONCE, SPENT, Ordering::Relaxed, Ordering::Relaxed);
        if turn == Err(SPENT) {
            return;
        }
        // ORDERING: Relaxed, see `set`.
        let informed = self.informed.load(Ordering::Relaxed);
        let plain = self.plain.load(Ordering::Relaxed);
        if informed != 0 {
            let function = ptr::with_exposed_provenance::<()>(informed);
            // SAFETY: the kernel has reported it as the handler of a signal, with `SA_SIGINFO`.
            let function = unsafe {
                mem::transmute::<*const (), extern "C" fn(c_int, *mut siginfo_t, *mut c_void)>(
                    function,
                )
            };
            function(signal, info, context);
        } else if plain != libc::SIG_DFL && plain != libc::SIG_IGN {
            let function = ptr::with_exposed_provenance::<()>(plain);
            // SAFETY: the kernel has reported it as the handler of a signal, without `SA_SIGINFO`.
            let function = unsafe { mem::transmute::<*const (), extern "C" fn(c_int)>(function) };
            function(signal);
        }
    }

    /// Whether it was to be called once, and has been.
    fn is_spent(&self) -> bool {
        // ORDERING: Relaxed, see `set`.
        self.turn.load(Ordering::Relaxed) == SPENT
    }

    fn is_default(&self) -> bool {
        if self.is_spent() {
            return true;
        }
        // ORDERING: Relaxed, see `set`.
        self.informed.load(Ordering::Relaxed) == 0
            && self.plain.load(Ordering::Relaxed) == libc::SIG_DFL
    }
}

/// To whom our handler of a signal passes on.
struct Chain {
    /// What it was installed over.
    former: Former,
    /// What it was installed over when nobody called it.
    bottom: Former,
}

static CHAINS: [Chain; SIGNALS] = [const {
    Chain {
        former: Former::new(),
        bottom: Former::new(),
    }
}; SIGNALS];

fn chain(signal: c_int) -> Option<&'static Chain> {
    CHAINS.get(usize::try_from(signal).ok()?)
}

/// What the kernel calls: async-signal-safe, provided that what it passes on to is.
extern "C" fn handler(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    preserved(|| {
        // Nobody else calls it with a number of which we have no chain.
        let Some(chain) = chain(signal) else { return };
        let Some(handling) = Handling::begin(bit(signal)) else {
            return chain.bottom.call(signal, info, context);
        };
        // Its owner has it called once, and may count on the default action from then on.
        let spent = chain.former.is_spent();
        chain.former.call(signal, info, context);
        let verdict = arrived(signal, !spent);
        let default = match verdict {
            Verdict::Taken => false,
            Verdict::Default => true,
            // The last guard is being dropped, or was while a handler lay over ours that has gone
            // since. If there still is one, the signal is its business.
            Verdict::Nobody => {
                chain.former.is_default()
                    && disposition(signal).is_ok_and(|now| is_ours(&now) || is_default(&now))
            }
        };
        drop(handling);
        if default {
            // Comes back only for signals that by default are ignored or stop the process. It
            // cannot fail: `signal::on` turns away signals it does not know.
            let _ = low_level::emulate_default_handler(signal);
        }
    });
}

/// What we know of a signal that has had our handler.
struct Record {
    /// How many want it now.
    users: usize,
    /// What to put back with the last of them.
    before: sigaction,
    /// What was there when nobody called our handler.
    bottom: sigaction,
    /// Whether somebody else's handler may call ours without our doing.
    buried: bool,
}

impl Record {
    /// What has been called, and was to be called once, is not put back but the default.
    fn forget_spent(&mut self, chain: &Chain) {
        let former = chain.former.is_spent();
        // The former one is the bottom as long as ours has not been put over one that calls it.
        if chain.bottom.is_spent() || former && (self.users == 0 || !self.buried) {
            self.bottom = empty();
        }
        if former {
            self.before = empty();
        }
    }
}

/// Whose signals are handled by us. Locked to install and uninstall, never in a handler.
pub(super) struct Table(BTreeMap<i32, Record>);

static TABLE: Mutex<Table> = Mutex::new(Table(BTreeMap::new()));

pub(super) fn table() -> MutexGuard<'static, Table> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Table {
    /// Sees to it that our handler is in place, for one more user.
    pub(super) fn install(&mut self, signal: i32) -> io::Result<()> {
        let Some(chain) = chain(signal) else {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        };
        let now = disposition(signal)?;
        let record = self.0.entry(signal).or_insert(Record {
            users: 0,
            before: now,
            bottom: now,
            buried: false,
        });
        record.forget_spent(chain);
        if record.users == 0 {
            if is_ours(&now) {
                // What lay over us has gone, and left us in place.
                record.buried = false;
                record.before = record.bottom;
            } else {
                record.before = now;
                if !record.buried {
                    record.bottom = now;
                }
            }
            chain.bottom.set(&record.bottom);
            chain.former.set(&record.before);
            set_disposition(signal, &ours_over(&record.before))?;
        } else if !is_ours(&now) {
            // It lies over ours, and may keep signals to itself: the new user is to get them, too.
            record.buried = true;
            record.before = now;
            chain.former.set(&now);
            set_disposition(signal, &ours_over(&now))?;
        }
        record.users += 1;
        Ok(())
    }

    /// Takes back one `install`; with the last one, the disposition is restored if it is ours.
    pub(super) fn uninstall(&mut self, signal: i32) {
        let (Some(record), Some(chain)) = (self.0.get_mut(&signal), chain(signal)) else {
            return;
        };
        record.forget_spent(chain);
        record.users -= 1;
        if record.users > 0 {
            return;
        }
        if disposition(signal).is_ok_and(|now| is_ours(&now)) {
            // It cannot fail: the kernel gave us this disposition for this signal.
            let _ = set_disposition(signal, &record.before);
            if record.buried {
                // From now on it calls us, and not the other way around.
                chain.former.set(&record.bottom);
            }
        } else {
            record.buried = true;
        }
    }
}

/// Our handler, with what the one below it asks of the kernel for itself.
fn ours_over(below: &sigaction) -> sigaction {
    let mut ours = sigaction {
        sa_sigaction: handler as *const () as usize,
        ..empty()
    };
    let kept = libc::SA_ONSTACK | libc::SA_NOCLDSTOP | libc::SA_NOCLDWAIT;
    ours.sa_flags = libc::SA_RESTART | libc::SA_SIGINFO | below.sa_flags & kept;
    if below.sa_sigaction == libc::SIG_IGN {
        // To ignore SIGCHLD is to leave children to the kernel. Others take no notice of the flag.
        ours.sa_flags |= libc::SA_NOCLDWAIT;
    } else if below.sa_sigaction != libc::SIG_DFL {
        ours.sa_mask = below.sa_mask;
    }
    ours
}

fn is_ours(action: &sigaction) -> bool {
    action.sa_sigaction == handler as *const () as usize
}

fn is_default(action: &sigaction) -> bool {
    action.sa_sigaction == libc::SIG_DFL
}

fn empty() -> sigaction {
    // SAFETY: a plain C structure, of which zero is a value.
    unsafe { mem::zeroed() }
}

fn disposition(signal: i32) -> io::Result<sigaction> {
    let mut now = empty();
    // SAFETY: the new disposition is absent, the old one is written to a structure of ours.
    match unsafe { libc::sigaction(signal, ptr::null(), &raw mut now) } {
        0 => Ok(now),
        _ => Err(io::Error::last_os_error()),
    }
}

fn set_disposition(signal: i32, new: &sigaction) -> io::Result<()> {
    // SAFETY: `new` is our handler, which may run at any time, or a disposition that the kernel has
    // reported for this signal, so its handler is one that code of this process put there.
    match unsafe { libc::sigaction(signal, new, ptr::null_mut()) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use std::ptr;

    use errno::{Errno, errno, set_errno};

    use super::{CHAINS, empty, handler};

    extern "C" fn careless(_signal: libc::c_int) {
        set_errno(Errno(1));
    }

    #[test]
    fn the_handler_leaves_errno_alone() {
        let mut below = empty();
        below.sa_sigaction = careless as *const () as usize;
        // No test handles this signal, so nobody else uses its chain.
        CHAINS[libc::SIGXFSZ as usize].former.set(&below);
        set_errno(Errno(4321));
        handler(libc::SIGXFSZ, ptr::null_mut(), ptr::null_mut());
        assert_eq!(errno(), Errno(4321));
    }
}
