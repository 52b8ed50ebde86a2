//! What all containers promise, on real threads and at the edges.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use brigade_core::bounded::{
    Container, Drain, Fifo, HeapFifo, HeapLifo, HeapPriority, HeapTicket, HeapTwoLock, Lifo,
    Nothing, Refused, Run, Ticket, TwoLock,
};

/// Runs a generic check on every kind of container.
macro_rules! on_every_container {
    ($($check:ident),+ $(,)?) => {
        mod fifo {
            $(#[test] fn $check() { super::$check(super::HeapFifo::with_capacity); })+
        }
        mod ticket {
            $(#[test] fn $check() { super::$check(super::HeapTicket::with_capacity); })+
        }
        mod two_lock {
            $(#[test] fn $check() { super::$check(super::HeapTwoLock::with_capacity); })+
        }
        mod lifo {
            $(#[test] fn $check() { super::$check(super::HeapLifo::with_capacity); })+
        }
        mod priority {
            $(#[test] fn $check() { super::$check(super::HeapPriority::<_>::with_capacity); })+
        }
        mod fifo_at_the_wrap {
            $(#[test] fn $check() { super::$check(|n| super::HeapFifo::with_capacity(n).near_wrap(1)); })+
        }
        mod ticket_at_the_wrap {
            $(#[test] fn $check() { super::$check(|n| super::HeapTicket::with_capacity(n).near_wrap(1)); })+
        }
        mod two_lock_at_the_wrap {
            $(#[test] fn $check() { super::$check(|n| super::HeapTwoLock::with_capacity(n).near_wrap(2)); })+
        }
        mod lifo_at_the_wrap {
            $(#[test] fn $check() { super::$check(|n| super::HeapLifo::with_capacity(n).near_wrap(2)); })+
        }
        mod priority_at_the_wrap {
            $(#[test] fn $check() { super::$check(|n| super::HeapPriority::<_>::with_capacity(n).near_wrap(2)); })+
        }
    };
}

on_every_container! {
    keeps_its_order,
    closes_in_order,
    takes_runs,
    loses_and_doubles_nothing_between_threads,
    drops_what_is_left,
    survives_a_panicking_destructor,
    survives_a_panicking_receiver,
    may_be_used_by_its_receiver,
    drains_what_is_there,
}

/// The order in which a container claims to give items out.
trait Ordered: Container {
    /// Whether each consumer gets the items of each producer as that one pushed them.
    const BY_PRODUCER: bool = true;

    /// Takes out of a plain list, in which items are as they were pushed, the one whose turn it
    /// is.
    fn next(items: &mut VecDeque<u32>) -> Option<u32> {
        items.pop_front()
    }
}

impl<T> Ordered for HeapFifo<T> {}
impl<T> Ordered for HeapTicket<T> {}
impl<T> Ordered for HeapTwoLock<T> {}

impl<T> Ordered for HeapLifo<T> {
    const BY_PRODUCER: bool = false;

    fn next(items: &mut VecDeque<u32>) -> Option<u32> {
        items.pop_back()
    }
}

impl<T: Ord> Ordered for HeapPriority<T> {
    fn next(items: &mut VecDeque<u32>) -> Option<u32> {
        let first = (0..items.len()).min_by_key(|&place| items[place])?;
        items.remove(first)
    }
}

/// A small generator of arbitrary but repeatable choices.
pub(crate) struct Choices(pub(crate) u64);

impl Choices {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

fn keeps_its_order<C: Ordered<Item = u32>>(make: impl Fn(usize) -> C) {
    for capacity in [1, 2, 3, 5, 8, 100] {
        let queue = make(capacity);
        let mut model = VecDeque::new();
        let mut choices = Choices(capacity as u64);
        for step in 0_u32..10_000 {
            // No two are equal, and they neither rise nor fall.
            let item = step.wrapping_mul(0x9E37_79B1);
            if choices.below(2) == 0 {
                let expected = if model.len() == capacity {
                    Err(Refused::Full(item))
                } else {
                    model.push_back(item);
                    Ok(())
                };
                assert_eq!(queue.try_push(item), expected);
            } else {
                assert_eq!(queue.try_pop(), C::next(&mut model).ok_or(Nothing::Empty));
            }
            assert_eq!(queue.len(), model.len());
            assert_eq!(queue.is_empty(), model.is_empty());
            assert_eq!(queue.confirm_empty(), model.is_empty());
            assert_eq!(queue.is_full(), model.len() == capacity);
            assert_eq!(queue.confirm_full(), model.len() == capacity);
            assert_eq!(queue.capacity(), capacity);
        }
    }
}

fn closes_in_order<C: Ordered<Item = u32>>(make: impl Fn(usize) -> C) {
    for capacity in [1, 2, 7] {
        for items in 0..=u32::try_from(capacity).unwrap() {
            let queue = make(capacity);
            let before = queue.pushed();
            let mut model: VecDeque<_> = (0..items).rev().collect();
            for (count, &item) in (0..).zip(&model) {
                queue.try_push(item).unwrap();
                let after = (0..=count).fold(before, |pushed, _| queue.after(pushed));
                assert_eq!(after, queue.pushed());
            }
            assert!(!queue.is_closed());
            queue.close();
            queue.close();
            assert!(queue.is_closed());
            assert_eq!(queue.try_push(99), Err(Refused::Closed(99)));
            assert_eq!(queue.between(before, queue.pushed()), items);
            while let Some(item) = C::next(&mut model) {
                assert_eq!(queue.try_pop(), Ok(item));
            }
            assert_eq!(queue.try_pop(), Err(Nothing::Closed));
            assert_eq!(queue.try_push(99), Err(Refused::Closed(99)));
            assert!(queue.confirm_empty());
        }
    }
}

fn takes_runs<C: Ordered<Item = u32>>(make: impl Fn(usize) -> C) {
    for capacity in [1, 2, 5, 8] {
        let queue = make(capacity);
        let mut model = VecDeque::new();
        let mut next = 0;
        let mut choices = Choices(7);
        while next < 5_000 {
            let length = 1 + choices.below(9);
            let mut run = Run::new();
            run.fill((next..).take(length));
            match queue.try_push_many(&mut run) {
                Ok(pushed) => {
                    assert!(pushed > 0 && run.len() == length - pushed);
                    let after = next + u32::try_from(pushed).unwrap();
                    model.extend(next..after);
                    next = after;
                    assert!(run.eq(next..next + u32::try_from(length - pushed).unwrap()));
                }
                Err(refused) => assert_eq!((refused, queue.len()), (Refused::Full(()), capacity)),
            }
            let most = choices.below(10);
            let mut got = Vec::new();
            match queue.try_pop_many(most, &mut got) {
                Ok(popped) => assert!(popped == got.len() && (popped > 0 || most == 0)),
                Err(nothing) => assert_eq!((nothing, queue.len()), (Nothing::Empty, 0)),
            }
            let expected = (0..most).map_while(|_| C::next(&mut model));
            assert!(got.into_iter().eq(expected));
        }
        queue.close();
        let mut late = Run::new();
        late.fill(std::iter::once(1));
        assert_eq!(queue.try_push_many(&mut late), Err(Refused::Closed(())));
        assert_eq!(late.next(), Some(1));
        while queue.try_pop().is_ok() {}
        assert_eq!(queue.try_pop_many(1, &mut Vec::new()), Err(Nothing::Closed));
    }
}

fn drains_what_is_there<C: Ordered<Item = u32>>(make: impl Fn(usize) -> C) {
    let queue = make(5);
    let mut model: VecDeque<_> = [2, 1, 3].into();
    for &item in &model {
        queue.try_push(item).unwrap();
    }
    assert_eq!(Drain::new(&queue).next(), C::next(&mut model));
    assert_eq!(queue.len(), 2, "what was not taken stays");
    let rest = std::iter::from_fn(|| C::next(&mut model));
    assert!(Drain::new(&queue).eq(rest));
    let mut drain = Drain::new(&queue);
    assert_eq!(drain.next(), None);
    queue.try_push(4).unwrap();
    assert_eq!(drain.next(), Some(4));
    queue.close();
    assert_eq!(drain.next(), None);
}

/// Three producers and three consumers: each item arrives once, and, if the container promises
/// that, those of one producer in their order at each consumer.
fn loses_and_doubles_nothing_between_threads<C>(make: impl Fn(usize) -> C)
where
    C: Ordered<Item = (usize, usize)> + Sync,
{
    const THREADS: usize = 3;
    const EACH: usize = 20_000;
    for capacity in [1, 2, 64] {
        let queue = make(capacity);
        let producing = AtomicUsize::new(THREADS);
        let received: Vec<_> = thread::scope(|scope| {
            let consumers: Vec<_> = (0..THREADS)
                .map(|_| {
                    scope.spawn(|| {
                        let mut got = Vec::new();
                        loop {
                            match queue.try_pop() {
                                Ok(item) => got.push(item),
                                Err(Nothing::Closed) => return got,
                                Err(_) => thread::yield_now(),
                            }
                        }
                    })
                })
                .collect();
            for producer in 0..THREADS {
                let (queue, producing) = (&queue, &producing);
                scope.spawn(move || {
                    for number in 0..EACH {
                        while queue.try_push((producer, number)).is_err() {
                            thread::yield_now();
                        }
                    }
                    if producing.fetch_sub(1, Ordering::AcqRel) == 1 {
                        queue.close();
                    }
                });
            }
            consumers
                .into_iter()
                .map(|consumer| consumer.join().unwrap())
                .collect()
        });
        for got in &received {
            for producer in 0..THREADS {
                let of_one = got.iter().filter(|(from, _)| *from == producer);
                assert!(!C::BY_PRODUCER || of_one.is_sorted());
            }
        }
        let mut all: Vec<_> = received.into_iter().flatten().collect();
        all.sort_unstable();
        let expected = (0..THREADS).flat_map(|from| (0..EACH).map(move |number| (from, number)));
        assert!(all.into_iter().eq(expected));
    }
}

/// Counts its drops, and panics in them if told to.
pub(crate) struct Counted {
    pub(crate) dropped: Arc<AtomicUsize>,
    pub(crate) panics: bool,
}

/// All the same to who sorts them.
impl Ord for Counted {
    fn cmp(&self, _: &Self) -> std::cmp::Ordering {
        std::cmp::Ordering::Equal
    }
}

impl PartialOrd for Counted {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Counted {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Counted {}

impl Drop for Counted {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
        assert!(!self.panics || thread::panicking(), "as asked for");
    }
}

fn drops_what_is_left<C: Container<Item = Counted>>(make: impl Fn(usize) -> C) {
    let dropped = Arc::new(AtomicUsize::new(0));
    let queue = make(5);
    for _ in 0..4 {
        assert!(
            queue
                .try_push(Counted {
                    dropped: Arc::clone(&dropped),
                    panics: false
                })
                .is_ok()
        );
    }
    drop(queue.try_pop());
    assert_eq!(dropped.load(Ordering::Relaxed), 1);
    drop(queue);
    assert_eq!(dropped.load(Ordering::Relaxed), 4);
}

fn survives_a_panicking_destructor<C: Container<Item = Counted>>(make: impl Fn(usize) -> C) {
    let dropped = Arc::new(AtomicUsize::new(0));
    let queue = make(5);
    for place in 0..5 {
        let item = Counted {
            dropped: Arc::clone(&dropped),
            panics: place == 1,
        };
        assert!(queue.try_push(item).is_ok());
    }
    assert!(catch_unwind(AssertUnwindSafe(|| drop(queue))).is_err());
    assert_eq!(dropped.load(Ordering::Relaxed), 5);
}

/// A collection that panics at its second item.
struct Receiver(usize);

impl Extend<Counted> for Receiver {
    fn extend<I: IntoIterator<Item = Counted>>(&mut self, items: I) {
        for item in items {
            self.0 += 1;
            assert!(self.0 < 2, "as asked for");
            drop(item);
        }
    }
}

fn survives_a_panicking_receiver<C: Container<Item = Counted>>(make: impl Fn(usize) -> C) {
    let dropped = Arc::new(AtomicUsize::new(0));
    let queue = make(3);
    let item = || Counted {
        dropped: Arc::clone(&dropped),
        panics: false,
    };
    for _ in 0..3 {
        assert!(queue.try_push(item()).is_ok());
    }
    let received = catch_unwind(AssertUnwindSafe(|| {
        queue.try_pop_many(3, &mut Receiver(0)).is_ok()
    }));
    assert!(received.is_err());
    assert_eq!(
        dropped.load(Ordering::Relaxed) + queue.len(),
        3,
        "nothing vanished"
    );
    while queue.try_push(item()).is_ok() {}
    assert_eq!(queue.len(), 3, "every slot is usable");
}

/// Puts what it receives back, changed, into the queue it comes from.
struct Returning<'a, C>(&'a C);

impl<C: Container<Item = u32>> Extend<u32> for Returning<'_, C> {
    fn extend<I: IntoIterator<Item = u32>>(&mut self, items: I) {
        assert_eq!(
            self.0.try_push(10),
            Ok(()),
            "there is room before the first is taken"
        );
        for item in items {
            assert!(matches!(
                self.0.try_push(item),
                Ok(()) | Err(Refused::Full(_))
            ));
        }
    }
}

fn may_be_used_by_its_receiver<C: Container<Item = u32>>(make: impl Fn(usize) -> C) {
    let queue = make(2);
    for item in 0..2 {
        queue.try_push(item).unwrap();
    }
    assert_eq!(queue.try_pop_many(2, &mut Returning(&queue)), Ok(2));
    assert_eq!(queue.len(), 2);
    queue.close();
    while queue.try_pop().is_ok() {}
    assert_eq!(queue.try_pop(), Err(Nothing::Closed));
}

#[test]
fn live_in_statics() {
    static FIFO: Fifo<u8, 3> = Fifo::new();
    static TICKET: Ticket<u8, 3> = Ticket::new();
    static TWO_LOCK: TwoLock<u8, 3> = TwoLock::new();
    static LIFO: Lifo<u8, 3> = Lifo::new();
    for item in 0..3 {
        FIFO.push(item).unwrap();
        TICKET.push(item).unwrap();
        TWO_LOCK.push(item).unwrap();
        LIFO.push(item).unwrap();
    }
    assert!(FIFO.is_full() && TICKET.is_full() && TWO_LOCK.is_full() && LIFO.is_full());
    for item in 0..3 {
        assert_eq!([FIFO.pop(), TICKET.pop(), TWO_LOCK.pop()], [Ok(item); 3]);
        assert_eq!(LIFO.pop(), Ok(2 - item));
    }
}

#[test]
fn zero_sized_and_large_items() {
    let nothing: Fifo<(), 2, 1> = Fifo::new();
    nothing.push(()).unwrap();
    assert_eq!(nothing.pop(), Ok(()));

    let large: Ticket<[u64; 100], 2> = Ticket::new();
    large.push([7; 100]).unwrap();
    assert_eq!(large.pop(), Ok([7; 100]));
}

#[test]
fn say_what_is_wrong_with_a_capacity() {
    let complaint = |result: thread::Result<()>| *result.unwrap_err().downcast::<String>().unwrap();
    let zero = complaint(catch_unwind(|| drop(HeapTicket::<u8>::with_capacity(0))));
    assert_eq!(
        zero,
        "a container holds 1 to 2^28 items, but a capacity of 0 was asked for"
    );
    let huge = complaint(catch_unwind(|| {
        drop(HeapFifo::<u8>::with_capacity(usize::MAX));
    }));
    assert!(huge.contains("18446744073709551615"));
}
