//! `JoinCounter`: add and done cut off anything, also a wait.

use brigade_core::JoinCounter;
use brigade_history::Model;

use crate::explore::Plan;
use crate::nap::{self, Nap};
use crate::processor::Subject;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ask {
    Add,
    Done,
    Count,
    Wait,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Call {
    Add,
    Done(bool),
    Count(u32),
    Wait(bool),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Count(u32);

impl Model for Count {
    type Call = Call;

    fn does(&mut self, call: &Call) -> bool {
        match *call {
            Call::Add => self.0 += 1,
            Call::Done(true) if self.0 == 0 => return false,
            Call::Done(true) => self.0 -= 1,
            Call::Done(false) => return self.0 == 0,
            Call::Count(count) => return self.0 == count,
            Call::Wait(is_zero) => return is_zero == (self.0 == 0),
        }
        true
    }
}

impl Subject for JoinCounter<Nap> {
    type Ask = Ask;
    type Claim = Count;

    fn ask(&self, ask: Ask) -> Call {
        match ask {
            Ask::Add => {
                self.add(1).expect("far from the bound");
                Call::Add
            }
            Ask::Done => Call::Done(self.done().is_ok()),
            Ask::Count => Call::Count(self.count()),
            Ask::Wait => Call::Wait(nap::wait(|| self.wait_deadline(()), |is_zero| *is_zero)),
        }
    }

    fn claim(&self) -> Count {
        Count(0)
    }
}

#[test]
fn join_counter() {
    let plan = Plan {
        new: vec![Box::new(JoinCounter::<Nap>::new)],
        before: vec![
            vec![],
            vec![Ask::Add],
            vec![Ask::Add, Ask::Wait],
            vec![Ask::Add, Ask::Add],
        ],
        asks: vec![Ask::Add, Ask::Done, Ask::Count],
        waits: vec![Ask::Wait],
        longest: 3,
        after: |processor| {
            processor.ask(Ask::Count);
            while let Call::Done(true) = processor.ask(Ask::Done) {}
        },
        is_last: |_| false,
        bound: 7,
    };
    plan.run();
}
