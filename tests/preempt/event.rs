//! `Event`: set and clear cut off anything, also a wait.

use brigade_core::Event;
use brigade_history::Model;

use crate::explore::Plan;
use crate::nap::{self, Nap};
use crate::processor::Subject;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ask {
    Set,
    Clear,
    IsSet,
    Wait,
}

/// What was asked, and whether the event was set if that was the question.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call(Ask, bool);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Flag(bool);

impl Model for Flag {
    type Call = Call;

    fn does(&mut self, &Call(ask, answer): &Call) -> bool {
        match ask {
            Ask::Set => self.0 = true,
            Ask::Clear => self.0 = false,
            Ask::IsSet | Ask::Wait => return self.0 == answer,
        }
        true
    }
}

impl Subject for Event<Nap> {
    type Ask = Ask;
    type Claim = Flag;

    fn ask(&self, ask: Ask) -> Call {
        let answer = match ask {
            Ask::Set => {
                self.set();
                true
            }
            Ask::Clear => {
                self.clear();
                true
            }
            Ask::IsSet => self.is_set(),
            Ask::Wait => nap::wait(|| self.wait_deadline(()), |is_set| *is_set),
        };
        Call(ask, answer)
    }

    fn claim(&self) -> Flag {
        Flag(false)
    }
}

#[test]
fn event() {
    let plan = Plan {
        new: vec![Box::new(Event::<Nap>::new)],
        before: vec![
            vec![],
            vec![Ask::Set],
            vec![Ask::Wait],
            vec![Ask::Set, Ask::Clear, Ask::Wait],
        ],
        asks: vec![Ask::Set, Ask::Clear, Ask::IsSet],
        waits: vec![Ask::Wait],
        longest: 3,
        after: |processor| {
            processor.ask(Ask::IsSet);
            processor.ask(Ask::Clear);
        },
        is_last: |_| false,
        bound: 5,
    };
    plan.run();
}
