//! [`Staff`]: the worker processes, and who sees to it that there are enough.
//!
//! ```text
//!     supervisor: sleep --+--> a worker has ended: what of its task? (bury.rs)
//!                   ^     +--> a task takes too long (watchdog.rs)
//!                   |     +--> something does not go on (patrol.rs)
//!                   |     +--> more tasks than workers, or one has gone: start another
//!                   |     '--> the pool is over: end
//!                   +-----------+
//! ```
//!
//! One thread does all of it, and runs no code of users. It is woken by the kernel's word that a worker
//! has ended, and by those who submit when there are more tasks than workers.
//!
//! Workers that come to nothing are not replaced for ever. Each such one makes the pause longer until the
//! next is started. If their initializer fails, [`FAILURES`] in a row are enough; if they cannot be
//! started, or die before they had a task, that may pass, so it takes more, [`SETBACKS`]. The pool then
//! does with those that it has; if it has none, the tasks that wait are told. The next task that is
//! submitted is another reason to try.

#![forbid(unsafe_code)]

use std::future::Future;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use super::call_bell::CallBell;
use super::hall::Stage;
use super::hub::Hub;
use super::spool::Spool;
use super::worker::{self, End, Orders};
use crate::Event;
use crate::process::{self, Child, JoinError, StartError};
use crate::shared::travel::Attachments;
use crate::sys::pidfd::Stop;

/// So many workers in a row whose initializer fails are enough.
const FAILURES: u32 = 3;

/// So many workers in a row that cannot be started, or die before they had a task, are enough.
const SETBACKS: u32 = 10;

