//! A message a millisecond: whoever spins or polls while there is nothing to
//! do shows it in processor time.
//!
//! The floor is the sender's clock alone, with nothing sent.

use std::thread;
use std::time::{Duration, Instant};

use super::Effort;
use crate::channel::{self, Channel, Kernel};
use crate::contender::{Contender, Role};
use crate::measure::{Pinned, Sample, Team};

#[derive(Clone, Copy)]
struct Sparse {
    capacity: usize,
    messages: u64,
    one_cpu: bool,
}

/// Counts up to `messages`, a millisecond apart.
fn tick(messages: u64, mut each: impl FnMut(u64)) {
    let mut next = Instant::now();
    for message in 0..messages {
        next += Duration::from_millis(1);
        thread::sleep(next.saturating_duration_since(Instant::now()));
        each(message);
    }
}

impl Kernel for Sparse {
    type Output = Sample;

    fn admits<C: Channel>(self) -> bool {
        !C::BATCHES
    }

    fn run<C: Channel>(self) -> Sample {
        let _pinned = self.one_cpu.then(Pinned::to_one_cpu);
        let (senders, receivers) = C::open(self.capacity, 1, 1);
        let mut team = Team::default();
        for sender in senders {
            team.add(move || tick(self.messages, |message| C::send(&sender, message)));
        }
        for receiver in receivers {
            team.add(move || {
                let mut next = 0;
                C::receive_all(&receiver, |message| {
                    assert_eq!(message, next);
                    next += 1;
                });
                assert_eq!(next, self.messages, "messages lost");
            });
        }
        team.run(self.messages)
    }
}

pub(super) fn contenders(effort: Effort, capacity: usize, one_cpu: bool) -> Vec<Contender> {
    let messages = effort.choose(500, 100);
    let mut all = channel::contenders(Sparse {
        capacity,
        messages,
        one_cpu,
    });
    let floor = move || {
        let _pinned = one_cpu.then(Pinned::to_one_cpu);
        let mut team = Team::default();
        team.add(move || tick(messages, |_| ()));
        team.run(messages)
    };
    all.push(Contender::new(
        Role::Floor,
        "the sender's clock alone",
        "",
        floor,
    ));
    all
}
