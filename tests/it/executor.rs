//! Several tasks at a time: callbacks, `wait`, `as_completed`.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use brigade::{
    AsCompleted, Event, NoneInTime, ReturnWhen, Task, TaskError, ThreadPool, Waited, as_completed,
    wait, wait_deadline, wait_timeout,
};

use crate::harness::LONG;
use crate::pool::{held_back, message};

/// A pool of two workers, and tasks that end when their gates are opened.
fn gated(gates: &[Arc<Event>]) -> (ThreadPool, Vec<Task<usize>>) {
    let pool = ThreadPool::builder().threads(gates.len()).build().unwrap();
    let tasks = gates.iter().cloned().enumerate();
    let tasks = tasks.map(|(number, gate)| {
        let closure = move || {
            gate.wait();
            number
        };
        pool.submit(closure).unwrap()
    });
    let tasks = tasks.collect();
    (pool, tasks)
}

fn gates<const N: usize>() -> [Arc<Event>; N] {
    std::array::from_fn(|_| Arc::default())
}

#[test]
fn a_callback_gets_the_result_from_the_worker() {
    let release = Arc::new(Event::new());
    let (pool, holder) = held_back(&release);
    let (sender, receiver) = mpsc::channel();
    let worker = pool.submit(|| thread::current().id()).unwrap();
    worker.on_done(move |result| {
        sender
            .send((result.unwrap(), thread::current().id()))
            .unwrap();
    });
    release.set();
    let (ran, called) = receiver.recv_timeout(LONG).unwrap();
    assert_eq!(ran, called);
    holder.result().unwrap();
}

#[test]
fn a_callback_of_what_is_done_is_called_at_once() {
    let pool = ThreadPool::builder().threads(1).build().unwrap();
    let done = wait([pool.submit(|| 7).unwrap()], ReturnWhen::All).done;
    let here = thread::current().id();
    let called = Arc::new(AtomicUsize::new(0));
    for task in done {
        let called = Arc::clone(&called);
        task.on_done(move |result| {
            assert_eq!(thread::current().id(), here);
            called.store(result.unwrap(), Ordering::Relaxed);
        });
    }
    assert_eq!(called.load(Ordering::Relaxed), 7);
}

#[test]
fn callbacks_learn_of_panics_and_cancellations() {
    let release = Arc::new(Event::new());
    let (pool, holder) = held_back(&release);
    let (sender, receiver) = mpsc::channel();
    for _ in 0..2 {
        let sender = sender.clone();
        pool.submit(|| panic!("ouch"))
            .unwrap()
            .on_done(move |result: Result<(), _>| {
                sender.send(result).unwrap();
            });
    }
    let cancelled = pool.shutdown(brigade::Shutdown::Immediate);
    for (number, task) in cancelled.into_iter().enumerate() {
        if number == 0 {
            task.run();
        } else {
            drop(task);
        }
    }
    assert_eq!(message(receiver.recv_timeout(LONG).unwrap()), "ouch");
    let second = receiver.recv_timeout(LONG).unwrap();
    assert!(matches!(second, Err(TaskError::Cancelled)));
    release.set();
    holder.result().unwrap();
}

#[test]
fn a_callback_that_panics_harms_nobody() {
    let release = Arc::new(Event::new());
    let (pool, holder) = held_back(&release);
    pool.submit(|| 1)
        .unwrap()
        .on_done(|_| panic!("in a callback"));
    release.set();
    holder.result().unwrap();
    assert_eq!(pool.submit(|| 1).unwrap().result().unwrap(), 1);
    let done = wait([pool.submit(|| 1).unwrap()], ReturnWhen::All).done;
    for task in done {
        task.on_done(|_| panic!("in a callback, at once"));
    }
}

#[test]
fn each_callback_is_called_once_and_leaks_nothing() {
    let pool = ThreadPool::builder().threads(2).build().unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    for _ in 0..5_000 {
        let (run, called) = (Arc::clone(&calls), Arc::clone(&calls));
        pool.submit(move || drop(run)).unwrap().on_done(move |_| {
            called.fetch_add(1, Ordering::Relaxed);
        });
    }
    drop(pool);
    assert_eq!(Arc::strong_count(&calls), 1);
    assert_eq!(calls.load(Ordering::Relaxed), 5_000);
}

