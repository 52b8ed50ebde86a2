//! One task in memory: closure, then result, in a single allocation.
//!
//! The allocation has two owners, each with the side of it that it needs: the pool has a [`Job`],
//! which knows that there is something to run and not what comes of it; the task's owner has a
//! [`Promise<T>`], which knows what is to come and not how. How the two share the contents, and who
//! frees them, is the business of [`Handoff`].
//!
//! Code of the user's may panic wherever it runs. A closure's panic becomes the result; what panics
//! in being dropped or woken is [contained](contain) in a worker, and reaches the caller elsewhere.
//! Neither keeps a waiter waiting.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::mem::{self, ManuallyDrop};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::NonNull;
use std::task::{Poll, Waker};
use std::thread;
use std::time::Instant;

use super::handoff::{Fate, Handoff, Then};
use super::self_wait::Probe;
use super::task::TaskError;
use super::thread_pool::Tally;
use crate::Parker;
use crate::panic::catch;

/// The allocation.
type Work<F, T> = Handoff<Body<F, T>, Parker>;

/// What it holds.
enum Body<F, T> {
    /// To be run.
    Closure(F),
    /// What came of it.
    Result(Result<T, TaskError>),
    /// Taken out.
    Nothing,
}

/// A new task, as its two sides.
pub(super) fn new<F, T>(closure: F) -> (Job, Fresh<F, T>)
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    // Memory first: what is made before it is made on the stack and copied, which costs more than the
    // rest of this function.
    let mut work = Box::<Work<F, T>>::new_uninit();
    work.write(Handoff::new(Body::Closure(closure)));
    // SAFETY: it has just been written.
    let work = unsafe { work.assume_init() };
    let work = NonNull::from(Box::leak(work));
    let fresh = Fresh {
        promise: Promise { work },
        closure: PhantomData,
    };
    (Job { work }, fresh)
}

/// A new task for a thread of its own, as its two sides.
pub(crate) fn promised<F, T>(closure: F) -> (Job, Promise<T>)
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    let (job, fresh) = new(closure);
    (job, fresh.promise())
}

/// How one side's part in a task ended, and what is left to do about it.
struct Ending {
    fate: Fate,
    /// To be woken.
    waker: Option<Waker>,
    /// To be passed on.
    panic: Option<Box<dyn Any + Send>>,
}

/// The pool's side.
trait Run: Send + Sync {
    /// Runs the closure, unless somebody else has begun with it, and leaves. What comes of it is
    /// counted, and timed if it is said when the task was queued.
    fn run(&self, tally: &Tally, queued: Option<Instant>) -> Ending;
    /// Drops the closure, unless somebody else has begun with it, and leaves.
    fn abandon(&self) -> Ending;
}

/// The owner's side.
trait Outcome<T>: Send + Sync {
    /// Drops the closure; `None` if somebody has begun with it.
    fn cancel(&self, then: Then) -> Option<Ending>;
    /// Runs the closure; `None` if somebody has begun with it.
    fn run_here(&self) -> Option<Ending>;
    fn is_done(&self) -> bool;
    fn probe(&self) -> &dyn Probe;
    fn wait(&self, deadline: Option<Instant>) -> bool;
    fn leave(&self) -> Fate;
    /// As [`Handoff::register`].
    ///
    /// # Safety
    ///
    /// The caller is the owner and makes one such call at a time.
    unsafe fn register(&self, waker: &Waker) -> bool;
    /// Takes the result.
    ///
    /// # Safety
    ///
    /// As for `register`, and the work is done.
    unsafe fn take(&self) -> Result<T, TaskError>;
    /// Whether `take` would take an error.
    ///
    /// # Safety
    ///
    /// As for `take`.
    unsafe fn is_error(&self) -> bool;
}

impl<F, T> Run for Work<F, T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    fn run(&self, tally: &Tally, queued: Option<Instant>) -> Ending {
        let Some(closure) = begin(self) else {
            tally.skip();
            return Ending::of(self.leave());
        };
        let timer = queued.map(|queued| (queued, Instant::now()));
        tally.begin();
        // Unwind safety: what the closure leaves behind is seen by those it shares it with, and
        // they took that on themselves by sharing it between threads.
        let result = catch(closure).map_err(TaskError::Panicked);
        if let Some((queued, begun)) = timer {
            tally.time(begun.saturating_duration_since(queued), begun.elapsed());
        }
        tally.end(result.is_err());
        finish(self, result, Then::Leave)
    }

    fn abandon(&self) -> Ending {
        self.cancel(Then::Leave)
            .unwrap_or_else(|| Ending::of(self.leave()))
    }
}

