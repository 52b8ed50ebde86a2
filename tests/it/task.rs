//! Tasks of a thread pool: what becomes of them, and how one learns of it.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use brigade::{Event, Shutdown, Task, TaskError, ThreadPool};

use crate::harness::{LONG, until};
use crate::pool::{held_back, message};

#[test]
fn panics_are_errors_and_the_worker_goes_on() {
    let pool = ThreadPool::builder().threads(1).build().unwrap();
    let literal = pool.submit(|| -> u32 { panic!("plain") }).unwrap();
    let formatted = pool.submit(|| -> u32 { panic!("number {}", 7) }).unwrap();
    let odd = pool.submit(|| -> u32 { panic_any(7_u64) }).unwrap();
    let fine = pool.submit(|| 7).unwrap();
    assert_eq!(message(literal.result()), "plain");
    assert_eq!(message(formatted.result()), "number 7");
    let Err(error @ TaskError::Panicked(_)) = odd.result() else {
        panic!("it panicked");
    };
    assert!(error.to_string().ends_with(": a payload that is not text"));
    let TaskError::Panicked(panic) = error else {
        unreachable!()
    };
    assert_eq!(panic.into_payload().downcast_ref(), Some(&7_u64));
    assert_eq!(fine.result().unwrap(), 7);
}

#[test]
fn a_queued_task_can_be_cancelled() {
    let release = Arc::new(Event::new());
    let (pool, holder) = held_back(&release);
    let captured = Arc::new(());
    let task = {
        let captured = Arc::clone(&captured);
        pool.submit(move || drop(captured)).unwrap()
    };
    assert!(!task.is_done());
    assert!(task.cancel());
    assert_eq!(
        Arc::strong_count(&captured),
        1,
        "the closure is gone at once"
    );
    assert!(task.is_done());
    assert!(!task.cancel(), "once is enough");
    assert!(matches!(task.result(), Err(TaskError::Cancelled)));
    release.set();
    holder.result().unwrap();
}

#[test]
fn a_running_task_is_not_cancelled() {
    let release = Arc::new(Event::new());
    let (_pool, holder) = held_back(&release);
    assert!(!holder.cancel());
    release.set();
    holder.result().unwrap();
}

#[test]
fn cancel_and_run_never_both_happen() {
    let pool = ThreadPool::builder().threads(2).build().unwrap();
    let ran = Arc::new(AtomicUsize::new(0));
    let mut cancelled = 0;
    for _ in 0..2_000 {
        let ran = Arc::clone(&ran);
        let task = pool
            .submit(move || ran.fetch_add(1, Ordering::Relaxed))
            .unwrap();
        let was_cancelled = task.cancel();
        cancelled += usize::from(was_cancelled);
        assert_eq!(
            matches!(task.result(), Err(TaskError::Cancelled)),
            was_cancelled
        );
    }
    drop(pool);
    assert_eq!(ran.load(Ordering::Relaxed) + cancelled, 2_000);
}

#[test]
fn waiting_for_a_result_can_be_given_up() {
    let release = Arc::new(Event::new());
    let (pool, holder) = held_back(&release);
    let short = Duration::from_millis(10);
    let start = Instant::now();
    let holder = holder.result_timeout(short).unwrap_err();
    assert!(start.elapsed() >= short, "it gave up too early");
    let holder = holder.result_deadline(start).unwrap_err();
    let queued = pool.submit(|| "late").unwrap();
    let queued = queued.result_timeout(Duration::ZERO).unwrap_err();
    release.set();
    holder.result_timeout(LONG).unwrap().unwrap();
    assert_eq!(
        queued.result_timeout(Duration::MAX).unwrap().unwrap(),
        "late"
    );
}

#[test]
fn a_dropped_task_runs_and_leaks_nothing() {
    let release = Arc::new(Event::new());
    let (pool, holder) = held_back(&release);
    let captured = Arc::new(());
    let watch: Weak<()> = Arc::downgrade(&captured);
    pool.submit(move || captured).unwrap().detach();
    assert!(watch.upgrade().is_some());
    release.set();
    holder.result().unwrap();
    drop(pool);
    assert!(watch.upgrade().is_none(), "the result went with the task");
}

/// Counts its wakes, and lets a thread wait for them.
#[derive(Default)]
struct Bell {
    rung: AtomicUsize,
    event: Event,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.rung.fetch_add(1, Ordering::SeqCst);
        self.event.set();
    }
}

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(Arc::clone(&bell));
    let mut future = pin!(future);
    loop {
        bell.event.clear();
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => assert!(bell.event.wait_timeout(LONG), "never woken"),
        }
    }
}

#[test]
fn a_task_can_be_awaited() {
    let pool = ThreadPool::builder().threads(2).build().unwrap();
    let sum = block_on(async {
        let mut sum = 0;
        for number in 0..1_000 {
            sum += pool.submit(move || number).unwrap().await.unwrap();
        }
        sum
    });
    assert_eq!(sum, 499_500);
    assert_eq!(
        message(block_on(pool.submit(|| panic!("ouch")).unwrap())),
        "ouch"
    );
}

