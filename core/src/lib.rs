//! Bounded queues, events, join counters, semaphores and barriers without std and without allocation.
//!
//! Each algorithm is written once and runs in all these worlds. What differs between them is a type
//! parameter: who waits, and how. One queue may have a thread at one end, tasks at the other and an
//! interrupt at both.
//!
//! | world | waiting | what to use |
//! |---|---|---|
//! | interrupt and signal handlers | nobody waits | [`bounded::Fifo`], [`bounded::Lifo`], [`bounded::Spsc`], [`Event::set`], [`JoinCounter::done`], [`Semaphore::release`], the `try_` ends of a [`Queue`] on a `Fifo` or `Lifo` |
//! | bare metal | spins, or does what you say, such as `wfe` | [`wait::Spin`], the default everywhere |
//! | threads | sleeps in the kernel, with time-outs | the backend of the crate `brigade`, which stands on this one |
//! | tasks of any executor | `.await`, with wakers in a fixed number of slots | [`wait::Async`] around one of the others |
//! | a loom model | sleeps in loom's scheduler | `sync::Model` |
//! | a world of yours | as it can | implement [`wait::Park`] |
//!
//! # Limitations
//!
//! - Where the processor has no compare-and-swap of 32 bits, interrupts are masked for the length of
//!   one; see [Targets](#targets).
//! - Nothing here can be shared between processes, yet. A barrier cannot be awaited.
//! - A thing that is awaited has a fixed number of slots for wakers. A task beyond them is polled
//!   again and again; see [`wait::Async`].
//! - [`bounded::Ticket`] and [`bounded::TwoLock`] are fast but not lock-free, and
//!   [`bounded::Priority`] has a lock; a `Queue` has the
//!   progress of the container it stands on.
//! - All counters are 32 bits wide and wrap around. Each type says what a thread would have to
//!   sleep through for that to matter, and how often it can.
//! - [`wait::Spin`] has no clock, so operations with a time-out do not exist on it.
//! - Batches pass through the caller's stack, up to 32 items at a time.
//!
//! # Guarantees
//!
//! **Progress.** What is said to be *lock-free* ends in a bounded number of its own steps unless
//! others end theirs meanwhile, also if some of them are stopped for ever at the worst moment.
//! *Wait-free* does without the "unless". What *blocks* may wait for others.
//!
//! | operation | progress | if another thread is stopped in the middle |
//! |---|---|---|
//! | [`Fifo`](bounded::Fifo): all | lock-free | one spare slot less; nobody waits |
//! | [`Lifo`](bounded::Lifo): all | lock-free | as `Fifo` |
//! | [`Ticket`](bounded::Ticket): `push`, `pop` | blocking | those who come to its slot spin until it goes on |
//! | [`TwoLock`](bounded::TwoLock): `push`, `pop`, `close` | blocking | those at its end spin until it goes on; so do those at the other if they find it empty or full |
//! | [`Spsc`](bounded::Spsc): all | wait-free | no effect |
//! | [`Priority`](bounded::Priority): `push`, `pop`, `close` | blocking | all others spin until it goes on; with the lock [`CriticalSection`](lock) no interrupt comes in between |
//! | [`Event`]: `set` | lock-free | it may not have woken anybody yet |
//! | [`Event`]: `is_set`; `clear` | wait-free; lock-free where there is no atomic "and" | no effect |
//! | [`JoinCounter`]: `add`, `done`, `count` | lock-free | as `Event::set` |
//! | [`Queue`]: `try_put`, `try_get` | that of the container | that of the container; it may not have woken anybody yet |
//! | [`Queue`]: `task_done` | lock-free | as `Event::set` |
//! | [`Semaphore`]: `try_acquire`, `release`, dropping a permit | lock-free | as `Event::set` |
//! | a poll of what `_async` operations return, and dropping it | that of the `try_` operation | that of the `try_` operation; a waker that it moves out is not called yet |
//! | `wait`, `put`, `get`, `join` and their kin | blocking, until the deadline if there is one | wait for it if it is the one who has to act |
//!
//! No operation allocates. None but those of `TwoLock` and `Priority` takes a lock, unless the backend's
//! [`unpark`](wait::Park::unpark), or an executor's waker, does.
//!
//! **Exactness.** A container says Full, or Empty, only if it was so at an instant during the call.
//! (Beyond their number of spare slots `Fifo` and `Lifo` make an exception for Full. `Spsc` answers for all that
//! happens-before the call: it only loads, and what the other end did a moment ago on another
//! processor may not have arrived.) `len`, `is_empty` and
//! `is_full` on the other hand are old news when they return.
//!
//! **Order.** First in, first out, for all producers and consumers together: if one push ended
//! before another began, its item is popped first. In a `Lifo` last in, first out: a pop takes, of
//! the items inside at an instant during the call, the one pushed last; in a `Priority` the
//! smallest, and of equal ones the one pushed first.
//!
//! **Happens-before**, in the sense of the memory model:
//!
//! - what was done before a push or put, before the pop or get of that item;
//! - what was done before an [`Event::set`], before [`is_set`](Event::is_set) or a wait that finds
//!   it, and before a [`clear`](Event::clear) that undoes it;
//! - what was done before a `done`, before the end of a [`wait`](JoinCounter::wait) for zero; so
//!   what was done before `task_done`, before the end of `join`;
//! - what was done before a permit was returned, before somebody else has it, and what each did
//!   before it arrived at a barrier, before any of them goes on;
//! - what was done before `close` or `shutdown`, before whoever is told of it;
//! - the answer Empty, before the next push that succeeds, and Full, before the next pop that does
//!   ([`bounded::Container`] says what for), but not in `Spsc`.
//!
//! There is no order between a pop and the push that later uses its room (but in `Spsc`), nor
//! between two waiters that one set lets go; and a time-out means nothing but that.
//!
//! **Nothing is lost.** An item that is not taken comes back with the error. Dropping a container
//! drops what is inside, all of it even if a destructor panics. After a shutdown every item has
//! been got, or was handed back.
//!
//! # Example
//!
//! ```
//! use brigade_core::bounded::Fifo;
//! use brigade_core::{Queue, Shutdown};
//!
//! // Eight readings inline, in a static. The backend is `Spin`.
//! static READINGS: Queue<Fifo<u16, 8>> = Queue::new(Fifo::new());
//!
//! fn interrupt(reading: u16) {
//!     // Never waits, whatever it cut off. A full queue gives the reading back.
//!     let _ = READINGS.try_put(reading);
//! }
//!
//! interrupt(1013);
//! interrupt(1014);
//! READINGS.shutdown(Shutdown::Drain);
//! assert_eq!(READINGS.iter().sum::<u16>(), 2027);
//! ```
//!
//! # Targets
//!
//! | for example | compare-and-swap | interrupts masked | feature |
//! |---|---|---|---|
//! | Cortex-M3 and up (`thumbv7m`, `thumbv7em`, `thumbv8m`), RISC-V with atomics (`riscv32imac`), all that run std | the processor's | never | none |
//! | Cortex-M0, M0+ (`thumbv6m`), RISC-V without atomics (`riscv32imc`): one core, privileged code | with interrupts masked | by an update, for one compare-and-swap | `unsafe-assume-single-core` |
//! | the same with several cores, without privileges, or as you like | in a critical section that you provide | by an update, for one compare-and-swap and what the section costs | `critical-section` |
//!
//! Loads are single instructions everywhere. Only a `Priority` with the lock `CriticalSection` masks
//! interrupts for a whole operation, on every target. A build for a processor of the lower rows with
//! neither feature ends with a message that names them; on one of the first row they change
//! nothing. Both at once are an error of `portable-atomic`, to which they are passed on. AVR and
//! other 16-bit processors are not supported.
//!
//! 32-bit targets get no padding against false sharing, as most have no cache: a `Fifo` of 8 `u32`
//! takes 160 bytes.
//!
//! # Features
//!
//! All are off by default. A library had better leave the last two to the program.
//!
//! - `alloc`: containers on the heap, with a capacity chosen at run time.
//! - `critical-section`: the [lock] `CriticalSection` for [`bounded::Priority`]; and, where the
//!   processor has no compare-and-swap, one by the crate
//!   [`critical-section`](https://docs.rs/critical-section), for which the program provides an implementation, or
//!   its HAL does. The section must exclude every interrupt handler and every core that uses this
//!   crate.
//! - `unsafe-assume-single-core`: where the processor has no compare-and-swap, one by the crate
//!   `portable-atomic` with interrupts masked by the code itself. This is **unsound**, in spite of
//!   being no more than a feature,
//!   - on a system with several cores;
//!   - where the instructions that mask interrupts are not available, as in unprivileged mode, or do
//!     not mask all: on Arm other than Cortex-M only IRQs are (its feature `disable-fiq` adds the
//!     FIQs), and on RISC-V it is for machine mode (supervisor mode by its feature `s-mode`).
//!
//!   `RUSTFLAGS='--cfg portable_atomic_unsafe_assume_single_core'` does the same, and keeps it
//!   out of everybody's `Cargo.toml`.
//!
//! # Loom
//!
//! Compiled with `--cfg brigade_loom` in `RUSTFLAGS`, this crate is built on loom's atomics, and
//! `sync::Model` is a backend that sleeps in loom's scheduler; so code that stands on this crate can
//! be modelled together with it. A wake-up that is lost shows as a deadlock, a time-out as a return
//! at any moment. In such a build `new` is not `const`, because loom's types cannot be. The cfg
//! does not touch other crates of the graph, as the usual `--cfg loom` would.
//!
//! To model-check a crate of yours:
//!
//! 1. In its `Cargo.toml`, have loom where the cfg is set, and make the cfg known:
//!
//!    ```toml
//!    [target.'cfg(brigade_loom)'.dependencies]
//!    loom = "0.7"
//!
//!    [lints.rust]
//!    unexpected_cfgs = { level = "warn", check-cfg = ["cfg(brigade_loom)"] }
//!    ```
//!
//! 2. Under the cfg, take `sync::Model` as the backend `P`, and your own atomics and cells from loom.
//!    Use this cfg for them rather than one of yours: half of a program on loom and half not would
//!    compile, and prove nothing. (If your crate has a cfg already, such as `loom`, set both.)
//! 3. Write models as tests under the cfg, with threads from loom; a plain `Arc` may share what they
//!    work on.
//! 4. `RUSTFLAGS='--cfg brigade_loom' cargo test --release --tests --target-dir target/loom`
//!
//! The source has such a crate in `loom-tests/downstream`, with a lost wake-up that loom finds.
//!
//! # Reading the source
//!
//! Each file explains one idea at its top and uses only what came before:
//!
//! 1. [`sync`]: what is native and what is loom's;
//! 2. [`storage`], where slots live, and `lap`, how cursors count;
//! 3. [`lock`], and [`bounded`]: `run`, `drain`, `ring`, `fifo`, `stack`, `lifo`, `ticket`, `two_lock`,
//!    `spsc`, `heap`, `priority`, with a README on the protocols;
//! 4. [`wait`]: `Park`, `EventCount`, `Spin`, `wakers`, `future`, with a README on why no wake-up is
//!    lost;
//! 5. `event`, `join`, `semaphore`, `barrier`, `error`;
//! 6. `queue`, which puts all of it together, and `queue/`: `tally`, `batch`, `lease`, `shutdown`,
//!    `asynchronous`.

#![no_std]
#![allow(
    clippy::inline_always,
    reason = "the steps of the algorithms are a few instructions each; a call around them would double their price"
)]

#[cfg(test)]
extern crate std;

mod barrier;
pub mod bounded;
mod error;
mod event;
mod join;
mod lap;
pub mod lock;
mod queue;
mod semaphore;
pub mod storage;
pub mod sync;
pub mod wait;

pub use barrier::{Arrival, Barrier};
pub use error::{
    CountOverflow, GetError, GetTimeoutError, PopError, PushError, PutError, PutTimeoutError,
    TooManyDone, TooManyPermits, TryGetError, TryPutError,
};
pub use event::Event;
pub use join::JoinCounter;
pub use queue::{Iter, Lease, Queue, Remaining, Shutdown, Unput};
pub use semaphore::{Permit, Semaphore};

/// Futures, and what they wait for: named, so that a struct of yours can hold one.
///
/// They come from the operations that end in `_async`; all are cancel-safe and `Unpin`.
pub mod future {
    pub use crate::event::WaitSet;
    pub use crate::join::Zero;
    pub use crate::queue::{Finished, Get, GetLease, Put};
    pub use crate::semaphore::FreePermit;
    pub use crate::wait::WaitAsync;
}
