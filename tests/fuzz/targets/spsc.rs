//! `Spsc` against a list, from just before its cursors start again.
#![no_main]

use brigade_fuzz::{SpscPlan, check_spsc};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|plan: SpscPlan| check_spsc(&plan));
