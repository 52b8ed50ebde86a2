//! Telling an event from a signal handler, where waking a thread is async-signal-safe: at once.

use std::io;

use crate::Event;

/// What a handler calls to have `event` set; async-signal-safe, apart from `errno`.
#[allow(clippy::unnecessary_wraps, reason = "the other backend can fail")]
pub(super) fn notifier(event: &'static Event) -> io::Result<impl Fn() + Send + Sync + 'static> {
    Ok(move || event.set())
}
