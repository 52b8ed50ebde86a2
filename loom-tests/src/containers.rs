//! Models of what all containers promise. Their files run them.
//!
//! In most of them a few threads call what they like and [`Recorded`] judges the answers. Here the
//! container's `try_push` and `try_pop` stand for `push` and `pop`, which only repeat them while
//! the answer is Busy: who waits for a peer in a model makes it longer and adds nothing.

use std::iter::from_fn;
use std::sync::atomic::{AtomicBool, AtomicU32 as Counter, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use brigade_core::bounded::{Nothing, Refused, Run};
use brigade_core::sync::{AtomicU32, Ordering::Relaxed, pause};

use crate::harness::{Crew, bounded_each, exhaustive_each};
use crate::history::Operation::{self, Close, Pop, Push};
use crate::history::{Recorded, Subject};

/// What a thread asks a queue.
type Question<S> = fn(&S) -> bool;

/// What each thread does; the last is the model's first thread.
pub(crate) type Threads = &'static [&'static [Operation]];

pub(crate) const ONE_AND_TWO: Threads = &[&[Pop], &[Pop], &[Push(1), Push(2)]];
pub(crate) const TWO_AND_ONE: Threads = &[&[Push(1)], &[Push(2)], &[Pop, Pop]];
pub(crate) const TWO_AND_TWO: Threads = &[&[Push(1)], &[Push(2)], &[Pop], &[Pop]];
pub(crate) const BACK_AND_FORTH: Threads = &[&[Push(1), Pop], &[Push(2), Pop]];
pub(crate) const CLOSED_AMONG_OTHERS: Threads = &[&[Push(1), Push(2)], &[Close], &[Pop, Pop]];

const PAIRS: [Threads; 6] = [
    &[&[Push(1)], &[Push(2)]],
    &[&[Push(1)], &[Pop]],
    &[&[Push(1)], &[Close]],
    &[&[Pop], &[Pop]],
    &[&[Pop], &[Close]],
    &[&[Close], &[Close]],
];

/// Every pair of operations on a queue with any number of items inside, also where the cursors
/// wrap around. Exhaustive.
pub(crate) fn every_pair<S: Subject<Item = u32>>() {
    exhaustive_each(pairs::<S>(), |(new, inside, pair)| {
        judge(new(), inside, pair);
    });
}

/// The same within a bound.
pub(crate) fn every_pair_bounded<S: Subject<Item = u32>>(interruptions: usize) {
    bounded_each(interruptions, pairs::<S>(), |(new, inside, pair)| {
        judge(new(), inside, pair);
    });
}

fn pairs<S: Subject>() -> impl Iterator<Item = (fn() -> S, u32, Threads)> {
    let capacity = u32::try_from(S::CAPACITY).unwrap();
    S::STARTS.into_iter().flat_map(move |new| {
        let inside = (0..=capacity).flat_map(|inside| PAIRS.map(|pair| (inside, pair)));
        inside.map(move |(inside, pair)| (new, inside, pair))
    })
}

/// Lets threads do all this to a queue with some items inside, and judges the answers.
pub(crate) fn judge<S: Subject<Item = u32>>(queue: S, inside: u32, threads: Threads) {
    let queue = Recorded::new(queue);
    for item in 0..inside {
        assert!(queue.call(Push(item + 10)).is_done());
    }
    let work = |thread: &'static [Operation]| {
        move |queue: &Recorded<_>| {
            for operation in thread {
                queue.call(*operation);
            }
        }
    };
    let (here, others) = threads.split_last().unwrap();
    let mut crew = Crew::new(queue);
    for thread in others {
        crew = crew.and(work(thread));
    }
    crew.here(work(here)).verify(&S::plain());
}

/// Whoever is told of the close, in one of these ways, sees what the closer did before. Exhaustive.
pub(crate) fn close_shows_what_was_before<S: Subject<Item = u32>>() {
    let told: [fn(&S) -> bool; 3] = [
        |queue| queue.try_push(2) == Err(Refused::Closed(2)),
        |queue| queue.try_pop() == Err(Nothing::Closed),
        S::is_closed,
    ];
    exhaustive_each(told, |told| {
        Crew::new((S::fresh(), AtomicU32::new(0)))
            .and(|(queue, before)| {
                before.store(1, Relaxed);
                queue.close();
            })
            .here(|(queue, before)| {
                if told(queue) {
                    assert_eq!(before.load(Relaxed), 1);
                }
            });
    });
}

