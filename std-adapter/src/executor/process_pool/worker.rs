//! What a worker process does all its life.
//!
//! ```text
//!     open the hall --> initializer --> claim --- a task ---> run --> answer --> finish --+
//!                                        ^  | none                                        |
//!                                        |  '--> sleep; closing time? then end            |
//!                                        +------------------------------------------------+
//! ```
//!
//! The pool kills it for a task that it has condemned; until then it stands still.

#![forbid(unsafe_code)]

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::{io, thread};

use brigade_core::wait::Park;

use super::board::{Claim, Whose};
use super::hall::{Content, Hall, Kind, NONSENSE, SHORT, Stage};
use super::spool::Spool;
use crate::Parker;
use crate::process::ship::{Outcome, ShippedFn, encode};
use crate::shared::travel::{self, Attachments};
use crate::sys::clock;
use crate::sys::memory::{self, Identity};

/// What a worker is told when it is started.
#[derive(Clone)]
pub(super) struct Orders {
    pub(super) number: usize,
    /// The pool's process, and its descriptors there.
    pub(super) pool: u32,
    pub(super) hall: (i32, Identity),
    pub(super) arguments: i32,
    pub(super) answers: i32,
    /// A function to begin with, and its argument.
    pub(super) initializer: Option<(u64, Vec<u8>)>,
    /// How many tasks it runs at most.
    pub(super) tasks: Option<u64>,
    /// How many pools of processes are above one another.
    pub(super) level: u32,
}

/// How orders travel.
pub(super) type Fields = (
    (usize, u32, u32),
    (i32, u64, u64),
    (i32, i32),
    Option<(u64, Vec<u8>)>,
    Option<u64>,
);

/// How a worker ended that was not killed: why its initializer failed, if it did.
pub(super) type End = Result<(), String>;

/// How many pools of processes this process is a worker in, one above the other.
static LEVEL: AtomicU32 = AtomicU32::new(0);

pub(super) fn level() -> u32 {
    // ORDERING: Relaxed: it is set before anything of the user's runs.
    LEVEL.load(Relaxed)
}

impl Orders {
    pub(super) fn to_fields(&self) -> Fields {
        let (hall, Identity { device, inode }) = self.hall;
        (
            (self.number, self.pool, self.level),
            (hall, device, inode),
            (self.arguments, self.answers),
            self.initializer.clone(),
            self.tasks,
        )
    }

    fn from_fields(fields: Fields) -> Self {
        let (
            (number, pool, level),
            (hall, device, inode),
            (arguments, answers),
            initializer,
            tasks,
        ) = fields;
        Self {
            number,
            pool,
            hall: (hall, Identity { device, inode }),
            arguments,
            answers,
            initializer,
            tasks,
            level,
        }
    }
}

/// The function that a worker process is started for.
pub(super) fn work(fields: Fields) -> End {
    let orders = Orders::from_fields(fields);
    // ORDERING: Relaxed: see `level`.
    LEVEL.store(orders.level, Relaxed);
    let mut worker = Worker::new(&orders).map_err(|error| error.to_string())?;
    if let Some((function, argument)) = &orders.initializer {
        if let Err(reason) = initialize(*function, argument) {
            worker.hall.set_stage(worker.number, Stage::Failed);
            return Err(reason);
        }
    }
    worker.hall.set_stage(worker.number, Stage::Ready);
    worker.work(orders.tasks);
    Ok(())
}

fn initialize(function: u64, argument: &[u8]) -> Result<(), String> {
    let function = ShippedFn::from_u64(function).ok_or(NONSENSE)?;
    match function.run(argument, &mut Vec::new()) {
        Outcome::Returned | Outcome::Result(_) => Ok(()),
        Outcome::Panicked(panic) => Err(format!("the initializer panicked: {panic}")),
        Outcome::Argument(reason) => Err(format!(
            "the initializer's argument cannot be decoded: {reason}"
        )),
    }
}

struct Worker {
    number: usize,
    hall: Hall,
    arguments: Spool,
    answers: Spool,
    argument: Vec<u8>,
    answer: Vec<u8>,
    /// What answers refer to that the pool may not have read yet.
    attachments: Vec<(Claim, Attachments)>,
}

impl Worker {
    fn new(orders: &Orders) -> io::Result<Self> {
        let gone = || io::Error::new(io::ErrorKind::NotFound, "the pool has ended");
        let (hall, identity) = orders.hall;
        let hall = memory::open_of(orders.pool, hall, identity)?.ok_or_else(gone)?;
        Ok(Self {
            number: orders.number,
            hall: Hall::open(hall)?,
            arguments: Spool::open(orders.pool, orders.arguments)?,
            answers: Spool::open(orders.pool, orders.answers)?,
            argument: Vec::new(),
            answer: Vec::new(),
            attachments: Vec::new(),
        })
    }

