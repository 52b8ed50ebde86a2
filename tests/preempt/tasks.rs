//! Tasks that wait for an item: polled, dropped and woken, each cut off by the others at each step.
//!
//! An interrupt here may also poll a task, as executors do that run tasks at several priorities.
//! Once all calls have ended: if an item is left and a task waits, that task or another one that
//! waits has been woken; and when all who are woken are polled, no item is left beside a task that
//! waits.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};

use brigade_core::bounded::Fifo;
use brigade_core::future::Get;
use brigade_core::sync::steps::{Hook, on_step};
use brigade_core::wait::{Async, Spin, WaitAsync};
use brigade_core::{Event, Queue};

/// What may cut off what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Ask {
    Put,
    Poll(usize),
    Drop(usize),
}

use Ask::{Drop as Dropped, Poll as Polled, Put};

const ASKS: [Ask; 5] = [Put, Polled(0), Polled(1), Dropped(0), Dropped(1)];

/// What has happened before.
const BEGINNINGS: [&[Ask]; 5] = [
    &[],
    &[Polled(0)],
    &[Polled(0), Polled(1)],
    &[Polled(0), Polled(1), Put],
    &[Polled(1), Dropped(1), Polled(0)],
];

/// No interrupt makes more steps of its own than this.
const BOUND: u32 = 60;

type Backend<const SLOTS: usize> = Async<Spin, SLOTS>;
type Items<const SLOTS: usize> = Queue<Fifo<u32, 2, 4>, Backend<SLOTS>>;
type Task<const SLOTS: usize> =
    WaitAsync<'static, Get<'static, Fifo<u32, 2, 4>, Backend<SLOTS>>, Backend<SLOTS>>;

struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, SeqCst);
    }
}

/// A queue, two tasks that wait for an item each, and one processor.
struct World<const SLOTS: usize> {
    queue: &'static Items<SLOTS>,
    tasks: [RefCell<Option<Task<SLOTS>>>; 2],
    woken: [Arc<Woken>; 2],
    /// Whether a task was polled and found nothing.
    waits: [Cell<bool>; 2],
    steps: Cell<u32>,
    /// The own steps of the calls under way, outermost first.
    under_way: RefCell<Vec<u32>>,
    /// Still to come, the last one first.
    interrupts: RefCell<Vec<(u32, Ask)>>,
    most: RefCell<BTreeMap<Ask, u32>>,
}

impl<const SLOTS: usize> World<SLOTS> {
    fn new(queue: &'static Items<SLOTS>) -> Rc<Self> {
        Rc::new(Self {
            queue,
            tasks: [(); 2].map(|()| RefCell::new(Some(queue.get_async()))),
            woken: [(); 2].map(|()| Arc::new(Woken(AtomicBool::new(false)))),
            waits: Default::default(),
            steps: Cell::new(0),
            under_way: RefCell::default(),
            interrupts: RefCell::default(),
            most: RefCell::default(),
        })
    }

    /// Asks, and takes these interrupts; says whether all of them came.
    fn ask(self: &Rc<Self>, ask: Ask, interrupts: &[(u32, Ask)]) -> bool {
        self.steps.set(0);
        *self.interrupts.borrow_mut() = interrupts.iter().rev().copied().collect();
        on_step(Rc::clone(self) as Rc<dyn Hook>, || self.call(ask));
        self.interrupts.borrow_mut().drain(..).len() == 0
    }

    fn call(&self, ask: Ask) {
        self.under_way.borrow_mut().push(0);
        match ask {
            Put => drop(self.queue.try_put(1)),
            Polled(task) => self.poll(task),
            Dropped(task) => {
                // Not what is being polled.
                let taken = self.tasks[task].try_borrow_mut().map(|mut it| it.take());
                if let Ok(Some(future)) = taken {
                    self.waits[task].set(false);
                    drop(future);
                }
            }
        }
        let steps = self.under_way.borrow_mut().pop().expect("pushed above");
        if !self.under_way.borrow().is_empty() {
            let mut most = self.most.borrow_mut();
            let most = most.entry(ask).or_default();
            *most = steps.max(*most);
        }
    }

    fn poll(&self, task: usize) {
        let Ok(mut future) = self.tasks[task].try_borrow_mut() else {
            return;
        };
        let Some(pending) = future.as_mut() else {
            return;
        };
        self.woken[task].0.store(false, SeqCst);
        let waker = Waker::from(Arc::clone(&self.woken[task]));
        let answer = Pin::new(pending).poll(&mut Context::from_waker(&waker));
        self.waits[task].set(answer.is_pending());
        if answer.is_ready() {
            *future = None;
        }
    }

    fn who_waits(&self) -> impl Iterator<Item = usize> {
        (0..2).filter(|&task| self.waits[task].get())
    }

    fn is_woken(&self, task: usize) -> bool {
        self.woken[task].0.load(SeqCst)
    }

