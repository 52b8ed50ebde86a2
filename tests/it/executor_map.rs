//! `map` and `map_unordered`: order, laziness, look-ahead, panics, and the trait `Executor`.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use brigade::{Event, Executor, Shutdown, SubmitError, TaskError, ThreadPool};

use crate::harness::LONG;
use crate::pool::message;

/// So many items, and a count of those that were taken.
fn counted(items: usize) -> (impl ExactSizeIterator<Item = usize>, Rc<Cell<usize>>) {
    let taken = Rc::new(Cell::new(0));
    let count = Rc::clone(&taken);
    let items = (0..items).inspect(move |_| count.set(count.get() + 1));
    (items, taken)
}

fn two() -> ThreadPool {
    ThreadPool::builder().threads(2).build().unwrap()
}

#[test]
fn results_are_in_the_order_of_the_items() {
    let pool = two();
    let doubles = pool.map(0..100_000_u64, |n| 2 * n);
    assert_eq!(doubles.size_hint(), (100_000, Some(100_000)));
    for (n, double) in (0..100_000).zip(doubles) {
        assert_eq!(double.unwrap(), 2 * n);
    }
    // By `fold`, which takes another path.
    let doubles = pool.map(0..100_000_u64, |n| 2 * n);
    let doubles = doubles.fold(Vec::new(), |mut all, double| {
        all.push(double.unwrap());
        all
    });
    assert!(doubles.into_iter().eq((0..100_000).map(|n| 2 * n)));
    let doubles = pool.map(0..100_000_u64, |n| 2 * n).into_values().unwrap();
    assert!(doubles.into_iter().eq((0..100_000).map(|n| 2 * n)));
    assert_eq!(pool.map(Vec::<u8>::new(), |n| n).count(), 0);
}

#[test]
fn no_item_is_taken_too_early() {
    let pool = two();
    for look_ahead in [1, 2, 3, 4, 5, 8, 13, 100] {
        for chunk in [None, Some(1), Some(3), Some(1_000)] {
            let (items, taken) = counted(500);
            let mut results = pool.map(items, |n| n).look_ahead(look_ahead);
            if let Some(chunk) = chunk {
                results = results.chunk(chunk);
            }
            assert_eq!(
                taken.get(),
                0,
                "nothing is done before the first result is asked for"
            );
            let mut yielded = 0;
            while let Some(result) = results.next() {
                assert_eq!(result.unwrap(), yielded);
                assert!(
                    taken.get() <= yielded + look_ahead,
                    "{} taken at the call after {yielded} were yielded, look-ahead {look_ahead}",
                    taken.get()
                );
                if chunk == Some(1) {
                    assert_eq!(taken.get(), (yielded + look_ahead).min(500));
                }
                yielded += 1;
                assert_eq!(results.len(), 500 - yielded);
            }
            assert_eq!((yielded, taken.get()), (500, 500));
        }
    }
}

#[test]
fn without_order_no_item_is_taken_too_early_either() {
    let pool = two();
    for look_ahead in [1, 2, 7] {
        let (items, taken) = counted(300);
        let mut results = pool.map_unordered(items, |n| n).look_ahead(look_ahead);
        let mut yielded = 0;
        while results.next().is_some() {
            assert!(taken.get() <= yielded + look_ahead);
            yielded += 1;
            assert_eq!(results.len(), 300 - yielded);
        }
        assert_eq!(yielded, 300);
    }
}

#[test]
fn an_input_without_end_is_fine() {
    let pool = two();
    let (items, taken) = counted(usize::MAX);
    let first: usize = pool
        .map(items, |n| n)
        .take(200_000)
        .map(Result::unwrap)
        .sum();
    assert_eq!(first, 199_999 * 200_000 / 2);
    let ahead = taken.get() - 200_000;
    assert!(ahead <= 2 * 4 * 8192, "{ahead} items ahead");
}

