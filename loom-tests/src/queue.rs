//! `Queue`: everybody who waits is woken, nothing vanishes, and shutting down misses nobody.
//!
//! The interruptions are bounded. With two threads a lost wake-up needs one in the waiter, between its
//! last look and its sleep, and one in whoever would wake it. With three, one has to do: going to
//! sleep and waiting for a peer are free, and the same protocol goes through three in the models of
//! the event count.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32 as Counter, Ordering::SeqCst};

use brigade_core::bounded::{Container, Fifo, Lifo, Priority, TwoLock};
use brigade_core::sync::{AtomicU32, Model, Ordering::Relaxed};
use brigade_core::{Queue, Shutdown, TryGetError};

use crate::harness::{Crew, bounded};

/// Runs models on a container, with these interruptions.
macro_rules! models {
    ($container:ty: $($model:ident($interruptions:literal)),+ $(,)?) => {$(
        #[test]
        fn $model() {
            bounded($interruptions, || super::$model(<$container>::new()));
        }
    )+};
}

/// On the container that never makes anybody wait for a peer, all of them.
mod fifo {
    use super::{Fifo, bounded};

    models! { Fifo<u32, 1, 1>:
        put_and_get_pass_every_item(2),
        two_getters_are_both_woken(1),
        draining_ends_the_getter(2),
        draining_ends_all_getters(1),
        a_shutdown_gives_the_waiting_put_its_item_back(2),
        one_report_too_many_is_an_error(2),
        a_lease_put_back_is_unfinished(1),
        who_gives_up_leaves_the_item_to_the_others(1),
        who_gives_up_leaves_the_room_to_the_others(1),
    }

    models! { Fifo<u32, 2, 1>:
        a_batch_wakes_two_getters(1),
        a_batch_makes_room_for_two_putters(1),
        an_immediate_shutdown_hands_back_the_rest(2),
        an_immediate_shutdown_shows_what_was_before(2),
        join_waits_for_the_last_report(1),
        what_is_held_is_unfinished_while_more_is_put(2),
    }
}

/// On the one that gives out the newest first, those in which its verdicts and its count take part.
mod lifo {
    use super::{Lifo, bounded};

    models! { Lifo<u32, 1, 1>:
        put_and_get_pass_every_item(2),
        draining_ends_the_getter(1),
        one_report_too_many_is_an_error(2),
    }

    models! { Lifo<u32, 2, 1>:
        an_immediate_shutdown_hands_back_the_rest(2),
        join_waits_for_the_last_report(1),
    }
}

/// On the one under a single lock.
mod priority {
    use super::{Priority, bounded};

    models! { Priority<u32, 1>:
        put_and_get_pass_every_item(2),
        one_report_too_many_is_an_error(2),
    }

    models! { Priority<u32, 2>:
        an_immediate_shutdown_hands_back_the_rest(2),
    }
}

/// On the one under the queues of threads, those in which two take part. Where three wait for each
/// other's turns, loom can follow one of them for ever.
mod two_lock {
    use super::{TwoLock, bounded};

    models! { TwoLock<u32, 1>:
        put_and_get_pass_every_item(2),
        a_shutdown_gives_the_waiting_put_its_item_back(2),
        one_report_too_many_is_an_error(2),
        a_lease_put_back_is_unfinished(2),
    }

    models! { TwoLock<u32, 2>:
        an_immediate_shutdown_hands_back_the_rest(2),
        join_waits_for_the_last_report(2),
    }
}

type On<C> = Queue<C, Model>;

fn put_and_get_pass_every_item<C: Container<Item = u32> + 'static>(container: C) {
    Crew::new(On::new(container))
        .and(|queue| {
            queue.put(1).unwrap();
            queue.put(2).unwrap();
        })
        .here(|queue| assert_eq!([queue.get(), queue.get()], [Ok(1), Ok(2)]));
}

