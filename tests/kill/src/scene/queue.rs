//! Queues: every item is delivered once, or again if whoever had leased it died; and nothing is lost of
//! the queue itself.

use std::io;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use brigade::Process;
use brigade::shared::{GetError, Lock, PutFailure, Queue};

use super::{
    Entry, SLEEP, Started, die_in, hear, heard, hold, in_words, nothing, play, play_sweep,
    promptly, sleeping, until,
};

pub(super) const SCENES: &[Entry] = &[
    ("put", "put", || play(small(), put, fill, was_it_put)),
    ("put, somebody waits", "put, and heard", || {
        play(small(), put, wait_for_item, is_it_heard)
    }),
    ("put, another block", "put", || {
        play(small(), put, fill_beside_leases, was_it_put_beside)
    }),
    ("put of pages", "put", || {
        play(large(), put, fill, was_it_put)
    }),
    ("put of two pages", "put", || {
        play(very_large(), put, fill, was_it_put)
    }),
    ("get", "taken", || {
        play(small(), get, fill_two, was_it_taken)
    }),
    ("get of what was left", "taken", || {
        play(small(), get, leave_one, was_it_taken_again)
    }),
    ("get of pages", "taken", || {
        play(large(), get, fill_two, was_it_taken)
    }),
    ("lease", "delivered again", || {
        play(small(), lease, fill_two, was_it_leased)
    }),
    ("lease and acknowledge", "acknowledged", || {
        play(small(), acknowledge, fill_two, was_it_leased)
    }),
    ("put back", "delivered again", || {
        play(small(), put_back, fill_two, was_it_given_back)
    }),
    ("put when full", "refused", || {
        play(small(), put, fill_up, nothing_happened)
    }),
    ("task done", "finished", || {
        play(small(), task_done, nothing, is_joined)
    }),
    ("sweep after leases", "delivered again", || {
        play_sweep(small(), keep, witness, wait_for_both, are_both_there)
    }),
    ("sweep after pages", "delivered again", || {
        play_sweep(large(), keep, witness, wait_for_both, are_both_there)
    }),
];

/// One letter, as often as it takes.
type Item = String;

/// What is put only to see whether there is room.
const NONE: char = '-';
/// Items that the house puts, and the victim's.
const FIRST: char = '1';
const SECOND: char = '2';
const VICTIMS: char = 'x';
const CAPACITY: usize = 4;
const LEASES: usize = 3;

struct Stock {
    queue: Queue<Item>,
    /// Bytes of an item.
    length: usize,
    /// Who dies has it. The deaths in it are told after those in the queue, as it was made later.
    knell: Lock<()>,
    /// The same for those that have died before.
    earlier: Lock<()>,
}

/// Items fit into blocks.
fn small() -> io::Result<Stock> {
    stock(20, 0)
}

/// Items take a page each.
fn large() -> io::Result<Stock> {
    stock(200, 1)
}

/// Items take two pages each.
fn very_large() -> io::Result<Stock> {
    stock(4200, 2)
}

/// With pages for all that can be queued and leased, and not for one more.
fn stock(length: usize, pages: usize) -> io::Result<Stock> {
    let pages = (CAPACITY + LEASES) * pages * 4096;
    let builder = Queue::<Item>::builder();
    let queue = builder
        .capacity(CAPACITY)
        .leases(LEASES)
        .bytes(pages)
        .build()?;
    Ok(Stock {
        queue,
        length,
        knell: Lock::new(())?,
        earlier: Lock::new(())?,
    })
}

impl Stock {
    fn item(&self, letter: char) -> Item {
        item(letter, self.length)
    }

    fn put(&self, letter: char) -> Result<(), String> {
        self.queue.try_put(self.item(letter)).map_err(in_words)
    }

    /// Waits until the queue has been told of the death: what is looked at then is what it has made of it.
    fn hear_of_the_death(&self) -> Result<(), String> {
        // Who waits looks after all that have joined: now, if they were not known to be dead already.
        let _ = self.queue.join_timeout(Duration::ZERO);
        hear(&self.knell)
    }

    /// Waits until nothing is held by anybody who is dead: all that there is for items can be had. Says
    /// which items it has found on the way, with their attempts.
    fn settle(&self) -> Result<Vec<(char, u16)>, String> {
        self.hear_of_the_death()?;
        let mut found = Vec::new();
        until("all blocks and pages are free", || {
            match self.look(&mut found) {
                Ok(all) => all.then_some(Ok(())),
                Err(complaint) => Some(Err(complaint)),
            }
        })??;
        if promptly("all is done", |time| self.queue.join_timeout(time))? != Ok(true) {
            return Err("something is never finished".to_owned());
        }
        Ok(found)
    }

