//! `Barrier`: nobody goes on before all have arrived, everybody does then, and one is the leader.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32 as Counter, Ordering::SeqCst};

use brigade_core::sync::{AtomicU32, Model, Ordering::Relaxed};
use brigade_core::{Arrival, Barrier};

use crate::harness::{Crew, bounded, exhaustive};

/// A barrier, the work of each, and how many leaders there were.
struct Meeting {
    barrier: Barrier<Model>,
    work: [AtomicU32; 3],
    leaders: Counter,
}

fn meeting(parties: u16) -> Meeting {
    Meeting {
        barrier: Barrier::new(parties),
        work: [0; 3].map(AtomicU32::new),
        leaders: Counter::new(0),
    }
}

impl Meeting {
    /// Works, waits for the others and looks at their work.
    fn meet(&self, who: usize) {
        self.work[who].store(1, Relaxed);
        let arrival = self.barrier.wait();
        self.see_all(arrival);
    }

    /// The same with a deadline; says whether all were there.
    fn meet_in_time(&self, who: usize) -> bool {
        self.work[who].store(1, Relaxed);
        let arrival = self.barrier.wait_deadline(());
        arrival.map(|arrival| self.see_all(arrival)).is_some()
    }

    fn see_all(&self, arrival: Arrival) {
        self.leaders
            .fetch_add(u32::from(arrival.is_leader()), SeqCst);
        let parties = usize::from(self.barrier.parties());
        assert!(
            self.work[..parties]
                .iter()
                .all(|work| work.load(Relaxed) == 1)
        );
    }
}

#[test]
fn two_go_on_together() {
    exhaustive(|| {
        let meeting = Crew::new(meeting(2))
            .and(|meeting| meeting.meet(0))
            .here(|meeting| meeting.meet(1));
        assert_eq!(meeting.leaders.into_inner(), 1);
    });
}

/// With two interruptions: between a look and a sleep, and in the one who would wake.
#[test]
fn three_go_on_together() {
    bounded(2, || {
        let meeting = Crew::new(meeting(3))
            .and(|meeting| meeting.meet(0))
            .and(|meeting| meeting.meet(1))
            .here(|meeting| meeting.meet(2));
        assert_eq!(meeting.leaders.into_inner(), 1);
    });
}

/// With three interruptions: a generation has one place to go wrong in, as above, and there are two.
#[test]
fn they_meet_again() {
    bounded(3, || {
        let leaders = Crew::new(meeting(2))
            .and(|meeting| (0..2).for_each(|_| meeting.meet(0)))
            .here(|meeting| (0..2).for_each(|_| meeting.meet(1)))
            .leaders;
        assert_eq!(leaders.into_inner(), 2);
    });
}

/// Who gives up has not arrived: either both go on, or one is left behind with the barrier as it was
/// before.
#[test]
fn who_gives_up_has_not_arrived() {
    exhaustive(|| {
        let met = Arc::new(Counter::new(0));
        let there = Arc::clone(&met);
        let meeting = Crew::new(meeting(2))
            .and(move |meeting| there.fetch_add(u32::from(meeting.meet_in_time(0)), SeqCst))
            .here(|meeting| met.fetch_add(u32::from(meeting.meet_in_time(1)), SeqCst));
        assert!(matches!(met.load(SeqCst), 0 | 2));
        assert_eq!(meeting.barrier.arrived(), 0);
    });
}
