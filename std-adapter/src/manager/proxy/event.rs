//! [`Event`]: an event that a manager owns.

use std::time::{Duration, Instant};

use super::super::protocol::ToEvent;
use super::{Client, Create, Error, Proxy, Reply, Request, done, flag, kind, until};

/// A flag that processes wait for until one of them sets it: what Python calls `manager.Event()`.
///
/// Made by [`Client::event`]. Once set it stays set, and lets every waiter through, until it is
/// [cleared](Self::clear).
///
/// # Where it may be used
///
/// In threads: each operation is a message to the manager and its answer. Not in signal handlers; in a task
/// it blocks the executor's thread.
///
/// # Errors
///
/// All operations fail if the event was deleted or the manager is gone.
///
/// # Example
///
/// ```
/// use std::time::Duration;
/// use brigade::Manager;
///
/// let manager = Manager::start()?;
/// let ready = manager.event()?;
/// let setter = ready.clone();
/// std::thread::spawn(move || setter.set());
/// assert!(ready.wait_timeout(Duration::from_secs(10))?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type Event = Proxy<kind::Event>;

impl Client {
    /// A new event that is not set.
    ///
    /// # Errors
    ///
    /// If the manager has as many objects as it may, or is gone.
    pub fn event(&self) -> Result<Event, Error> {
        self.make(Create::Event)
    }
}

#[allow(clippy::missing_errors_doc)] // They are said at the type.
impl Event {
    fn ask<R>(
        &self,
        action: ToEvent,
        read: impl FnOnce(&Reply<'_>) -> Option<Result<R, Error>>,
    ) -> Result<R, Error> {
        self.client.call(&Request::Event(self.id, action), read)
    }

    /// Sets the event and wakes all who wait for it.
    pub fn set(&self) -> Result<(), Error> {
        self.ask(ToEvent::Set, done)
    }

    /// Makes the event not set. Those who waited when it was last set go on all the same.
    pub fn clear(&self) -> Result<(), Error> {
        self.ask(ToEvent::Clear, done)
    }

    /// Whether the event is set.
    pub fn is_set(&self) -> Result<bool, Error> {
        self.ask(ToEvent::IsSet, flag)
    }

    /// Waits until the event is set; returns at once if it is. Blocks.
    pub fn wait(&self) -> Result<(), Error> {
        self.ask(ToEvent::Wait(None), done)
    }

    /// Waits until the event is set or the time is up; says whether it was set. Blocks.
    pub fn wait_timeout(&self, timeout: Duration) -> Result<bool, Error> {
        match self.ask(ToEvent::Wait(Some(timeout)), done) {
            Ok(()) => Ok(true),
            Err(Error::Timeout) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Waits until the event is set or the deadline has passed; says whether it was set. Blocks.
    pub fn wait_deadline(&self, deadline: Instant) -> Result<bool, Error> {
        self.wait_timeout(until(deadline))
    }
}
