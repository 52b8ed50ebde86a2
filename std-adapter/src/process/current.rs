//! Who this process is: [`current_name`], [`is_child`], [`parent`].

#![forbid(unsafe_code)]

use std::sync::OnceLock;

/// A process that brigade has started, or that has started this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    pub(super) name: String,
    pub(super) pid: u32,
}

impl Info {
    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The system's number for it, which is used again for others when it has ended.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }
}

/// What a child was told about itself.
pub(super) struct Current {
    pub(super) name: String,
    pub(super) parent: Info,
    pub(super) depth: u32,
}

static CURRENT: OnceLock<Current> = OnceLock::new();

/// This process is a child. Once.
pub(super) fn set(current: Current) {
    let _ = CURRENT.set(current);
}

/// How many processes this one has above it.
pub(super) fn depth() -> u32 {
    CURRENT.get().map_or(0, |current| current.depth)
}

/// What this process is called: what its [`Builder`](super::Builder) has given it, or `main` if brigade
/// has not started it. Never blocks.
///
/// Python's `current_process().name`. It goes well into log lines, together with the thread's.
///
/// # Example
///
/// ```
/// use brigade::process;
///
/// assert_eq!(process::current_name(), "main");
/// let child = process::Builder::new()
///     .name("poet")
///     .start(|()| process::current_name().to_owned(), ())?;
/// assert_eq!(child.join()?, "poet");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn current_name() -> &'static str {
    CURRENT.get().map_or("main", |current| &current.name)
}

/// Whether brigade has started this process. Never blocks.
///
/// # Example
///
/// ```
/// use brigade::{Process, process};
///
/// assert!(!process::is_child());
/// assert!(Process::start(|()| process::is_child(), ())?.join()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn is_child() -> bool {
    CURRENT.get().is_some()
}

/// The process that has started this one, if brigade did: Python's `parent_process()`. Never blocks.
///
/// # Example
///
/// ```
/// use brigade::{Process, process};
///
/// assert!(process::parent().is_none());
/// let child = Process::start(|()| process::parent().map(|parent| parent.pid()), ())?;
/// assert_eq!(child.join()?, Some(std::process::id()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn parent() -> Option<&'static Info> {
    CURRENT.get().map(|current| &current.parent)
}