/// What a thread did before it was told that the queue is empty, in one of these ways, is seen by
/// whoever ends the emptiness. The sleepers of a `Queue` rely on it. Exhaustive.
pub(crate) fn empty_is_known_to_who_ends_it<S: Subject<Item = u32>>() {
    let push: fn(&S) -> bool = |queue| queue.try_push(1).is_ok();
    let close: fn(&S) -> bool = |queue| {
        queue.close();
        true
    };
    let cases: [(Question<S>, _); 3] = [
        (says_empty, push),
        (S::confirm_empty, push),
        (says_empty, close),
    ];
    exhaustive_each(cases, |(asked, end)| {
        answer_is_known(S::fresh(), asked, end);
    });
}

/// The same with Full and the pop that ends the fullness. Exhaustive.
pub(crate) fn full_is_known_to_who_ends_it<S: Subject<Item = u32>>() {
    let asked: [fn(&S) -> bool; 2] = [says_full, S::confirm_full];
    exhaustive_each(asked, |asked| {
        let queue = S::fresh();
        while queue.try_push(0).is_ok() {}
        answer_is_known(queue, asked, |queue| queue.try_pop().is_ok());
    });
}

pub(crate) fn says_empty(queue: &impl Subject<Item = u32>) -> bool {
    queue.try_pop() == Err(Nothing::Empty)
}

fn says_full(queue: &impl Subject<Item = u32>) -> bool {
    queue.try_push(2) == Err(Refused::Full(2))
}

/// If the answer was yes, it was given before the one call that ends that state.
fn answer_is_known<S: 'static>(queue: S, asked: fn(&S) -> bool, end: fn(&S) -> bool) {
    let (answer, mut ended, mut known) = (Arc::new(AtomicBool::new(false)), false, false);
    let answered = Arc::clone(&answer);
    Crew::new((queue, AtomicU32::new(0)))
        .and(move |(queue, announced)| {
            announced.store(1, Relaxed);
            answered.store(asked(queue), SeqCst);
        })
        .here(|(queue, announced)| {
            ended = end(queue);
            known = announced.load(Relaxed) == 1;
        });
    assert!(
        known || !ended || !answer.load(SeqCst),
        "the answer did not get through"
    );
}

/// Two threads push, each to one of two queues, and look into the other. They cannot both find
/// nothing. The same with pops and room. Exhaustive.
pub(crate) fn one_of_two_sees_what_the_other_did<S: Subject<Item = u32>>() {
    let push: fn(&S) = |queue| assert_eq!(push_paused(queue, 1), Ok(()));
    let pop: fn(&S) = |queue| assert!(pop_paused(queue).is_ok());
    let cases: [(_, _, Question<S>); 2] = [(false, push, says_empty), (true, pop, says_full)];
    exhaustive_each(cases, |(full, change, finds_none)| {
        let queues = [S::fresh(), S::fresh()];
        while full && queues.iter().any(|queue| queue.try_push(0).is_ok()) {}
        at_most_one(queues, change, finds_none);
    });
}

/// Waits for a peer under whose lock the queue is.
fn push_paused(queue: &impl Subject<Item = u32>, item: u32) -> Result<(), Refused<u32>> {
    loop {
        match queue.try_push(item) {
            Err(Refused::Busy(_)) => pause(),
            answer => return answer,
        }
    }
}

fn pop_paused(queue: &impl Subject<Item = u32>) -> Result<u32, Nothing> {
    loop {
        match queue.try_pop() {
            Err(Nothing::Busy) => pause(),
            answer => return answer,
        }
    }
}

fn at_most_one<S: 'static>(queues: [S; 2], change: fn(&S), finds_none: fn(&S) -> bool) {
    let (_, none) = Crew::new((queues, Counter::new(0)))
        .and(move |([a, b], none)| {
            change(a);
            none.fetch_add(u32::from(finds_none(b)), SeqCst);
        })
        .here(move |([a, b], none)| {
            change(b);
            none.fetch_add(u32::from(finds_none(a)), SeqCst);
        });
    assert_ne!(none.into_inner(), 2, "neither saw what the other did");
}

/// However old the counters are that it looks at, nobody finds more items inside than there ever
/// were at a time, or fewer than are known to be. Exhaustive.
pub(crate) fn len_is_as_it_once_was<S: Subject<Item = u32>>() {
    exhaustive_each(S::STARTS, len_once);
}

/// The same for one of the starts.
pub(crate) fn len_once<S: Subject<Item = u32>>(new: fn() -> S) {
    assert!(S::CAPACITY > 1, "or any number is one too many");
    Crew::new(new())
        .and(|queue| {
            queue.try_push(1).unwrap();
            queue.try_pop().unwrap();
        })
        .here(|queue| assert!(queue.len() <= 1));
    let queue = new();
    queue.try_push(1).unwrap();
    Crew::new(queue)
        .and(|queue| queue.try_push(2).unwrap())
        .here(|queue| assert!((1..=2).contains(&queue.len())));
}

