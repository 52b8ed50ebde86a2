//! What people do in Python with threads, done with brigade: one test for each thing, named after it.
//!
//! | Python | test |
//! |---|---|
//! | `Pool()` | [`pools::pool_has_one_worker_per_cpu`] |
//! | `apply_async`, `map`, `imap`, `imap_unordered`, `starmap`, callbacks | [`pools::apply_async_map_imap_unordered_starmap_callbacks`] |
//! | `close`, `join`, `terminate` | [`pools::close_join_terminate`] |
//! | `put(None)` marks the end | [`queues::the_end_needs_no_sentinel`] |
//! | `threading.Thread`: `run`, `name`, `start`, `join`, `getName`, `current_thread`, `enumerate` | [`threads::named_threads`] |
//! | `daemon` | [`threads::daemons_and_those_who_are_waited_for`] |
//! | `logging` with `%(threadName)s` | [`threads::log_lines_show_thread_names`] |
//! | `threading.Event` | [`sync::event_set_clear_is_set_wait`] |
//! | `signal.signal` sets an event | [`sync::signal_sets_an_event_whatever_the_main_thread_does`] |
//! | `Timer`, `Lock`, `RLock`, `Condition`, `Semaphore`, `Barrier`, `local` | [`sync::timer_lock_rlock_condition_semaphore_barrier_local`] |
//! | `queue.Queue` | [`queues::queue_with_task_accounting`] |
//! | `LifoQueue`, `PriorityQueue` | [`queues::lifo_and_priority_queues`] |
//! | `concurrent.futures` | [`futures::futures_submit_map_wait_as_completed_with`] |
//! | map-reduce over files | [`map_reduce::map_reduce_word_counts`] |
//!
//! Each does what its row says, every method of it, and steps where the trap is in Python.

mod futures;
mod map_reduce;
mod pools;
mod queues;
mod sync;
mod threads;
