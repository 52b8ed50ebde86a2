//! Histories of real threads: thousands of short bursts, each judged for an order that explains it.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use brigade_core::bounded::{
    Container, HeapFifo, HeapLifo, HeapPriority, HeapSpsc, HeapTicket, HeapTwoLock, Nothing,
    Refused,
};
use brigade_core::{PopError, PushError};
use brigade_history::{Call, Clock, Operation, Order, Plain, Record, judge};

use crate::containers::Choices;

/// How many bursts a test runs between two looks at whether it is enough.
const BURSTS: usize = 1_000;
/// How many calls are to overlap with others.
const ENOUGH: usize = 20_000;
/// When it has to be enough, as on a busy machine threads take turns most of the time.
const AT_MOST: Duration = Duration::from_secs(5);
/// How many calls a thread makes in one.
const CALLS: usize = 12;

/// One container, used for one burst.
struct Burst<C> {
    container: C,
    capacity: usize,
    clock: Clock,
    arrived: AtomicUsize,
    log: Mutex<Vec<Record<Call>>>,
}

impl<C> Burst<C> {
    fn new(container: C, capacity: usize) -> Self {
        Self {
            container,
            capacity,
            clock: Clock::default(),
            arrived: AtomicUsize::new(0),
            log: Mutex::default(),
        }
    }

    /// Waits until this many threads are here, so that they begin at once: busily, for who sleeps
    /// wakes when the others have ended.
    fn begin(&self, threads: usize) {
        self.arrived.fetch_add(1, SeqCst);
        for look in 0.. {
            if self.arrived.load(SeqCst) == threads {
                return;
            }
            if look % 10_000 == 9_999 {
                thread::yield_now();
            }
        }
    }

    /// Asks all this, and adds the answers to the log.
    fn run(&self, asked: Vec<Operation>, ask: impl Fn(&C, Operation) -> Call) {
        let call = |operation| self.clock.time(|| ask(&self.container, operation));
        let records: Vec<_> = asked.into_iter().map(call).collect();
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.extend(records);
    }
}

/// What a thread asks next.
type Role = fn(&mut Choices) -> Operation;

/// Lets each thread play its role in burst after burst, and judges the answers.
fn check<C: Sync>(
    order: Order,
    make: impl Fn(usize) -> C,
    ask: impl Fn(&C, Operation) -> Call + Sync,
    roles: &[Role],
) {
    let mut choices: Vec<_> = (1..)
        .map(|role| Choices(role << 32))
        .take(roles.len())
        .collect();
    let (mut overlapped, begun) = (0, Instant::now());
    while overlapped < ENOUGH && begun.elapsed() < AT_MOST {
        let capacities = (1..=3).cycle().take(BURSTS);
        let bursts: Vec<_> = capacities.map(|n| Burst::new(make(n), n)).collect();
        thread::scope(|scope| {
            for (next, choices) in roles.iter().zip(&mut choices) {
                let (bursts, ask) = (&bursts, &ask);
                scope.spawn(move || {
                    for burst in bursts {
                        let asked: Vec<_> = (0..CALLS).map(|_| next(choices)).collect();
                        burst.begin(roles.len());
                        burst.run(asked, ask);
                    }
                });
            }
        });
        for burst in bursts {
            burst.run(vec![Operation::Pop; burst.capacity + 1], &ask);
            let log = burst.log.into_inner().unwrap();
            overlapped += log.iter().filter(|it| it.ended > it.begun + 1).count();
            judge(&Plain::new(order, burst.capacity), &log);
        }
    }
    println!("{overlapped} calls overlapped with others");
}

fn anything(choices: &mut Choices) -> Operation {
    match choices.below(40) {
        0 => Operation::Close,
        1..20 => Operation::Pop,
        _ => produce(choices),
    }
}

fn produce(choices: &mut Choices) -> Operation {
    match choices.below(40) {
        0 => Operation::Close,
        _ => Operation::Push(u32::try_from(choices.below(100)).unwrap()),
    }
}

fn consume(_: &mut Choices) -> Operation {
    Operation::Pop
}

/// Three threads that push, pop and close as they like.
fn check_all<C: Container<Item = u32> + Sync>(order: Order, make: fn(usize) -> C) {
    let ask = |container: &C, operation: Operation| operation.call(container);
    check(order, make, ask, &[anything as Role; 3]);
}

#[test]
fn fifo() {
    check_all(Order::FirstIn, |n| HeapFifo::with_capacity(n).near_wrap(1));
}

#[test]
fn lifo() {
    check_all(Order::LastIn, |n| HeapLifo::with_capacity(n).near_wrap(2));
}

#[test]
fn priority() {
    check_all(Order::Smallest, |n| {
        HeapPriority::<u32>::with_capacity(n).near_wrap(2)
    });
}

#[test]
fn ticket() {
    check_all(Order::FirstIn, |n| {
        HeapTicket::with_capacity(n).near_wrap(1)
    });
}

#[test]
fn two_lock() {
    check_all(Order::FirstIn, |n| {
        HeapTwoLock::with_capacity(n).near_wrap(2)
    });
}

#[test]
fn spsc() {
    let ask = |queue: &HeapSpsc<u32>, operation| match operation {
        Operation::Push(item) => {
            let pushed = queue.producer().unwrap().push(item);
            Call::Push(
                item,
                pushed.map_err(|error| match error {
                    PushError::Full(item) => Refused::Full(item),
                    PushError::Closed(item) => Refused::Closed(item),
                }),
            )
        }
        Operation::Pop => {
            let popped = queue.consumer().unwrap().pop();
            Call::Pop(popped.map_err(|error| match error {
                PopError::Empty => Nothing::Empty,
                PopError::Closed => Nothing::Closed,
            }))
        }
        Operation::Close => {
            queue.producer().unwrap().close();
            Call::Close
        }
    };
    check(
        Order::FirstIn,
        HeapSpsc::with_capacity,
        ask,
        &[produce, consume],
    );
}
