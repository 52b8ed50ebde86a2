//! Measures one contender: each is an image of its own in `bin/`, and `./table` compares them.
//!
//! - **RAM** is what the type takes.
//! - **Flash** is how much larger the image is than that of `nothing`, which has the same loops and
//!   nothing in them. No image formats anything or says why it panics.
//! - **Instructions** are counted by SysTick. In QEMU with `-icount shift=0` each instruction takes
//!   one nanosecond of the clock that SysTick counts; how many that are to a tick is found by a loop
//!   of known length. What `nothing` takes is deducted, so calls and loops do not count.

#![no_std]

use core::hint::black_box;
use core::panic::PanicInfo;

use cortex_m::Peripherals;
use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m_semihosting::debug::{self, EXIT_FAILURE, EXIT_SUCCESS};
use cortex_m_semihosting::hio;

/// The number of items that a queue holds.
pub const CAPACITY: usize = 8;
/// How often each is filled and emptied.
const ROUNDS: u32 = 1_000;
/// The length of the loop of known length.
const KNOWN: u32 = 1_000_000;

/// A queue of 8 `u32`, by its two ends.
pub trait Contender {
    /// Bytes of RAM.
    const RAM: usize;
    /// The end for pushes.
    type In;
    /// The end for pops.
    type Out;

    /// Both ends of the queue, which is a static.
    fn ends() -> (Self::In, Self::Out);
    /// Whether it took the item.
    fn push(end: &mut Self::In, item: u32) -> bool;
    /// The oldest item.
    fn pop(end: &mut Self::Out) -> Option<u32>;
}

#[inline(never)]
fn push<C: Contender>(end: &mut C::In, item: u32) -> bool {
    C::push(end, item)
}

#[inline(never)]
fn pop<C: Contender>(end: &mut C::Out) -> Option<u32> {
    C::pop(end)
}

/// Ticks since `before`; SysTick counts down.
fn since(before: u32) -> u32 {
    before.wrapping_sub(SYST::get_current()) & 0xFF_FFFF
}

/// A loop of `2 * rounds` instructions.
fn known(rounds: u32) {
    // SAFETY: it counts a register down, and no more.
    unsafe {
        core::arch::asm!(
            "2: subs {0}, #1",
            "bne 2b",
            inout(reg) rounds => _,
            options(nomem, nostack),
        );
    }
}

/// Measures, prints and ends.
pub fn measure<C: Contender>() -> ! {
    let mut syst = Peripherals::take().map_or_else(|| fail(), |it| it.SYST);
    syst.set_clock_source(SystClkSource::Core);
    syst.set_reload(0xFF_FFFF);
    syst.clear_current();
    syst.enable_counter();

    let (mut input, mut output) = C::ends();
    let (mut pushing, mut popping) = (0, 0);
    let mut item = 0;
    for _ in 0..ROUNDS {
        let before = SYST::get_current();
        for _ in 0..CAPACITY {
            item += 1;
            if !push::<C>(black_box(&mut input), item) {
                fail();
            }
        }
        pushing += since(before);
        let before = SYST::get_current();
        for _ in 0..CAPACITY {
            if pop::<C>(black_box(&mut output)).is_none() {
                fail();
            }
        }
        popping += since(before);
    }
    let before = SYST::get_current();
    known(KNOWN / 2);
    let known = since(before);

    for number in [C::RAM as u32, pushing, popping, known] {
        print(number);
    }
    debug::exit(EXIT_SUCCESS);
    fail()
}

/// Prints a number, in hexadecimal and on a line of its own.
fn print(number: u32) {
    let mut line = *b"00000000\n";
    for (place, digit) in line.iter_mut().enumerate().take(8) {
        let value = (number >> (28 - 4 * place)) as u8 & 15;
        *digit = if value < 10 {
            b'0' + value
        } else {
            b'a' + value - 10
        };
    }
    if hio::hstdout()
        .and_then(|mut out| out.write_all(&line))
        .is_err()
    {
        fail();
    }
}

fn fail() -> ! {
    debug::exit(EXIT_FAILURE);
    loop {
        cortex_m::asm::wfe();
    }
}

#[panic_handler]
fn panic(_info: &PanicInfo) -> ! {
    fail()
}

/// An image that measures a contender.
#[macro_export]
macro_rules! image {
    ($contender:ty) => {
        #[cortex_m_rt::entry]
        fn main() -> ! {
            $crate::measure::<$contender>()
        }
    };
}
