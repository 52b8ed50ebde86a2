//! Histories of three threads that push, pop and close as they like.

use std::sync::Arc;

use brigade_core::bounded::{Container, Fifo, Lifo, Priority, Ticket, TwoLock};
use brigade_history::Operation::{Close, Pop, Push};
use brigade_history::{Order, Plain, Recorded};
use shuttle::thread;

use crate::schedule::{below, explore};

/// How many threads there are, and how many calls each makes.
const THREADS: usize = 3;
const CALLS: usize = 5;

fn check<C: Container<Item = u32> + Send + Sync + 'static>(order: Order, container: C) {
    let claim = Plain::new(order, container.capacity());
    let container = Arc::new(Recorded::new(container));
    let threads = [(); THREADS].map(|()| {
        let container = Arc::clone(&container);
        thread::spawn(move || {
            for _ in 0..CALLS {
                container.call(match below(16) {
                    0 => Close,
                    1..8 => Pop,
                    _ => Push(below(100)),
                });
            }
        })
    });
    for thread in threads {
        thread.join().unwrap();
    }
    let container = Arc::into_inner(container).expect("all other threads have ended");
    container.verify(&claim);
}

#[test]
fn fifo() {
    explore(|| check(Order::FirstIn, Fifo::<u32, 1, 2>::new().near_wrap(0)));
    explore(|| check(Order::FirstIn, Fifo::<u32, 2, 2>::new()));
}

#[test]
fn lifo() {
    explore(|| check(Order::LastIn, Lifo::<u32, 1, 2>::new().near_wrap(2)));
    explore(|| check(Order::LastIn, Lifo::<u32, 2, 2>::new()));
}

#[test]
fn ticket() {
    explore(|| check(Order::FirstIn, Ticket::<u32, 1>::new().near_wrap(1)));
    explore(|| check(Order::FirstIn, Ticket::<u32, 2>::new()));
}

#[test]
fn two_lock() {
    explore(|| check(Order::FirstIn, TwoLock::<u32, 1>::new().near_wrap(2)));
    explore(|| check(Order::FirstIn, TwoLock::<u32, 2>::new()));
}

#[test]
fn priority() {
    explore(|| check(Order::Smallest, Priority::<u32, 1>::new().near_wrap(2)));
    explore(|| check(Order::Smallest, Priority::<u32, 3>::new()));
}