#[test]
fn cheap_items_are_grouped() {
    let pool = two();
    let (items, taken) = counted(1_000_000);
    let mut most = 0;
    for (yielded, result) in pool.map(items, |n| n).enumerate() {
        assert_eq!(result.unwrap(), yielded);
        most = most.max(taken.get() - yielded);
    }
    assert!(
        most > 1_000,
        "at most {most} items ahead are four chunks for each worker"
    );
}

#[test]
fn a_panic_is_the_result_of_its_item() {
    let pool = two();
    let function = |n: u32| {
        assert!(n % 5 != 3 && n % 7 != 0, "not {n}");
        n
    };
    let check = |n: u32, result: Result<u32, TaskError>| {
        if n % 5 != 3 && n % 7 != 0 {
            assert_eq!(result.unwrap(), n);
        } else {
            assert_eq!(message(result), format!("not {n}"));
        }
    };
    for chunk in [1, 10, 64] {
        let mut results = pool.map(0..200, function).chunk(chunk);
        for n in 0..200 {
            check(n, results.next().unwrap());
            assert_eq!(results.len(), 199 - n as usize);
        }
        assert!(results.next().is_none());
        // Half-way by `next`, the rest by `fold`.
        let mut results = pool.map(0..200, function).chunk(chunk);
        for n in 0..23 {
            check(n, results.next().unwrap());
        }
        let end = results.fold(23, |n, result| {
            check(n, result);
            n + 1
        });
        assert_eq!(end, 200);
        let first = pool.map(1..200, function).chunk(chunk).into_values();
        assert_eq!(message(first), "not 3");
        let rest = pool
            .map(1..200, function)
            .chunk(chunk)
            .filter_map(Result::ok);
        assert!(rest.eq((1..200).filter(|n| n % 5 != 3 && n % 7 != 0)));
    }
}

#[test]
fn a_dropped_map_cancels_what_has_not_begun() {
    let pool = ThreadPool::builder().threads(1).build().unwrap();
    let (ran, release) = (Arc::new(AtomicUsize::new(0)), Arc::new(Event::new()));
    let (count, gate) = (Arc::clone(&ran), Arc::clone(&release));
    let item = Arc::new(());
    let items = vec![Arc::clone(&item); 100];
    let function = move |_item| {
        if count.fetch_add(1, Ordering::Relaxed) > 0 {
            assert!(gate.wait_timeout(LONG));
        }
    };
    let mut results = pool.map(items, function).chunk(1).look_ahead(50);
    results.next().unwrap().unwrap();
    drop(results);
    assert!(
        Arc::strong_count(&item) <= 2,
        "at most one is in the worker's hands"
    );
    release.set();
    drop(pool);
    assert!(ran.load(Ordering::Relaxed) <= 2);
    assert_eq!(Arc::strong_count(&item), 1);
}

#[test]
fn after_a_shutdown_the_rest_is_cancelled() {
    let pool = two();
    let mut results = pool.map(0..100, |n| n).chunk(3).look_ahead(12);
    assert_eq!(results.next().unwrap().unwrap(), 0);
    drop(pool.shutdown(Shutdown::Drain));
    let rest: Vec<_> = results.collect();
    assert_eq!(rest.len(), 99, "each item has its result");
    let fine = rest.iter().take_while(|result| result.is_ok()).count();
    assert!((11..=14).contains(&fine), "{fine} were ahead");
    for result in &rest[fine..] {
        assert!(matches!(result, Err(TaskError::Cancelled)));
    }
    assert_eq!(
        pool.map_unordered(0..3, |n| n)
            .filter(Result::is_err)
            .count(),
        3
    );
}

#[test]
fn without_order_fast_results_come_first() {
    let pool = two();
    let release = Arc::new(Event::new());
    let gate = Arc::clone(&release);
    let function = move |n| {
        if n == 0 {
            gate.wait();
        }
        n
    };
    let mut results = pool.map_unordered(0..100, function).chunk(1);
    let mut seen: Vec<_> = results.by_ref().take(6).map(Result::unwrap).collect();
    assert!(!seen.contains(&0));
    release.set();
    seen.extend(results.map(Result::unwrap));
    seen.sort_unstable();
    assert!(seen.into_iter().eq(0..100));
}

