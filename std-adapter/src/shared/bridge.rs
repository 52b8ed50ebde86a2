//! How tasks wait by a bell: a thread sleeps for them.
//!
//! The kernel wakes threads, and knows of no tasks. So for each bell that tasks of this process wait by
//! there is a thread, named `brigade-bridge`, that sleeps by it and wakes the tasks when it is
//! rung: all of them, each of which looks again. It is started when the first waits, and ends when none has
//! waited for a second.
//!
//! ```text
//!     task                                     bridge
//!     key = announce                           key = announce
//!     leave the waker, with the key            take out and wake all with another key
//!     is it there?                             sleep until the word is not key any more
//! ```
//!
//! Whoever has left a key other than the bridge's has missed nothing: if the bell was rung between the two,
//! either the bridge finds another key when it looks, or the word has changed before it falls asleep.
//!
//! **A wake-up that nobody here needs is passed on.** A ring may be meant for one sleeper only, and the
//! bridge is one in the kernel's eyes. If it is woken and there is no task to tell, because those it slept
//! for were dropped, it rings once more, for another sleeper; so does a task that was told and is dropped
//! before it could make use of that.

use std::future::Future;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::bell::Key;
use super::room::Room;
use crate::sys::mask;

/// How long a bridge without tasks stays.
const LINGER: Duration = Duration::from_secs(1);

/// The tasks of this process that wait by one bell.
#[derive(Debug, Default)]
pub(crate) struct Bridge {
    tasks: Mutex<Tasks>,
    /// A task has come.
    come: Condvar,
}

#[derive(Debug, Default)]
struct Tasks {
    waiting: Vec<Waiting>,
    next: u64,
    /// Whether the thread is there.
    manned: bool,
}

#[derive(Debug)]
struct Waiting {
    number: u64,
    key: Key,
    waker: Waker,
}

impl Bridge {
    fn lock(&self) -> MutexGuard<'_, Tasks> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves a waker; `None` if there is nobody to wake it.
    fn enter(room: &Arc<Room>, bell: usize, key: Key, waker: &Waker) -> Option<u64> {
        let waker = waker.clone();
        let bridge = room.bridge(bell);
        let mut tasks = bridge.lock();
        if !tasks.manned {
            let room = Arc::clone(room);
            let started = mask::while_all_are_blocked(|| {
                std::thread::Builder::new()
                    .name("brigade-bridge".into())
                    .spawn(move || keep(&room, bell))
            });
            started.ok()?.ok()?;
            tasks.manned = true;
        }
        let number = tasks.next;
        tasks.next += 1;
        tasks.waiting.push(Waiting { number, key, waker });
        bridge.come.notify_one();
        Some(number)
    }

    /// Takes a waker back; says whether it was still there. If not, the bridge has taken it, and a
    /// wake-up maybe, for this task.
    fn leave(&self, number: u64) -> bool {
        let mut tasks = self.lock();
        let place = tasks.waiting.iter().position(|it| it.number == number);
        let waiting = place.map(|place| tasks.waiting.swap_remove(place));
        drop(tasks);
        // Dropped here, not under the lock: it may run code of the executor's.
        waiting.is_some()
    }
}

/// What the thread does.
fn keep(room: &Room, bell: usize) {
    let bridge = room.bridge(bell);
    let mut was_asleep = false;
    loop {
        let mut tasks = bridge.lock();
        if tasks.waiting.is_empty() && !was_asleep {
            let none = |tasks: &mut Tasks| tasks.waiting.is_empty();
            let waited = bridge.come.wait_timeout_while(tasks, LINGER, none);
            tasks = waited.unwrap_or_else(PoisonError::into_inner).0;
            if tasks.waiting.is_empty() {
                tasks.manned = false;
                return;
            }
        }
        let key = room.bell(bell).announce();
        let (woken, waiting) = mem::take(&mut tasks.waiting)
            .into_iter()
            .partition::<Vec<_>, _>(|it| it.key != key);
        tasks.waiting = waiting;
        let sleeps = !tasks.waiting.is_empty();
        drop(tasks);
        if was_asleep && woken.is_empty() {
            room.ring(bell, 1);
        }
        for it in woken {
            // One that panics, which has been reported by then, is no trouble of the others'.
            let _ = catch_unwind(AssertUnwindSafe(|| it.waker.wake()));
        }
        was_asleep = sleeps;
        if sleeps {
            room.sleep(bell, key, None);
        }
    }
}

/// Waits until an attempt succeeds: see [`Room::wait_async`].
#[must_use = "futures do nothing unless they are awaited"]
pub(crate) struct WaitAsync<A> {
    room: Arc<Room>,
    bell: usize,
    attempt: A,
    /// Our waker, at the bridge.
    number: Option<u64>,
}

impl<A> WaitAsync<A> {
    pub(super) fn new(room: Arc<Room>, bell: usize, attempt: A) -> Self {
        Self {
            room,
            bell,
            attempt,
            number: None,
        }
    }

    /// Takes our waker back; says whether the bridge had taken it.
    fn take_back(&mut self) -> bool {
        let number = self.number.take();
        number.is_some_and(|number| !self.room.bridge(self.bell).leave(number))
    }

    /// No wake-up is of use any more.
    fn leave(&mut self) {
        if self.take_back() {
            self.room.ring(self.bell, 1);
        }
    }
}

impl<R, A: FnMut() -> Option<R> + Unpin> Future for WaitAsync<A> {
    type Output = R;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<R> {
        let this = &mut *self;
        // What the bridge was woken for came before this attempt.
        this.take_back();
        if let Some(output) = (this.attempt)() {
            return Poll::Ready(output);
        }
        let key = this.room.bell(this.bell).announce();
        this.room.ensure_watched();
        this.number = Bridge::enter(&this.room, this.bell, key, context.waker());
        if let Some(output) = (this.attempt)() {
            this.leave();
            return Poll::Ready(output);
        }
        if this.number.is_none() {
            // No thread could be started: the task has to look by itself.
            context.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

impl<A> Drop for WaitAsync<A> {
    fn drop(&mut self) {
        self.leave();
    }
}
