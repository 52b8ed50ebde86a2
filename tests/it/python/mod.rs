//! What people do in Python with threads, done with brigade: one test for each thing, named after it.
//!
//! | Python | test |
//! |---|---|
//! | `Pool()` | [`pools::pool_has_one_worker_per_cpu`] |
//! | `close`, `join`, `terminate` | [`pools::close_join_terminate`] |
//! | `put(None)` marks the end | [`queues::the_end_needs_no_sentinel`] |
//! | `queue.Queue` | [`queues::queue_with_task_accounting`] |
//! | `LifoQueue`, `PriorityQueue` | [`queues::lifo_and_priority_queues`] |
//! | `threading.Event` | [`sync::event_set_clear_is_set_wait`] |
//! | `signal.signal` sets an event | [`sync::signal_sets_an_event_whatever_the_main_thread_does`] |
//! | `concurrent.futures` | [`futures::futures_submit_map_wait_as_completed_with`] |
//!
//! Each does what its row says, every method of it, and steps where the trap is in Python.

mod futures;
mod pools;
mod queues;
mod sync;
