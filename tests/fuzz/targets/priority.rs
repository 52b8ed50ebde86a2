//! `Priority` against a list, from just before its counters wrap.
#![no_main]

use brigade_core::bounded::HeapPriority;
use brigade_fuzz::{Order, Plan, check};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|plan: Plan| {
    let container: HeapPriority<_> =
        HeapPriority::with_capacity(plan.capacity).near_wrap(plan.before_wrap);
    check(&plan, Order::Priority, container);
});