#[test]
fn the_last_waker_is_woken() {
    let release = Arc::new(Event::new());
    let (_pool, mut holder) = held_back(&release);
    let bells = [Arc::new(Bell::default()), Arc::new(Bell::default())];
    for bell in [&bells[0], &bells[0], &bells[1]] {
        let waker = Waker::from(Arc::clone(bell));
        let mut context = Context::from_waker(&waker);
        assert!(pin!(&mut holder).poll(&mut context).is_pending());
    }
    assert_eq!(
        Arc::strong_count(&bells[0]),
        1,
        "a replaced waker is dropped"
    );
    release.set();
    assert!(bells[1].event.wait_timeout(LONG));
    block_on(&mut holder).unwrap();
    assert!(matches!(block_on(&mut holder), Err(TaskError::Taken)));
    assert!(holder.is_done());
    assert!(matches!(holder.result(), Err(TaskError::Taken)));
    assert_eq!(bells[0].rung.load(Ordering::SeqCst), 0);
    assert_eq!(bells[1].rung.load(Ordering::SeqCst), 1);
    // A waker that was woken is dropped, by the worker.
    until(|| Arc::strong_count(&bells[1]) == 1);
}

#[test]
fn a_future_can_be_dropped_half_way() {
    let release = Arc::new(Event::new());
    let (pool, mut holder) = held_back(&release);
    let bell = Arc::new(Bell::default());
    let waker = Waker::from(Arc::clone(&bell));
    assert!(
        pin!(&mut holder)
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    drop((holder, waker));
    release.set();
    drop(pool);
    assert_eq!(Arc::strong_count(&bell), 1);
}

/// Panics when it is dropped.
struct Grenade(&'static str);

impl Drop for Grenade {
    fn drop(&mut self) {
        panic!("{}", self.0);
    }
}

#[test]
fn destructors_that_panic_harm_nobody() {
    let release = Arc::new(Event::new());
    let (pool, holder) = held_back(&release);

    let grenade = Grenade("closure, cancelled");
    let task = pool.submit(move || drop(grenade)).unwrap();
    let cancel = catch_unwind(AssertUnwindSafe(|| task.cancel()));
    assert!(cancel.is_err(), "whoever cancels drops the closure");
    assert!(matches!(task.result(), Err(TaskError::Cancelled)));

    let grenade = Grenade("closure, run");
    let run = pool.submit(move || drop(grenade)).unwrap();
    pool.submit(|| Grenade("result, not wanted"))
        .unwrap()
        .detach();
    pool.submit(|| panic_any(Grenade("payload, not wanted")))
        .unwrap()
        .detach();
    let payload = pool.submit(|| panic_any(Grenade("payload, kept"))).unwrap();
    let result = pool.submit(|| Grenade("result, kept")).unwrap();

    release.set();
    holder.result().unwrap();
    assert_eq!(message(run.result()), "closure, run");
    let Err(TaskError::Panicked(panic)) = payload.result() else {
        panic!("it panicked");
    };
    std::mem::forget(panic.into_payload());
    std::mem::forget(result.result());
    assert_eq!(
        pool.submit(|| 1).unwrap().result().unwrap(),
        1,
        "the worker lives"
    );

    // Dropped with an immediate shutdown, while others wait.
    let (gate, grenade) = (Arc::new(Event::new()), Grenade("closure, handed back"));
    let holder = {
        let gate = Arc::clone(&gate);
        pool.submit(move || gate.wait()).unwrap()
    };
    until(|| pool.queued() == 0);
    let bad = pool.submit(move || drop(grenade)).unwrap();
    let good = pool.submit(|| ()).unwrap();
    let cancelled = pool.shutdown(Shutdown::Immediate);
    assert!(catch_unwind(AssertUnwindSafe(|| drop(cancelled))).is_err());
    assert!(matches!(bad.result(), Err(TaskError::Cancelled)));
    assert!(matches!(good.result(), Err(TaskError::Cancelled)));
    gate.set();
    holder.result().unwrap();
}

#[test]
fn a_waker_that_panics_harms_nobody() {
    struct Angry;

    impl Wake for Angry {
        fn wake(self: Arc<Self>) {
            panic!("do not wake me");
        }
    }

    let release = Arc::new(Event::new());
    let (pool, mut holder) = held_back(&release);
    let waker = Waker::from(Arc::new(Angry));
    assert!(
        pin!(&mut holder)
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
    );
    release.set();
    holder.result().unwrap();
    assert_eq!(pool.submit(|| 1).unwrap().result().unwrap(), 1);
}

#[test]
fn tasks_can_be_sent_and_shared() {
    fn check<S: Send + Sync + Unpin + std::panic::UnwindSafe>() {}

    // A cell can be sent and not shared, as can what a task is to come to.
    check::<Task<std::cell::Cell<u32>>>();
    check::<TaskError>();
    check::<ThreadPool>();
}
