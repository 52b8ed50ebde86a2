//! [`Hall`]: the memory in which a pool and its workers meet.
//!
//! ```text
//!     [ words of the hall | bells | board | a line per worker | block 0 | block 1 | ... ]
//!
//!     block:  | function, argument: how long, where | answer: kind, how long, where | started |
//!             | argument, if it is short                                                      |
//!             | answer, if it is short                                                        |
//! ```
//!
//! What is too long for its room lies in a [spool](super::spool). Argument and answer have rooms of
//! their own, so that an argument is still there when its worker dies over the answer, and the task can
//! be run again.

#![forbid(unsafe_code)]

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{
    AtomicU32, AtomicU64,
    Ordering::{Acquire, Relaxed, Release, SeqCst},
    fence,
};
use std::time::Instant;

use super::board::{self, Board};
use super::dismissal::Dismissal;
use crate::shared::bell::Bell;
use crate::shared::room::SharedWord;
use crate::sys::futex_shared;
use crate::sys::memory::{self, Identity, Memory, WORD, Words};

const MAGIC: u64 = u64::from_ne_bytes(*b"bri-pool");

// In bytes; what several write to is on pairs of cache lines of its own.
const SIZES: usize = WORD;
const CLOSING: usize = 128;
const DRIVEN: usize = 256;
const TASKS: usize = 384;
const DRIVER: usize = 512;
const COLLECTOR: usize = 640;
const BOARD: usize = 768;

/// A line for each worker: its stage, and whether it is dismissed.
const LINE: usize = 128;
const DISMISSED: usize = 4;

/// Words of a block.
const BLOCK: usize = 128;
const FUNCTION: usize = 0;
const ARGUMENT: usize = 1;
const TIMED: usize = 3;
const ANSWER: usize = 4;
const STARTED: usize = 7;
const ARGUMENT_ROOM: usize = 8;
const ANSWER_ROOM: usize = 68;

/// Bytes of an argument or an answer that need no spool.
pub(super) const SHORT: usize = (ANSWER_ROOM - ARGUMENT_ROOM) * WORD;
const _: () = assert!((BLOCK - ANSWER_ROOM) * WORD == SHORT);

/// Where something lies that is short.
const INLINE: u64 = u64::MAX;

/// See the [module](self).
pub(super) struct Hall {
    memory: Arc<Memory>,
    pub(super) board: Board<Words>,
    words: Words,
    blocks: Words,
    workers: usize,
}

impl board::Words for Words {
    fn word(&self, index: usize) -> &AtomicU64 {
        &self[index]
    }
}

/// How far a worker has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// It has not said anything yet.
    Starting,
    /// It takes tasks.
    Ready,
    /// It has run as many tasks as it is to, and has none.
    Retired,
    /// Its initializer failed.
    Failed,
}

/// Of what kind an answer is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Value,
    /// An encoded [`Panic`](crate::Panic).
    Panic,
    /// Text.
    Error,
}

/// Where something is and how long.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Content {
    Short(usize),
    Spooled { at: u64, length: usize },
}

/// The answer of a worker that speaks nonsense.
pub(super) const NONSENSE: &str = "the memory of the pool was overwritten";

/// How large the hall is.
#[derive(Clone, Copy)]
struct Plan {
    blocks: usize,
    workers: usize,
}

impl Plan {
    fn lines(self) -> usize {
        let board = Board::<Words>::words(self.blocks) * WORD;
        (BOARD + board).next_multiple_of(LINE)
    }

    fn first_block(self) -> usize {
        self.lines() + self.workers * LINE
    }

    fn length(self) -> usize {
        self.first_block() + self.blocks * BLOCK * WORD
    }
}

impl Hall {
    pub(super) fn create(blocks: usize, workers: usize) -> io::Result<Self> {
        let plan = Plan { blocks, workers };
        let hall = Self::over(Memory::create("brigade-pool", plan.length())?, plan)?;
        // ORDERING: Relaxed: workers are started later.
        hall.words[SIZES / WORD].store((blocks as u64) << 32 | workers as u64, Relaxed);
        hall.words[0].store(MAGIC, Relaxed);
        Ok(hall)
    }

    /// That of the pool whose descriptor this is.
    pub(super) fn open(descriptor: OwnedFd) -> io::Result<Self> {
        let memory = Memory::open(descriptor)?;
        let strange = || io::Error::new(io::ErrorKind::InvalidData, "this is no memory of a pool");
        let first = memory.words(0, 2).ok_or_else(strange)?;
        // ORDERING: Relaxed: it was written before we were started.
        let (magic, sizes) = (first[0].load(Relaxed), first[1].load(Relaxed));
        let plan = Plan {
            blocks: usize::try_from(sizes >> 32).unwrap_or(0),
            workers: usize::try_from(sizes & u64::from(u32::MAX)).unwrap_or(0),
        };
        let is_sane = magic == MAGIC
            && (1..=board::MAX_BLOCKS).contains(&plan.blocks)
            && (1..=board::MAX_WORKERS).contains(&plan.workers);
        if !is_sane {
            return Err(strange());
        }
        Self::over(memory, plan)
    }

