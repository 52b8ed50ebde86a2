//! Tasks that await what a signal sets: woken soon after, and never in a handler.

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::future::Future;
use std::mem;
use std::pin::pin;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Wake};
use std::{fs, thread};

use brigade::signal::{self, SIGWINCH};
use brigade::{Event, Queue};
use libc::{SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP, siginfo_t};
use signal_hook::low_level::raise;

use crate::alone::ends_well;
use crate::harness::{OsThread, until};

const COURIER: &str = "brigade-signals";

static EVENT: Event = Event::new();

thread_local! {
    static IN_HANDLER: Cell<bool> = const { Cell::new(false) };
}

/// The handler that `outermost` was installed over.
static OURS: AtomicUsize = AtomicUsize::new(0);

/// Calls the other, and makes known that a handler runs.
extern "C" fn outermost(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    type Handler = extern "C" fn(c_int, *mut siginfo_t, *mut c_void);
    IN_HANDLER.set(true);
    let ours = ptr::with_exposed_provenance::<()>(OURS.load(SeqCst));
    // SAFETY: it is a handler that takes all three.
    let ours = unsafe { mem::transmute::<*const (), Handler>(ours) };
    ours(signal, info, context);
    IN_HANDLER.set(false);
}

/// Puts `outermost` over the handler of this signal, whose default action is nothing.
fn watch_handlers() {
    // SAFETY: C structures, of which zero is a value.
    let (mut new, mut old): (libc::sigaction, libc::sigaction) = unsafe { mem::zeroed() };
    // SAFETY: writes to our structure.
    unsafe { libc::sigaction(SIGWINCH, ptr::null(), &raw mut old) };
    OURS.store(old.sa_sigaction, SeqCst);
    new.sa_sigaction = outermost as *const () as usize;
    new.sa_flags = old.sa_flags;
    // SAFETY: the handler may be called at any time.
    unsafe { libc::sigaction(SIGWINCH, &raw const new, ptr::null_mut()) };
}

/// Counts its wake-ups, those in handlers apart.
#[derive(Default)]
struct Alarm {
    wakes: AtomicUsize,
    in_handlers: AtomicUsize,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        if IN_HANDLER.get() {
            self.in_handlers.fetch_add(1, SeqCst);
        }
        self.wakes.fetch_add(1, SeqCst);
    }
}

#[test]
fn a_waker_is_run_soon_and_not_in_the_handler() {
    ends_well(|| {
        let guard = signal::on([SIGWINCH], &EVENT).unwrap();
        watch_handlers();
        let alarm = Arc::new(Alarm::default());
        let waker = Arc::clone(&alarm).into();
        let mut context = Context::from_waker(&waker);
        for _ in 0..1_000 {
            let mut set = pin!(EVENT.wait_async());
            assert_eq!(set.as_mut().poll(&mut context), Poll::Pending);
            let before = alarm.wakes.load(SeqCst);
            raise(SIGWINCH).unwrap();
            until(|| alarm.wakes.load(SeqCst) > before);
            assert_eq!(set.as_mut().poll(&mut context), Poll::Ready(()));
            EVENT.clear();
        }
        assert_eq!(alarm.in_handlers.load(SeqCst), 0);
        drop(guard);
    });
}

#[test]
fn so_it_is_if_the_guard_is_dropped_right_after_the_signal() {
    ends_well(|| {
        let alarm = Arc::new(Alarm::default());
        let waker = Arc::clone(&alarm).into();
        let mut context = Context::from_waker(&waker);
        for _ in 0..1_000 {
            let guard = signal::on([SIGWINCH], &EVENT).unwrap();
            let mut set = pin!(EVENT.wait_async());
            assert_eq!(set.as_mut().poll(&mut context), Poll::Pending);
            let before = alarm.wakes.load(SeqCst);
            raise(SIGWINCH).unwrap();
            drop(guard);
            until(|| alarm.wakes.load(SeqCst) > before);
            assert_eq!(set.as_mut().poll(&mut context), Poll::Ready(()));
            EVENT.clear();
        }
    });
}

#[test]
fn a_waker_that_panics_costs_nobody_else_anything() {
    struct Bomb;
    impl Wake for Bomb {
        fn wake(self: Arc<Self>) {
            panic!("a waker's own trouble");
        }
    }
    ends_well(|| {
        let _guard = signal::on([SIGWINCH], &EVENT).unwrap();
        let (bomb, alarm) = (Arc::new(Bomb).into(), Arc::new(Alarm::default()));
        let waker = Arc::clone(&alarm).into();
        for round in 1..4 {
            let mut first = pin!(EVENT.wait_async());
            let mut second = pin!(EVENT.wait_async());
            let pending = first.as_mut().poll(&mut Context::from_waker(&bomb));
            assert_eq!(pending, Poll::Pending);
            let pending = second.as_mut().poll(&mut Context::from_waker(&waker));
            assert_eq!(pending, Poll::Pending);
            raise(SIGWINCH).unwrap();
            until(|| alarm.wakes.load(SeqCst) == round);
            EVENT.clear();
        }
    });
}

