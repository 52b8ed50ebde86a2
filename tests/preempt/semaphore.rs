//! `Semaphore`: permits taken and returned in interrupts that cut off anything, also a wait.

use brigade_core::Permit;
use brigade_core::Semaphore;
use brigade_history::Model;

use crate::explore::Plan;
use crate::nap::{self, Nap};
use crate::processor::Subject;

/// How many permits there are.
const PERMITS: u32 = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ask {
    TryAcquire,
    Release,
    Available,
    Acquire,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Call {
    Acquire(bool),
    Release(bool),
    Available(u32),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Free(u32);

impl Model for Free {
    type Call = Call;

    fn does(&mut self, call: &Call) -> bool {
        match *call {
            Call::Acquire(true) if self.0 == 0 => return false,
            Call::Acquire(true) => self.0 -= 1,
            Call::Acquire(false) => return self.0 == 0,
            Call::Release(true) if self.0 == PERMITS => return false,
            Call::Release(true) => self.0 += 1,
            Call::Release(false) => return self.0 == PERMITS,
            Call::Available(free) => return self.0 == free,
        }
        true
    }
}

impl Subject for Semaphore<Nap> {
    type Ask = Ask;
    type Claim = Free;

    fn ask(&self, ask: Ask) -> Call {
        match ask {
            Ask::TryAcquire => Call::Acquire(self.try_acquire().map(Permit::keep).is_some()),
            Ask::Release => Call::Release(self.release(1).is_ok()),
            Ask::Available => Call::Available(self.available()),
            Ask::Acquire => {
                let permit = nap::wait(|| self.acquire_deadline(()), Option::is_some);
                Call::Acquire(permit.map(Permit::keep).is_some())
            }
        }
    }

    fn claim(&self) -> Free {
        Free(PERMITS)
    }
}

#[test]
fn semaphore() {
    let plan = Plan {
        new: vec![Box::new(|| Semaphore::<Nap>::with_bound(PERMITS, PERMITS))],
        before: vec![
            vec![],
            vec![Ask::TryAcquire],
            vec![Ask::TryAcquire, Ask::TryAcquire],
            vec![Ask::TryAcquire, Ask::TryAcquire, Ask::Acquire],
        ],
        asks: vec![Ask::TryAcquire, Ask::Release, Ask::Available],
        waits: vec![Ask::Acquire],
        longest: 3,
        after: |processor| {
            processor.ask(Ask::Available);
            while let Call::Release(true) = processor.ask(Ask::Release) {}
        },
        is_last: |_| false,
        bound: 8,
    };
    plan.run();
}
