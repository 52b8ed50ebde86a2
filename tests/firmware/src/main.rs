//! brigade-core on a chip: main and two interrupts, one above the other, share queues that are
//! statics. What it prints does not depend on when the interrupts come.
//!
//! `./run` builds it for a Cortex-M0 and a Cortex-M3 and runs it in QEMU.

#![no_std]
#![no_main]

mod chip;
mod executor;
mod flow;
mod party;

use core::panic::PanicInfo;
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use cortex_m_rt::{ExceptionFrame, entry, exception};
use cortex_m_semihosting::debug::{self, EXIT_FAILURE, EXIT_SUCCESS};
use cortex_m_semihosting::hprintln;

use flow::FLOWS;
use party::Party;

/// The flow that is under way: its number.
static FLOW: AtomicUsize = AtomicUsize::new(usize::MAX);

#[entry]
fn main() -> ! {
    hprintln!("processor: {}", chip::PROCESSOR);
    assert!(brigade_firmware::everything());
    hprintln!("every primitive: at work");

    let peripherals = cortex_m::Peripherals::take().unwrap();
    assert!(
        chip::is_it(&peripherals),
        "not the processor it was built for"
    );
    chip::start(peripherals);
    let mut items = 0;
    for (number, flow) in FLOWS.iter().enumerate() {
        // ORDERING: Relaxed, here and below: one core.
        FLOW.store(number, Relaxed);
        items += (flow.main)().expect(flow.name);
        FLOW.store(usize::MAX, Relaxed);
        hprintln!("{}: nothing lost, nothing twice, all in order", flow.name);
    }
    for (party, other, whom) in [
        (Party::Main, Party::SysTick, "main by SysTick"),
        (Party::Main, Party::Timer, "main by the timer"),
        (Party::SysTick, Party::Timer, "SysTick by the timer"),
    ] {
        assert!(party.was_cut_off_by(other), "never {whom}");
        hprintln!("cut off in the middle of operations: {}", whom);
    }
    hprintln!("items: {}", items);
    exit(true)
}

/// What every interrupt does.
fn interrupt(party: Party) {
    party.interrupts(|| {
        if let Some(flow) = FLOWS.get(FLOW.load(Relaxed)) {
            (flow.interrupt)(party);
        }
    });
}

#[exception]
fn SysTick() {
    interrupt(Party::SysTick);
}

/// All other interrupts, of which only the timer's is let through.
#[exception]
unsafe fn DefaultHandler(_number: i16) {
    chip::acknowledge();
    interrupt(Party::Timer);
}

#[exception]
unsafe fn HardFault(_frame: &ExceptionFrame) -> ! {
    exit(false)
}

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    cortex_m::interrupt::disable();
    hprintln!("{}", info);
    exit(false)
}

/// Ends QEMU, and says how it went.
fn exit(well: bool) -> ! {
    debug::exit(if well { EXIT_SUCCESS } else { EXIT_FAILURE });
    loop {
        cortex_m::asm::wfe();
    }
}
