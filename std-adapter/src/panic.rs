//! [`Panic`]: a panic as an error, and [`catch`], which makes one.
//!
//! What unwinds carries a payload; where it began only the panic hook is told. So there is a hook of
//! ours, which notes that for threads that are inside [`catch`] and calls the hook before it:
//!
//! ```text
//!     catch { closure { panic! ---> hook: note (place, fingerprint of the payload) } }
//!       |                 '------------ unwinds with the payload ------------'   |
//!       '--> Panic = payload + the last note that has its fingerprint <----------'
//! ```
//!
//! The fingerprint tells the panic that arrives from others that the closure has caught itself, in
//! the destructors that ran on the way, say, and from payloads that [`resume_unwind`] brings
//! without a hook.
//!
//! [`resume_unwind`]: std::panic::resume_unwind

#![forbid(unsafe_code)]

mod wire;

use std::any::{Any, TypeId};
use std::backtrace::{Backtrace, BacktraceStatus};
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::{Mutex, Once, OnceLock, PoisonError};
use std::{error, fmt, thread};

/// A panic that ended a task or a thread: what was said, where, and by which thread.
///
/// # Where the location comes from
///
/// A panic hook, which is put in front of the one that is there when the process's first
/// [`ThreadPool`](crate::ThreadPool) or [`thread`](crate::thread) of this crate is started, and calls
/// it. A hook that is set *before* stays in use; one that is set *later* should call the one it
/// replaces, as [`take_hook`](std::panic::take_hook) returns it: otherwise there are no
/// locations from then on, and nothing else changes.
///
/// # Example
///
/// ```
/// use brigade::{TaskError, ThreadPool};
///
/// let pool = ThreadPool::builder().name("poet").build()?;
/// let task = pool.submit(|| panic!("out of {}", "ideas"))?;
/// let Err(TaskError::Panicked(panic)) = task.result() else { unreachable!() };
/// assert_eq!(panic.message(), "out of ideas");
/// assert_eq!(panic.location().unwrap().file(), file!());
/// assert!(panic.thread().unwrap().starts_with("poet-"));
/// // thread 'poet-0' panicked at src/main.rs:5:27: out of ideas
/// println!("{panic}");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Panic(Box<Inner>);

/// Boxed, so that room for it in every task is that of a pointer.
struct Inner {
    message: Cow<'static, str>,
    location: Option<PanicLocation>,
    thread: Option<String>,
    trace: Option<Trace>,
    // For the lock's `Sync`: a payload need not be, and an error should.
    payload: Mutex<Box<dyn Any + Send>>,
}

/// A backtrace, and its text when it is asked for: to look up the names takes long.
struct Trace {
    /// `None` if it was taken in another process.
    taken: Option<Backtrace>,
    text: OnceLock<String>,
}

impl Trace {
    fn text(&self) -> &str {
        let taken = || {
            self.taken
                .as_ref()
                .map_or_else(String::new, Backtrace::to_string)
        };
        self.text.get_or_init(taken)
    }
}

impl Panic {
    fn new(payload: Box<dyn Any + Send>, note: Option<Note>) -> Self {
        let message = if let Some(&text) = payload.downcast_ref::<&'static str>() {
            text.into()
        } else if let Some(text) = payload.downcast_ref::<String>() {
            text.clone().into()
        } else {
            "a payload that is not text".into()
        };
        let (location, trace) = match note {
            Some(note) => (Some(note.location), note.trace),
            None => (None, None),
        };
        Self(Box::new(Inner {
            message,
            location,
            thread: thread::current().name().map(String::from),
            trace,
            payload: Mutex::new(payload),
        }))
    }

    /// What the panic said; a stand-in if its payload was not text.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Where in the source it began.
    ///
    /// `None` if that was not noted: the panic hook was replaced by one that does not call its
    /// predecessor, or the panic came from [`resume_unwind`](std::panic::resume_unwind) with a
    /// payload of its own, which tells no hook. What panics and is caught while this panic
    /// unwinds is not mistaken for it, unless it has the same type of payload and says the same;
    /// eight such panics later the location is forgotten.
    #[must_use]
    pub fn location(&self) -> Option<&PanicLocation> {
        self.0.location.as_ref()
    }

    /// The name of the thread that panicked, if it had one.
    #[must_use]
    pub fn thread(&self) -> Option<&str> {
        self.0.thread.as_deref()
    }

    /// Through which functions it came about, if backtraces are switched on where it happened.
    ///
    /// As in the standard library's messages, that is by the environment variable `RUST_BACKTRACE`,
    /// or `RUST_LIB_BACKTRACE` for those that are not printed. Without them, which is how it is by
    /// default, and wherever there is no [`location`](Self::location), it is `None`. It comes along from
    /// other processes. The first call looks up the names of the functions, which may take long; the names are
    /// then remembered.
    ///
    /// # Example
    ///
    /// ```
    /// use brigade::thread::{self, JoinError};
    ///
    /// let handle = thread::spawn(|| panic!("no luck"))?;
    /// let Err(JoinError::Panicked(panic)) = handle.join() else { unreachable!() };
    /// match panic.backtrace() {
    ///     Some(trace) => eprintln!("{panic}\n{trace}"),
    ///     None => eprintln!("{panic}"),
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn backtrace(&self) -> Option<&str> {
        self.0.trace.as_ref().map(Trace::text)
    }

    /// What the closure panicked with, to be looked into or thrown again by
    /// [`resume_unwind`](std::panic::resume_unwind).
    ///
    /// # Example
    ///
    /// ```
    /// use brigade::{TaskError, ThreadPool};
    ///
    /// let pool = ThreadPool::new()?;
    /// let task = pool.submit(|| std::panic::panic_any(404))?;
    /// let Err(TaskError::Panicked(panic)) = task.result() else { unreachable!() };
    /// assert_eq!(panic.into_payload().downcast_ref(), Some(&404));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn into_payload(self) -> Box<dyn Any + Send> {
        self.0
            .payload
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.thread() {
            Some(name) => write!(f, "thread '{name}' panicked")?,
            None => f.write_str("a thread panicked")?,
        }
        if let Some(location) = self.location() {
            write!(f, " at {location}")?;
        }
        write!(f, ": {}", self.message())
    }
}