/// A run of items put into a FIFO beside a single one: each producer's order is kept, nothing is lost and
/// nothing comes twice.
pub(crate) fn batch_in(queue: impl Subject<Item = u32>) {
    let accepted = Arc::new([Counter::new(0), Counter::new(0)]);
    let (run, single) = (Arc::clone(&accepted), Arc::clone(&accepted));
    let mut got = Vec::new();
    let queue = Crew::new(queue)
        .and(move |queue| run[0].store(push_many(queue, 0..2), SeqCst))
        .and(move |queue| single[1].store(u32::from(queue.try_push(10).is_ok()), SeqCst))
        .here(|queue| got.extend(queue.try_pop()));
    got.extend(from_fn(|| queue.try_pop().ok()));

    let (run, single): (Vec<_>, Vec<_>) = got.into_iter().partition(|&item| item < 10);
    assert!(run.into_iter().eq(0..accepted[0].load(SeqCst)));
    assert_eq!(single.len(), accepted[1].load(SeqCst) as usize);
}

/// A run of items taken out of a FIFO beside a single one.
pub(crate) fn batch_out(queue: impl Subject<Item = u32>) {
    let got = Arc::new(Mutex::new(Vec::new()));
    let (run, single) = (Arc::clone(&got), Arc::clone(&got));
    let mut accepted = Vec::new();
    let queue = Crew::new(queue)
        .and(move |queue| {
            let items = pop_many(queue, 2);
            run.lock().unwrap().extend(items);
        })
        .and(move |queue| {
            let item = queue.try_pop();
            single.lock().unwrap().extend(item);
        })
        .here(|queue| accepted.extend((0..3).filter(|&item| queue.try_push(item).is_ok())));

    // There is one producer, so what was taken is older than what is left.
    let mut got = got.lock().unwrap().split_off(0);
    got.sort_unstable();
    got.extend(from_fn(|| queue.try_pop().ok()));
    assert_eq!(got, accepted);
}

/// Runs on both sides of a FIFO.
pub(crate) fn batch_in_and_out(queue: impl Subject<Item = u32>) {
    let (mut got, accepted) = (Vec::new(), Arc::new(Counter::new(0)));
    let count = Arc::clone(&accepted);
    let queue = Crew::new(queue)
        .and(move |queue| {
            let first = push_many(queue, 0..2);
            count.store(first + push_many(queue, first..3), SeqCst);
        })
        .here(|queue| {
            got.extend(pop_many(queue, 2));
            got.extend(pop_many(queue, 2));
        });
    got.extend(from_fn(|| queue.try_pop().ok()));
    assert!(got.into_iter().eq(0..accepted.load(SeqCst)));
}

fn push_many(queue: &impl Subject<Item = u32>, items: std::ops::Range<u32>) -> u32 {
    let mut run = Run::new();
    run.fill(items.clone());
    let taken = queue.try_push_many(&mut run).unwrap_or(0);
    assert_eq!(taken + run.len(), items.len());
    u32::try_from(taken).unwrap()
}

fn pop_many(queue: &impl Subject<Item = u32>, most: usize) -> Vec<u32> {
    let mut items = Vec::new();
    let got = queue.try_pop_many(most, &mut items).unwrap_or(0);
    assert!(got == items.len() && got <= most && items.is_sorted());
    items
}

/// Counts how often each of its tokens was dropped.
pub(crate) type Tally = Arc<[Counter; 3]>;

/// An item that is dropped once.
pub(crate) struct Token(Tally, usize);

impl Token {
    pub(crate) fn new(tally: &Tally, number: usize) -> Self {
        Self(Arc::clone(tally), number)
    }
}

/// All the same to who sorts them.
impl Ord for Token {
    fn cmp(&self, _: &Self) -> std::cmp::Ordering {
        std::cmp::Ordering::Equal
    }
}

impl PartialOrd for Token {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Token {}

impl Drop for Token {
    fn drop(&mut self) {
        self.0[self.1].fetch_add(1, SeqCst);
    }
}

/// A queue dropped with items inside, and items that it refused.
pub(crate) fn drop_with_items_inside(queue: impl Subject<Item = Token>) {
    let tally = Tally::default();
    let there = Arc::clone(&tally);
    let queue = Crew::new(queue)
        .and(move |queue| {
            let _ = queue.try_push(Token(Arc::clone(&there), 0));
            let _ = queue.try_push(Token(there, 1));
        })
        .and(|queue| drop(queue.try_pop()))
        .here(|queue| drop(queue.try_push(Token(Arc::clone(&tally), 2))));
    drop(queue);
    for dropped in &*tally {
        assert_eq!(dropped.load(SeqCst), 1);
    }
}