    /// Runs tasks, so many at most, until there are no more to come.
    fn work(&mut self, most: Option<u64>) {
        let mut run = 0;
        while let Some(claim) = self.next() {
            self.run(claim);
            run += 1;
            if most.is_some_and(|most| run >= most) {
                self.hall.set_stage(self.number, Stage::Retired);
                break;
            }
        }
        while !self.attachments.is_empty() {
            self.drop_attachments();
            thread::sleep(std::time::Duration::from_millis(1));
        }
    }

    /// The next task; `None` if there will be none.
    fn next(&self) -> Option<Claim> {
        loop {
            let mut step = 0;
            loop {
                if let Some(claim) = self.hall.board.claim(self.number) {
                    return Some(claim);
                }
                if self.hall.is_closing() {
                    return None;
                }
                if !Parker::relax(step) {
                    break;
                }
                step += 1;
            }
            let key = self.hall.tasks().announce();
            if let Some(claim) = self.hall.board.claim(self.number) {
                return Some(claim);
            }
            if self.hall.is_closing() {
                return None;
            }
            self.hall.tasks().sleep(key, None);
        }
    }

    fn run(&mut self, claim: Claim) {
        let block = claim.posting.block;
        self.hall.dismissal(self.number).await_permission();
        let (kind, attachments) = match self.read_task(block) {
            Ok(function) => self.call(function),
            Err(reason) => {
                self.answer = reason.into();
                (Kind::Error, Attachments::default())
            }
        };
        self.write_answer(block, kind);
        if !self.hall.board.finish(claim) {
            // The pool has condemned us for this task. It is about to kill us.
            loop {
                thread::park();
            }
        }
        self.hall.ring();
        self.drop_attachments();
        if !attachments.is_empty() {
            self.attachments.push((claim, attachments));
        }
    }

    /// Reads the argument, and finds the function.
    fn read_task(&mut self, block: usize) -> Result<ShippedFn, String> {
        let (function, content, is_timed) = self.hall.read_task(block).ok_or(NONSENSE)?;
        if is_timed {
            self.hall.set_started(block, clock::nanos());
        }
        match content {
            Content::Short(length) => {
                self.argument.resize(length, 0);
                self.hall.read_argument(block, &mut self.argument);
            }
            Content::Spooled { at, length } => self
                .arguments
                .read(at, length, &mut self.argument)
                .map_err(|error| format!("the argument cannot be read: {error}"))?,
        }
        ShippedFn::from_u64(function).ok_or_else(|| NONSENSE.to_owned())
    }

    /// Calls the function; its answer is left in the buffer.
    fn call(&mut self, function: ShippedFn) -> (Kind, Attachments) {
        self.answer.clear();
        let (argument, answer) = (&self.argument, &mut self.answer);
        let (outcome, attachments) = travel::collect(|| function.run(argument, answer));
        let kind = match outcome {
            Outcome::Returned => return (Kind::Value, attachments),
            Outcome::Panicked(panic) => {
                answer.clear();
                // Text and numbers, for which there is always a way.
                let _ = encode(&panic, answer);
                Kind::Panic
            }
            Outcome::Argument(reason) => {
                *answer = format!("the argument cannot be decoded: {reason}").into();
                Kind::Error
            }
            Outcome::Result(reason) => {
                *answer = format!("the result cannot be encoded: {reason}").into();
                Kind::Error
            }
        };
        (kind, Attachments::default())
    }

    fn write_answer(&self, block: usize, kind: Kind) {
        let length = self.answer.len();
        if length <= SHORT {
            return self.hall.write_answer(block, kind, &self.answer);
        }
        match self.answers.append(&self.answer) {
            Ok(at) => {
                let content = Content::Spooled { at, length };
                self.hall.write_answer_head(block, kind, content);
            }
            Err(error) => {
                let reason = format!("there is no memory for the result: {error}");
                let reason = &reason.as_bytes()[..reason.len().min(SHORT)];
                self.hall.write_answer(block, Kind::Error, reason);
            }
        }
    }

    /// Drops what the pool has read the references to.
    fn drop_attachments(&mut self) {
        let board = &self.hall.board;
        let number = self.number;
        self.attachments
            .retain(|(claim, _)| board.whose(claim.posting) == Whose::Done(number));
    }
}
