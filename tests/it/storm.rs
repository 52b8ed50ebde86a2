//! A storm of signals: a handler takes and gives through the same container as the thread that it
//! cuts off, at every single instruction of that thread, millions of times.
//!
//! ```text
//!              +--------- container of 2 ---------+
//!              v                                  |
//!     thread: three hands                 handler: one hand
//!              |                                  ^
//!              +-- three tokens go around among --+
//! ```
//!
//! The processor's trap flag makes each instruction end in a signal, so no moment is left out, and
//! none depends on how busy the machine is. The handler acts in gusts, from once to two thousand times
//! in a row, and between two it lets the thread end an operation: cut off by a success at each
//! instruction, the thread would never have one of its own. (Lock-free means that somebody gets on,
//! and in a gust that is the handler.)
//!
//! Each token counts how often it was put in, and so does each who puts it; in the end every token is
//! there once, and the counts agree. With three tokens for two places and four hands, the container
//! is found full and empty all the time.
//!
//! `BRIGADE_STORM` in the environment sets in how many signals the handler acts; CI asks for five
//! million.

use std::arch::asm;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{env, thread};

use brigade_core::bounded::{Container, Fifo, Lifo, Nothing, Refused, Ticket};
use signal_hook::low_level;

use crate::harness::{LONG, until};

/// In how many signals the handler acts if nobody asks for another number.
const SIGNALS: u64 = 20_000;

/// What the processor sends.
const SIGTRAP: i32 = 5;

/// A token is its number, and below how often it was put in.
const TOKEN: u64 = 1 << 56;
const TOKENS: u64 = 3;
/// No token: an empty hand.
const NONE: u64 = 0;

/// What the handler has seen and done.
#[derive(Default)]
struct Handler {
    gusts: Gusts,
    runs: AtomicU64,
    hand: AtomicU64,
    puts: AtomicU64,
    full: AtomicU64,
    empty: AtomicU64,
    /// How often it would have had to wait for the thread that it has cut off.
    busy: AtomicU64,
}

fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}

/// When the handler acts, and when it lets the thread go on.
#[derive(Default)]
struct Gusts {
    /// How many operations the thread has ended, and had when the last gust was over.
    ended: AtomicU64,
    ended_at_last: AtomicU64,
    /// How many signals the thread took to end one since then, and at most.
    waited: AtomicU64,
    longest: AtomicU64,
    /// How many signals are left until the next gust, and in it; none in it while there is none.
    lull: AtomicU64,
    gust: AtomicU64,
    random: AtomicU64,
}

impl Gusts {
    /// Whether to act now.
    fn blow(&self) -> bool {
        if self.gust.load(Relaxed) == 0 {
            let ended = self.ended.load(Relaxed);
            if ended == self.ended_at_last.swap(ended, Relaxed) {
                count(&self.waited);
                return false;
            }
            self.plan();
        }
        if self.lull.load(Relaxed) > 0 {
            self.lull.fetch_sub(1, Relaxed);
            return false;
        }
        if self.gust.fetch_sub(1, Relaxed) == 1 {
            self.ended_at_last.store(self.ended.load(Relaxed), Relaxed);
            self.waited.store(0, Relaxed);
        }
        true
    }

    /// A gust that begins anywhere in an operation. Every other is a short one.
    fn plan(&self) {
        let waited = self.waited.load(Relaxed);
        let longest = self.longest.fetch_max(waited, Relaxed).max(waited);
        let random = self.random.load(Relaxed);
        let random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        self.random.store(random, Relaxed);
        let most = if random >> 63 == 0 { 4 } else { 2000 };
        self.gust.store(1 + (random >> 32) % most, Relaxed);
        self.lull.store((random >> 40) % (longest + 1), Relaxed);
    }
}

impl Handler {
    /// One run. Does nothing that a signal handler must not do, provided the container does not.
    fn run(&self, container: &impl Container<Item = u64>) {
        if !self.gusts.blow() {
            return;
        }
        match self.hand.swap(NONE, Relaxed) {
            NONE => match container.try_pop() {
                Ok(token) => self.hand.store(token, Relaxed),
                Err(Nothing::Empty) => count(&self.empty),
                Err(Nothing::Busy) => count(&self.busy),
                Err(Nothing::Closed) => {}
            },
            token => match container.try_push(token + 1) {
                Ok(()) => count(&self.puts),
                Err(refused) => {
                    self.hand.store(token, Relaxed);
                    match refused {
                        Refused::Full(_) => count(&self.full),
                        Refused::Busy(_) => count(&self.busy),
                        Refused::Closed(_) => {}
                    }
                }
            },
        }
        count(&self.runs);
    }
}

