//! The smallest executor: one task, in main, asleep in WFE until somebody wakes it.

use core::pin::pin;
use core::ptr::null;
use core::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};

use brigade_core::Event;

use crate::flow::Asleep;

static AWAKE: Event<Asleep> = Event::new();

const RAW: RawWaker = RawWaker::new(null(), &VTABLE);
const VTABLE: RawWakerVTable =
    RawWakerVTable::new(|_| RAW, |_| AWAKE.set(), |_| AWAKE.set(), |_| {});

/// Runs a task to its end.
pub fn block_on<F: Future>(task: F) -> F::Output {
    let mut task = pin!(task);
    // SAFETY: the functions touch nothing but a static, may be called from everywhere, and own
    // nothing that could leak.
    let waker = unsafe { Waker::from_raw(RAW) };
    loop {
        // First, so that a wake-up during the poll is not forgotten.
        AWAKE.clear();
        if let Poll::Ready(output) = task.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        AWAKE.wait();
    }
}
