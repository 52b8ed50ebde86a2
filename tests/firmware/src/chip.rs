//! The interrupts of both chips: SysTick, and a timer that cuts it off.
//!
//! Their periods are short, a few operations on a queue, and have no common divisor with each other
//! or with a loop: in the course of a run they fall everywhere.

use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::scb::SystemHandler;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m::peripheral::{NVIC, Peripherals};

/// Cycles from one SysTick to the next.
const SYSTICK: u32 = 53;
/// Cycles from one interrupt of the timer to the next.
const TIMER: u32 = 71;

/// Nordic's nRF51822, a Cortex-M0.
#[cfg(not(target_has_atomic = "32"))]
mod soc {
    pub const PROCESSOR: &str = "Cortex-M0";
    pub(super) const PART: u32 = 0xC20;

    const TIMER0: u32 = 0x4000_8000;
    pub(super) const NUMBER: u16 = 8;
    const TASKS_START: u32 = TIMER0;
    const EVENTS_COMPARE0: u32 = TIMER0 + 0x140;
    const SHORTS: u32 = TIMER0 + 0x200;
    const INTENSET: u32 = TIMER0 + 0x304;
    const BITMODE: u32 = TIMER0 + 0x508;
    const PRESCALER: u32 = TIMER0 + 0x510;
    const CC0: u32 = TIMER0 + 0x540;

    pub(super) const fn start(period: u32) -> [(u32, u32); 6] {
        [
            (BITMODE, 3),   // 32 bits
            (PRESCALER, 0), // at the clock's own pace
            (CC0, period),
            (SHORTS, 1), // begins anew at the comparison
            (INTENSET, 1 << 16),
            (TASKS_START, 1),
        ]
    }

    pub(super) const ACKNOWLEDGE: (u32, u32) = (EVENTS_COMPARE0, 0);
}

/// Texas Instruments' LM3S6965, a Cortex-M3.
#[cfg(target_has_atomic = "32")]
mod soc {
    pub const PROCESSOR: &str = "Cortex-M3";
    pub(super) const PART: u32 = 0xC23;

    const TIMER0: u32 = 0x4003_0000;
    pub(super) const NUMBER: u16 = 19;
    const RCGC1: u32 = 0x400F_E104;
    const CFG: u32 = TIMER0;
    const TAMR: u32 = TIMER0 + 0x004;
    const CTL: u32 = TIMER0 + 0x00C;
    const IMR: u32 = TIMER0 + 0x018;
    const ICR: u32 = TIMER0 + 0x024;
    const TAILR: u32 = TIMER0 + 0x028;

    pub(super) const fn start(period: u32) -> [(u32, u32); 6] {
        [
            (RCGC1, 1 << 16), // its clock
            (CFG, 0),         // 32 bits
            (TAMR, 2),        // periodic
            (TAILR, period),
            (IMR, 1),
            (CTL, 1),
        ]
    }

    pub(super) const ACKNOWLEDGE: (u32, u32) = (ICR, 1);
}

pub use soc::PROCESSOR;

/// Whether we run on that processor.
pub fn is_it(peripherals: &Peripherals) -> bool {
    peripherals.CPUID.base.read() >> 4 & 0xFFF == soc::PART
}

#[derive(Clone, Copy)]
struct Timer;

// SAFETY: the number is the timer's in the chip's table.
unsafe impl InterruptNumber for Timer {
    fn number(self) -> u16 {
        soc::NUMBER
    }
}

fn write((register, value): (u32, u32)) {
    // SAFETY: the addresses are those of the timer above, which is nobody else's, and none of its
    // registers makes the chip touch memory.
    unsafe { (register as *mut u32).write_volatile(value) }
}

/// Lets both interrupts come from now on.
pub fn start(mut peripherals: Peripherals) {
    // SAFETY: nothing here relies on priorities for exclusion.
    unsafe {
        peripherals.SCB.set_priority(SystemHandler::SysTick, 0x80);
        peripherals.NVIC.set_priority(Timer, 0x00);
        NVIC::unmask(Timer);
    }
    soc::start(TIMER).into_iter().for_each(write);
    peripherals.SYST.set_clock_source(SystClkSource::Core);
    peripherals.SYST.set_reload(SYSTICK - 1);
    peripherals.SYST.clear_current();
    peripherals.SYST.enable_interrupt();
    peripherals.SYST.enable_counter();
}

/// To be called by the timer's handler.
pub fn acknowledge() {
    write(soc::ACKNOWLEDGE);
}