#[test]
fn waiting_for_all() {
    let gates = gates::<3>();
    let (_pool, tasks) = gated(&gates);
    gates[1].set();
    let soon = Instant::now() + Duration::from_millis(20);
    let Waited { done, not_done } = wait_deadline(tasks, ReturnWhen::All, soon);
    assert!(Instant::now() >= soon, "it gave up too early");
    assert_eq!(done.len() + not_done.len(), 3, "nothing is lost");
    assert!(not_done.len() >= 2);
    gates[0].set();
    gates[2].set();
    let rest = wait(not_done, ReturnWhen::All);
    assert!(rest.not_done.is_empty());
    let all = done.into_iter().chain(rest.done);
    let mut numbers: Vec<_> = all.map(|task| task.result().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [0, 1, 2]);
}

#[test]
fn waiting_for_the_first() {
    let gates = gates::<3>();
    let (_pool, mut tasks) = gated(&gates);
    for number in [2, 0, 1] {
        gates[number].set();
        let Waited { done, not_done } = wait(tasks, ReturnWhen::First);
        let [task] = <[_; 1]>::try_from(done).unwrap();
        assert_eq!(task.result().unwrap(), number);
        tasks = not_done;
    }
    let nothing = wait(tasks, ReturnWhen::First);
    assert!(nothing.done.is_empty() && nothing.not_done.is_empty());
}

#[test]
fn waiting_for_the_first_that_fails() {
    let gates = gates::<3>();
    let (pool, mut tasks) = gated(&gates);
    gates[0].set();
    let Waited { done, not_done } = wait(tasks, ReturnWhen::First);
    tasks = done.into_iter().chain(not_done).collect();
    let waited = wait_timeout(tasks, ReturnWhen::FirstError, Duration::from_millis(10));
    assert_eq!(waited.done.len(), 1, "a value is no error");
    tasks = waited.done.into_iter().chain(waited.not_done).collect();

    // All the workers but one are held up, and that one fails.
    tasks.push(pool.submit(|| panic!("ouch")).unwrap());
    let waited = wait(tasks, ReturnWhen::FirstError);
    assert_eq!((waited.done.len(), waited.not_done.len()), (2, 2));
    let mut done = waited.done.into_iter();
    assert_eq!(
        done.next().unwrap().result().unwrap(),
        0,
        "looking takes nothing"
    );
    assert_eq!(message(done.next().unwrap().result()), "ouch");

    gates[1].set();
    gates[2].set();
    let waited = wait(waited.not_done, ReturnWhen::FirstError);
    assert_eq!(waited.done.len(), 2, "without an error it waits for all");
}

#[test]
fn a_cancelled_task_is_an_error() {
    let release = Arc::new(Event::new());
    let (pool, holder) = held_back(&release);
    let queued = pool.submit(|| ()).unwrap();
    assert!(queued.cancel());
    let waited = wait([holder, queued], ReturnWhen::FirstError);
    assert_eq!((waited.done.len(), waited.not_done.len()), (1, 1));
    release.set();
}

#[test]
fn results_come_as_tasks_end() {
    let gates = gates::<4>();
    let (_pool, tasks) = gated(&gates);
    let mut results = as_completed(tasks);
    assert_eq!(
        results.next_timeout(Duration::ZERO).unwrap_err(),
        NoneInTime
    );
    for number in [3, 1, 0] {
        gates[number].set();
        let next = results.next_timeout(LONG).unwrap();
        let (which, result) = next.unwrap();
        assert_eq!((which, result.unwrap()), (number, number));
    }
    assert_eq!(results.len(), 1);
    let mut rest = results.into_remaining();
    let (which, task) = rest.pop().unwrap();
    assert!(rest.is_empty());
    gates[2].set();
    assert_eq!((which, task.result().unwrap()), (2, 2));
}

#[test]
fn tasks_can_be_added_to_those_awaited() {
    let pool = ThreadPool::builder().threads(2).build().unwrap();
    let mut results = AsCompleted::new();
    assert!(results.next().is_none());
    let mut sum = 0;
    for round in 0..1_000_usize {
        assert_eq!(results.add(pool.submit(move || round).unwrap()), round);
        if round >= 8 {
            let (number, result) = results.next().unwrap();
            assert_eq!(result.unwrap(), number);
            sum += number;
        }
    }
    assert_eq!(results.remaining(), 8);
    sum += results.map(|(number, _)| number).sum::<usize>();
    assert_eq!(sum, 499_500);
}

#[test]
fn who_waits_for_one_task_may_do_so_again_elsewhere() {
    let gates = gates::<2>();
    let (_pool, tasks) = gated(&gates);
    let mut results = as_completed(tasks);
    assert!(results.next_timeout(Duration::ZERO).is_err());
    let again = as_completed(results.into_remaining().into_iter().map(|(_, task)| task));
    gates[1].set();
    gates[0].set();
    assert_eq!(again.count(), 2);
}
