//! How a model is run: the search, its report, and threads that share one thing.

use std::io::Write;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool, AtomicU64,
    Ordering::{Relaxed, SeqCst},
};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Instant;

use loom::thread::JoinHandle;

use crate::mutation;

/// Runs every execution of a model that loom can tell from another.
pub(crate) fn exhaustive(model: impl Fn() + Send + Sync + 'static) {
    Search::new(None).run(model);
}

/// Runs every execution of a model in which threads are interrupted at most this many times. (A
/// thread that goes to sleep, waits for a peer or ends is not interrupted.)
///
/// For models that would take too long otherwise; each says why the bound is enough.
pub(crate) fn bounded(interruptions: usize, model: impl Fn() + Send + Sync + 'static) {
    Search::new(Some(interruptions)).run(model);
}

/// As [`exhaustive`], once for each case.
pub(crate) fn exhaustive_each<C: Copy + Send + Sync + 'static>(
    cases: impl IntoIterator<Item = C>,
    model: impl Fn(C) + Copy + Send + Sync + 'static,
) {
    each(&Search::new(None), cases, model);
}

/// As [`bounded`], once for each case.
pub(crate) fn bounded_each<C: Copy + Send + Sync + 'static>(
    interruptions: usize,
    cases: impl IntoIterator<Item = C>,
    model: impl Fn(C) + Copy + Send + Sync + 'static,
) {
    each(&Search::new(Some(interruptions)), cases, model);
}

fn each<C: Copy + Send + Sync + 'static>(
    search: &Search,
    cases: impl IntoIterator<Item = C>,
    model: impl Fn(C) + Copy + Send + Sync + 'static,
) {
    for case in cases {
        search.run(move || model(case));
    }
}

/// One or more runs of loom, with one report at the end.
struct Search {
    builder: loom::model::Builder,
    executions: Arc<AtomicU64>,
    begun: Instant,
}

impl Search {
    /// `LOOM_MAX_PREEMPTIONS` in the environment takes the place of every model's own bound; a
    /// large one makes all searches exhaustive.
    fn new(bound: Option<usize>) -> Self {
        mutation::heed_environment();
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = builder.preemption_bound.or(bound);
        builder.max_branches = builder.max_branches.max(10_000);
        Self {
            builder,
            executions: Arc::default(),
            begun: Instant::now(),
        }
    }

    fn run(&self, model: impl Fn() + Send + Sync + 'static) {
        let executions = Arc::clone(&self.executions);
        self.builder.check(move || {
            executions.fetch_add(1, Relaxed);
            model();
        });
    }
}

impl Drop for Search {
    fn drop(&mut self) {
        let extent = match self.builder.preemption_bound {
            _ if std::thread::panicking() => "FAILED".to_owned(),
            Some(bound) => format!("at most {bound} interruptions"),
            None => "exhaustive".to_owned(),
        };
        // Not by `eprintln!`, which the test runner would swallow.
        let _ = writeln!(
            std::io::stderr(),
            "{}: {} executions, {extent}, {:.1} s",
            // The test runner names its threads after the tests.
            std::thread::current().name().unwrap_or("a model"),
            self.executions.load(Relaxed),
            self.begun.elapsed().as_secs_f32(),
        );
    }
}

/// An executor of one task: polls, and sleeps in loom's scheduler until it is woken.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let task = Arc::new(Task {
        thread: loom::thread::current(),
        woken: AtomicBool::new(false),
        parked: AtomicBool::new(false),
    });
    let waker = Waker::from(Arc::clone(&task));
    loop {
        let answer = future.as_mut().poll(&mut Context::from_waker(&waker));
        if let Poll::Ready(output) = answer {
            return output;
        }
        if task.woken.load(SeqCst) {
            // It may have woken itself, to be polled until others have done something.
            loom::thread::yield_now();
        }
        // From the look to the sleep loom lets nobody else run.
        while !task.woken.swap(false, SeqCst) {
            task.parked.store(true, SeqCst);
            loom::thread::park();
            task.parked.store(false, SeqCst);
        }
    }
}

/// Polls a future once.
pub(crate) fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    match Pin::new(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

/// Wakes the thread that runs a task.
struct Task {
    thread: loom::thread::Thread,
    woken: AtomicBool,
    /// A wake-up may come when the task is over and its thread sleeps for another reason, in which
    /// loom must not disturb it.
    parked: AtomicBool,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.woken.store(true, SeqCst);
        if self.parked.load(SeqCst) {
            self.thread.unpark();
        }
    }
}

/// Threads that work on one thing, and the model's first thread, which has it back in the end.
///
/// A plain `Arc` shares it: a modelled one would add steps to every search and nothing else.
pub(crate) struct Crew<T> {
    shared: Arc<T>,
    threads: Vec<JoinHandle<()>>,
}

impl<T: 'static> Crew<T> {
    pub(crate) fn new(shared: T) -> Self {
        Self {
            shared: Arc::new(shared),
            threads: Vec::new(),
        }
    }

    /// Starts a thread.
    #[must_use]
    pub(crate) fn and<R>(mut self, work: impl FnOnce(&T) -> R + 'static) -> Self {
        let shared = Arc::clone(&self.shared);
        let work = move || drop(work(&shared));
        self.threads.push(loom::thread::spawn(work));
        self
    }

    /// Works on this thread, then waits for the others.
    pub(crate) fn here<R>(self, work: impl FnOnce(&T) -> R) -> T {
        drop(work(&self.shared));
        for thread in self.threads {
            thread.join().unwrap();
        }
        Arc::into_inner(self.shared).expect("all other threads have ended")
    }
}
