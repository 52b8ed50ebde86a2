//! One processor, and its interrupts.
//!
//! ```text
//!     push   0 1 2 |                               | 11 12
//!                  |   pop  3 4 5 |         | 10   |            interrupt at step 3
//!                                 | push 6..9 |                 interrupt at step 6
//! ```
//!
//! Steps are counted through, whoever makes them. So a second interrupt cuts off either the first
//! one or, a second time, what the first one had cut off.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::rc::Rc;

use crate::nap;
use brigade_core::sync::steps::{Hook, on_step};
use brigade_history::{Clock, Model, Record, judge};

/// A call that makes more steps than this goes on for ever.
const FOR_EVER: u32 = 10_000;

/// What is tried.
pub(crate) trait Subject: 'static {
    /// Something to ask of it.
    type Ask: Copy + Debug + Ord;
    /// What it claims to be.
    type Claim: Model<Call: Clone>;

    /// Asks it.
    fn ask(&self, ask: Self::Ask) -> <Self::Claim as Model>::Call;

    /// What it is when unused.
    fn claim(&self) -> Self::Claim;

    /// Whether an interrupt may ask this while it has cut off that. By default it may.
    fn may_cut_off(_ask: Self::Ask, _cut_off: Self::Ask) -> bool {
        true
    }
}

/// Asks this, one after the other, when so many steps have been made.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt<A> {
    pub(crate) at: u32,
    pub(crate) asks: Rc<[A]>,
}

/// The most steps of its own that a call of each kind ever made, and how deep it was at most.
pub(crate) type Most<A> = BTreeMap<A, u32>;

/// Runs calls and takes interrupts.
pub(crate) struct Processor<S: Subject> {
    subject: S,
    clock: Clock,
    log: RefCell<Vec<Record<<S::Claim as Model>::Call>>>,
    steps: Cell<u32>,
    /// The calls under way, outermost first, and their own steps.
    under_way: RefCell<Vec<(S::Ask, u32)>>,
    /// Still to come, the last one first.
    interrupts: RefCell<Vec<Interrupt<S::Ask>>>,
    most: RefCell<Most<S::Ask>>,
    /// Whether every second weak exchange fails; and whether there were any.
    spurious: Option<Cell<bool>>,
    weak: Cell<bool>,
}

impl<S: Subject> Processor<S> {
    pub(crate) fn new(subject: S, spurious: bool) -> Rc<Self> {
        Rc::new(Self {
            subject,
            clock: Clock::default(),
            log: RefCell::default(),
            steps: Cell::new(0),
            under_way: RefCell::default(),
            interrupts: RefCell::default(),
            most: RefCell::default(),
            spurious: spurious.then(Cell::default),
            weak: Cell::new(false),
        })
    }

    /// Asks without interrupts.
    pub(crate) fn ask(self: &Rc<Self>, ask: S::Ask) -> <S::Claim as Model>::Call {
        on_step(Rc::clone(self) as Rc<dyn Hook>, || self.call(ask))
    }

    fn call(&self, ask: S::Ask) -> <S::Claim as Model>::Call {
        self.under_way.borrow_mut().push((ask, 0));
        let record = self.clock.time(|| self.subject.ask(ask));
        let (_, steps) = self.under_way.borrow_mut().pop().expect("pushed above");
        if !self.under_way.borrow().is_empty() {
            let mut most = self.most.borrow_mut();
            let most = most.entry(ask).or_default();
            *most = steps.max(*most);
        }
        self.log.borrow_mut().push(record.clone());
        record.call
    }

    fn due(&self, step: u32) -> Option<Interrupt<S::Ask>> {
        let mut to_come = self.interrupts.borrow_mut();
        // Who has slept to the end must find out by itself whether it should have been woken.
        let is_due = to_come.last().is_some_and(|next| next.at == step) && !nap::is_over();
        is_due.then(|| to_come.pop()).flatten()
    }

    /// Asks, and takes these interrupts, in the order of their steps. Says how many came.
    pub(crate) fn interrupted(
        self: &Rc<Self>,
        ask: S::Ask,
        interrupts: &[Interrupt<S::Ask>],
    ) -> usize {
        self.steps.set(0);
        nap::begin();
        *self.interrupts.borrow_mut() = interrupts.iter().rev().cloned().collect();
        on_step(Rc::clone(self) as Rc<dyn Hook>, || self.call(ask));
        interrupts.len() - self.interrupts.borrow_mut().drain(..).len()
    }

    /// How many steps were made in the last call that took interrupts.
    pub(crate) fn steps(&self) -> u32 {
        self.steps.get()
    }

    /// The most steps that interrupts made of their own.
    pub(crate) fn most(&self) -> Most<S::Ask> {
        self.most.borrow().clone()
    }

    /// Whether there were weak exchanges, which can fail without a reason.
    pub(crate) fn had_weak(&self) -> bool {
        self.weak.get()
    }

    /// Judges all answers, and forgets them. Nothing must be left inside.
    #[track_caller]
    pub(crate) fn verify(&self) {
        judge(&self.subject.claim(), &self.log.borrow());
        self.log.borrow_mut().clear();
    }

    /// The answers since the last judgement.
    pub(crate) fn answers(&self) -> Vec<<S::Claim as Model>::Call> {
        let log = self.log.borrow();
        log.iter().map(|record| record.call.clone()).collect()
    }
}

impl<S: Subject> Hook for Processor<S> {
    fn step(&self) {
        let step = self.steps.get();
        if let Some(interrupt) = self.due(step) {
            for &ask in interrupt.asks.iter() {
                let cut_off = |(it, _): &(S::Ask, u32)| S::may_cut_off(ask, *it);
                if self.under_way.borrow().iter().all(cut_off) {
                    self.call(ask);
                }
            }
        }
        self.steps.set(self.steps.get() + 1);
        let mut under_way = self.under_way.borrow_mut();
        let (ask, own) = under_way.last_mut().expect("a call is under way");
        *own += 1;
        assert!(*own < FOR_EVER, "{ask:?} goes on for ever");
    }

    fn pause(&self) {
        panic!(
            "waits for what it has cut off: {:?}",
            self.under_way.borrow()
        );
    }

    fn fails(&self) -> bool {
        self.weak.set(true);
        let turn = |fails: &Cell<bool>| fails.replace(!fails.get());
        self.spurious.as_ref().is_some_and(turn)
    }
}
