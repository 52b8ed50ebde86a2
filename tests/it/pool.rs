//! Thread pools.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use brigade::{
    Event, Shutdown, SubmitError, SubmitTimeoutError, Task, TaskError, ThreadPool, TrySubmitError,
};

use crate::harness::{LONG, OsThread, until};

/// A pool of one worker, which waits for the event.
fn held_back(release: &Arc<Event>) -> (ThreadPool, Task<()>) {
    let pool = ThreadPool::builder().threads(1).build().unwrap();
    let release = Arc::clone(release);
    let holder = pool.submit(move || release.wait()).unwrap();
    until(|| pool.queued() == 0);
    (pool, holder)
}

fn message<T: std::fmt::Debug>(result: Result<T, TaskError>) -> String {
    match result {
        Err(TaskError::Panicked(panic)) => panic.message().into(),
        other => panic!("expected a panic, got {other:?}"),
    }
}

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
    assert_eq!(
        error.to_string(),
        "the task panicked: a payload that is not text"
    );
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

fn block_on<F: Future>(future: F) -> F::Output {
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
    assert_eq!(
        Arc::strong_count(&bells[1]),
        1,
        "a waker that was woken is dropped"
    );
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

#[test]
fn draining_runs_what_is_queued() {
    let release = Arc::new(Event::new());
    let (pool, holder) = held_back(&release);
    let tasks: Vec<_> = (0..10).map(|n| pool.submit(move || n).unwrap()).collect();
    assert!(pool.shutdown(Shutdown::Drain).is_empty());
    assert!(
        !pool.join_timeout(Duration::from_millis(5)),
        "the holder still runs"
    );
    let SubmitError::ShutDown(closure) = pool.submit(|| "mine").unwrap_err();
    assert_eq!(closure(), "mine", "after a shutdown the closure comes back");
    assert!(matches!(
        pool.try_submit(|| ()),
        Err(TrySubmitError::ShutDown(_))
    ));
    release.set();
    assert!(pool.join_timeout(LONG));
    pool.join();
    holder.result().unwrap();
    for (n, task) in tasks.into_iter().enumerate() {
        assert!(task.is_done());
        assert_eq!(task.result().unwrap(), n);
    }
}

#[test]
fn an_immediate_shutdown_hands_back_what_is_queued() {
    let release = Arc::new(Event::new());
    let (pool, holder) = held_back(&release);
    let tasks: Vec<_> = (0..4).map(|n| pool.submit(move || n).unwrap()).collect();
    let mut cancelled = pool.shutdown(Shutdown::Immediate).into_iter();
    assert_eq!(cancelled.len(), 4);
    assert_eq!(pool.queued(), 0);
    release.set();
    pool.join();
    holder.result().unwrap();
    let mut tasks = tasks.into_iter();

    let task = tasks.next().unwrap();
    let task = task
        .result_timeout(Duration::ZERO)
        .expect_err("its fate is open");
    cancelled.next().unwrap().run();
    assert_eq!(task.result().unwrap(), 0, "the oldest first, and by hand");

    let task = tasks.next().unwrap();
    drop(cancelled.next());
    assert!(matches!(task.result(), Err(TaskError::Cancelled)));

    let task = tasks.next().unwrap();
    assert!(task.cancel());
    cancelled.next().unwrap().run();
    assert!(
        matches!(task.result(), Err(TaskError::Cancelled)),
        "cancelled before it was run"
    );

    drop(cancelled);
    assert!(matches!(
        tasks.next().unwrap().result(),
        Err(TaskError::Cancelled)
    ));
}

#[test]
fn submitters_that_wait_for_room_get_their_closure_back() {
    let release = Arc::new(Event::new());
    let pool = ThreadPool::builder()
        .threads(1)
        .queue_bound(1)
        .build()
        .unwrap();
    let holder = {
        let release = Arc::clone(&release);
        pool.submit(move || release.wait()).unwrap()
    };
    until(|| pool.queued() == 0);
    let queued = pool.submit(|| 1).unwrap();
    assert!(matches!(
        pool.try_submit(|| ()),
        Err(TrySubmitError::Full(_))
    ));
    let Err(SubmitTimeoutError::Timeout(closure)) =
        pool.submit_timeout(|| 2, Duration::from_millis(5))
    else {
        panic!("there was no room");
    };
    assert_eq!(closure(), 2);
    thread::scope(|scope| {
        let (sender, threads) = std::sync::mpsc::channel();
        let waiting = scope.spawn(|| {
            let sender = sender;
            sender.send(OsThread::current()).unwrap();
            let SubmitError::ShutDown(closure) = pool.submit(|| 3).unwrap_err();
            closure()
        });
        let submitter = threads.recv().unwrap();
        until(|| submitter.is_asleep());
        pool.shutdown(Shutdown::Drain);
        assert_eq!(waiting.join().unwrap(), 3);
    });
    release.set();
    pool.join();
    holder.result().unwrap();
    assert_eq!(queued.result().unwrap(), 1);
}

#[test]
fn shutdown_among_submitters_accounts_for_every_closure() {
    for how in [Shutdown::Drain, Shutdown::Immediate] {
        let pool = ThreadPool::builder()
            .threads(2)
            .queue_bound(2)
            .build()
            .unwrap();
        let ran = Arc::new(AtomicUsize::new(0));
        let (results, cancelled, refused, handed_back) = thread::scope(|scope| {
            let submitters: Vec<_> = (0..3)
                .map(|_| {
                    scope.spawn(|| {
                        let mut tasks = Vec::new();
                        let mut refused = 0;
                        while refused < 3 {
                            let ran = Arc::clone(&ran);
                            match pool.submit(move || ran.fetch_add(1, Ordering::Relaxed)) {
                                Ok(task) => tasks.push(task),
                                Err(SubmitError::ShutDown(_)) => refused += 1,
                            }
                        }
                        let total = tasks.len();
                        let results = tasks.into_iter().map(Task::result);
                        let good = results.filter(Result::is_ok).count();
                        (good, total - good, refused)
                    })
                })
                .collect();
            until(|| ran.load(Ordering::Relaxed) > 50);
            let handed_back = pool.shutdown(how).len();
            let mut sum = (0, 0, 0);
            for submitter in submitters {
                let (good, cancelled, refused) = submitter.join().unwrap();
                sum = (sum.0 + good, sum.1 + cancelled, sum.2 + refused);
            }
            (sum.0, sum.1, sum.2, handed_back)
        });
        pool.join();
        assert_eq!(results, ran.load(Ordering::Relaxed));
        assert_eq!(cancelled, handed_back, "{how:?}");
        assert_eq!(refused, 9);
        assert!(how == Shutdown::Immediate || cancelled == 0);
    }
}

#[test]
fn an_idle_pool_uses_no_processor_time() {
    let pool = ThreadPool::builder().threads(2).build().unwrap();
    let meet = Arc::new(std::sync::Barrier::new(2));
    let tasks: Vec<_> = (0..2)
        .map(|_| {
            let meet = Arc::clone(&meet);
            pool.submit(move || {
                meet.wait();
                OsThread::current()
            })
            .unwrap()
        })
        .collect();
    let workers: Vec<_> = tasks
        .into_iter()
        .map(|task| task.result().unwrap())
        .collect();
    let never = Event::new();
    until(|| {
        // Workers that wake up by themselves, however seldom, run in each such pause.
        let effort = || workers.iter().map(OsThread::effort).collect::<Vec<_>>();
        let before = effort();
        assert!(!never.wait_timeout(Duration::from_millis(100)));
        effort() == before
    });
}

#[test]
fn workers_have_their_names() {
    let pool = ThreadPool::builder()
        .threads(2)
        .name("named")
        .build()
        .unwrap();
    let seen = pool
        .submit(|| OsThread::current().name())
        .unwrap()
        .result()
        .unwrap();
    assert!(
        ["named-0", "named-1"].contains(&seen.as_str()),
        "the system sees {seen}"
    );
    until(|| OsThread::exists("named-0") && OsThread::exists("named-1"));
    drop(pool);
    assert!(
        !OsThread::exists("named-0"),
        "dropping waits for the threads"
    );
}

#[test]
fn a_pool_may_be_dropped_by_its_own_worker() {
    for _ in 0..50 {
        let pool = Arc::new(ThreadPool::builder().threads(2).build().unwrap());
        let go = Arc::new(Event::new());
        let last = {
            let (pool, go) = (Arc::clone(&pool), Arc::clone(&go));
            pool.clone().submit(move || {
                go.wait();
                drop(pool);
            })
        };
        let queued: Vec<_> = (0..10).map(|n| pool.submit(move || n).unwrap()).collect();
        drop(pool);
        go.set();
        let last = last.unwrap().result_timeout(LONG);
        assert!(matches!(last, Ok(Ok(()))), "the worker waits for itself");
        for task in queued {
            task.result_timeout(LONG).unwrap().unwrap();
        }
    }
}

#[test]
fn a_worker_does_not_join_itself() {
    let pool = Arc::new(ThreadPool::builder().threads(1).build().unwrap());
    let task = {
        let pool = Arc::clone(&pool);
        pool.clone().submit(move || pool.join()).unwrap()
    };
    let text = message(task.result_timeout(LONG).expect("it waits for itself"));
    assert_eq!(text, "a worker cannot wait for its own pool to end");
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
fn a_pool_that_cannot_be_says_why() {
    let text = |builder: brigade::Builder| builder.build().unwrap_err().to_string();
    let builder = ThreadPool::builder;
    assert_eq!(
        text(builder().threads(0)),
        "a thread pool needs at least one thread"
    );
    assert_eq!(
        text(builder().queue_bound(0)),
        "a thread pool's queue must have room for at least one"
    );
    assert_eq!(
        text(builder().queue_bound((1 << 28) + 1)),
        "a bounded queue holds at most 2^28 items, not 268435457"
    );
    assert_eq!(
        text(builder().name("nul\0")),
        "the name of a thread cannot contain a zero byte"
    );
    let error: std::io::Error = builder().threads(0).build().unwrap_err().into();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}

#[test]
fn threads_that_cannot_start_take_the_others_down() {
    // Sixteen tebibytes of stack each: the address space has room for a few.
    let error = ThreadPool::builder()
        .threads(1_000)
        .name("doomed")
        .stack_size(1 << 44)
        .build()
        .unwrap_err();
    assert!(
        error.to_string().starts_with("cannot start thread number "),
        "{error}"
    );
    assert!(std::error::Error::source(&error).is_some());
    assert!(
        !OsThread::exists("doomed-0"),
        "those that were started have ended"
    );
}

/// Counts the allocations of each thread.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: all work is the system allocator's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on; `pointer` came from `alloc`.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

#[test]
fn a_task_is_one_allocation() {
    let count = || ALLOCATIONS.with(Cell::get);
    let pool = ThreadPool::builder()
        .threads(1)
        .queue_bound(8)
        .build()
        .unwrap();
    let run = |n: usize| pool.submit(move || n).unwrap().result().unwrap();
    let of_worker = || pool.submit(count).unwrap().result().unwrap();
    for warm_up in 0..10 {
        run(warm_up);
    }
    let (here, there) = (count(), of_worker());
    for n in 0..100 {
        assert_eq!(run(n), n);
    }
    assert_eq!(of_worker() - there, 0, "running a task allocates nothing");
    // The two questions to the worker are tasks as well.
    assert_eq!(count() - here, 102);
}