impl<F, T> Outcome<T> for Work<F, T>
where
    F: FnOnce() -> T + Send + 'static,
    T: Send + 'static,
{
    fn cancel(&self, then: Then) -> Option<Ending> {
        let closure = begin(self)?;
        let panic = catch_unwind(AssertUnwindSafe(|| drop(closure))).err();
        let ending = finish(self, Err(TaskError::Cancelled), then);
        Some(Ending { panic, ..ending })
    }

    fn run_here(&self) -> Option<Ending> {
        let closure = begin(self)?;
        // Unwind safety: as for `run`.
        let result = catch(closure).map_err(TaskError::Panicked);
        Some(finish(self, result, Then::Stay))
    }

    fn is_done(&self) -> bool {
        self.is_done()
    }

    fn probe(&self) -> &dyn Probe {
        self
    }

    fn wait(&self, deadline: Option<Instant>) -> bool {
        self.wait(deadline)
    }

    fn leave(&self) -> Fate {
        self.leave()
    }

    unsafe fn register(&self, waker: &Waker) -> bool {
        // SAFETY: passed on to the caller.
        unsafe { self.register(waker) }
    }

    unsafe fn take(&self) -> Result<T, TaskError> {
        // SAFETY: the work is done and the caller its owner.
        match unsafe { self.with_body(Body::take) } {
            Body::Result(result) => result,
            _ => Err(TaskError::Taken),
        }
    }

    unsafe fn is_error(&self) -> bool {
        // SAFETY: the work is done and the caller its owner.
        unsafe { self.with_body(|body| !matches!(body, Body::Result(Ok(_)))) }
    }
}

impl<F, T> Probe for Work<F, T>
where
    F: Send,
    T: Send,
{
    fn is_over(&self) -> bool {
        self.is_done()
    }
}

/// Takes the closure, for the first who asks.
fn begin<F, T>(work: &Work<F, T>) -> Option<F> {
    if !work.begin() {
        return None;
    }
    // SAFETY: we have begun.
    match unsafe { work.with_body(Body::take) } {
        Body::Closure(closure) => Some(closure),
        _ => unreachable!("work begins with a closure"),
    }
}

/// Puts the result in. The closure has been taken by the caller.
fn finish<F, T>(work: &Work<F, T>, result: Result<T, TaskError>, then: Then) -> Ending {
    // SAFETY: we have begun, as we have taken the closure. What is overwritten is `Nothing`, so
    // that no code of the user's runs.
    unsafe { work.with_body(|body| *body = Body::Result(result)) };
    // SAFETY: as above.
    let (fate, waker) = unsafe { work.finish(then) };
    Ending {
        waker,
        ..Ending::of(fate)
    }
}

impl<F, T> Body<F, T> {
    fn take(&mut self) -> Self {
        mem::replace(self, Self::Nothing)
    }
}

impl Ending {
    fn of(fate: Fate) -> Self {
        Self {
            fate,
            waker: None,
            panic: None,
        }
    }

    /// Frees the allocation if it is ours to free, wakes the waker, passes the panic on.
    ///
    /// # Safety
    ///
    /// The ending came from the work that `work` points to.
    unsafe fn settle<W: ?Sized>(self, work: NonNull<W>) {
        if self.fate == Fate::Last {
            // SAFETY: the pointer came from a box, and both handles have left it.
            contain(|| drop(unsafe { Box::from_raw(work.as_ptr()) }));
        }
        if let Some(waker) = self.waker {
            contain(|| waker.wake());
        }
        if let Some(panic) = self.panic {
            // A second panic at a time would end the process.
            if thread::panicking() {
                contain(|| drop(panic));
            } else {
                resume_unwind(panic);
            }
        }
    }
}

/// The pool's handle of a task: run it, or drop it and thereby cancel the task. Nobody waits for a
/// task that is in nobody's hands.
pub(crate) struct Job {
    work: NonNull<dyn Run>,
}

// SAFETY: a job is used like a box of the work, which is `Send` and `Sync`.
unsafe impl Send for Job {}
// SAFETY: as above; a shared job offers nothing.
unsafe impl Sync for Job {}

impl Job {
    /// Runs the task, unless it was cancelled. Does not panic, whatever the user's closures,
    /// destructors and wakers do.
    pub(crate) fn run(self) {
        self.run_counted(&Tally::default(), None);
    }

    /// As [`run`](Self::run); what comes of it is counted, and timed if it is said when the task was
    /// queued.
    pub(super) fn run_counted(self, tally: &Tally, queued: Option<Instant>) {
        let work = ManuallyDrop::new(self).work;
        // SAFETY: the handle is ours, so the allocation is there until `run` leaves it.
        let ending = unsafe { work.as_ref() }.run(tally, queued);
        // SAFETY: the ending is of this work.
        unsafe { ending.settle(work) };
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        // SAFETY: the handle is ours, so the allocation is there until `abandon` leaves it.
        let ending = unsafe { self.work.as_ref() }.abandon();
        // SAFETY: the ending is of this work.
        unsafe { ending.settle(self.work) };
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").finish_non_exhaustive()
    }
}

