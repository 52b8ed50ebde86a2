//! [`CallBell`]: what the supervisor sleeps on.

#![forbid(unsafe_code)]

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::task::Wake;
use std::time::Duration;

/// See the [module](self).
#[derive(Default)]
pub(super) struct CallBell {
    called: Mutex<bool>,
    heard: Condvar,
}

impl CallBell {
    pub(super) fn ring(&self) {
        *self.called.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.heard.notify_one();
    }

    /// Sleeps until it was rung since the last time, or this much time has passed.
    pub(super) fn await_ring(&self, timeout: Option<Duration>) {
        let called = self.called.lock().unwrap_or_else(PoisonError::into_inner);
        let mut called = match timeout {
            None => self
                .heard
                .wait_while(called, |called| !*called)
                .unwrap_or_else(PoisonError::into_inner),
            Some(timeout) => {
                self.heard
                    .wait_timeout_while(called, timeout, |called| !*called)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0
            }
        };
        *called = false;
    }
}

impl Wake for CallBell {
    fn wake(self: Arc<Self>) {
        self.ring();
    }
}
