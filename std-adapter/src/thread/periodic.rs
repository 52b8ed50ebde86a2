//! [`repeat_until`] and [`Periodic`]: work at intervals, until a flag says stop.

#![forbid(unsafe_code)]

use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{fmt, io};

use super::{Builder, JoinError, JoinHandle};
use crate::Event;

/// Does `work` once every `period`, the first time after one period, until `stop` is set.
///
/// What is written `while not stop.wait(period): work()` in Python. It runs on the calling thread
/// and blocks it; `stop` ends the wait between two pieces of work at once, a piece that has begun is
/// finished. Set by [`signal::on`](crate::signal::on), it ends the loop at Ctrl-C.
///
/// Periods are counted from one due time to the next, so they do not drift. When a piece takes
/// longer than that, the next one is due at once, and those that were missed in between are not
/// made up for. A period of zero leaves no pause. Do not clear the event before the loop has ended:
/// it would miss a set that is cleared while it works.
///
/// # Panics
///
/// When `work` does.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use brigade::{Event, thread};
///
/// static STOP: Event = Event::new();
///
/// let mut rounds = 0;
/// thread::repeat_until(&STOP, Duration::from_millis(1), || {
///     rounds += 1;
///     if rounds == 3 {
///         STOP.set();
///     }
/// });
/// assert_eq!(rounds, 3);
/// ```
pub fn repeat_until(stop: &Event, period: Duration, mut work: impl FnMut()) {
    let mut due = Instant::now().checked_add(period);
    loop {
        match due {
            // For ever, as far as a clock can tell.
            None => return stop.wait(),
            Some(due) if stop.wait_deadline(due) => return,
            Some(_) => work(),
        }
        due = due.and_then(|due| due.checked_add(period));
        due = due.map(|due| due.max(Instant::now()));
    }
}

/// Does `work` once every `period` on a thread of its own, until it is told to stop.
///
/// As [`Builder::every`], with a name such as `periodic-3`.
///
/// # Errors
///
/// If the system cannot start the thread.
///
/// # Example
///
/// ```
/// use std::sync::Arc;
/// use std::time::Duration;
/// use brigade::{Event, thread};
///
/// let flushed = Arc::new(Event::new());
/// let flag = Arc::clone(&flushed);
/// let flusher = thread::every(Duration::from_millis(1), move || flag.set())?;
/// flushed.wait();
/// flusher.stop();
/// flusher.join()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn every<F>(period: Duration, work: F) -> io::Result<Periodic>
where
    F: FnMut() + Send + 'static,
{
    Builder::numbered("periodic").every(period, work)
}

/// A thread that works at intervals, from [`every`].
///
/// Dropping it stops the thread and waits for it to end; dropped by that thread itself, it only
/// stops it. If you have a stop event already, which several threads look at or a signal sets, call
/// [`repeat_until`] in a thread instead.
pub struct Periodic {
    stop: Arc<Event>,
    /// There until it is joined.
    thread: Option<JoinHandle<()>>,
}

impl Periodic {
    pub(super) fn start<F>(builder: Builder, period: Duration, work: F) -> io::Result<Self>
    where
        F: FnMut() + Send + 'static,
    {
        let stop = Arc::new(Event::new());
        let flag = Arc::clone(&stop);
        let thread = builder.spawn(move || repeat_until(&flag, period, work))?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }

    /// Has the thread end: at once if it waits, else when the work it is at is finished.
    ///
    /// Does not wait for that: [`join`](Self::join) does. May be called from any thread, also by the
    /// work, and more than once.
    pub fn stop(&self) {
        self.stop.set();
    }

    /// Waits until the thread has ended, which it does after a [`stop`](Self::stop) or by a panic.
    ///
    /// Blocks; without either, for ever.
    ///
    /// # Errors
    ///
    /// [`JoinError::Panicked`] if the work panicked, which has ended the thread;
    /// [`JoinError::WouldDeadlock`] at once if the calling thread is the one it would wait for.
    pub fn join(mut self) -> Result<(), JoinError> {
        match self.thread.take() {
            Some(thread) => thread.join(),
            None => Ok(()),
        }
    }

    /// Whether the thread has not ended. Never blocks.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.thread.as_ref().is_some_and(JoinHandle::is_alive)
    }
}

impl Drop for Periodic {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.stop();
            // A panic of the work has been reported by the panic hook.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Periodic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Periodic")
            .field("thread", &self.thread)
            .field("stopped", &self.stop.is_set())
            .finish()
    }
}