    /// Judges what has become of the wake-ups, and leaves the queue as it was.
    fn verify(&self, story: impl Fn() -> String) {
        let somebody_waits = self.who_waits().next().is_some();
        if !self.queue.is_empty() && somebody_waits {
            let woken = self.who_waits().any(|task| self.is_woken(task));
            assert!(woken, "a wake-up was lost: {}", story());
        }
        // With a slot for each, whoever is not woken stays so.
        for _ in 0..4 {
            for task in 0..2 {
                if self.waits[task].get() && self.is_woken(task) {
                    self.poll(task);
                }
            }
        }
        let forgotten = !self.queue.is_empty() && self.who_waits().next().is_some();
        assert!(!forgotten, "a wake-up was not handed on: {}", story());
        for task in &self.tasks {
            drop(task.borrow_mut().take());
        }
        while self.queue.try_get().is_ok() {
            self.queue.task_done().expect("it was put");
        }
    }
}

impl<const SLOTS: usize> Hook for World<SLOTS> {
    fn step(&self) {
        let step = self.steps.get();
        let due = |interrupts: &mut Vec<(u32, Ask)>| {
            let is_due = interrupts.last().is_some_and(|&(at, _)| at == step);
            is_due.then(|| interrupts.pop()).flatten()
        };
        let interrupt = due(&mut self.interrupts.borrow_mut());
        if let Some((_, ask)) = interrupt {
            self.call(ask);
        }
        self.steps.set(self.steps.get() + 1);
        *self
            .under_way
            .borrow_mut()
            .last_mut()
            .expect("a call is under way") += 1;
    }

    fn pause(&self) {
        panic!("waits for what it has cut off");
    }
}

/// Every call, cut off at every step by every other, which is cut off in turn.
fn every_cut<const SLOTS: usize>(queue: &'static Items<SLOTS>) {
    let (mut runs, mut most) = (0, 0);
    let mut run = |beginning: &[Ask], ask: Ask, interrupts: &[(u32, Ask)]| {
        let world = World::new(queue);
        for &before in beginning {
            world.ask(before, &[]);
        }
        let all_came = world.ask(ask, interrupts);
        world.verify(|| format!("{beginning:?}, {ask:?} cut off by {interrupts:?}"));
        most = world.most.borrow().values().copied().fold(most, u32::max);
        runs += 1;
        all_came
    };
    for beginning in BEGINNINGS {
        for ask in ASKS {
            for first in ASKS {
                for at in 0.. {
                    if !run(beginning, ask, &[(at, first)]) {
                        break;
                    }
                    for second in ASKS {
                        let mut later = at..;
                        while later
                            .next()
                            .is_some_and(|then| run(beginning, ask, &[(at, first), (then, second)]))
                        {
                        }
                    }
                }
            }
        }
    }
    println!("{SLOTS} slots: {runs} runs, at most {most} steps in an interrupt");
    assert!(runs > 10_000);
    assert!(most <= BOUND, "{most} steps");
}

#[test]
fn tasks_and_slots() {
    static QUEUE: Items<2> = Queue::new(Fifo::new());
    every_cut(&QUEUE);
}

/// Who finds no slot wakes itself.
#[test]
fn more_tasks_than_slots() {
    static QUEUE: Items<1> = Queue::new(Fifo::new());
    every_cut(&QUEUE);
}

/// At each step of a poll an interrupt sets the event, and clears it again.
#[test]
fn a_pulse_at_every_step_of_a_poll() {
    struct Pulse {
        event: Event<Backend<1>>,
        at: u32,
        steps: Cell<u32>,
        within: Cell<bool>,
    }

    impl Hook for Pulse {
        fn step(&self) {
            let step = self.steps.replace(self.steps.get() + 1);
            if step == self.at && !self.within.replace(true) {
                self.event.set();
                self.event.clear();
            }
        }
    }

    let woken = Arc::new(Woken(AtomicBool::new(false)));
    let waker = Waker::from(Arc::clone(&woken));
    for at in 0.. {
        let pulse = Rc::new(Pulse {
            event: Event::new(),
            at,
            steps: Cell::new(0),
            within: Cell::new(false),
        });
        let mut wait = pulse.event.wait_async();
        let mut poll = || Pin::new(&mut wait).poll(&mut Context::from_waker(&waker));
        woken.0.store(false, SeqCst);
        let answer = on_step(Rc::clone(&pulse) as Rc<dyn Hook>, &mut poll);
        if !pulse.within.get() {
            assert!(at > 3, "a poll makes some steps");
            assert_eq!(answer, Poll::Pending);
            pulse.event.set();
            assert!(woken.0.load(SeqCst), "a set after the poll was missed");
            return;
        }
        if answer.is_pending() {
            assert!(woken.0.load(SeqCst), "the pulse at step {at} was missed");
            assert_eq!(poll(), Poll::Ready(()));
        }
    }
}
