//! `shared::PlainQueue`.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use brigade::Shutdown;
use brigade::shared::{GetError, PlainQueue, PutFailure, Value};

use crate::other_process::{Other, argument, await_death, say};
use crate::task::block_on;

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(1);

#[test]
fn items_come_in_order_and_the_bound_holds() {
    for capacity in [1, 2, 3, 7, 64] {
        let queue = PlainQueue::bounded(capacity).unwrap();
        for lap in 0..5 {
            for item in 0..capacity {
                queue.try_put([lap, item]).unwrap();
            }
            assert!(queue.is_full() && queue.len() == capacity && queue.capacity() == capacity);
            let refused = queue.try_put([lap, capacity]).unwrap_err();
            assert_eq!(refused.why, PutFailure::Full);
            assert_eq!(refused.item, [lap, capacity]);
            assert_eq!(queue.try_loan().unwrap_err(), PutFailure::Full);
            for item in 0..capacity {
                assert_eq!(queue.try_get(), Ok([lap, item]));
            }
            assert_eq!(queue.try_get(), Err(GetError::Empty));
        }
    }
    assert!(PlainQueue::<u8>::bounded(0).is_err());
    assert!(PlainQueue::<u8>::bounded(usize::MAX).is_err());
    assert!(PlainQueue::<u8>::with_leases(1, 0).is_err());
}

#[test]
fn items_of_any_size_come_as_they_were() {
    fn whole<const N: usize>() {
        let item: [u8; N] = std::array::from_fn(|at| u8::try_from(at * 7 % 251).unwrap());
        let queue = PlainQueue::bounded(2).unwrap();
        // Old items shine through nowhere.
        queue
            .put_many([[255; N], [255; N], item, item].into_iter().take(2))
            .unwrap();
        assert_eq!(queue.get_many(2, &mut Vec::new()), Ok(2));
        for _ in 0..4 {
            queue.put(item).unwrap();
            assert_eq!(queue.get(), Ok(item));
            let mut loan = queue.loan().unwrap();
            loan.write(&item);
            loan.commit().unwrap();
            assert_eq!(queue.lease().unwrap().finish(), item);
        }
    }
    whole::<0>();
    whole::<1>();
    whole::<7>();
    whole::<8>();
    whole::<9>();
    whole::<47>();
    whole::<48>();
    whole::<49>();
    whole::<4096>();
    whole::<4097>();
    let nothing = PlainQueue::bounded(1).unwrap();
    nothing.put(()).unwrap();
    assert_eq!(nothing.get(), Ok(()));
}

#[test]
fn parts_are_written_and_read_in_place() {
    let queue = PlainQueue::<[[u8; 3]; 100]>::bounded(1).unwrap();
    let mut loan = queue.loan().unwrap();
    for at in (0..100).rev() {
        loan.set(usize::from(at), [at; 3]);
    }
    loan.write_from(10, &[[1, 2, 3], [4, 5, 6]]);
    loan.write_from(100, &[]);
    loan.commit().unwrap();
    let lease = queue.lease().unwrap();
    assert_eq!(lease.get(9), [9; 3]);
    let mut some = [[0; 3]; 4];
    lease.read_from(9, &mut some);
    assert_eq!(some, [[9; 3], [1, 2, 3], [4, 5, 6], [12; 3]]);
    assert_eq!(lease.read()[99], [99; 3]);
    lease.read_from(100, &mut []);
}

#[test]
#[should_panic(expected = "2 elements from 99 on, of 100")]
fn writing_beyond_the_end_panics() {
    let queue = PlainQueue::<[u8; 100]>::bounded(1).unwrap();
    queue.loan().unwrap().write_from(99, &[0; 2]);
}

#[test]
#[should_panic(expected = "1 elements from 8 on, of 8")]
fn reading_beyond_the_end_panics() {
    let queue = PlainQueue::bounded(1).unwrap();
    queue.put([0_u8; 8]).unwrap();
    let _ = queue.lease().unwrap().get(8);
}

