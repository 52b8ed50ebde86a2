//! Goes through everything that can be cut off by anything, anywhere.

use std::fmt::Write as _;
use std::io::Write as _;
use std::rc::Rc;

use crate::processor::{Interrupt, Most, Processor, Subject};

/// How often an operation is cut off in the same way on one subject, so that what is lost each time
/// runs short: more often than any subject has spare slots.
const ROUNDS: usize = 5;

/// What to try, and what to find.
pub(crate) struct Plan<S: Subject> {
    /// Unused ones: ordinary, and such whose counters are about to wrap.
    pub(crate) new: Vec<Box<dyn Fn() -> S>>,
    /// What is done before, in so many ways.
    pub(crate) before: Vec<Vec<S::Ask>>,
    /// What cuts off and is cut off.
    pub(crate) asks: Vec<S::Ask>,
    /// What may wait, and so is only ever cut off.
    pub(crate) waits: Vec<S::Ask>,
    /// How many calls one after the other an interrupt makes at most.
    pub(crate) longest: usize,
    /// What is done after, to see what is inside; leaves nothing there.
    pub(crate) after: fn(&Rc<Processor<S>>),
    /// What a subject cannot be used after.
    pub(crate) is_last: fn(S::Ask) -> bool,
    /// The most steps that a call in an interrupt may make.
    pub(crate) bound: u32,
}

/// What was tried.
struct Extent<A> {
    runs: u64,
    steps: u64,
    most: Most<A>,
    had_weak: bool,
}

impl<S: Subject> Plan<S> {
    /// Tries everything: each call cut off at each step by each sequence of calls, again and again;
    /// and cut off twice, by shorter sequences, the second of which may cut off the first.
    pub(crate) fn run(&self) {
        let ordinary = self.explore(false);
        self.report("", &ordinary);
        if ordinary.had_weak {
            let spurious = self.explore(true);
            self.report(", weak exchanges fail", &spurious);
        }
    }

    fn explore(&self, spurious: bool) -> Extent<S::Ask> {
        let mut extent = Extent {
            runs: 0,
            steps: 0,
            most: Most::new(),
            had_weak: false,
        };
        let sequences = self.sequences();
        let short = sequences
            .iter()
            .filter(|asks| asks.len() < self.longest.max(2));
        let short = short.cloned().collect::<Vec<_>>();
        for new in &self.new {
            for before in &self.before {
                for &ask in self.asks.iter().chain(&self.waits) {
                    let mut run = |interrupts: &[_]| {
                        let processor = Processor::new(new(), spurious);
                        self.try_one(&processor, before, ask, interrupts, &mut extent)
                    };
                    for at in 0.. {
                        let all = sequences.iter().cloned();
                        let came = all.map(|asks| run(&[Interrupt { at, asks }])).min();
                        if came != Some(1) {
                            break;
                        }
                        for asks in &short {
                            let first = Interrupt {
                                at,
                                asks: Rc::clone(asks),
                            };
                            for at in at + 1.. {
                                let all = short.iter().cloned();
                                let came = all
                                    .map(|asks| run(&[first.clone(), Interrupt { at, asks }]))
                                    .min();
                                if came != Some(2) {
                                    break;
                                }
                            }
                        }
                    }
                }
            }
        }
        extent
    }

    /// Asks this, with these interrupts; says how many came.
    fn try_one(
        &self,
        processor: &Rc<Processor<S>>,
        before: &[S::Ask],
        ask: S::Ask,
        interrupts: &[Interrupt<S::Ask>],
        extent: &mut Extent<S::Ask>,
    ) -> usize {
        let blame = Blame(|| eprintln!("{before:?}, then {ask:?} cut off by {interrupts:?}"));
        let asked = interrupts.iter().flat_map(|it| it.asks.iter());
        let is_last = asked
            .chain(before)
            .chain([&ask])
            .any(|&it| (self.is_last)(it));
        let rounds = if is_last || interrupts.len() > 1 {
            1
        } else {
            ROUNDS
        };
        let mut came = 0;
        for _ in 0..rounds {
            for &ask in before {
                processor.ask(ask);
            }
            came = processor.interrupted(ask, interrupts);
            extent.steps += u64::from(processor.steps());
            (self.after)(processor);
            processor.verify();
            extent.runs += 1;
        }
        for (ask, steps) in processor.most() {
            let most = extent.most.entry(ask).or_default();
            *most = steps.max(*most);
        }
        extent.had_weak |= processor.had_weak();
        drop(blame);
        came
    }

    /// Every sequence of calls that an interrupt makes.
    fn sequences(&self) -> Vec<Rc<[S::Ask]>> {
        let mut all: Vec<Vec<S::Ask>> = vec![vec![]];
        let mut from = 0;
        for _ in 0..self.longest {
            let longer = all[from..].iter().flat_map(|before| {
                let asks = self.asks.iter();
                asks.map(move |&ask| before.iter().copied().chain([ask]).collect())
            });
            let longer = longer.collect::<Vec<_>>();
            from = all.len();
            all.extend(longer);
        }
        all.into_iter().skip(1).map(Rc::from).collect()
    }

    fn report(&self, how: &str, extent: &Extent<S::Ask>) {
        let mut most = String::new();
        for (ask, steps) in &extent.most {
            write!(most, " {ask:?} {steps}").expect("a string takes all");
        }
        // Not by `eprintln!`, which the test runner would swallow.
        let _ = writeln!(
            std::io::stderr(),
            "{}{how}: {} runs, {} steps; most in one interrupt:{most}",
            // The test runner names its threads after the tests.
            std::thread::current().name().unwrap_or("a plan"),
            extent.runs,
            extent.steps,
        );
        assert!(extent.runs > 0 && extent.steps > extent.runs);
        assert_eq!(extent.most.len(), self.asks.len(), "some never ran");
        let most = extent.most.values().max();
        assert!(most <= Some(&self.bound), "more steps than {}", self.bound);
    }
}

/// Says what was tried if it fails.
struct Blame<F: Fn()>(F);

impl<F: Fn()> Drop for Blame<F> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            (self.0)();
        }
    }
}