    /// Takes what there is, and then all that there is room for. Says whether that is all there should be.
    fn look(&self, found: &mut Vec<(char, u16)>) -> Result<bool, String> {
        let mut room = Vec::new();
        loop {
            match self.queue.try_lease() {
                Ok(lease) if *lease == self.item(NONE) => room.push(lease),
                Ok(lease) if *lease == self.item(letter(&lease)) => {
                    found.push((letter(&lease), lease.attempts()));
                }
                Ok(lease) => return Err(format!("no such item: {lease:?}")),
                Err(GetError::Empty) => match self.queue.try_put(self.item(NONE)) {
                    Ok(()) => {}
                    Err(refused) if refused.why == PutFailure::Full => break,
                    Err(refused) => return Err(refused.to_string()),
                },
                Err(error) => return Err(error.to_string()),
            }
        }
        match room.len() {
            blocks if blocks > CAPACITY + LEASES => Err(format!("{blocks} blocks")),
            blocks => Ok(blocks == CAPACITY + LEASES),
        }
    }
}

fn item(letter: char, length: usize) -> Item {
    letter.to_string().repeat(length)
}

fn letter(item: &str) -> char {
    item.chars().next().unwrap_or(NONE)
}

type Work = (Queue<Item>, usize);

fn start(stock: &Stock, enter: impl Fn(Work) + Copy + Send + 'static) -> Started {
    start_with(&stock.knell, stock, enter)
}

fn start_with(
    knell: &Lock<()>,
    stock: &Stock,
    enter: impl Fn(Work) + Copy + Send + 'static,
) -> Started {
    let enter = move |(work, knell): (Work, Lock<()>)| {
        std::mem::forget(knell.lock());
        enter(work);
    };
    let work = (stock.queue.clone(), stock.length);
    Process::start(enter, (work, knell.clone()))
}

fn put(stock: &Stock) -> Started {
    start(stock, |(queue, length)| {
        let item = item(VICTIMS, length);
        die_in(|| queue.try_put(item));
    })
}

fn get(stock: &Stock) -> Started {
    start(stock, |(queue, _)| die_in(|| queue.try_get()))
}

fn lease(stock: &Stock) -> Started {
    start(stock, |(queue, _)| {
        die_in(|| std::mem::forget(queue.try_lease()));
    })
}

fn acknowledge(stock: &Stock) -> Started {
    start(stock, |(queue, _)| die_in(|| drop(queue.try_lease())))
}

fn put_back(stock: &Stock) -> Started {
    start(stock, |(queue, _)| {
        die_in(|| {
            if let Ok(lease) = queue.try_lease() {
                lease.put_back();
            }
        });
    })
}

fn task_done(stock: &Stock) -> Started {
    stock.put(FIRST).expect("there is room");
    start(stock, |(queue, _)| {
        queue.get().expect("there is an item");
        die_in(|| queue.task_done());
    })
}

/// Has leased one item and got another, when it dies.
fn keep(stock: &Stock) -> Started {
    for letter in [FIRST, SECOND, VICTIMS] {
        stock.put(letter).expect("there is room");
    }
    start(stock, |(queue, _)| {
        let lease = queue.try_lease().expect("there is an item");
        let got = queue.try_get().expect("there is an item");
        let other = queue.try_lease().expect("there is an item");
        hold((lease, got, other));
    })
}

fn witness(stock: &Stock) -> Started {
    Process::start(hold, stock.queue.clone())
}

fn fill(stock: &Stock) -> Result<(), String> {
    stock.put(FIRST)
}

fn fill_two(stock: &Stock) -> Result<(), String> {
    stock.put(FIRST)?;
    stock.put(SECOND)
}

/// A thread that holds what it has, and how to end it.
type Keeper = (Sender<()>, JoinHandle<()>);

/// What stood at the next two places the lap before is still leased, so that whoever puts there has to look
/// for another block. Puts the first.
fn fill_beside_leases(stock: &Stock) -> Result<Keeper, String> {
    (0..2).try_for_each(|_| stock.put(NONE))?;
    let (end, ended) = mpsc::channel();
    let (tell, told) = mpsc::channel();
    let queue = stock.queue.clone();
    let keeper = thread::spawn(move || {
        let leases = [queue.try_lease(), queue.try_lease()];
        let _ = tell.send(leases.iter().all(Result::is_ok));
        let _ = ended.recv();
    });
    if told.recv() != Ok(true) {
        return Err("there are no two items to lease".to_owned());
    }
    for _ in 2..CAPACITY {
        stock.put(NONE)?;
        stock.queue.try_get().map_err(in_words)?;
        stock.queue.task_done().map_err(in_words)?;
    }
    stock.put(FIRST)?;
    Ok((end, keeper))
}

fn was_it_put_beside(stock: &Stock, (end, keeper): Keeper) -> Result<&'static str, String> {
    drop(end);
    heard(keeper)?;
    was_it_put(stock, ())
}

/// Somebody has died with the first of two items, and that is known.
fn leave_one(stock: &Stock) -> Result<(), String> {
    fill_two(stock)?;
    let leave = |(queue, _): Work| std::mem::forget(queue.try_lease());
    let gone = start_with(&stock.earlier, stock, leave).map_err(in_words)?;
    gone.join().map_err(in_words)?;
    hear(&stock.earlier)
}

