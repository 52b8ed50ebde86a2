//! Work that is cancelled while it runs, work for later, and work again and again.

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::task::{Context, Waker};
use std::thread;
use std::time::{Duration, Instant};

use brigade::{
    CancelToken, Event, Queue, Repeat, ReturnWhen, Shutdown, SubmitError, TaskError, ThreadPool,
    wait,
};

use crate::harness::{LONG, until};
use crate::pool::held_back;
use crate::self_wait::soon;

const MOMENT: Duration = Duration::from_millis(5);

/// So long that no test lives to see it.
const NEVER: Duration = Duration::from_secs(3_600);

fn two() -> ThreadPool {
    ThreadPool::builder().threads(2).build().unwrap()
}

#[test]
fn a_token_reaches_its_clones_and_descendants() {
    let token = CancelToken::new();
    let child = token.child();
    let (grandchild, other) = (child.child(), token.child());
    assert!(!grandchild.wait_timeout(Duration::ZERO));
    child.cancel();
    assert!(grandchild.is_cancelled() && child.clone().is_cancelled());
    assert!(!token.is_cancelled() && !other.is_cancelled());
    assert!(child.child().is_cancelled(), "born cancelled");
    token.cancel();
    token.cancel();
    assert!(other.wait_timeout(LONG) && other.wait_deadline(Instant::now()));
    // Generations beyond what a stack could hold.
    let oldest = CancelToken::new();
    let all: Vec<_> = std::iter::successors(Some(oldest.clone()), |token| Some(token.child()))
        .take(100_000)
        .collect();
    oldest.cancel();
    assert!(all.iter().all(CancelToken::is_cancelled));
}

#[test]
fn a_token_reaches_those_below_one_that_is_gone() {
    let token = CancelToken::new();
    let grandchild = token.child().child();
    token.cancel();
    assert!(grandchild.is_cancelled());
}

#[test]
fn a_child_that_is_made_meanwhile_is_cancelled_too() {
    for _ in 0..500 {
        let token = CancelToken::new();
        thread::scope(|scope| {
            let child = scope.spawn(|| token.child());
            token.cancel();
            assert!(child.join().unwrap().is_cancelled());
        });
    }
}

#[test]
fn a_token_can_be_awaited() {
    let token = CancelToken::new();
    let mut wait = pin!(token.wait_async());
    let mut context = Context::from_waker(Waker::noop());
    assert!(wait.as_mut().poll(&mut context).is_pending());
    token.cancel();
    assert!(wait.as_mut().poll(&mut context).is_ready());
}

#[test]
fn cancelling_reaches_queued_and_running_work() {
    let release = Arc::new(Event::new());
    let (pool, holder) = held_back(&release);
    let queued = pool.submit_cancellable(|_| ()).unwrap();
    assert!(queued.cancel());
    assert!(matches!(queued.result(), Err(TaskError::Cancelled)));
    release.set();
    holder.result().unwrap();

    let begun = Arc::new(Event::new());
    let here = Arc::clone(&begun);
    let running = pool.submit_cancellable(move |token| {
        here.set();
        token.wait_timeout(LONG)
    });
    let running = running.unwrap();
    assert!(begun.wait_timeout(LONG));
    assert!(!running.cancel());
    assert!(running.into_task().result().unwrap(), "it was told");

    pool.shutdown(Shutdown::Drain);
    let refused = pool
        .submit_cancellable(CancelToken::is_cancelled)
        .unwrap_err();
    let closure = refused.into_inner();
    assert!(!closure(&CancelToken::new()));
}

#[test]
fn later_means_not_before() {
    let pool = two();
    let begun = Instant::now();
    let delays = [3, 1, 2].map(|factor| MOMENT * factor);
    let (sender, ended) = mpsc::channel();
    for delay in delays {
        let sender = sender.clone();
        let closure = move || sender.send((delay, begun.elapsed())).unwrap();
        pool.submit_after(delay, closure).unwrap().detach();
    }
    for _ in delays {
        let (delay, passed) = ended.recv_timeout(LONG).unwrap();
        assert!(passed >= delay, "{passed:?} instead of {delay:?}");
    }
    assert_eq!(
        pool.submit_after(Duration::ZERO, || 1)
            .unwrap()
            .result()
            .unwrap(),
        1
    );
}

#[test]
fn what_is_for_later_ends_with_the_pool() {
    for how in [Shutdown::Drain, Shutdown::Immediate] {
        let pool = two();
        let captured = Arc::new(());
        let held = Arc::clone(&captured);
        let task = pool.submit_after(NEVER, move || drop(held)).unwrap();
        let for_ever = pool.submit_after(Duration::MAX, || ()).unwrap();
        let repeat = pool.submit_every(NEVER, || ()).unwrap();
        drop(pool.shutdown(how));
        let tasks = wait([task, for_ever], ReturnWhen::All);
        for task in tasks.done {
            assert!(matches!(task.result(), Err(TaskError::Cancelled)));
        }
        assert_eq!(Arc::strong_count(&captured), 1);
        assert!(repeat.is_ended());
        repeat.join().unwrap();
        let late = pool.submit_after(NEVER, || 5).unwrap_err();
        assert_eq!(late.into_inner()(), 5);
        assert!(matches!(
            pool.submit_every(NEVER, || ()),
            Err(SubmitError::ShutDown(_))
        ));
    }
    let other = two();
    let still_there = other.submit_after(MOMENT, || 1).unwrap();
    drop(two());
    assert_eq!(still_there.result().unwrap(), 1, "of another pool");
}

