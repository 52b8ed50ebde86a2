//! Panics as errors: what they say of where and who. The hook belongs to the whole process, so what
//! is changed about it is changed in child processes.

use std::cell::Cell;
use std::panic::{
    AssertUnwindSafe, Location, catch_unwind, panic_any, resume_unwind, set_hook, take_hook,
};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use brigade::{Event, Panic, PanicLocation, Shutdown, TaskError, ThreadPool};

use crate::harness::{Child, case};
use crate::pool::held_back;

/// The panic of a closure that a pool has run.
fn panic_of(closure: impl FnOnce() + Send + 'static) -> Panic {
    let pool = ThreadPool::builder().threads(1).name("p").build().unwrap();
    match pool.submit(closure).unwrap().result() {
        Err(TaskError::Panicked(panic)) => panic,
        other => panic!("it was to panic: {other:?}"),
    }
}

/// File and line, so many lines below the call.
#[track_caller]
fn line(offset: u32) -> String {
    let here = Location::caller();
    format!("{}:{}", here.file(), here.line() + offset)
}

/// File and line of a panic.
fn place(panic: &Panic) -> Option<String> {
    let shorten = |location: &PanicLocation| format!("{}:{}", location.file(), location.line());
    panic.location().map(shorten)
}

#[test]
fn a_panic_tells_message_location_and_thread() {
    let seven = std::hint::black_box(7);
    let expected = line(1);
    let panic = panic_of(move || panic!("number {seven}"));
    assert_eq!(panic.message(), "number 7");
    assert_eq!(place(&panic), Some(expected.clone()));
    assert_eq!(panic.thread(), Some("p-0"));
    let column = panic.location().unwrap().column();
    assert!(column > 1);
    assert_eq!(
        panic.to_string(),
        format!("thread 'p-0' panicked at {expected}:{column}: number 7")
    );
    assert_eq!(
        panic.into_payload().downcast_ref(),
        Some(&String::from("number 7"))
    );

    let expected = line(1);
    assert_eq!(place(&panic_of(|| panic!("plain"))), Some(expected));
    let expected = line(1);
    assert_eq!(place(&panic_of(|| panic_any(7_u64))), Some(expected));
    // Those of the standard library are where its caller is.
    let nothing = "x".parse::<u32>().ok();
    let expected = line(1);
    let panic = panic_of(move || _ = nothing.unwrap());
    assert_eq!(place(&panic), Some(expected));
}

#[test]
fn panics_that_the_closure_caught_are_not_mistaken_for_its_own() {
    // Before it, at its end, and in a destructor on the way.
    struct Noisy;

    impl Drop for Noisy {
        fn drop(&mut self) {
            for n in 0..3 {
                let _ = catch_unwind(|| panic!("in a destructor, {n}"));
            }
        }
    }

    let own = line(4);
    let panic = panic_of(|| {
        let _noisy = Noisy;
        let _ = catch_unwind(|| panic!("caught"));
        panic!("own");
    });
    assert_eq!((panic.message(), place(&panic)), ("own", Some(own)));

    // Thrown again, it is still from where it began.
    let first = line(2);
    let panic = panic_of(|| {
        let payload = catch_unwind(|| panic!("thrown again")).unwrap_err();
        let _ = catch_unwind(|| panic!("meanwhile"));
        resume_unwind(payload);
    });
    assert_eq!(place(&panic), Some(first));

    // One that began nowhere has no location, whatever was caught before, in this task or another.
    let pool = ThreadPool::builder().threads(1).build().unwrap();
    pool.submit(|| catch_unwind(|| panic!("nowhere")).is_err())
        .unwrap()
        .result()
        .unwrap();
    let nowhere = pool.submit(|| {
        let _ = catch_unwind(|| panic!("somewhere"));
        resume_unwind(Box::new("nowhere"));
    });
    let Err(TaskError::Panicked(panic)) = nowhere.unwrap().result() else {
        panic!("it panicked");
    };
    assert_eq!((panic.message(), panic.location()), ("nowhere", None));
}

#[test]
fn a_task_inside_a_task_keeps_its_panic_apart() {
    let release = Arc::new(Event::new());
    let (pool, holder) = held_back(&release);
    let inner_place = line(1);
    let inner = pool.submit(|| panic!("same words")).unwrap();
    let cancelled = pool.shutdown(Shutdown::Immediate);
    release.set();
    holder.result().unwrap();

    let outer_place = line(7);
    let panic = panic_of(move || {
        let payload = catch_unwind(AssertUnwindSafe(|| {
            // Unwinding, it runs the other task.
            let _run = OnDrop(Cell::new(Some(|| {
                cancelled.into_iter().for_each(brigade::Cancelled::run);
            })));
            panic!("same words");
        }));
        resume_unwind(payload.unwrap_err());
    });
    assert_eq!(place(&panic), Some(outer_place));
    let Err(TaskError::Panicked(panic)) = inner.result() else {
        panic!("it panicked");
    };
    assert_eq!(place(&panic), Some(inner_place));
}

struct OnDrop<F: FnOnce()>(Cell<Option<F>>);

impl<F: FnOnce()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        if let Some(action) = self.0.take() {
            action();
        }
    }
}

#[test]
fn hooks_before_and_after_ours() {
    for case in ["hook set before", "hook set later", "hook chained later"] {
        Child::start("panic::child", case).ends_well();
    }
}

/// Not a test: what the children do.
#[test]
fn child() {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    fn count() {
        CALLS.fetch_add(1, Ordering::Relaxed);
    }

    let Some(case) = case() else { return };
    let noted = match &*case {
        "hook set before" => {
            let seen = Arc::new(Mutex::new(None));
            let writer = Arc::clone(&seen);
            set_hook(Box::new(move |info| {
                count();
                *writer.lock().unwrap() = info.location().map(Location::line);
            }));
            let panic = panic_of(|| panic!("noted"));
            assert_eq!(
                *seen.lock().unwrap(),
                panic.location().map(PanicLocation::line)
            );
            true
        }
        "hook set later" => {
            assert!(place(&panic_of(|| panic!("noted"))).is_some());
            set_hook(Box::new(|_| count()));
            false
        }
        "hook chained later" => {
            assert!(place(&panic_of(|| panic!("noted"))).is_some());
            let former = take_hook();
            set_hook(Box::new(move |info| {
                count();
                former(info);
            }));
            true
        }
        _ => unreachable!("{case}"),
    };
    let before = CALLS.load(Ordering::Relaxed);
    let panic = panic_of(|| panic!("told"));
    assert_eq!(
        CALLS.load(Ordering::Relaxed),
        before + 1,
        "the user's hook is called, once"
    );
    assert_eq!(panic.message(), "told");
    assert_eq!(panic.location().is_some(), noted);
}