/// The owner's handle of a task.
pub(crate) struct Promise<T> {
    work: NonNull<dyn Outcome<T>>,
}

// SAFETY: a promise is used like a box of the work, which is `Send` and `Sync`.
unsafe impl<T: Send> Send for Promise<T> {}
// SAFETY: as above; a shared promise lets others drop the closure, which is `Send`, and ask whether
// the result is there.
unsafe impl<T: Send> Sync for Promise<T> {}

impl<T> Promise<T> {
    fn work(&self) -> &dyn Outcome<T> {
        // SAFETY: the handle is ours, so the allocation is there.
        unsafe { self.work.as_ref() }
    }

    /// Drops the closure, unless somebody has begun with it; says whether it did.
    pub(crate) fn cancel(&self) -> bool {
        let Some(ending) = self.work().cancel(Then::Stay) else {
            return false;
        };
        // SAFETY: the ending is of this work.
        unsafe { ending.settle(self.work) };
        true
    }

    /// Runs the closure on this thread, unless somebody has begun with it; says whether it did.
    pub(super) fn run_here(&self) -> bool {
        let Some(ending) = self.work().run_here() else {
            return false;
        };
        // SAFETY: the ending is of this work.
        unsafe { ending.settle(self.work) };
        true
    }

    pub(crate) fn is_done(&self) -> bool {
        self.work().is_done()
    }

    /// Tells whether the result is there.
    pub(super) fn probe(&self) -> &dyn Probe {
        self.work().probe()
    }

    /// Waits until the result is there; `false` if the deadline passes first.
    pub(crate) fn wait(&self, deadline: Option<Instant>) -> bool {
        self.work().wait(deadline)
    }

    /// Takes the result, if it is there.
    pub(crate) fn take(&mut self) -> Option<Result<T, TaskError>> {
        // SAFETY: it is done, and we are the owner, exclusively borrowed.
        self.is_done().then(|| unsafe { self.work().take() })
    }

    /// Whether there is a result and it is an error. Leaves it where it is.
    pub(super) fn has_failed(&mut self) -> bool {
        // SAFETY: if it is done, it is ours: we are the owner, exclusively borrowed.
        self.is_done() && unsafe { self.work().is_error() }
    }

    /// Has the waker woken, once, when the result is there; `true` if it is there already, and then
    /// the waker is not. The waker left before is forgotten.
    pub(super) fn register(&mut self, waker: &Waker) -> bool {
        // SAFETY: we are the owner, exclusively borrowed.
        unsafe { self.work().register(waker) }
    }

    /// Takes the result, or has the waker woken when it is there.
    pub(crate) fn poll(&mut self, waker: &Waker) -> Poll<Result<T, TaskError>> {
        if self.register(waker) {
            // SAFETY: it is done, and we are the owner, exclusively borrowed.
            Poll::Ready(unsafe { self.work().take() })
        } else {
            Poll::Pending
        }
    }
}

impl<T> Drop for Promise<T> {
    fn drop(&mut self) {
        if self.work().leave() == Fate::Last {
            // SAFETY: the pointer came from a box, and both handles have left it.
            drop(unsafe { Box::from_raw(self.work.as_ptr()) });
        }
    }
}

/// The owner's handle of a task whose job has not been given away for good.
pub(super) struct Fresh<F, T> {
    promise: Promise<T>,
    closure: PhantomData<fn() -> F>,
}

impl<F, T> Fresh<F, T> {
    /// The job has found its place.
    pub(super) fn promise(self) -> Promise<T> {
        self.promise
    }

    /// The job has come back: takes it apart.
    pub(super) fn reclaim(self, job: Job) -> F {
        let (promise, job) = (ManuallyDrop::new(self.promise), ManuallyDrop::new(job));
        let work: NonNull<Work<F, T>> = promise.work.cast();
        assert_eq!(work, job.work.cast(), "the job is another's");
        // SAFETY: the allocation was made with this type by `new`, as only `new` makes a `Fresh`.
        // It came from a box, and both handles of it are here and will not be used again.
        let work = unsafe { Box::from_raw(work.as_ptr()) };
        begin(&work).expect("nobody begins with a job that is not given away")
    }
}

/// Runs `action` and goes on if it panics; the panic hook has reported that.
pub(super) fn contain(action: impl FnOnce()) {
    let Err(payload) = catch_unwind(AssertUnwindSafe(action)) else {
        return;
    };
    // The payload's destructor is the user's code as well. If it panics, what it panics with is
    // not dropped.
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        mem::forget(again);
    }
}