#[test]
fn a_delayed_task_can_be_cancelled() {
    let pool = two();
    let captured = Arc::new(());
    let held = Arc::clone(&captured);
    let task = pool.submit_after(NEVER, move || drop(held)).unwrap();
    assert!(!task.is_done());
    assert!(task.cancel());
    assert_eq!(Arc::strong_count(&captured), 1);
    assert!(matches!(task.result(), Err(TaskError::Cancelled)));
}

#[test]
fn a_full_queue_only_delays_what_is_due() {
    let pool = ThreadPool::builder()
        .threads(1)
        .queue_bound(1)
        .build()
        .unwrap();
    let release = Arc::new(Event::new());
    let gate = Arc::clone(&release);
    let holder = pool.submit(move || gate.wait()).unwrap();
    until(|| pool.queued() == 0);
    let filler = pool.submit(|| ()).unwrap();
    let late = pool.submit_after(Duration::ZERO, || 1).unwrap();
    let late = late.result_timeout(MOMENT).unwrap_err();
    release.set();
    holder.result().unwrap();
    filler.result().unwrap();
    assert_eq!(late.result().unwrap(), 1);
}

#[test]
fn a_repetition_keeps_to_its_grid_and_never_overlaps() {
    let pool = two();
    let times = Arc::new(Queue::unbounded());
    let (sender, running) = (Arc::clone(&times), AtomicUsize::new(0));
    let begun = Instant::now();
    let repeat = pool
        .submit_every(MOMENT, move || {
            assert_eq!(running.fetch_add(1, Ordering::SeqCst), 0);
            sender.put(begun.elapsed()).unwrap();
            // Work that takes until after the next point of the grid.
            let begun = Instant::now();
            until(|| begun.elapsed() >= MOMENT);
            running.fetch_sub(1, Ordering::SeqCst);
        })
        .unwrap();
    for number in 1..=4_u32 {
        // Each run skips at least the point at which it was on.
        let time = times.get_timeout(LONG).unwrap();
        assert!(
            time >= MOMENT * (2 * number - 1),
            "run {number} after {time:?}"
        );
    }
    repeat.cancel();
    repeat
        .join_timeout(LONG)
        .expect("it was cancelled")
        .unwrap();
    while times.try_get().is_ok() {}
    pool.submit_after(MOMENT * 3, || ())
        .unwrap()
        .result()
        .unwrap();
    assert!(times.try_get().is_err(), "no run after the end");
}

#[test]
fn a_repetition_ends_when_it_is_dropped() {
    let pool = two();
    let captured = Arc::new(());
    let held = Arc::clone(&captured);
    let repeat = pool
        .submit_every(NEVER, move || drop(Arc::clone(&held)))
        .unwrap();
    assert_eq!(Arc::strong_count(&captured), 2);
    assert!(!repeat.is_ended());
    drop(repeat);
    assert_eq!(Arc::strong_count(&captured), 1);
    let held = Arc::clone(&captured);
    pool.submit_every(MOMENT, move || drop(Arc::clone(&held)))
        .unwrap()
        .detach();
    assert_eq!(Arc::strong_count(&captured), 2);
    drop(pool);
    until(|| Arc::strong_count(&captured) == 1);
}

#[test]
fn a_repetition_ends_by_a_panic() {
    let pool = two();
    let mut runs = 0;
    let repeat = pool.submit_every(Duration::from_millis(1), move || {
        runs += 1;
        assert!(runs < 3, "run {runs}");
    });
    let Err(TaskError::Panicked(panic)) = repeat.unwrap().join() else {
        panic!("it ends by a panic");
    };
    assert_eq!(panic.message(), "run 3");
    assert_eq!(pool.submit(|| 1).unwrap().result().unwrap(), 1);
}

#[test]
fn the_only_worker_does_not_wait_for_a_repetition() {
    let pool = Arc::new(ThreadPool::builder().threads(1).build().unwrap());
    let inside = Arc::clone(&pool);
    let outer = pool.submit(move || inside.submit_every(MOMENT, || ()).unwrap().join());
    let refused = soon(outer.unwrap());
    assert!(matches!(refused, Err(TaskError::WouldDeadlock)));
}

#[test]
fn a_repetition_does_not_wait_for_its_own_end() {
    let pool = two();
    let (handles, handle) = mpsc::channel::<Repeat>();
    let (results, result) = mpsc::channel();
    let repeat = pool.submit_every(MOMENT, move || {
        let repeat = handle.recv().unwrap();
        results.send(repeat.join()).unwrap();
    });
    handles.send(repeat.unwrap()).unwrap();
    let refused = result.recv_timeout(LONG).unwrap();
    assert!(matches!(refused, Err(TaskError::WouldDeadlock)));
    // It is cancelled: there is no second run, whose receiver would have nothing to receive.
    assert!(result.recv_timeout(LONG).is_err());
}