fn two_getters_are_both_woken<C: Container<Item = u32> + 'static>(container: C) {
    Crew::new(On::new(container))
        .and(|queue| queue.get().unwrap())
        .and(|queue| queue.get().unwrap())
        .here(|queue| {
            queue.put(1).unwrap();
            queue.put(2).unwrap();
        });
}

/// One wake-up for two items: it is passed on.
fn a_batch_wakes_two_getters<C: Container<Item = u32> + 'static>(container: C) {
    Crew::new(On::new(container))
        .and(|queue| queue.get().unwrap())
        .and(|queue| queue.get().unwrap())
        .here(|queue| queue.put_many([1, 2]).unwrap());
}

/// One wake-up for room for two: it is passed on.
fn a_batch_makes_room_for_two_putters<C: Container<Item = u32> + 'static>(container: C) {
    let queue = On::new(container);
    queue.put_many([0, 0]).unwrap();
    let queue = Crew::new(queue)
        .and(|queue| queue.put(1).unwrap())
        .and(|queue| queue.put(2).unwrap())
        .here(|queue| {
            let mut got = Vec::new();
            queue.get_many(2, &mut got).unwrap();
            assert_eq!(got, [0, 0]);
        });
    assert_eq!(queue.len(), 2);
}

/// Every item that was accepted is got, then the getter is told; none is accepted afterwards.
fn draining_ends_the_getter<C: Container<Item = u32> + 'static>(container: C) {
    let (accepted, got) = (Arc::new(Counter::new(0)), Arc::new(Counter::new(0)));
    let (accepting, getting) = (Arc::clone(&accepted), Arc::clone(&got));
    Crew::new(On::new(container))
        .and(move |queue| {
            let put = queue.try_put(1).is_ok();
            accepting.store(u32::from(put), SeqCst);
        })
        .and(move |queue| getting.store(u32::try_from(queue.iter().count()).unwrap(), SeqCst))
        .here(|queue| drop(queue.shutdown(Shutdown::Drain)));
    assert_eq!(accepted.load(SeqCst), got.load(SeqCst));
}

fn draining_ends_all_getters<C: Container<Item = u32> + 'static>(container: C) {
    Crew::new(On::new(container))
        .and(|queue| queue.iter().count())
        .and(|queue| queue.iter().count())
        .here(|queue| {
            queue.put(1).unwrap();
            queue.shutdown(Shutdown::Drain);
        });
}

/// What the getter did not get comes back, and nothing twice.
fn an_immediate_shutdown_hands_back_the_rest<C: Container<Item = u32> + 'static>(container: C) {
    let queue = On::new(container);
    queue.put_many([1, 2]).unwrap();
    let got = Arc::new(Counter::new(0));
    let getting = Arc::clone(&got);
    let mut back = 0;
    let queue = Crew::new(queue)
        .and(move |queue| {
            if let Ok(item) = queue.get() {
                getting.store(item, SeqCst);
                queue.task_done().unwrap();
            }
        })
        .here(|queue| back = queue.shutdown(Shutdown::Immediate).sum());
    assert_eq!(got.load(SeqCst) + back, 3);
    queue.join();
    assert_eq!(queue.put(3).unwrap_err().0, 3);
}

fn a_shutdown_gives_the_waiting_put_its_item_back<C: Container<Item = u32> + 'static>(
    container: C,
) {
    let queue = On::new(container);
    queue.put(1).unwrap();
    let queue = Crew::new(queue)
        .and(|queue| assert_eq!(queue.put(2).unwrap_err().0, 2))
        .here(|queue| drop(queue.shutdown(Shutdown::Drain)));
    assert!(queue.iter().eq([1]));
}

fn an_immediate_shutdown_shows_what_was_before<C: Container<Item = u32> + 'static>(container: C) {
    Crew::new((On::new(container), AtomicU32::new(0)))
        .and(|(queue, before)| {
            before.store(1, Relaxed);
            queue.shutdown(Shutdown::Immediate);
        })
        .here(|(queue, before)| {
            if queue.try_get() == Err(TryGetError::ShutDown) {
                assert_eq!(before.load(Relaxed), 1);
            }
        });
}