/// What the thread does meanwhile, until it is over: the tokens in its hands, and how many it put.
fn work(
    container: &impl Container<Item = u64>,
    over: &AtomicBool,
    ended: &AtomicU64,
) -> (Vec<u64>, u64) {
    let mut hands = Vec::with_capacity(3);
    let mut puts = 0;
    set_trap_flag(true);
    while !over.load(Relaxed) {
        while hands.len() < 3 {
            let Ok(token) = container.try_pop() else {
                break;
            };
            hands.push(token);
            count(ended);
        }
        while let Some(&token) = hands.last() {
            if container.try_push(token + 1).is_err() {
                break;
            }
            hands.pop();
            puts += 1;
            count(ended);
        }
    }
    set_trap_flag(false);
    (hands, puts)
}

/// Whether the calling thread gets a `SIGTRAP` after each instruction. (Not while it handles one.)
fn set_trap_flag(on: bool) {
    let flag = u64::from(on) << 8;
    // SAFETY: changes nothing but the flag; the stack is left as it was found. A handler for the
    // signal is installed before.
    unsafe {
        asm!(
            "pushfq",
            "and qword ptr [rsp], {all_others}",
            "or qword ptr [rsp], {flag}",
            "popfq",
            all_others = const !0x100_i32,
            flag = in(reg) flag,
        );
    }
}

/// Signals at every instruction of a thread that works, until `enough` says so; then the accounts.
fn storm<C>(container: &'static C, enough: impl Fn(&Handler) -> bool) -> Arc<Handler>
where
    C: Container<Item = u64> + Sync,
{
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);

    let handler = Arc::new(Handler::default());
    handler.hand.store(TOKENS * TOKEN, Relaxed);
    for number in 1..TOKENS {
        assert!(container.try_push(number * TOKEN).is_ok());
    }

    let action = {
        let handler = Arc::clone(&handler);
        move || handler.run(container)
    };
    // SAFETY: the action is a few atomic operations: it neither allocates, nor locks, nor panics.
    let id = unsafe { low_level::register(SIGTRAP, action) }.unwrap();
    let over = Arc::new(AtomicBool::new(false));
    let worker = {
        let (over, handler) = (Arc::clone(&over), Arc::clone(&handler));
        thread::spawn(move || work(container, &over, &handler.gusts.ended))
    };

    let (mut runs, mut since) = (0, Instant::now());
    while !enough(&handler) {
        thread::park_timeout(Duration::from_millis(1));
        let now = handler.runs.load(Relaxed);
        if now != runs {
            (runs, since) = (now, Instant::now());
        }
        assert!(since.elapsed() < LONG, "stands still after {runs} signals");
    }
    over.store(true, Relaxed);
    // The thread may stand still, too, while the handler goes on.
    until(|| worker.is_finished());
    let (mut tokens, mut puts) = worker.join().unwrap();
    low_level::unregister(id);

    tokens.extend(std::iter::from_fn(|| container.try_pop().ok()));
    tokens.extend(Some(handler.hand.load(Relaxed)).filter(|&token| token != NONE));
    tokens.sort_unstable();
    let numbers = tokens.iter().map(|token| token / TOKEN);
    assert!(numbers.eq(1..=TOKENS), "not each token once: {tokens:x?}");
    puts += handler.puts.load(Relaxed);
    assert_eq!(tokens.iter().map(|token| token % TOKEN).sum::<u64>(), puts);
    handler
}

/// A storm on a lock-free container.
fn outlasts<C: Container<Item = u64> + Sync>(container: &'static C) {
    let signals = env::var("BRIGADE_STORM").map_or(SIGNALS, |number| number.parse().unwrap());
    let handler = storm(container, |it| it.runs.load(Relaxed) >= signals);
    assert_eq!(handler.busy.load(Relaxed), 0);
    let seen = [&handler.puts, &handler.full, &handler.empty].map(|it| it.load(Relaxed));
    assert!(!seen.contains(&0), "puts, full, empty: {seen:?}");
    println!("{signals} signals acted upon; puts, full, empty: {seen:?}");
}

#[test]
fn a_fifo_outlasts_it() {
    static FIFO: Fifo<u64, 2> = Fifo::new();
    outlasts(&FIFO);
}

#[test]
fn a_lifo_outlasts_it() {
    static LIFO: Lifo<u64, 2> = Lifo::new();
    outlasts(&LIFO);
}

/// What its documentation says: the handler comes to a slot that its own thread has claimed and not
/// yet filled. Waiting for it, as `push` and `pop` do, would last for ever.
#[test]
fn a_ticket_ring_makes_its_handler_wait() {
    static TICKET: Ticket<u64, 2> = Ticket::new();
    storm(&TICKET, |it| it.busy.load(Relaxed) > 0);
}