impl fmt::Debug for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Panic")
            .field("message", &self.message())
            .field("location", &self.location())
            .field("thread", &self.thread())
            .finish_non_exhaustive()
    }
}

impl error::Error for Panic {}

/// Where in the source a [`Panic`] began; shown as `file:line:column`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PanicLocation {
    file: String,
    line: u32,
    column: u32,
}

impl PanicLocation {
    /// The file, as the compiler was given it.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The line, counted from 1.
    #[must_use]
    pub fn line(&self) -> u32 {
        self.line
    }

    /// The column, counted from 1.
    #[must_use]
    pub fn column(&self) -> u32 {
        self.column
    }
}

impl fmt::Display for PanicLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// How many panics inside one [`catch`] are remembered, the last ones.
const KEPT: usize = 8;

/// A panic that the hook has seen.
struct Note {
    fingerprint: Fingerprint,
    location: PanicLocation,
    trace: Option<Trace>,
}

/// What a payload can be told by, before and after it is boxed: its type, and a hash of its text.
#[derive(PartialEq, Eq)]
struct Fingerprint(TypeId, u64);

impl Fingerprint {
    fn of(payload: &(dyn Any + Send)) -> Self {
        let mut hash = DefaultHasher::new();
        if let Some(text) = payload.downcast_ref::<&'static str>() {
            text.hash(&mut hash);
        } else if let Some(text) = payload.downcast_ref::<String>() {
            text.hash(&mut hash);
        }
        Self(payload.type_id(), hash.finish())
    }
}

/// What a thread is inside of.
#[derive(Clone, Copy)]
struct Inside {
    /// Whether it is inside a [`catch`] at all.
    catch: bool,
    /// How many of the last [`NOTES`] are those of the innermost one.
    notes: usize,
}

thread_local! {
    /// Has no destructor, so that a catch without a panic costs two plain accesses.
    static INSIDE: Cell<Inside> = const { Cell::new(Inside { catch: false, notes: 0 }) };

    /// Those of a catch inside another are above the other's.
    static NOTES: RefCell<Vec<Note>> = const { RefCell::new(Vec::new()) };
}

/// Runs `action`, and makes an error of its panic.
///
/// Unwind safety is the caller's concern: what the action leaves behind is seen by those it shares
/// it with.
pub(crate) fn catch<T>(action: impl FnOnce() -> T) -> Result<T, Panic> {
    let inner = Inside {
        catch: true,
        notes: 0,
    };
    let outer = INSIDE.replace(inner);
    let result = catch_unwind(AssertUnwindSafe(action));
    let inner = INSIDE.replace(outer);
    let notes = if inner.notes == 0 {
        Vec::new()
    } else {
        take_notes(inner.notes)
    };
    result.map_err(|payload| {
        let fingerprint = Fingerprint::of(&*payload);
        let own = notes
            .into_iter()
            .rfind(|note| note.fingerprint == fingerprint);
        Panic::new(payload, own)
    })
}

#[cold]
fn take_notes(count: usize) -> Vec<Note> {
    // There are none left if the thread is ending and has dropped its locals.
    NOTES
        .try_with(|notes| {
            let mut notes = notes.borrow_mut();
            let first = notes.len() - count;
            notes.split_off(first)
        })
        .unwrap_or_default()
}

/// Puts the hook in place, the first time.
///
/// Whoever starts a thread or a pool calls this, and not [`catch`], so that it happens at a moment
/// that is known to users who set hooks as well.
pub(crate) fn note_locations() {
    static HOOK: Once = Once::new();

    // Hooks cannot be changed by a thread that panics: it leaves it to the next one.
    if HOOK.is_completed() || thread::panicking() {
        return;
    }
    HOOK.call_once(|| {
        let former = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            note(info);
            former(info);
        }));
    });
}

/// Must not panic.
fn note(info: &PanicHookInfo<'_>) {
    let (inside, Some(location)) = (INSIDE.get(), info.location()) else {
        return;
    };
    if !inside.catch {
        return;
    }
    let _ = NOTES.try_with(|notes| {
        let Ok(mut notes) = notes.try_borrow_mut() else {
            return;
        };
        if inside.notes == KEPT {
            let oldest = notes.len() - KEPT;
            notes.remove(oldest);
        } else {
            INSIDE.set(Inside {
                notes: inside.notes + 1,
                ..inside
            });
        }
        notes.push(Note {
            fingerprint: Fingerprint::of(info.payload()),
            location: PanicLocation {
                file: location.file().into(),
                line: location.line(),
                column: location.column(),
            },
            trace: trace(),
        });
    });
}

/// The calling thread's, if backtraces are switched on.
fn trace() -> Option<Trace> {
    let taken = Backtrace::capture();
    let is_there = taken.status() == BacktraceStatus::Captured;
    is_there.then(|| Trace {
        taken: Some(taken),
        text: OnceLock::new(),
    })
}
