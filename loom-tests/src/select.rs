//! Waiting for any of several sources on a thread: no wake-up is lost, nothing is taken from a source
//! that does not win, and it passes a wake-up on.
//!
//! It is the adapter's own file, compiled here on loom's types.

#[path = "../../std-adapter/src/select/any.rs"]
#[allow(unreachable_pub, reason = "it is written for another crate")]
mod original;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};

use brigade_core::bounded::Ticket;
use brigade_core::sync::{AtomicU32, Model, Ordering::Relaxed};
use brigade_core::wait::Async;
use brigade_core::{Shutdown, TryGetError};

use self::original::{Bell, poll_any};
use crate::harness::{Crew, bounded, bounded_each, exhaustive};

type Queue = brigade_core::Queue<Ticket<u32, 1>, Async<Model, 2>>;
type Event = brigade_core::Event<Async<Model, 1>>;

struct Ringing(Bell<Model>);

impl Wake for Ringing {
    fn wake(self: Arc<Self>) {
        self.0.ring();
    }
}

/// Whether a task was woken.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, SeqCst);
    }
}

/// What won.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Won {
    Item(u32),
    ShutDown,
    Event,
}

type Source<'a> = Pin<Box<dyn Future<Output = Won> + 'a>>;

fn get(queue: &Queue) -> Source<'_> {
    Box::pin(async { queue.get_async().await.map_or(Won::ShutDown, Won::Item) })
}

fn set(event: &Event) -> Source<'_> {
    Box::pin(async {
        event.wait_async().await;
        Won::Event
    })
}

/// What `Select` does, with a start that is given.
fn select<const N: usize>(
    mut sources: [Source<'_>; N],
    start: usize,
    deadline: Option<()>,
) -> Option<Won> {
    let bell = Arc::new(Ringing(Bell::new()));
    let waker = Waker::from(Arc::clone(&bell));
    bell.0.wait(&waker, deadline, |context| {
        poll_any(&mut sources, start, context)
    })
}

#[derive(Default)]
struct Shop {
    one: Queue,
    other: Queue,
    event: Event,
}

impl Shop {
    fn all(&self) -> [Source<'_>; 3] {
        [get(&self.one), get(&self.other), set(&self.event)]
    }
}

/// A change that only relaxed accesses tell of is seen in the poll that the bell leads to.
#[test]
fn what_was_before_the_ring_is_seen_after_it() {
    exhaustive(|| {
        Crew::new((Bell::<Model>::new(), AtomicU32::new(0)))
            .and(|(bell, changed)| {
                changed.store(1, Relaxed);
                bell.ring();
            })
            .here(|(bell, changed)| {
                bell.wait(Waker::noop(), None, |_| match changed.load(Relaxed) {
                    1 => Poll::Ready(()),
                    _ => Poll::Pending,
                })
            });
    });
}

/// Two rings, of which only one may be heard: what both of them tell is seen.
#[test]
fn of_two_rings_neither_is_lost() {
    bounded(3, || {
        let add = |(bell, changed): &(Bell<Model>, AtomicU32)| {
            changed.fetch_add(1, Relaxed);
            bell.ring();
        };
        Crew::new((Bell::<Model>::new(), AtomicU32::new(0)))
            .and(add)
            .and(add)
            .here(|(bell, changed)| {
                bell.wait(Waker::noop(), None, |_| match changed.load(Relaxed) {
                    2 => Poll::Ready(()),
                    _ => Poll::Pending,
                })
            });
    });
}

/// Bounded, here and below: three sources take many steps, and to lose a wake-up it takes one
/// interruption, between two steps of the one who falls asleep.
#[test]
fn an_item_ends_it() {
    bounded_each(2, 0..3, |start| {
        let shop = Crew::new(Shop::default())
            .and(|shop| shop.other.put(1).unwrap())
            .here(|shop| {
                assert_eq!(select(shop.all(), start, None), Some(Won::Item(1)));
            });
        assert_eq!(shop.other.try_get(), Err(TryGetError::Empty));
    });
}

#[test]
fn an_event_ends_it() {
    bounded_each(2, 0..3, |start| {
        Crew::new(Shop::default())
            .and(|shop| shop.event.set())
            .here(|shop| {
                assert_eq!(select(shop.all(), start, None), Some(Won::Event));
            });
    });
}

#[test]
fn a_shutdown_ends_it() {
    bounded_each(2, 0..3, |start| {
        Crew::new(Shop::default())
            .and(|shop| drop(shop.one.shutdown(Shutdown::Drain)))
            .here(|shop| {
                assert_eq!(select(shop.all(), start, None), Some(Won::ShutDown));
            });
    });
}

/// Of two that are ready at about the same time one wins, and the other is left as it was.
#[test]
fn the_loser_keeps_what_it_has() {
    bounded_each(1, 0..3, |start| {
        let mut won = None;
        let shop = Crew::new(Shop::default())
            .and(|shop| shop.one.put(1).unwrap())
            .and(|shop| shop.other.put(2).unwrap())
            .here(|shop| won = select(shop.all(), start, None));
        let left = (shop.one.try_get().ok(), shop.other.try_get().ok());
        match won {
            Some(Won::Item(1)) => assert_eq!(left, (None, Some(2))),
            Some(Won::Item(2)) => assert_eq!(left, (Some(1), None)),
            won => panic!("{won:?}"),
        }
    });
}

/// The time may be up at any moment: then the item is still there.
#[test]
fn a_deadline_loses_no_item() {
    bounded_each(2, 0..2, |start| {
        let mut won = None;
        let shop = Crew::new(Shop::default())
            .and(|shop| shop.one.put(1).unwrap())
            .here(|shop| {
                let sources = [get(&shop.one), set(&shop.event)];
                won = select(sources, start, Some(()));
            });
        assert_eq!(shop.one.try_get().is_ok(), won.is_none());
    });
}

/// A task waits for the same queue. If the event wins, the wake-up by the item goes to the task, be
/// it from the start or because the loser passes it on.
#[test]
fn a_loser_passes_its_wake_up_on() {
    bounded_each(2, 0..2, |start| {
        let woken = Arc::<Woken>::default();
        let waker = Waker::from(Arc::clone(&woken));
        let mut won = None;
        let shop = Crew::new(Shop::default())
            .and(|shop| {
                shop.one.put(1).unwrap();
                shop.event.set();
            })
            .here(|shop| {
                let mut task = shop.one.get_async();
                let polled = Pin::new(&mut task).poll(&mut Context::from_waker(&waker));
                if polled.is_pending() {
                    let sources = [get(&shop.one), set(&shop.event)];
                    won = select(sources, start, None);
                    // It is neither polled again nor dropped before all is over.
                    std::mem::forget(task);
                }
            });
        if won == Some(Won::Event) {
            assert_eq!(shop.one.len(), 1);
            assert!(woken.0.load(SeqCst), "the item is there and nobody knows");
        }
    });
}
