//! End-to-end tests of brigade: what users rely on, seen from outside.

#[cfg(target_os = "linux")]
mod alone;
#[cfg(target_os = "linux")]
mod at_exit;
mod containers;
#[cfg(target_os = "linux")]
mod examples;
#[cfg(target_os = "linux")]
mod executor;
#[cfg(target_os = "linux")]
mod executor_later;
#[cfg(target_os = "linux")]
mod executor_map;
#[cfg(target_os = "linux")]
mod harness;
#[cfg(target_os = "linux")]
mod interop;
#[cfg(all(target_os = "linux", not(brigade_portable)))]
mod leftovers;
mod linearizable;
#[cfg(all(target_os = "linux", not(brigade_portable)))]
mod manager;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod no_std;
mod orders;
#[cfg(all(target_os = "linux", not(brigade_portable)))]
mod other_process;
#[cfg(target_os = "linux")]
mod panic;
#[cfg(target_os = "linux")]
mod permits;
#[cfg(target_os = "linux")]
mod pool;
#[cfg(target_os = "linux")]
mod pool_priorities;
#[cfg(target_os = "linux")]
mod pool_size;
#[cfg(all(target_os = "linux", not(brigade_portable)))]
mod process;
#[cfg(all(target_os = "linux", not(brigade_portable)))]
mod process_death;
#[cfg(all(target_os = "linux", not(brigade_portable)))]
mod process_limits;
#[cfg(all(target_os = "linux", not(brigade_portable)))]
mod process_pool;
#[cfg(all(target_os = "linux", not(brigade_portable)))]
mod process_pool_crashes;
#[cfg(all(target_os = "linux", not(brigade_portable)))]
mod process_pool_terms;
#[cfg(target_os = "linux")]
mod program;
#[cfg(target_os = "linux")]
mod python;
#[cfg(target_os = "linux")]
mod queue;
#[cfg(target_os = "linux")]
mod queue_kinds;
mod readme;
#[cfg(target_os = "linux")]
mod scope;
#[cfg(target_os = "linux")]
mod select;
#[cfg(target_os = "linux")]
mod self_wait;
#[cfg(target_os = "linux")]
mod sha256tree;
#[cfg(all(target_os = "linux", not(brigade_portable)))]
mod shared_counts;
#[cfg(all(target_os = "linux", not(brigade_portable)))]
mod shared_event;
#[cfg(all(target_os = "linux", not(brigade_portable)))]
mod shared_limits;
#[cfg(all(target_os = "linux", not(brigade_portable)))]
mod shared_locks;
#[cfg(all(target_os = "linux", not(brigade_portable)))]
mod shared_plain_queue;
#[cfg(all(target_os = "linux", not(brigade_portable)))]
mod shared_queue;
#[cfg(all(target_os = "linux", not(brigade_portable)))]
mod shared_queue_mends;
#[cfg(all(target_os = "linux", not(brigade_portable)))]
mod shared_values;
#[cfg(target_os = "linux")]
mod signal;
#[cfg(target_os = "linux")]
mod signal_chain;
#[cfg(target_os = "linux")]
mod signal_tasks;
#[cfg(target_os = "linux")]
mod signal_wait;
mod spsc;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod storm;
#[cfg(target_os = "linux")]
mod task;
#[cfg(target_os = "linux")]
mod tasks;
#[cfg(target_os = "linux")]
mod thread;
#[cfg(target_os = "linux")]
mod timer;
mod waiting;