#[test]
fn a_map_inside_its_own_pool_does_not_hang() {
    let pool = Arc::new(ThreadPool::builder().threads(1).build().unwrap());
    let (inside, ran) = (Arc::clone(&pool), Arc::new(AtomicUsize::new(0)));
    let runs = Arc::clone(&ran);
    let task = pool.submit(move || {
        let function = move |_| {
            runs.fetch_add(1, Ordering::Relaxed);
        };
        let ordered = inside.map(0..6, function.clone()).chunk(3);
        let unordered = inside.map_unordered(0..6, function).chunk(3);
        ordered.chain(unordered).collect::<Vec<_>>()
    });
    let results = task.unwrap().result().unwrap();
    assert_eq!(results.len(), 12);
    for result in results {
        assert!(
            matches!(result, Err(TaskError::WouldDeadlock)),
            "{result:?}"
        );
    }
    // The only worker comes to this after all that was queued before.
    assert_eq!(pool.map(0..3, |n| n).map(Result::unwrap).sum::<i32>(), 3);
    assert_eq!(ran.load(Ordering::Relaxed), 0, "what is lost is not run");
}

/// Code that does not know what runs its functions.
fn word_lengths(executor: &impl Executor) -> Vec<usize> {
    assert!(executor.workers() >= 1);
    let one = executor.submit_with(|word: String| word.len(), "one".to_owned());
    let two = executor.submit(|| "two".len());
    let words = ["three", "four"].map(String::from);
    let rest = executor.map(words, |word: String| word.len());
    let mut lengths = vec![
        one.unwrap().result().unwrap(),
        two.unwrap().result().unwrap(),
    ];
    lengths.extend(rest.map(Result::unwrap));
    let unordered = executor.map_unordered([(6, 1), (5, 2)], |(a, b)| a + b);
    lengths.extend(unordered.map(Result::unwrap));
    let bad = executor.map([1, 0], |n: u32| 1 / n).last().unwrap();
    assert_eq!(message(bad), "attempt to divide by zero");
    executor.shutdown(Shutdown::Drain);
    executor.join().unwrap();
    assert!(executor.join_timeout(LONG).unwrap());
    let SubmitError::ShutDown(word) = executor
        .submit_with(|word: String| word, "late".to_owned())
        .unwrap_err()
    else {
        panic!("it was shut down");
    };
    lengths.push(word.len());
    let Err(SubmitError::ShutDown(function)) = executor.submit(|| 5) else {
        panic!("it was shut down");
    };
    lengths.push(function());
    lengths
}

#[test]
fn code_can_be_written_for_any_executor() {
    assert_eq!(word_lengths(&two()), [3, 3, 5, 4, 7, 7, 4, 5]);
}

#[test]
fn a_function_may_own_what_it_captures() {
    let pool = two();
    let log = Arc::new(Mutex::new(Vec::new()));
    let writer = Arc::clone(&log);
    let all = pool.map(0..50, move |n| writer.lock().unwrap().push(n));
    assert_eq!(all.flatten().count(), 50);
    drop(pool);
    assert_eq!(Arc::strong_count(&log), 1);
    assert_eq!(log.lock().unwrap().len(), 50);
}

#[test]
fn a_panic_can_travel() {
    let pool = two();
    let Err(TaskError::Panicked(panic)) = pool.map([1], |n| assert_ne!(n, 1)).next().unwrap()
    else {
        panic!("it panicked");
    };
    let text = serde_json::to_string(&panic).unwrap();
    let copy: brigade::Panic = serde_json::from_str(&text).unwrap();
    assert_eq!(copy.message(), panic.message());
    assert_eq!(copy.location(), panic.location());
    assert_eq!(copy.thread(), panic.thread());
    assert!(copy.location().is_some() && copy.thread().is_some());
    let payload = copy.into_payload();
    assert_eq!(payload.downcast_ref::<String>().unwrap(), panic.message());
}
