//! A message a millisecond: whoever spins or polls while there is nothing to
//! do shows it in processor time.
//!
//! The floor is the sender's clock alone, with nothing sent.

use std::thread;
use std::time::{Duration, Instant};

use super::Effort;
use crate::channel::{self, Channel, Kernel};
use crate::contender::{Contender, Role};
use crate::measure::{Sample, Team};

#[derive(Clone, Copy)]
struct Sparse {
    messages: u64,
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
        let (senders, receivers) = C::open(1024, 1, 1);
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

pub(super) fn contenders(effort: Effort) -> Vec<Contender> {
    let messages = effort.choose(500, 100);
    let mut all = channel::contenders(Sparse { messages });
    let floor = move || {
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
