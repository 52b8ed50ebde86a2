//! [`Spin`]: the backend that needs nothing but a processor.

use core::convert::Infallible;
use core::marker::PhantomData;

use ::spin::RelaxStrategy;

use super::{NoWakers, Park, Wake};
use crate::sync::{Ordering::Relaxed, Word, pause};

/// Waits busily, with `R` between two looks.
///
/// The default `R` is the spin-loop hint. On bare metal pass a strategy that sleeps until the next
/// interrupt instead. It must not miss an interrupt that comes just before it (`wfe` remembers one,
/// a bare `wfi` does not), and nothing here wakes another core: for that, send an event after the
/// call that should wake.
///
/// ```
/// use brigade_core::{Event, wait::Spin};
///
/// struct WaitForEvent;
///
/// impl spin::RelaxStrategy for WaitForEvent {
///     fn relax() {
///         // On a Cortex-M: cortex_m::asm::wfe();
///     }
/// }
///
/// static BUTTON: Event<Spin<WaitForEvent>> = Event::new();
/// # BUTTON.set();
/// BUTTON.wait();
/// ```
///
/// Spin has no clock, so operations with a time-out do not exist on it.
#[derive(Debug)]
pub struct Spin<R = ::spin::relax::Spin>(PhantomData<R>, Infallible);

impl<R: RelaxStrategy> Park for Spin<R> {
    type Deadline = Infallible;
    type Wakers = NoWakers;

    fn park(word: &Word, expected: u32, _deadline: Option<Infallible>) -> Wake {
        // ORDERING: Relaxed: a park orders nothing; callers look again with their own orderings.
        while word.load(Relaxed) == expected {
            R::relax();
        }
        Wake::Woken
    }

    fn unpark(_word: &Word, _sleepers: u32) {}

    fn relax(_step: u32) -> bool {
        pause();
        false
    }
}
