//! Who takes part, what each has put and got, and whom each has cut off.

use core::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Main and the two interrupts; a later one cuts off the earlier ones.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Party {
    Main,
    SysTick,
    Timer,
}

pub const PARTIES: [Party; 3] = [Party::Main, Party::SysTick, Party::Timer];

/// A number that one party writes, and others read.
struct Number(AtomicU32);

impl Number {
    const fn new() -> Self {
        Self(AtomicU32::new(0))
    }

    // ORDERING: Relaxed, all of them: one core, and one writer at a time.
    fn get(&self) -> u32 {
        self.0.load(Relaxed)
    }

    fn set(&self, value: u32) {
        self.0.store(value, Relaxed);
    }

    fn add(&self, value: u32) {
        self.set(self.get().wrapping_add(value));
    }
}

/// The party that is running.
static RUNNING: Number = Number::new();
/// For each, whether it is in the middle of an operation.
static BUSY: [Number; 3] = [const { Number::new() }; 3];
/// How often the first has cut off the second in the middle of an operation.
static CUT_OFF: [[Number; 3]; 3] = [const { [const { Number::new() }; 3] }; 3];

impl Party {
    /// An interrupt, from its first instruction to its last.
    pub fn interrupts(self, handle: impl FnOnce()) {
        let below = RUNNING.get();
        RUNNING.set(self as u32);
        if BUSY[below as usize].get() == 1 {
            CUT_OFF[self as usize][below as usize].add(1);
        }
        handle();
        RUNNING.set(below);
    }

    /// An operation, in the middle of which interrupts are welcome.
    pub fn does<R>(self, operation: impl FnOnce() -> R) -> R {
        BUSY[self as usize].set(1);
        let result = operation();
        BUSY[self as usize].set(0);
        result
    }

    /// Whether it was in the middle of operations when the other cut it off, as a rule and not once.
    pub fn was_cut_off_by(self, other: Self) -> bool {
        CUT_OFF[other as usize][self as usize].get() > 1_000
    }
}

/// What each party puts and gets in one flow.
pub struct Ledger {
    /// How many items each party is to put.
    quota: [u32; 3],
    put: [Number; 3],
    /// By the one who got.
    got: [Number; 3],
    sum: [Number; 3],
    disorder: [Number; 3],
    /// The last item: by the one who got, of the one who put.
    last: [[Number; 3]; 3],
}

/// The bits of an item that number it.
const SERIAL: u32 = 28;

impl Ledger {
    /// How many items main, SysTick and the timer are to put.
    pub const fn new(quota: [u32; 3]) -> Self {
        Self {
            quota,
            put: [const { Number::new() }; 3],
            got: [const { Number::new() }; 3],
            sum: [const { Number::new() }; 3],
            disorder: [const { Number::new() }; 3],
            last: [const { [const { Number::new() }; 3] }; 3],
        }
    }

    /// How many items all are to put.
    pub const fn items(&self) -> u32 {
        self.quota[0] + self.quota[1] + self.quota[2]
    }

    /// Puts the party's next item, if it has one left and `put` takes it: one that is refused comes
    /// again. Whether it was taken.
    pub fn puts(&self, party: Party, put: impl FnOnce(u32) -> bool) -> bool {
        let serial = self.put[party as usize].get() + 1;
        let taken = serial <= self.quota[party as usize]
            && party.does(|| put((party as u32) << SERIAL | serial));
        if taken {
            self.put[party as usize].set(serial);
        }
        taken
    }

    /// Whether the party has put all its items.
    pub fn has_put(&self, party: Party) -> bool {
        self.put[party as usize].get() == self.quota[party as usize]
    }

    /// Gets an item, if there is one. Whether there was.
    pub fn gets(&self, party: Party, get: impl FnOnce() -> Option<u32>) -> bool {
        let Some(item) = party.does(get) else {
            return false;
        };
        let me = party as usize;
        let (producer, serial) = (item >> SERIAL, item & ((1 << SERIAL) - 1));
        self.got[me].add(1);
        self.sum[me].add(item);
        match self.last[me].get(producer as usize) {
            Some(last) if last.get() < serial => last.set(serial),
            _ => self.disorder[me].add(1),
        }
        true
    }

    /// Whether everything put was got, once, and by everybody in the order in which it was put.
    pub fn balances(&self) -> bool {
        let total = |numbers: &[Number; 3]| -> u32 {
            numbers
                .iter()
                .fold(0, |sum, number| sum.wrapping_add(number.get()))
        };
        let sum = PARTIES.iter().fold(0_u32, |sum, &party| {
            let quota = self.quota[party as usize];
            let serials = (u64::from(quota) * (u64::from(quota) + 1) / 2) as u32;
            let heads = ((party as u32) << SERIAL).wrapping_mul(quota);
            sum.wrapping_add(serials).wrapping_add(heads)
        });
        PARTIES.iter().all(|&party| self.has_put(party))
            && total(&self.got) == self.items()
            && total(&self.sum) == sum
            && total(&self.disorder) == 0
    }
}
