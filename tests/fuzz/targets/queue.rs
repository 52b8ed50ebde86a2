//! `Queue`, on each of the containers, against a list and a count.
#![no_main]

use brigade_core::bounded::{HeapFifo, HeapLifo, HeapPriority, HeapTicket, HeapTwoLock};
use brigade_fuzz::{Order, QueuePlan, check_queue};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|plan: QueuePlan| {
    let capacity = plan.capacity;
    match plan.container % 5 {
        0 => check_queue(&plan, Order::Fifo, HeapFifo::with_capacity(capacity)),
        1 => check_queue(&plan, Order::Fifo, HeapTicket::with_capacity(capacity)),
        2 => check_queue(&plan, Order::Lifo, HeapLifo::with_capacity(capacity)),
        3 => {
            let container: HeapPriority<_> = HeapPriority::with_capacity(capacity);
            check_queue(&plan, Order::Priority, container);
        }
        _ => check_queue(&plan, Order::Fifo, HeapTwoLock::with_capacity(capacity)),
    }
});