    fn over(memory: Memory, plan: Plan) -> io::Result<Self> {
        let memory = Arc::new(memory);
        let words = |offset, count| {
            Words::of(&memory, offset, count).ok_or_else(|| {
                io::Error::new(
                    io::ErrorKind::InvalidData,
                    "the memory of the pool is too small",
                )
            })
        };
        let board = words(BOARD, Board::<Words>::words(plan.blocks))?;
        Ok(Self {
            board: Board::new(board, plan.blocks),
            words: words(0, plan.first_block() / WORD)?,
            blocks: words(plan.first_block(), plan.blocks * BLOCK)?,
            workers: plan.workers,
            memory,
        })
    }

    /// The number of the descriptor in this process.
    pub(super) fn descriptor(&self) -> i32 {
        self.memory.descriptor()
    }

    pub(super) fn identity(&self) -> Identity {
        self.memory.identity()
    }

    fn bell(&self, offset: usize) -> Bell<SharedWord<'_>> {
        let word = self.memory.half_word(offset);
        Bell(SharedWord(word.expect("the bells lie before the board")))
    }

    /// Rung when there are tasks, or it is closing time.
    pub(super) fn tasks(&self) -> Bell<SharedWord<'_>> {
        self.bell(TASKS)
    }

    /// Where the pool's thread sleeps that waits for an answer and fetches them all meanwhile.
    pub(super) fn driver(&self) -> Bell<SharedWord<'_>> {
        self.bell(DRIVER)
    }

    /// Where the pool's thread sleeps that fetches answers while nobody waits.
    pub(super) fn collector(&self) -> Bell<SharedWord<'_>> {
        self.bell(COLLECTOR)
    }

    /// Says whether there is a driver. Whoever ceases to be one looks for answers once more afterwards.
    pub(super) fn set_driven(&self, driven: bool) {
        // ORDERING: Relaxed: the fence orders it against the load in `ring`: either that sees it, or
        // we see the answer.
        self.words[DRIVEN / WORD].store(driven.into(), Relaxed);
        fence(SeqCst);
    }

    /// Whether there is a driver, for a thread that has announced itself at the collector's bell: its
    /// fence is the other one of [`set_driven`](Self::set_driven).
    pub(super) fn is_driven(&self) -> bool {
        // ORDERING: Relaxed: as just said.
        self.words[DRIVEN / WORD].load(Relaxed) != 0
    }

    /// Tells whoever fetches answers that there is one.
    pub(super) fn ring(&self) {
        // ORDERING: pairs with the fence in `set_driven`; the load then needs none.
        fence(SeqCst);
        if self.words[DRIVEN / WORD].load(Relaxed) != 0 {
            self.driver().ring(1);
        } else {
            self.collector().ring(1);
        }
    }

    /// No task will come any more.
    pub(super) fn close(&self) {
        // ORDERING: Release pairs with `is_closing`; the bell has a fence.
        self.words[CLOSING / WORD].store(1, Release);
        self.tasks().disturb();
    }

    pub(super) fn is_closing(&self) -> bool {
        // ORDERING: Acquire pairs with `close`.
        self.words[CLOSING / WORD].load(Acquire) != 0
    }

    fn line(&self, worker: usize, offset: usize) -> &AtomicU32 {
        assert!(worker < self.workers, "no such worker");
        let plan = Plan {
            blocks: self.board.blocks(),
            workers: self.workers,
        };
        let line = self.memory.half_word(plan.lines() + worker * LINE + offset);
        line.expect("the lines lie before the blocks")
    }

    pub(super) fn set_stage(&self, worker: usize, stage: Stage) {
        let line = self.line(worker, 0);
        // ORDERING: Release pairs with `stage`.
        line.store(stage as u32, Release);
        futex_shared::wake(line, u32::MAX);
    }

    pub(super) fn stage(&self, worker: usize) -> Stage {
        // ORDERING: Acquire pairs with `set_stage`.
        match self.line(worker, 0).load(Acquire) {
            0 => Stage::Starting,
            1 => Stage::Ready,
            2 => Stage::Retired,
            _ => Stage::Failed,
        }
    }

    /// Sleeps while a worker is starting. May end without a reason.
    pub(super) fn await_stage(&self, worker: usize, deadline: Option<Instant>) {
        futex_shared::wait(self.line(worker, 0), Stage::Starting as u32, deadline);
    }

    /// Whether a worker may begin tasks.
    pub(super) fn dismissal(&self, worker: usize) -> Dismissal<SharedWord<'_>> {
        Dismissal(SharedWord(self.line(worker, DISMISSED)))
    }

    fn block(&self, block: usize) -> &[AtomicU64] {
        &self.blocks[block * BLOCK..][..BLOCK]
    }
}