fn was_it_taken_again(stock: &Stock, (): ()) -> Result<&'static str, String> {
    match stock.settle()?[..] {
        [(FIRST, 1), (SECOND, 0)] | [(SECOND, 0), (FIRST, 1)] => Ok("not taken"),
        [(FIRST, 2), (SECOND, 0)] | [(SECOND, 0), (FIRST, 2)] => Ok("delivered again"),
        [(SECOND, 0)] => Ok("taken"),
        ref other => Err(format!("items: {other:?}")),
    }
}

fn fill_up(stock: &Stock) -> Result<(), String> {
    (0..CAPACITY).try_for_each(|_| stock.put(FIRST))
}

fn was_it_put(stock: &Stock, (): ()) -> Result<&'static str, String> {
    match stock.settle()?[..] {
        [(FIRST, 0)] => Ok("never put"),
        [(FIRST, 0), (VICTIMS, 0)] => Ok("put"),
        ref other => Err(format!("items: {other:?}")),
    }
}

fn was_it_taken(stock: &Stock, (): ()) -> Result<&'static str, String> {
    match stock.settle()?[..] {
        [(FIRST, 0), (SECOND, 0)] => Ok("not taken"),
        [(FIRST, 1), (SECOND, 0)] | [(SECOND, 0), (FIRST, 1)] => Ok("delivered again"),
        [(SECOND, 0)] => Ok("taken"),
        ref other => Err(format!("items: {other:?}")),
    }
}

fn was_it_leased(stock: &Stock, (): ()) -> Result<&'static str, String> {
    match stock.settle()?[..] {
        [(FIRST, 0), (SECOND, 0)] => Ok("not taken"),
        // Before the other, or behind it, if the death was noticed late.
        [(FIRST, 1), (SECOND, 0)] | [(SECOND, 0), (FIRST, 1)] => Ok("delivered again"),
        [(SECOND, 0)] => Ok("acknowledged"),
        ref other => Err(format!("items: {other:?}")),
    }
}

fn was_it_given_back(stock: &Stock, (): ()) -> Result<&'static str, String> {
    match was_it_leased(stock, ())? {
        "acknowledged" => Err("nobody has acknowledged it".to_owned()),
        other => Ok(other),
    }
}

fn nothing_happened(stock: &Stock, (): ()) -> Result<&'static str, String> {
    match stock.settle()?[..] {
        [(FIRST, 0), (FIRST, 0), (FIRST, 0), (FIRST, 0)] => Ok("refused"),
        ref other => Err(format!("items: {other:?}")),
    }
}

/// Plain gets that were not reported are finished by the death.
fn is_joined(stock: &Stock, (): ()) -> Result<&'static str, String> {
    match stock.settle()?[..] {
        [] => Ok("finished"),
        ref other => Err(format!("items: {other:?}")),
    }
}

type Found = Result<char, GetError>;

/// A thread of the house waits at the other end.
fn wait_for_item(stock: &Stock) -> Result<JoinHandle<Found>, String> {
    let queue = stock.queue.clone();
    sleeping(move || queue.get_timeout(SLEEP).map(|item: Item| letter(&item)))
}

fn is_it_heard(stock: &Stock, sleeper: JoinHandle<Found>) -> Result<&'static str, String> {
    // What has been put is heard of: nothing else may wake the thread before.
    let was_put = until("what is put is heard of", || {
        let (empty, finished) = (stock.queue.is_empty(), sleeper.is_finished());
        (finished || empty).then_some(finished)
    })?;
    if !was_put {
        stock.put(FIRST)?;
    }
    let first = heard(sleeper)?.map_err(in_words)?;
    stock.queue.task_done().map_err(in_words)?;
    match (first, &stock.settle()?[..]) {
        (VICTIMS, []) => Ok("put, and heard"),
        (VICTIMS, [(FIRST, 0)]) => Ok("put, and heard late"),
        (FIRST, []) => Ok("never put"),
        other => Err(format!("items: {other:?}")),
    }
}

type Both = Result<[(char, u16); 2], GetError>;

/// A thread of the house waits for what the dead one had.
fn wait_for_both(stock: &Stock) -> Result<JoinHandle<Both>, String> {
    let queue = stock.queue.clone();
    sleeping(move || {
        let leased = || -> Result<(char, u16), GetError> {
            let lease = queue.lease_timeout(SLEEP)?;
            Ok((letter(&lease), lease.attempts()))
        };
        Ok([leased()?, leased()?])
    })
}

fn are_both_there(stock: &Stock, sleeper: JoinHandle<Both>) -> Result<&'static str, String> {
    let mut both = heard(sleeper)?.map_err(in_words)?;
    both.sort_unstable();
    if both != [(FIRST, 1), (VICTIMS, 1)] {
        return Err(format!("items: {both:?}"));
    }
    match stock.settle()?[..] {
        [] => Ok("delivered again"),
        ref other => Err(format!("items: {other:?}")),
    }
}
