//! What people do in Python with threads and processes, done with brigade: one test for each thing, named
//! after it.
//!
//! | Python | test |
//! |---|---|
//! | `multiprocessing.Process`: `start`, `join(timeout)`, `name`, `pid`, `is_alive`, `exitcode`, `terminate` | [`processes::process_start_join_name_pid_is_alive_exitcode_terminate`] |
//! | `daemon` of a process | [`processes::process_daemon_leaves_no_orphans`] |
//! | `Pool()` | [`pools::pool_has_one_worker_per_cpu`] |
//! | `apply_async`, `map`, `imap`, `imap_unordered`, `starmap`, callbacks | [`pools::apply_async_map_imap_unordered_starmap_callbacks`] |
//! | `close`, `join`, `terminate` | [`pools::close_join_terminate`] |
//! | `Pool()` of processes | [`process_pools::process_pool_has_one_worker_per_cpu_and_survives_the_loss_of_any`] |
//! | `apply_async`, `map`, `imap`, `imap_unordered`, `starmap`, callbacks of processes | [`process_pools::apply_async_map_imap_unordered_starmap_callbacks_in_processes`] |
//! | `close`, `join`, `terminate` of processes | [`process_pools::close_join_terminate_of_processes`] |
//! | `manager.Queue()` passed to pool workers | [`process_queues::manager_queue_passed_to_pool_workers_with_a_lock_beside_it`] |
//! | `put(None)` marks the end of processes | [`process_queues::the_end_of_processes_needs_no_sentinel`] |
//! | `put(None)` marks the end | [`queues::the_end_needs_no_sentinel`] |
//! | `threading.Thread`: `run`, `name`, `start`, `join`, `getName`, `current_thread`, `enumerate` | [`threads::named_threads`] |
//! | `daemon` | [`threads::daemons_and_those_who_are_waited_for`] |
//! | `logging` with `%(threadName)s` | [`threads::log_lines_show_thread_names`] |
//! | `logging` with `%(processName)s` | [`processes::log_lines_show_process_names`] |
//! | the same of workers | [`process_pools::workers_have_names`] |
//! | `threading.Event` | [`sync::event_set_clear_is_set_wait`] |
//! | `signal.signal` sets an event | [`sync::signal_sets_an_event_whatever_the_main_thread_does`] |
//! | the same in a child process | [`processes::signal_sets_an_event_in_a_process`] |
//! | `Timer`, `Lock`, `RLock`, `Condition`, `Semaphore`, `Barrier`, `local` | [`sync::timer_lock_rlock_condition_semaphore_barrier_local`] |
//! | `multiprocessing.Queue`, `SimpleQueue`, `JoinableQueue` | [`process_queues::queue_simple_queue_joinable_queue_between_processes`] |
//! | `multiprocessing` `Lock`, `RLock`, `Condition`, `Semaphore`, `Event`, `Barrier`, `Value`, `Array`, `shared_memory` | [`shared::lock_rlock_condition_semaphore_event_barrier_value_array_shared_memory`], [`shared::a_dead_holder_is_reported`], [`shared::shared_memory_leaves_nothing_behind`] |
//! | `queue.Queue` | [`queues::queue_with_task_accounting`] |
//! | `LifoQueue`, `PriorityQueue` | [`queues::lifo_and_priority_queues`] |
//! | `Manager().dict()`, `list()`, `Namespace()`, `Value`, `Queue`, `Event`, `Lock` | [`managers::manager_dict_list_namespace_value_queue_event_lock`], [`managers::the_death_of_a_manager_or_a_client_is_reported`] |
//! | `concurrent.futures` | [`futures::futures_submit_map_wait_as_completed_with`] |
//! | `concurrent.futures` with `ProcessPoolExecutor` | [`process_pools::process_pool_executor_submit_map_wait_as_completed`] |
//! | map-reduce over files | [`map_reduce::map_reduce_word_counts`] |
//!
//! Each does what its row says, every method of it, and steps where the trap is in Python.

mod futures;
#[cfg(not(brigade_portable))]
mod managers;
mod map_reduce;
mod pools;
#[cfg(not(brigade_portable))]
mod process_pools;
#[cfg(not(brigade_portable))]
mod process_queues;
#[cfg(not(brigade_portable))]
mod processes;
mod queues;
#[cfg(not(brigade_portable))]
mod shared;
mod sync;
mod threads;