/// How long to wait after the first that comes to nothing; twice as long after each further one.
const SHORTEST_PAUSE: Duration = Duration::from_millis(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How long workers have to end when there is nothing left to do, before they are killed. What they do
/// then is run the exit handlers of the user, if anything.
const GRACE: Duration = Duration::from_secs(2);

/// See the [module](self).
pub(super) struct Staff {
    pub(super) min: usize,
    pub(super) max: usize,
    name: String,
    orders: Orders,
    seats: Mutex<Box<[Seat]>>,
    /// What workers write long answers to, by their numbers.
    spools: Box<[Spool]>,
    bell: Arc<CallBell>,
    live: AtomicUsize,
    /// No more are started until another task comes: too many have come to nothing.
    barren: AtomicBool,
    /// Which of them have finished a task.
    have_worked: Box<[AtomicBool]>,
    /// No more are started, and there are to be none. Set under the lock of the seats.
    stopped: AtomicBool,
    /// What the argument of the initializer refers to.
    _attachments: Attachments,
    ended: Event,
}

/// The place of a worker.
#[derive(Default)]
pub(super) struct Seat {
    pub(super) worker: Option<Worker>,
}

pub(super) struct Worker {
    pub(super) child: Arc<Child>,
    /// It was seen idle and stopped while a task waited.
    pub(super) is_stopped: bool,
    /// It was killed when it had no task, and has begun none.
    pub(super) is_dismissed: bool,
    pub(super) end: Pin<Box<dyn Future<Output = Result<End, JoinError>> + Send>>,
}

/// What the supervisor remembers.
#[derive(Default)]
pub(super) struct Record {
    /// How many workers in a row have had an initializer that failed.
    pub(super) failures: u32,
    /// How many in a row could not be started, or died before they had a task.
    pub(super) setbacks: u32,
    /// Why the last one came to nothing.
    reason: String,
    /// How long the last pause was, and until when it is.
    pause: Duration,
    until: Option<Instant>,
}

impl Record {
    /// A worker has come to nothing; whether that is enough.
    fn note(&mut self, reason: String) -> bool {
        self.reason = reason;
        self.pause = (2 * self.pause).clamp(SHORTEST_PAUSE, LONGEST_PAUSE);
        self.until = Some(Instant::now() + self.pause);
        let is_enough = self.failures >= FAILURES || self.setbacks >= SETBACKS;
        if is_enough {
            (self.failures, self.setbacks) = (0, 0);
        }
        is_enough
    }

    /// How long the pause still is.
    fn pause(&self) -> Option<Duration> {
        let left = self.until?.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }
}

impl Staff {
    pub(super) fn new(
        min: usize,
        max: usize,
        name: String,
        orders: Orders,
        spools: Box<[Spool]>,
        attachments: Attachments,
    ) -> Self {
        Self {
            min,
            max,
            name,
            orders,
            seats: Mutex::new((0..max).map(|_| Seat::default()).collect()),
            spools,
            bell: Arc::default(),
            live: AtomicUsize::new(0),
            barren: AtomicBool::new(false),
            have_worked: (0..max).map(|_| AtomicBool::new(false)).collect(),
            stopped: AtomicBool::new(false),
            _attachments: attachments,
            ended: Event::new(),
        }
    }

    pub(super) fn seats(&self) -> MutexGuard<'_, Box<[Seat]>> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives back what the worker of this number was writing when it ended.
    pub(super) fn clear_spool(&self, worker: usize) {
        self.spools[worker].clear();
    }

    pub(super) fn spool(&self, worker: usize) -> Option<&Spool> {
        self.spools.get(worker)
    }

    /// Whether another worker is to be started for so many tasks, of which one was just submitted.
    pub(super) fn are_too_few(&self, outstanding: usize) -> bool {
        // ORDERING: Relaxed: the supervisor looks again after each change of its own.
        let live = self.live.load(Relaxed);
        let are_too_few = live < self.max && live < outstanding;
        if are_too_few && self.barren.load(Relaxed) {
            // ORDERING: Relaxed: if the supervisor has just set it, it has yet to look at this task.
            self.barren.store(false, Relaxed);
        }
        are_too_few
    }

    /// A worker has finished a task.
    pub(super) fn note_work(&self, worker: usize) {
        if let Some(has_worked) = self.have_worked.get(worker) {
            // ORDERING: Relaxed, both: a hint. It is seldom written, as others look at it.
            if !has_worked.load(Relaxed) {
                has_worked.store(true, Relaxed);
            }
        }
    }

    /// Whether the worker that has this number now has finished a task.
    pub(super) fn has_worked(&self, worker: usize) -> bool {
        // ORDERING: Relaxed: see `note_work`.
        self.have_worked[worker].load(Relaxed)
    }

    /// A worker has ended, and all that it had has been seen to: its number is free.
    pub(super) fn vacate(&self, worker: usize) {
        self.seats()[worker].worker = None;
        // ORDERING: Relaxed: as in `hire`.
        self.live.fetch_sub(1, Relaxed);
    }

    /// Has the supervisor look when it is woken.
    pub(super) fn waker(&self) -> Waker {
        Waker::from(Arc::clone(&self.bell))
    }

    /// Has the supervisor look.
    pub(super) fn call(&self) {
        self.bell.ring();
    }

    /// Kills a worker, if it is still the one that is meant.
    pub(super) fn kill(&self, worker: usize, is_meant: impl Fn() -> bool) {
        let seats = self.seats();
        if let Some(worker) = seats.get(worker).and_then(|seat| seat.worker.as_ref()) {
            if is_meant() {
                let _ = worker.child.stop(Stop::Kill);
            }
        }
    }

    /// Kills all workers, whatever they do; no more are hired.
    pub(super) fn kill_all(&self) {
        let seats = self.seats();
        // ORDERING: Relaxed: the lock orders it.
        self.stopped.store(true, Relaxed);
        for worker in seats.iter().filter_map(|seat| seat.worker.as_ref()) {
            let _ = worker.child.stop(Stop::Kill);
        }
    }

    /// There will be no supervisor.
    pub(super) fn give_up(&self) {
        self.ended.set();
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.is_set()
    }

    pub(super) fn live(&self) -> usize {
        // ORDERING: Relaxed: a number to look at.
        self.live.load(Relaxed)
    }

    /// The system's numbers of the workers.
    pub(super) fn pids(&self) -> Vec<u32> {
        let seats = self.seats();
        let workers = seats.iter().filter_map(|seat| seat.worker.as_ref());
        workers.map(|worker| worker.child.pid()).collect()
    }
}

impl Hub {
    /// Starts a worker in the first seat that is free.
    pub(super) fn hire(&self) -> Result<usize, StartError> {
        let staff = &self.staff;
        // Held until the worker has its seat: it may have begun with a task by then, and be killed
        // for that.
        let mut seats = staff.seats();
        let free = seats.iter().position(|seat| seat.worker.is_none());
        let number = free.expect("no more are hired than there are seats");
        self.hall.set_stage(number, Stage::Starting);
        // ORDERING: Relaxed: see `note_work`.
        staff.have_worked[number].store(false, Relaxed);
        self.hall.dismissal(number).take_back();
        let orders = Orders {
            number,
            answers: staff.spools[number].descriptor(),
            ..staff.orders.clone()
        };
        // ORDERING: Relaxed, here and below: only one thread at a time hires.
        staff.live.fetch_add(1, Relaxed);
        let started = process::Builder::new()
            .name(format!("{}-{number}", staff.name))
            .ignore_interrupts()
            .stdin(Stdio::null())
            .start(worker::work, orders.to_fields());
        let process = started.inspect_err(|_| {
            staff.live.fetch_sub(1, Relaxed);
        })?;
        let mut worker = Worker {
            child: Arc::clone(process.child()),
            is_stopped: false,
            is_dismissed: false,
            end: Box::pin(process.join_async()),
        };
        // So that we are called when it ends.
        let waker = staff.waker();
        let polled = worker.end.as_mut().poll(&mut Context::from_waker(&waker));
        if let Poll::Ready(end) = polled {
            worker.end = Box::pin(std::future::ready(end));
            staff.call();
        }
        // ORDERING: Relaxed: the lock orders it.
        if staff.stopped.load(Relaxed) {
            let _ = worker.child.stop(Stop::Kill);
        }
        seats[number].worker = Some(worker);
        drop(seats);
        self.counts.started();
        Ok(number)
    }

    /// Waits until a worker takes tasks; otherwise says why it does not.
    pub(super) fn await_ready(&self, number: usize) -> Result<(), String> {
        const LOOK: Duration = Duration::from_millis(20);

        loop {
            match self.hall.stage(number) {
                Stage::Starting => {}
                Stage::Ready | Stage::Retired => return Ok(()),
                Stage::Failed => break,
            }
            let seats = self.staff.seats();
            let worker = seats[number].worker.as_ref();
            if worker.is_none_or(|worker| worker.child.exit().is_some()) {
                break;
            }
            drop(seats);
            // A worker that dies wakes nobody.
            let deadline = Instant::now() + LOOK;
            self.hall.await_stage(number, Some(deadline));
        }
        let worker = self.staff.seats()[number].worker.take();
        let Some(worker) = worker else {
            return Err("the worker process ended".into());
        };
        // ORDERING: Relaxed: as in `hire`.
        self.staff.live.fetch_sub(1, Relaxed);
        // As a task is told, which `end` is.
        worker.child.told().wait();
        let mut end = worker.end;
        match end.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(end) => Err(why(end)),
            Poll::Pending => Err("the worker process ended".into()),
        }
    }

    /// What the supervisor does, until the pool has ended.
    pub(super) fn supervise(&self) {
        let mut record = Record::default();
        let mut next_round = None;
        let mut closing_time = None;
        loop {
            self.bury_all(&mut record);
            let next_look = self.watchdog.look(self);
            let pause = self.fill_seats(&mut record);
            let patrol = self.patrol(&mut next_round);
            let mut timeouts = [next_look, pause, patrol, None];
            if self.is_over() {
                if self.staff.live() == 0 {
                    break;
                }
                timeouts[3] = self.see_out(&mut closing_time);
            }
            self.staff
                .bell
                .await_ring(timeouts.into_iter().flatten().min());
        }
        self.staff.ended.set();
        // Both, whatever a worker has overwritten.
        self.hall.collector().disturb();
        self.hall.driver().disturb();
    }

    /// Kills the workers that do not go although there is nothing left to do; how long they have.
    fn see_out(&self, closing_time: &mut Option<Instant>) -> Option<Duration> {
        let now = Instant::now();
        let left = closing_time
            .get_or_insert(now + GRACE)
            .saturating_duration_since(now);
        if !left.is_zero() {
            return Some(left);
        }
        let seats = self.staff.seats();
        for worker in seats.iter().filter_map(|seat| seat.worker.as_ref()) {
            let _ = worker.child.stop(Stop::Kill);
        }
        None
    }

    /// Starts as many workers as are wanted; how long until it is to be tried again.
    fn fill_seats(&self, record: &mut Record) -> Option<Duration> {
        let staff = &self.staff;
        loop {
            let outstanding = self.outstanding();
            let wanted = if self.is_closed() {
                outstanding.min(staff.max)
            } else {
                outstanding.clamp(staff.min, staff.max)
            };
            let live = staff.live();
            // ORDERING: Relaxed: the lock of the seats decides.
            if live >= wanted || staff.stopped.load(Relaxed) {
                return None;
            }
            // ORDERING: Relaxed: whoever takes it back calls afterwards.
            if staff.barren.load(Relaxed) {
                if live == 0 {
                    self.give_up(&record.reason);
                }
                return None;
            }
            if let Some(pause) = record.pause() {
                return Some(pause);
            }
            if let Err(error) = self.hire() {
                record.setbacks += 1;
                self.counts.failed_start();
                self.note_setback(record, error.to_string());
            }
        }
    }

    pub(super) fn note_setback(&self, record: &mut Record, reason: String) {
        if record.note(reason) {
            // ORDERING: Relaxed: see `are_too_few`; we look at the tasks afterwards.
            self.staff.barren.store(true, Relaxed);
        }
    }
}

/// Why a worker has come to nothing.
pub(super) fn why(end: Result<End, JoinError>) -> String {
    match end {
        Ok(Err(reason)) => reason,
        Ok(Ok(())) => "the worker process ended".into(),
        Err(error) => error.to_string(),
    }
}
