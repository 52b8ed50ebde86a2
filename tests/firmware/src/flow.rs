//! What goes through which queue: each flow is what main does and what an interrupt does meanwhile.

use brigade_core::bounded::{Fifo, Spsc};
use brigade_core::wait::{Async, Spin};
use brigade_core::{Event, JoinCounter, Queue, Shutdown, TryGetError};
use spin::RelaxStrategy;

use crate::executor::block_on;
use crate::party::{Ledger, Party};

/// Sleeps until an interrupt comes or has come.
pub struct WaitForEvent;

impl RelaxStrategy for WaitForEvent {
    fn relax() {
        cortex_m::asm::wfe();
    }
}

pub type Asleep = Spin<WaitForEvent>;

/// One part of the run.
pub struct Flow {
    pub name: &'static str,
    /// From its beginning to its end; how many items have passed, if all is well.
    pub main: fn() -> Option<u32>,
    /// Once in each interrupt.
    pub interrupt: fn(Party),
}

pub const FLOWS: [Flow; 6] = [
    Flow {
        name: "fifo: all three push and pop, a join counter ends it",
        main: shared::main,
        interrupt: shared::interrupt,
    },
    Flow {
        name: "spsc: SysTick pushes, main pops",
        main: pipe::main,
        interrupt: pipe::interrupt,
    },
    Flow {
        name: "queue: the interrupts put, main gets, asleep in WFE",
        main: up::main,
        interrupt: up::interrupt,
    },
    Flow {
        name: "queue: main puts, asleep in WFE, the interrupts get",
        main: down::main,
        interrupt: down::interrupt,
    },
    Flow {
        name: "task: awaits what the interrupts put",
        main: task::main,
        interrupt: task::interrupt,
    },
    Flow {
        name: "event: the timer wakes main from WFE",
        main: event::main,
        interrupt: event::interrupt,
    },
];

mod shared {
    use super::*;

    static FIFO: Fifo<u32, 8> = Fifo::new();
    static LEFT: JoinCounter<Asleep> = JoinCounter::new();
    static LEDGER: Ledger = Ledger::new([100_000; 3]);

    fn push(party: Party) -> bool {
        LEDGER.puts(party, |item| FIFO.push(item).is_ok())
    }

    fn pop(party: Party) -> bool {
        let got = LEDGER.gets(party, || FIFO.pop().ok());
        got && party.does(|| LEFT.done().is_ok())
    }

    pub(super) fn main() -> Option<u32> {
        LEFT.add(LEDGER.items()).ok()?;
        while LEFT.count() > LEDGER.items() / 10 {
            push(Party::Main);
            pop(Party::Main);
        }
        // The rest of main's own; the interrupts finish the others'.
        while !LEDGER.has_put(Party::Main) {
            push(Party::Main);
        }
        LEFT.wait();
        (LEDGER.balances() && FIFO.is_empty()).then_some(LEDGER.items())
    }

    pub(super) fn interrupt(party: Party) {
        push(party);
        push(party);
        pop(party);
        pop(party);
    }
}

mod pipe {
    use super::*;

    static SPSC: Spsc<u32, 8> = Spsc::new();
    static LEDGER: Ledger = Ledger::new([0, 200_000, 0]);

    pub(super) fn main() -> Option<u32> {
        let mut consumer = SPSC.consumer()?;
        let mut left = LEDGER.items();
        while left > 0 {
            if LEDGER.gets(Party::Main, || consumer.pop().ok()) {
                left -= 1;
            } else {
                WaitForEvent::relax();
            }
        }
        (LEDGER.balances() && SPSC.is_empty()).then_some(LEDGER.items())
    }

    pub(super) fn interrupt(party: Party) {
        if party == Party::SysTick {
            let mut producer = SPSC.producer().expect("SysTick alone produces");
            while LEDGER.puts(party, |item| producer.push(item).is_ok()) {}
        }
    }
}

mod up {
    use super::*;

    static QUEUE: Queue<Fifo<u32, 8>, Asleep> = Queue::new(Fifo::new());
    static LEDGER: Ledger = Ledger::new([0, 100_000, 100_000]);

    pub(super) fn main() -> Option<u32> {
        for _ in 0..LEDGER.items() {
            LEDGER.gets(Party::Main, || QUEUE.get().ok());
            QUEUE.task_done().ok()?;
        }
        QUEUE.join();
        (LEDGER.balances() && QUEUE.is_empty()).then_some(LEDGER.items())
    }

    pub(super) fn interrupt(party: Party) {
        while LEDGER.puts(party, |item| QUEUE.try_put(item).is_ok()) {}
    }
}

mod down {
    use super::*;

    static QUEUE: Queue<Fifo<u32, 8>, Asleep> = Queue::new(Fifo::new());
    static LEDGER: Ledger = Ledger::new([200_000, 0, 0]);

    pub(super) fn main() -> Option<u32> {
        for _ in 0..LEDGER.items() {
            LEDGER.puts(Party::Main, |item| QUEUE.put(item).is_ok());
        }
        QUEUE.join();
        let rest = QUEUE.shutdown(Shutdown::Drain).count();
        let told = QUEUE.try_get() == Err(TryGetError::ShutDown);
        (LEDGER.balances() && rest == 0 && told).then_some(LEDGER.items())
    }

    pub(super) fn interrupt(party: Party) {
        while LEDGER.gets(party, || QUEUE.try_get().ok()) {
            party.does(|| QUEUE.task_done().is_ok());
        }
    }
}

mod task {
    use super::*;

    static QUEUE: Queue<Fifo<u32, 8>, Async<Asleep, 1>> = Queue::new(Fifo::new());
    static LEDGER: Ledger = Ledger::new([0, 50_000, 50_000]);

    async fn get_all() -> Option<u32> {
        for _ in 0..LEDGER.items() {
            let item = QUEUE.get_async().await.ok()?;
            LEDGER.gets(Party::Main, || Some(item));
        }
        (LEDGER.balances() && QUEUE.is_empty()).then_some(LEDGER.items())
    }

    pub(super) fn main() -> Option<u32> {
        block_on(get_all())
    }

    pub(super) fn interrupt(party: Party) {
        while LEDGER.puts(party, |item| QUEUE.try_put(item).is_ok()) {}
    }
}

mod event {
    use super::*;

    static TICKED: Event<Asleep> = Event::new();

    pub(super) fn main() -> Option<u32> {
        for _ in 0..1_000 {
            Party::Main.does(|| TICKED.wait());
            TICKED.clear();
        }
        Some(0)
    }

    pub(super) fn interrupt(party: Party) {
        if party == Party::Timer {
            TICKED.set();
        }
    }
}
