//! That a signal handler of ours neither allocates nor frees, as the allocator sees it: in a storm
//! of signals at threads that wait, set, allocate, make guards and drop them.
//!
//! ```text
//!     kernel --> watched --> ours        the allocator counts what happens below `watched`
//! ```
//!
//! A binary of its own, for it has an allocator of its own.

#![cfg(all(target_os = "linux", not(brigade_steps)))]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::future::Future;
use std::os::unix::thread::JoinHandleExt;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{mem, ptr};

use brigade::Event;
use brigade::signal::{self, SIGWINCH};
use libc::siginfo_t;

/// How many handlers have to run in each thread.
const HANDLERS: usize = 500;
/// Far more than it takes, also on a loaded machine.
const LONG: Duration = Duration::from_secs(60);

thread_local! {
    static IN_HANDLER: Cell<bool> = const { Cell::new(false) };
    /// Which of the threads this is.
    static NUMBER: Cell<usize> = const { Cell::new(0) };
}

/// What the allocator was asked for in handlers.
static ALLOCATED: AtomicUsize = AtomicUsize::new(0);
static FREED: AtomicUsize = AtomicUsize::new(0);
/// How many handlers have run, by thread.
static RUNS: [AtomicUsize; 6] = [const { AtomicUsize::new(0) }; 6];

struct Watchful;

#[global_allocator]
static ALLOCATOR: Watchful = Watchful;

// SAFETY: the system's allocator does it all; to count takes no memory.
unsafe impl GlobalAlloc for Watchful {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if IN_HANDLER.get() {
            ALLOCATED.fetch_add(1, SeqCst);
        }
        // SAFETY: as our caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if IN_HANDLER.get() {
            FREED.fetch_add(1, SeqCst);
        }
        // SAFETY: as our caller promises.
        unsafe { System.dealloc(block, layout) }
    }
}

/// The handler that `watched` lies over.
static OURS: AtomicUsize = AtomicUsize::new(0);

extern "C" fn watched(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    type Handler = extern "C" fn(c_int, *mut siginfo_t, *mut c_void);
    IN_HANDLER.set(true);
    let ours = ptr::with_exposed_provenance::<()>(OURS.load(SeqCst));
    // SAFETY: it is a handler that takes all three.
    let ours = unsafe { mem::transmute::<*const (), Handler>(ours) };
    ours(signal, info, context);
    IN_HANDLER.set(false);
    RUNS[NUMBER.get()].fetch_add(1, SeqCst);
}

/// Puts `watched` over our handler. The default action of this signal is nothing, so it may come
/// again and again.
fn watch() {
    // SAFETY: C structures, of which zero is a value.
    let (mut new, mut old): (libc::sigaction, libc::sigaction) = unsafe { mem::zeroed() };
    // SAFETY: writes to our structure.
    unsafe { libc::sigaction(SIGWINCH, ptr::null(), &raw mut old) };
    OURS.store(old.sa_sigaction, SeqCst);
    new.sa_sigaction = watched as *const () as usize;
    new.sa_flags = old.sa_flags;
    // SAFETY: the handler may be called at any time.
    unsafe { libc::sigaction(SIGWINCH, &raw const new, ptr::null_mut()) };
}

struct Alarm;

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        // As executors do: memory comes and goes.
        assert!(!IN_HANDLER.get());
        drop(Box::new(1));
    }
}

static EVENT: Event = Event::new();
static OVER: AtomicBool = AtomicBool::new(false);

/// Threads that do this until it is over.
fn again_and_again(number: usize, act: impl Fn() + Send + 'static) -> JoinHandle<()> {
    thread::spawn(move || {
        NUMBER.set(number);
        while !OVER.load(SeqCst) {
            act();
        }
    })
}

#[test]
fn a_handler_neither_allocates_nor_frees() {
    // That it would be noticed.
    IN_HANDLER.set(true);
    drop(Box::new(1));
    IN_HANDLER.set(false);
    assert_eq!((ALLOCATED.swap(0, SeqCst), FREED.swap(0, SeqCst)), (1, 1));

    let _guard = signal::on([SIGWINCH], &EVENT).unwrap();
    watch();
    let waker = Arc::new(Alarm).into();
    let threads = [
        again_and_again(1, || {
            let _ = EVENT.wait_timeout(Duration::from_millis(1));
            EVENT.clear();
        }),
        again_and_again(2, || EVENT.set()),
        again_and_again(3, || drop(vec![0; 100].into_boxed_slice())),
        again_and_again(4, || {
            let event = Arc::new(Event::new());
            drop(signal::on([SIGWINCH], event));
        }),
        again_and_again(5, move || {
            let mut set = pin!(EVENT.wait_async());
            let _: Poll<()> = set.as_mut().poll(&mut Context::from_waker(&waker));
            thread::yield_now();
        }),
    ];

    let deadline = Instant::now() + LONG;
    while RUNS[1..].iter().any(|runs| runs.load(SeqCst) < HANDLERS) {
        assert!(Instant::now() < deadline, "too slow: {RUNS:?}");
        for thread in &threads {
            // SAFETY: the thread has not been joined.
            let sent = unsafe { libc::pthread_kill(thread.as_pthread_t(), SIGWINCH) };
            assert_eq!(sent, 0);
        }
        thread::yield_now();
    }
    OVER.store(true, SeqCst);
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(ALLOCATED.load(SeqCst), 0, "allocated in handlers");
    assert_eq!(FREED.load(SeqCst), 0, "freed in handlers");
    println!("handlers by thread: {RUNS:?}");
}
