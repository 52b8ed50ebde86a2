//! Is there an order of the calls that explains all their answers?
//!
//! A [`Recorded`] container notes when each call began and ended and what it answered. In the end
//! [`verify`](Recorded::verify) takes out what is left and looks for an order in which a plain
//! queue gives the same answers, in which no call comes before one that had ended when it began:
//! the container is linearizable. As the plain queue says Full only with as many items inside as
//! fit and Empty only with none, so does the container: exactly. Nothing is lost, nothing comes
//! twice, the order is first in, first out, and nothing gets in after a close. (Busy is no answer; it
//! may come at any time, as a peer can seem to be there whose last step is not visible yet.)
//!
//! Loom runs one thread at a time, so an ordinary counter is the clock.

use std::collections::VecDeque;
use std::sync::Mutex;

use brigade_core::bounded::{Container, Nothing, Refused};

/// A container that models can make.
pub(crate) trait Subject: Container + Sized + 'static {
    /// How many items it holds.
    const CAPACITY: usize;

    /// A new one: with its cursors at zero, and in two states shortly before they wrap around.
    const STARTS: [fn() -> Self; 3];

    /// A new one, with its cursors at zero.
    fn fresh() -> Self {
        Self::STARTS[0]()
    }
}

/// What a thread of a model does.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Operation {
    Push(u32),
    Pop,
    Close,
}

#[derive(Debug, Clone, Copy)]
enum Call {
    Push(u32, Result<(), Refused<u32>>),
    Pop(Result<u32, Nothing>),
    Close,
}

#[derive(Debug, Clone, Copy)]
struct Record {
    call: Call,
    begun: usize,
    ended: usize,
}

#[derive(Default)]
struct Log {
    clock: usize,
    records: Vec<Record>,
}

/// A container whose calls are written down.
pub(crate) struct Recorded<S> {
    subject: S,
    log: Mutex<Log>,
}

impl<S: Subject<Item = u32>> Recorded<S> {
    pub(crate) fn new(subject: S) -> Self {
        Self {
            subject,
            log: Mutex::default(),
        }
    }

    fn tick(&self) -> usize {
        let mut log = self.log.lock().unwrap();
        log.clock += 1;
        log.clock
    }

    /// Calls the container; says whether it did what was asked.
    pub(crate) fn call(&self, operation: Operation) -> bool {
        let begun = self.tick();
        let call = match operation {
            Operation::Push(item) => Call::Push(item, self.subject.try_push(item)),
            Operation::Pop => Call::Pop(self.subject.try_pop()),
            Operation::Close => {
                self.subject.close();
                Call::Close
            }
        };
        let ended = self.tick();
        let record = Record { call, begun, ended };
        self.log.lock().unwrap().records.push(record);
        !matches!(call, Call::Push(_, Err(_)) | Call::Pop(Err(_)))
    }

    /// Takes out what is left and judges all answers.
    pub(crate) fn verify(self) {
        while self.call(Operation::Pop) {}
        let records = &self.log.lock().unwrap().records;
        assert!(
            explain(
                records,
                &mut vec![false; records.len()],
                &Plain::new(S::CAPACITY)
            ),
            "no order of the calls explains their answers: {records:#?}"
        );
    }
}

/// What the container claims to be.
#[derive(Clone)]
struct Plain {
    items: VecDeque<u32>,
    capacity: usize,
    closed: bool,
}

impl Plain {
    fn new(capacity: usize) -> Self {
        Self {
            items: VecDeque::new(),
            capacity,
            closed: false,
        }
    }

    /// Whether the answer is right; if so, does what was asked.
    fn does(&mut self, call: Call) -> bool {
        let full = self.items.len() == self.capacity;
        match call {
            Call::Push(item, Ok(())) => {
                let fits = !full && !self.closed;
                self.items.push_back(item);
                fits
            }
            // One that is both may say either.
            Call::Push(item, Err(Refused::Full(back))) => full && back == item,
            Call::Push(item, Err(Refused::Closed(back))) => self.closed && back == item,
            Call::Push(item, Err(Refused::Busy(back))) => back == item,
            Call::Pop(Ok(item)) => self.items.pop_front() == Some(item),
            Call::Pop(Err(Nothing::Empty)) => self.items.is_empty() && !self.closed,
            Call::Pop(Err(Nothing::Closed)) => self.items.is_empty() && self.closed,
            Call::Pop(Err(Nothing::Busy)) => true,
            Call::Close => {
                self.closed = true;
                true
            }
        }
    }
}

/// Tries every call that may come next.
fn explain(records: &[Record], placed: &mut [bool], before: &Plain) -> bool {
    let open = |placed: &[bool]| {
        (0..records.len())
            .filter(|&i| !placed[i])
            .collect::<Vec<_>>()
    };
    let left = open(placed);
    let Some(first_end) = left.iter().map(|&i| records[i].ended).min() else {
        return true;
    };
    left.into_iter().any(|next| {
        let mut plain = before.clone();
        if records[next].begun > first_end || !plain.does(records[next].call) {
            return false;
        }
        placed[next] = true;
        let found = explain(records, placed, &plain);
        placed[next] = false;
        found
    })
}