#[test]
fn a_task_of_tokio_goes_on() {
    ends_well(|| {
        let _guard = signal::on([SIGWINCH], &EVENT).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .unwrap();
        runtime.block_on(async {
            for _ in 0..100 {
                let task = tokio::spawn(EVENT.wait_async());
                tokio::task::yield_now().await;
                // It waits by now, and so does the runtime soon.
                raise(SIGWINCH).unwrap();
                task.await.unwrap();
                EVENT.clear();
            }
        });
    });
}

/// The mask of the courier, if there is one.
fn courier_blocks() -> Option<u64> {
    fs::read_dir("/proc/self/task").unwrap().find_map(|task| {
        let status = fs::read_to_string(task.unwrap().path().join("status")).ok()?;
        if !status.lines().next()?.ends_with(COURIER) {
            return None;
        }
        let mask = status.lines().find_map(|it| it.strip_prefix("SigBlk:"))?;
        u64::from_str_radix(mask.trim(), 16).ok()
    })
}

#[test]
fn there_is_a_courier_only_if_it_is_needed() {
    ends_well(|| {
        let guard = signal::on([SIGWINCH], &EVENT).unwrap();
        raise(SIGWINCH).unwrap();
        assert!(EVENT.wait_timeout(crate::harness::LONG));
        assert_eq!(OsThread::exists(COURIER), cfg!(brigade_portable));
        EVENT.clear();

        let waker = Arc::new(Alarm::default()).into();
        let mut set = pin!(EVENT.wait_async());
        let pending = set.as_mut().poll(&mut Context::from_waker(&waker));
        assert_eq!(pending, Poll::Pending);
        // Its name comes when it runs.
        until(|| courier_blocks().is_some());
        let blocks = courier_blocks().unwrap();
        let synchronous = [SIGILL, SIGTRAP, SIGBUS, SIGFPE, SIGSEGV, SIGSYS];
        let bits = synchronous.iter().fold(0, |set, it| set | 1 << (it - 1));
        assert_eq!(blocks & 0x7ffb_feff, 0x7ffb_feff & !bits);

        drop(guard);
        let other = thread::spawn(|| signal::on([SIGWINCH], &EVENT).unwrap());
        drop(other.join().unwrap());
        let threads = fs::read_dir("/proc/self/task").unwrap();
        let couriers = threads.filter(|task| {
            let comm = task.as_ref().unwrap().path().join("comm");
            fs::read_to_string(comm).is_ok_and(|comm| comm.trim_end() == COURIER)
        });
        assert_eq!(couriers.count(), 1);
    });
}

/// What handlers of others do something about.
static THEIRS: Event = Event::new();
static QUEUE: LazyLock<Queue<u32>> = LazyLock::new(|| Queue::bounded(8));

/// Sets up a handler of others, and then ours over it.
fn guard_over(theirs: extern "C" fn(c_int)) -> signal::Guard {
    // SAFETY: a C structure, of which zero is a value.
    let mut new: libc::sigaction = unsafe { mem::zeroed() };
    new.sa_sigaction = theirs as *const () as usize;
    // SAFETY: the test raises the signal where the handler's doings are harmless.
    unsafe { libc::sigaction(SIGWINCH, &raw const new, ptr::null_mut()) };
    signal::on([SIGWINCH], &EVENT).unwrap()
}

#[test]
fn an_event_that_a_handler_below_ours_sets_wakes_tasks() {
    extern "C" fn sets(_: c_int) {
        THEIRS.set();
    }
    ends_well(|| {
        let _guard = guard_over(sets);
        let alarm = Arc::new(Alarm::default());
        let waker = Arc::clone(&alarm).into();
        let mut set = pin!(THEIRS.wait_async());
        let pending = set.as_mut().poll(&mut Context::from_waker(&waker));
        assert_eq!(pending, Poll::Pending);
        raise(SIGWINCH).unwrap();
        until(|| alarm.wakes.load(SeqCst) > 0);
        assert!(THEIRS.is_set());
        // Which where there are no futexes is the courier's work.
        until(|| EVENT.is_set());
    });
}

#[test]
fn an_item_that_a_handler_below_ours_puts_wakes_tasks() {
    extern "C" fn puts(_: c_int) {
        QUEUE.try_put(1).unwrap();
    }
    ends_well(|| {
        LazyLock::force(&QUEUE);
        let _guard = guard_over(puts);
        let alarm = Arc::new(Alarm::default());
        let waker = Arc::clone(&alarm).into();
        let mut context = Context::from_waker(&waker);
        for round in 1..4 {
            let mut get = pin!(QUEUE.get_async());
            assert!(get.as_mut().poll(&mut context).is_pending());
            raise(SIGWINCH).unwrap();
            until(|| alarm.wakes.load(SeqCst) == round);
            assert_eq!(get.as_mut().poll(&mut context), Poll::Ready(Ok(1)));
        }
    });
}