/// What the pool puts into a block, and takes out of it. The block is the caller's.
impl Hall {
    /// Writes a task into the block.
    pub(super) fn write_task(
        &self,
        block: usize,
        function: u64,
        argument: &Argument<'_>,
        timed: bool,
    ) {
        let words = self.block(block);
        // ORDERING: Relaxed, all of them: `Board::post` shows them.
        words[FUNCTION].store(function, Relaxed);
        match *argument {
            Argument::Short(bytes) => {
                write_content(&words[ARGUMENT..], Content::Short(bytes.len()));
                memory::copy_in(&words[ARGUMENT_ROOM..ANSWER_ROOM], bytes);
            }
            Argument::Spooled { at, length } => {
                write_content(&words[ARGUMENT..], Content::Spooled { at, length });
            }
        }
        words[TIMED].store(timed.into(), Relaxed);
        if timed {
            words[STARTED].store(0, Relaxed);
        }
    }

    /// The argument, if it is short, out of the block again.
    pub(super) fn read_back(&self, block: usize) -> Vec<u8> {
        let words = self.block(block);
        let mut bytes = Vec::new();
        if let Some(Content::Short(length)) = read_content(&words[ARGUMENT..]) {
            bytes.resize(length, 0);
            memory::copy_out(&words[ARGUMENT_ROOM..ANSWER_ROOM], &mut bytes);
        }
        bytes
    }

    /// When its worker began, if it has said so.
    pub(super) fn started(&self, block: usize) -> Option<u64> {
        // ORDERING: Relaxed: a number that stands for itself.
        Some(self.block(block)[STARTED].load(Relaxed)).filter(|&at| at != 0)
    }

    /// Of what kind the answer is, and where.
    pub(super) fn answer(&self, block: usize) -> Option<(Kind, Content)> {
        let words = &self.block(block)[ANSWER..];
        // ORDERING: Relaxed: `Board::collect` and `whose` have acquired it.
        let kind = match words[0].load(Relaxed) {
            1 => Kind::Value,
            2 => Kind::Panic,
            3 => Kind::Error,
            _ => return None,
        };
        Some((kind, read_content(&words[1..])?))
    }

    /// Copies a short answer.
    pub(super) fn read_answer(&self, block: usize, into: &mut [u8]) {
        memory::copy_out(&self.block(block)[ANSWER_ROOM..], into);
    }
}

/// What a worker takes out of a block, and puts into it. The block is the caller's.
impl Hall {
    /// The number of the function, where the argument is, and whether to say when it begins.
    pub(super) fn read_task(&self, block: usize) -> Option<(u64, Content, bool)> {
        let words = self.block(block);
        // ORDERING: Relaxed, all of them: `Board::claim` has acquired them.
        let argument = read_content(&words[ARGUMENT..])?;
        Some((
            words[FUNCTION].load(Relaxed),
            argument,
            words[TIMED].load(Relaxed) != 0,
        ))
    }

    /// Copies a short argument.
    pub(super) fn read_argument(&self, block: usize, into: &mut [u8]) {
        memory::copy_out(&self.block(block)[ARGUMENT_ROOM..ANSWER_ROOM], into);
    }

    pub(super) fn set_started(&self, block: usize, at: u64) {
        // ORDERING: Relaxed: a number that stands for itself.
        self.block(block)[STARTED].store(at, Relaxed);
    }

    /// Writes a short answer.
    pub(super) fn write_answer(&self, block: usize, kind: Kind, bytes: &[u8]) {
        let words = self.block(block);
        memory::copy_in(&words[ANSWER_ROOM..], bytes);
        self.write_answer_head(block, kind, Content::Short(bytes.len()));
    }

    /// Says where the answer is.
    pub(super) fn write_answer_head(&self, block: usize, kind: Kind, content: Content) {
        let words = &self.block(block)[ANSWER..];
        let number = match kind {
            Kind::Value => 1,
            Kind::Panic => 2,
            Kind::Error => 3,
        };
        // ORDERING: Relaxed: `Board::finish` shows it.
        words[0].store(number, Relaxed);
        write_content(&words[1..], content);
    }
}

/// An argument that is to be written.
pub(super) enum Argument<'a> {
    /// Of [`SHORT`] bytes at most.
    Short(&'a [u8]),
    Spooled {
        at: u64,
        length: usize,
    },
}

fn write_content(words: &[AtomicU64], content: Content) {
    let (length, place) = match content {
        Content::Short(length) => (length, INLINE),
        Content::Spooled { at, length } => (length, at),
    };
    // ORDERING: Relaxed: shown by whoever gives the block away.
    words[0].store(length as u64, Relaxed);
    words[1].store(place, Relaxed);
}

fn read_content(words: &[AtomicU64]) -> Option<Content> {
    // ORDERING: Relaxed: acquired by whoever has got the block.
    let length = usize::try_from(words[0].load(Relaxed)).ok()?;
    match words[1].load(Relaxed) {
        INLINE => (length <= SHORT).then_some(Content::Short(length)),
        at => Some(Content::Spooled { at, length }),
    }
}