#[test]
fn a_loan_is_put_once_or_not_at_all() {
    let queue = PlainQueue::with_leases(1, 2).unwrap();
    let mut loans = [queue.loan().unwrap(), queue.loan().unwrap()];
    loans[0].write(&1);
    loans[1].write(&2);
    let [first, second] = loans;
    let third = queue.loan().unwrap();
    // All places are loaned, though none is in the queue.
    assert!(queue.is_empty());
    assert_eq!(queue.loan_timeout(SHORT).unwrap_err(), PutFailure::Full);
    drop(third);
    first.commit().unwrap();
    let refused = second.try_commit().unwrap_err();
    assert_eq!(refused.why, PutFailure::Full);
    let refused = refused.into_inner().commit_timeout(SHORT).unwrap_err();
    assert_eq!(refused.why, PutFailure::Full);
    assert_eq!(queue.get(), Ok(1));
    refused.item.commit_deadline(Instant::now() + LONG).unwrap();
    assert_eq!(queue.get(), Ok(2));
    let late = queue.loan().unwrap();
    assert_eq!(queue.task_done().and(queue.task_done()), Ok(()));
    assert_eq!(queue.join_timeout(LONG), Ok(true), "a loan is no item");
    queue.shutdown(Shutdown::Drain);
    let refused = late.commit().unwrap_err();
    assert_eq!(refused.why, PutFailure::ShutDown);
    assert_eq!(queue.try_loan().unwrap_err(), PutFailure::ShutDown);
    assert_eq!(queue.get(), Err(GetError::ShutDown));
}

/// One gives up his loan, one commits, one puts: each change wakes whoever can make use of it.
#[test]
fn all_who_wait_for_room_are_woken() {
    for _ in 0..100 {
        let queue = PlainQueue::with_leases(1, 2).unwrap();
        // Both may loan at a time, and neither commits before the other has.
        let gate = Barrier::new(2);
        let loan = queue.loan().unwrap();
        queue.put(0).unwrap();
        thread::scope(|scope| {
            let committer = scope.spawn(move || {
                let mut loan = loan;
                loan.write(&1);
                loan.commit_timeout(LONG).unwrap();
            });
            for item in [2, 3] {
                let (queue, gate) = (&queue, &gate);
                scope.spawn(move || {
                    let mut loan = queue.loan_timeout(LONG).unwrap();
                    loan.write(&item);
                    gate.wait();
                    loan.commit_timeout(LONG).unwrap();
                });
            }
            let mut got = [0; 4].map(|_| queue.get_timeout(LONG).unwrap());
            got.sort_unstable();
            assert_eq!(got, [0, 1, 2, 3]);
            committer.join().unwrap();
        });
    }
}

#[test]
fn what_is_put_back_comes_first_and_counts() {
    let queue = PlainQueue::bounded(4).unwrap();
    queue.put_many(['a', 'b'].map(u32::from)).unwrap();
    let lease = queue.lease().unwrap();
    assert_eq!((lease.read(), lease.attempts()), (u32::from('a'), 0));
    lease.put_back();
    let lease = queue.try_lease().unwrap();
    assert_eq!((lease.read(), lease.attempts()), (u32::from('a'), 1));
    assert_eq!(queue.join_timeout(SHORT), Ok(false));
    drop(lease);
    let remaining = queue.shutdown(Shutdown::Immediate);
    assert_eq!(remaining.collect::<Vec<_>>(), [Ok(u32::from('b'))]);
    assert_eq!(queue.join(), Ok(()));
}

#[test]
fn tasks_wait_for_loans_and_commits() {
    let queue = PlainQueue::<u64>::with_leases(1, 1).unwrap();
    thread::scope(|scope| {
        let sum = scope.spawn(|| {
            block_on(async {
                let mut sum = 0;
                while let Ok(item) = queue.lease_async().await {
                    sum += item.read();
                }
                sum
            })
        });
        let put = |items: std::ops::RangeInclusive<u64>| {
            block_on(async {
                for item in items {
                    let mut loan = queue.loan_async().await.unwrap();
                    loan.write(&item);
                    loan.commit_async().await.unwrap();
                }
            });
        };
        let other = scope.spawn(move || put(51..=100));
        put(1..=50);
        other.join().unwrap();
        block_on(queue.join_async()).unwrap();
        queue.shutdown(Shutdown::Drain);
        assert_eq!(sum.join().unwrap(), 5050);
    });
}

/// Three threads at each end, in place and by copies; no item is torn.
#[test]
fn nothing_is_lost_torn_or_comes_twice_between_threads() {
    const EACH: u64 = if cfg!(debug_assertions) {
        3_000
    } else {
        30_000
    };
    let queue = PlainQueue::<[u64; 20]>::with_leases(4, 4).unwrap();
    let whole = |item: [u64; 20]| {
        assert!(item.iter().all(|word| *word == item[0]), "torn");
        item[0]
    };
    let mut got = thread::scope(|scope| {
        let consumers: Vec<_> = (0..3)
            .map(|number| {
                let queue = &queue;
                scope.spawn(move || {
                    if number == 0 {
                        return queue.iter().map(|item| whole(item.unwrap())).collect();
                    }
                    let leases = std::iter::from_fn(|| queue.lease().ok());
                    leases
                        .map(|lease| whole(lease.finish()))
                        .collect::<Vec<u64>>()
                })
            })
            .collect();
        let producers: Vec<_> = (0..3)
            .map(|number| {
                let queue = &queue;
                scope.spawn(move || {
                    for item in number * EACH..(number + 1) * EACH {
                        if number == 0 {
                            queue.put([item; 20]).unwrap();
                            continue;
                        }
                        let mut loan = queue.loan().unwrap();
                        loan.write_from(0, &[item; 10]);
                        loan.write_from(10, &[item; 10]);
                        loan.commit().unwrap();
                    }
                })
            })
            .collect();
        for producer in producers {
            producer.join().unwrap();
        }
        queue.shutdown(Shutdown::Drain);
        let mut all = Vec::new();
        for consumer in consumers {
            let got = consumer.join().unwrap();
            for number in 0..3 {
                let of_one = |item: &&u64| *item / EACH == number;
                assert!(got.iter().filter(of_one).is_sorted());
            }
            all.extend(got);
        }
        all
    });
    got.sort_unstable();
    assert!(got.into_iter().eq(0..3 * EACH));
}

