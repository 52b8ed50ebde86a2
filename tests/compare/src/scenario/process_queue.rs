//! Processes send items of 64 bytes and others receive them, as fast as they can.
//!
//! When a sender is done it sends one item that says so. A receiver ends with the first such item
//! that it gets, and as many receive as send, so the last of them follows the last item.
//!
//! The floor is a ring that a killed process wedges for ever, so *x floor* is the price of safety.

use super::Effort;
use crate::conduit::{self, Conduit, Item, Kernel};
use crate::contender::{Contender, Role};
use crate::measure::Sample;
use crate::process::child;
use crate::process::crew::{Crew, Member};
use crate::process::python::{self, Script};

/// The role of the processes at either end.
pub(super) const ROLE: child::Role = ("conduit", play);

/// What the last item of a sender begins with.
const LAST: u64 = u64::MAX;

#[derive(Clone, Copy)]
struct Flow {
    /// As many senders as receivers.
    pairs: usize,
    items_per_sender: u64,
}

impl Flow {
    fn items(self) -> u64 {
        self.pairs as u64 * self.items_per_sender
    }

    /// What the first words of all items add up to.
    fn sum(self) -> u64 {
        self.items() * (self.items() - 1) / 2
    }
}

impl Kernel for Flow {
    type Output = Sample;

    fn admits<C: Conduit>(self) -> bool {
        self.pairs == 1 || C::SHARED
    }

    fn run<C: Conduit>(mut self) -> Sample {
        self.items_per_sender /= C::SLOWNESS;
        let mut hub = C::open(self.pairs);
        let mut crew = Crew::default();
        let name = std::any::type_name::<C>();
        let share = self.items_per_sender.to_string();
        for number in 0..self.pairs {
            let (sender, receiver) = (
                C::sender_address(&hub, number),
                C::receiver_address(&hub, number),
            );
            crew.add(ROLE.0, &[name, &sender, &number.to_string(), &share]);
            crew.add(ROLE.0, &[name, &receiver]);
        }
        C::connect(&mut hub);
        let (sample, sum) = crew.run(self.items());
        assert_eq!(sum, self.sum(), "items lost or made up");
        sample
    }
}

/// One end, in a child.
#[derive(Clone, Copy)]
struct End {
    member: &'static Member,
}

impl Kernel for End {
    type Output = ();

    fn admits<C: Conduit>(self) -> bool {
        self.member.args()[0] == std::any::type_name::<C>()
    }

    fn run<C: Conduit>(self) {
        match &self.member.args()[1..] {
            [address, number, share] => {
                let number: u64 = number.parse().expect("a number");
                let share: u64 = share.parse().expect("a number");
                let mut sender = C::sender(address);
                self.member.work(|| {
                    for n in number * share..(number + 1) * share {
                        C::send(&mut sender, [n, 1, 2, 3, 4, 5, 6, !n]);
                    }
                    C::send(&mut sender, [LAST; 8]);
                    0
                });
            }
            [address] => {
                let mut receiver = C::receiver(address);
                self.member.work(|| sum(|| C::receive(&mut receiver)));
            }
            other => panic!("not the arguments of an end: {other:?}"),
        }
    }
}

fn sum(mut receive: impl FnMut() -> Item) -> u64 {
    let mut sum = 0;
    loop {
        let item = receive();
        if item[0] == LAST {
            return sum;
        }
        assert_eq!(item[7], !item[0], "an item is torn");
        sum += item[0];
    }
}

fn play(member: &Member) {
    let member = Box::leak(Box::new(member.clone()));
    for end in conduit::contenders(End { member }) {
        let () = end.run();
    }
}

/// `multiprocessing.Queue`, whose processes wait for an event that the script sets.
const PYTHON: &str = "
import multiprocessing as mp
pairs, share = map(int, sys.argv[1:])
def send(queue, ready, go, first):
    mortal()
    ready.release()
    go.wait()
    for n in range(first, first + share):
        queue.put(n.to_bytes(64, 'little'))
    queue.put(None)
def receive(queue, ready, go, sums):
    mortal()
    ready.release()
    go.wait()
    total = 0
    while (item := queue.get()) is not None:
        total += int.from_bytes(item, 'little')
    sums.put(total)
mp.set_start_method('fork')
queue, sums, ready, go = mp.Queue(1024), mp.SimpleQueue(), mp.Semaphore(0), mp.Event()
ends = [mp.Process(target=send, args=(queue, ready, go, n * share)) for n in range(pairs)]
ends += [mp.Process(target=receive, args=(queue, ready, go, sums)) for n in range(pairs)]
for end in ends: end.start()
for end in ends: ready.acquire()
released()
go.set()
done(sum(sums.get() for n in range(pairs)))
for end in ends: end.join()
";

fn python(flow: Flow) -> Sample {
    let script = Script::start(PYTHON, &[flow.pairs as u64, flow.items_per_sender]);
    let (sample, sum) = script.run(flow.items());
    assert_eq!(sum, flow.sum().to_string(), "items lost or made up");
    sample
}

pub(super) fn contenders(effort: Effort, pairs: usize) -> Vec<Contender> {
    let flow = |items| Flow {
        pairs,
        items_per_sender: items / pairs as u64,
    };
    let mut all = conduit::contenders(flow(effort.choose(1_000_000, 64_000)));
    if python::is_there() {
        let flow = flow(effort.choose(40_000, 4_000));
        all.push(Contender::new(
            Role::Rival,
            "Python multiprocessing.Queue",
            "processes",
            move || python(flow),
        ));
    }
    all
}