/// Whoever holds an item finds it unfinished and can report it, however little it has seen of what
/// others put and report meanwhile.
fn what_is_held_is_unfinished_while_more_is_put<C: Container<Item = u32> + 'static>(container: C) {
    let queue = On::new(container);
    queue.put(1).unwrap();
    let work = |queue: &On<C>| {
        if queue.try_get().is_ok() {
            assert!((1..=2).contains(&queue.unfinished()));
            queue.task_done().unwrap();
        }
    };
    Crew::new(queue)
        .and(move |queue| {
            queue.put(2).unwrap();
            work(queue);
        })
        .here(work);
}

/// The last report wakes the one who joins, and shows the work.
fn join_waits_for_the_last_report<C: Container<Item = u32> + 'static>(container: C) {
    let queue = On::new(container);
    queue.put_many([1, 2]).unwrap();
    let work = |(queue, done): &(On<C>, [AtomicU32; 3])| {
        let item = queue.get().unwrap();
        done[item as usize].store(1, Relaxed);
        queue.task_done().unwrap();
    };
    let done = [AtomicU32::new(0), AtomicU32::new(0), AtomicU32::new(0)];
    Crew::new((queue, done))
        .and(work)
        .and(work)
        .here(|(queue, done)| {
            queue.join();
            assert_eq!(done.each_ref().map(|item| item.load(Relaxed)), [0, 1, 1]);
        });
}

/// Two report for one item: one of them is told.
fn one_report_too_many_is_an_error<C: Container<Item = u32> + 'static>(container: C) {
    let queue = On::new(container);
    queue.put(1).unwrap();
    let errors = Arc::new(Counter::new(0));
    let there = Arc::clone(&errors);
    let report = |errors: &Counter, queue: &On<C>| {
        errors.fetch_add(u32::from(queue.task_done().is_err()), SeqCst);
    };
    Crew::new(queue)
        .and(move |queue| report(&there, queue))
        .here(|queue| report(&errors, queue));
    assert_eq!(errors.load(SeqCst), 1);
}

fn a_lease_put_back_is_unfinished<C: Container<Item = u32> + 'static>(container: C) {
    let queue = On::new(container);
    queue.put(1).unwrap();
    let finished = Arc::new(Counter::new(0));
    let there = Arc::clone(&finished);
    Crew::new(queue)
        .and(|queue| {
            if let Ok(lease) = queue.try_lease() {
                assert!(lease.put_back().is_ok());
            }
        })
        .and(move |queue| {
            let lease = queue.lease().unwrap();
            there.store(1, SeqCst);
            drop(lease);
        })
        .here(|queue| {
            queue.join();
            assert_eq!(finished.load(SeqCst), 1);
        });
}

/// The wake-up for an item may go to a getter whose time is up.
fn who_gives_up_leaves_the_item_to_the_others<C: Container<Item = u32> + 'static>(container: C) {
    Crew::new(On::new(container))
        .and(|queue| queue.get().unwrap())
        .and(|queue| {
            if let Ok(item) = queue.get_deadline(()) {
                queue.put(item).unwrap();
            }
        })
        .here(|queue| queue.put(1).unwrap());
}

/// The wake-up for room may go to a putter whose time is up.
fn who_gives_up_leaves_the_room_to_the_others<C: Container<Item = u32> + 'static>(container: C) {
    let queue = On::new(container);
    queue.put(0).unwrap();
    Crew::new(queue)
        .and(|queue| queue.put(1).unwrap())
        .and(|queue| {
            if queue.put_deadline(2, ()).is_ok() {
                queue.get().unwrap();
            }
        })
        .here(|queue| queue.get().unwrap());
}