#[test]
fn adds_up_until_the_end() {
    type Ends = (PlainQueue<[u32; 1000]>, PlainQueue<u32>);
    let Some((jobs, results)) = argument::<Ends>("shared_plain_queue::adds_up_until_the_end")
    else {
        return;
    };
    while let Ok(job) = jobs.lease() {
        results.put(job.read().iter().sum()).unwrap();
    }
}

#[test]
fn other_processes_take_from_it_and_answer() {
    let ends = (
        PlainQueue::<[u32; 1000]>::bounded(8).unwrap(),
        PlainQueue::<u32>::bounded(1000).unwrap(),
    );
    let others: Vec<_> = (0..2)
        .map(|_| Other::start("shared_plain_queue::adds_up_until_the_end", &ends))
        .collect();
    let (jobs, results) = ends;
    for job in 0..500 {
        let mut loan = jobs.loan_timeout(LONG).unwrap();
        loan.write_from(0, &[job; 1000]);
        loan.commit_timeout(LONG).unwrap();
    }
    assert_eq!(jobs.join_timeout(LONG), Ok(true));
    jobs.shutdown(Shutdown::Drain);
    others.into_iter().for_each(Other::join);
    let mut sums = Vec::new();
    assert_eq!(results.get_many(1000, &mut sums), Ok(500));
    sums.sort_unstable();
    assert!(sums.into_iter().eq((0..500).map(|n| n * 1000)));
}

#[test]
fn has_a_loan_and_a_lease_and_waits_to_be_killed() {
    let role = "shared_plain_queue::has_a_loan_and_a_lease_and_waits_to_be_killed";
    let Some(queue) = argument::<PlainQueue<[u64; 2]>>(role) else {
        return;
    };
    let lease = queue.lease().unwrap();
    let mut loan = queue.loan().unwrap();
    loan.set(0, 99);
    say(&format!("{:?}", lease.read()));
    await_death();
}

#[test]
fn what_a_killed_process_had_is_free_again_or_comes_again() {
    let queue = PlainQueue::with_leases(2, 1).unwrap();
    queue.put([1_u64, 2]).unwrap();
    let role = "shared_plain_queue::has_a_loan_and_a_lease_and_waits_to_be_killed";
    let mut other = Other::start(role, &queue);
    assert_eq!(other.hear().as_deref(), Some("[1, 2]"));
    queue.put([3, 4]).unwrap();
    // Two items would fit, but the other has two blocks of the three.
    assert_eq!(queue.loan_timeout(SHORT).unwrap_err(), PutFailure::Full);
    thread::scope(|scope| {
        // Its death wakes who waits.
        let waiter = scope.spawn(|| {
            let mut loan = queue.loan_timeout(LONG).unwrap();
            loan.write(&[5, 6]);
            loan.commit_timeout(LONG).unwrap();
        });
        other.kill();
        waiter.join().unwrap();
    });
    let lease = queue.lease().unwrap();
    assert_eq!((lease.attempts(), lease.finish()), (1, [1, 2]));
    assert_eq!(queue.lease().unwrap().finish(), [3, 4]);
    assert_eq!(queue.lease().unwrap().finish(), [5, 6]);
    assert_eq!(queue.join_timeout(LONG), Ok(true));
}

#[test]
fn items_of_another_size_are_refused() {
    let queue = PlainQueue::<u64>::bounded(1).unwrap();
    let text = serde_json::to_string(&queue).unwrap();
    let read = serde_json::from_str::<PlainQueue<u32>>(&text).unwrap_err();
    assert!(read.to_string().contains("another type"), "{read}");
    let same = serde_json::from_str::<PlainQueue<u64>>(&text).unwrap();
    same.put(7).unwrap();
    assert_eq!(queue.get(), Ok(7));
    assert!(serde_json::from_str::<Value<u64>>(&text).is_err());
}
