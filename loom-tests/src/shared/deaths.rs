//! `Ring` when processes are killed: at each access of each operation, among others who work and sweep.
//!
//! The killed one is a thread that stops after so many accesses, which leaves of its stack nothing
//! behind. Then the kernel tells the survivors, which here is that they come after it.

use std::sync::{Arc, Mutex};

use super::atomic::killed_after;
use super::blocks::State;
use super::memory::{A, B, C, Memory};
use super::participants::Owner;
use super::ring::Put;
use crate::harness::{Crew, bounded_each};

/// More accesses than any operation makes alone.
const ACCESSES: usize = 16;

/// What a process does until it is killed, and what it knows it has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Put,
    Get,
    PutBack,
    Close,
}

const WORKS: [Work; 4] = [Work::Put, Work::Get, Work::PutBack, Work::Close];

/// What became of the victim's work.
#[derive(Debug, Default, Clone, Copy)]
struct Done {
    /// It put this item, for certain.
    put: Option<u32>,
    /// It has finished with this item, for certain.
    got: Option<u32>,
    /// It may have put item 1.
    maybe: bool,
}

fn work(memory: &Memory, work: Work, accesses: usize) -> Done {
    let mut done = Done::default();
    match work {
        Work::Put => match killed_after(accesses, || memory.put(A, 1)) {
            Some(Put::Done) => done.put = Some(1),
            Some(_) => {}
            None => done.maybe = true,
        },
        Work::Get => done.got = killed_after(accesses, || memory.get(A)).flatten(),
        Work::PutBack => {
            killed_after(accesses, || {
                if let Some(leased) = memory.lease(A) {
                    memory.blocks().put_back(A, leased);
                }
            });
        }
        Work::Close => {
            killed_after(accesses, || memory.ring().close().unwrap());
        }
    }
    done
}

fn recover(memory: &Memory, dead: Owner) {
    memory.ring().sweep(dead);
}

fn memory(inside: u32) -> Memory {
    let memory = Memory::new(2, 4);
    for item in 0..inside {
        assert_eq!(memory.put(C, 10 + item), Put::Done);
    }
    memory
}

/// Each item is where it belongs, once: in `got`, or still in the ring.
fn check(memory: &Memory, inside: u32, done: Done, put: Option<u32>, got: &[u32]) {
    let mut expected: Vec<u32> = (10..10 + inside).chain(done.put).chain(put).collect();
    let unfinished = !memory.ring().is_done().unwrap();
    let mut left = Vec::new();
    while let Some(leased) = memory.blocks().adopt(C) {
        assert!(leased.tries > 0);
        left.push(memory.read(leased.block));
        memory.blocks().acknowledge(leased);
    }
    left.extend(memory.drain());
    assert_eq!(unfinished, !left.is_empty());
    assert!(memory.ring().is_done().unwrap());
    assert_eq!(memory.ring().len(), Ok(0));

    let mut found: Vec<u32> = got.iter().copied().chain(done.got).chain(left).collect();
    if done.maybe {
        let others = found.len();
        found.retain(|&item| item != 1);
        assert!(others - found.len() <= 1, "put twice");
    }
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
}

fn cases(work: &[Work]) -> impl Iterator<Item = (Work, u32, usize)> {
    work.iter().flat_map(|&work| {
        (0..=2).flat_map(move |inside| (0..ACCESSES).map(move |left| (work, inside, left)))
    })
}

/// Somebody puts, or gets, while the victim works, is killed and swept up.
fn among_others(works: &'static [Work]) {
    // With one item inside there is both one to take and room for one.
    let cases = cases(works).filter(|&(_, inside, _)| inside == 1);
    let cases = cases.flat_map(|case| [(case, true), (case, false)]);
    bounded_each(2, cases, |((victim, inside, accesses), puts)| {
        let notes = Arc::new(Mutex::new((None, None)));
        let other = Arc::clone(&notes);
        let mut done = Done::default();
        let memory = Crew::new(memory(inside))
            .and(move |memory| {
                let (put, got) = if puts {
                    (memory.put(B, 2) == Put::Done, None)
                } else {
                    (false, memory.get(B))
                };
                *other.lock().unwrap() = (put.then_some(2), got);
            })
            .here(|memory| {
                done = work(memory, victim, accesses);
                recover(memory, A);
            });
        let (put, got) = std::mem::take(&mut *notes.lock().unwrap());
        check(&memory, inside, done, put, got.as_slice());
    });
}

#[test]
fn a_put_is_there_or_not() {
    among_others(&[Work::Put]);
}

#[test]
fn a_lease_comes_again() {
    among_others(&[Work::Get]);
}

#[test]
fn what_is_put_back_comes_again() {
    among_others(&[Work::PutBack]);
}

#[test]
fn a_close_is_done_or_not() {
    among_others(&[Work::Close]);
}

/// Two sweep at once, while a third uses what they free.
#[test]
fn sweepers_do_not_disturb() {
    let cases = cases(&WORKS).filter(|&(_, inside, _)| inside == 1);
    bounded_each(1, cases, |(victim, inside, accesses)| {
        let memory = memory(inside);
        let done = work(&memory, victim, accesses);
        let notes = Arc::new(Mutex::new(Vec::new()));
        let got = Arc::clone(&notes);
        let mut put = None;
        let memory = Crew::new(memory)
            .and(|memory| recover(memory, A))
            .and(move |memory| {
                recover(memory, A);
                got.lock()
                    .unwrap()
                    .extend(memory.blocks().adopt(B).map(|leased| {
                        let item = memory.read(leased.block);
                        memory.blocks().acknowledge(leased);
                        item
                    }));
            })
            .here(|memory| {
                if memory.put(C, 2) == Put::Done {
                    put = Some(2);
                }
            });
        let got = std::mem::take(&mut *notes.lock().unwrap());
        check(&memory, inside, done, put, &got);
    });
}

/// A sweeper stops, another sweeps, the place of the dead is given to the next process, which works;
/// then the first sweeper goes on.
#[test]
fn a_late_sweeper_does_no_harm() {
    const NEXT: Owner = Owner {
        index: A.index,
        incarnation: A.incarnation + 1,
    };
    bounded_each(3, cases(&WORKS), |(victim, inside, accesses)| {
        let memory = memory(inside);
        let done = work(&memory, victim, accesses);
        let mut put = None;
        let memory = Crew::new(memory)
            .and(|memory| recover(memory, A))
            .here(|memory| {
                recover(memory, A);
                if memory.put(NEXT, 2) == Put::Done {
                    put = Some(2);
                }
            });
        check(&memory, inside, done, put, &[]);
    });
}

/// A sweeper that is killed leaves to the next what it has not done.
#[test]
fn a_killed_sweeper_is_no_loss() {
    let cases = cases(&WORKS).flat_map(|case| (0..2 * ACCESSES).map(move |swept| (case, swept)));
    bounded_each(1, cases, |((victim, inside, accesses), swept)| {
        let memory = memory(inside);
        let done = work(&memory, victim, accesses);
        killed_after(swept, || recover(&memory, A));
        recover(&memory, A);
        check(&memory, inside, done, None, &[]);
    });
}

/// No block is left in the hands of the dead.
#[test]
fn nothing_is_left_to_the_dead() {
    bounded_each(1, cases(&WORKS), |(victim, inside, accesses)| {
        let memory = memory(inside);
        work(&memory, victim, accesses);
        recover(&memory, A);
        let blocks = memory.blocks();
        for block in 0..blocks.count() {
            let header = blocks.header(block);
            let held = matches!(header.state(), Some(State::Owned | State::Leased));
            assert!(!(held && header.owner() == A));
        }
    });
}
