//! A shared queue in memory that others have written anything into: each operation, and each attempt to open
//! it, has a result or an error, and there is no panic, no fault and no end to wait for.
//!
//! What a hostile process could write, this one writes itself, past the queue: into the file of its
//! segment. So everything is in one sequence that can be played again. What happens while others write is
//! for the hostile peers of `tests/kill`.
#![no_main]

use std::fs::{File, OpenOptions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::process;
use std::time::Duration;

use arbitrary::Arbitrary;
use brigade::Shutdown;
use brigade::shared::Queue;
use libfuzzer_sys::fuzz_target;

#[derive(Debug, Arbitrary)]
enum Step {
    Write(Place, u64),
    /// Flips one bit, so that the rest stays plausible.
    Flip(Place, u8),
    /// Copies a word to another place.
    Move(Place, Place),
    /// Adds to a word: what counts is off by a little.
    Nudge(Place, i8),
    /// Drops the queue and opens what is there.
    Reopen,
    Put(u16),
    Get,
    Lease,
    PutBack,
    TaskDone,
    Join,
    Look,
    Drain,
    Close,
}

/// A word of the segment: near its beginning, where the headers are, or anywhere.
#[derive(Debug, Arbitrary)]
enum Place {
    Front(u8),
    Any(u16),
}

/// What a queue travels as: a process, its descriptor, and which file that is.
type Reference = (u32, i32, u64, u64);

/// The memory of a queue, as others have it too.
struct Segment(File);

impl Segment {
    fn of(queue: &Queue<String>) -> Self {
        let bytes = postcard::to_stdvec(queue).expect("it can travel");
        let (_, number, ..): Reference = postcard::from_bytes(&bytes).expect("it is that");
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(format!("/proc/self/fd/{number}"));
        Self(file.expect("it can be opened once more"))
    }

    fn place(&self, place: &Place) -> u64 {
        let length = self.0.metadata().expect("it has a length").len();
        let word = match *place {
            Place::Front(word) => u64::from(word),
            Place::Any(word) => u64::from(word),
        };
        word * 8 % length
    }

    fn read(&self, place: &Place) -> u64 {
        let mut word = [0; 8];
        let read = self.0.read_exact_at(&mut word, self.place(place));
        read.expect("inside");
        u64::from_ne_bytes(word)
    }

    fn write(&self, place: &Place, word: u64) {
        let written = self.0.write_all_at(&word.to_ne_bytes(), self.place(place));
        written.expect("inside");
    }

    /// Opens it as a queue that has come from another process.
    fn open(&self) -> Result<Queue<String>, postcard::Error> {
        let file = self.0.metadata().expect("it is there");
        let reference: Reference = (process::id(), self.0.as_raw_fd(), file.dev(), file.ino());
        let bytes = postcard::to_stdvec(&reference).expect("numbers can be encoded");
        postcard::from_bytes(&bytes)
    }
}

fn queue() -> Queue<String> {
    let builder = Queue::builder().capacity(5).leases(3).bytes(64 * 1024);
    builder.participants(4).build().expect("there is memory")
}

fn act(queue: &Queue<String>, step: &Step) {
    match *step {
        Step::Put(length) => drop(queue.try_put("x".repeat(length.into()))),
        Step::Get => drop(queue.try_get()),
        Step::Lease => drop(queue.try_lease()),
        Step::PutBack => {
            if let Ok(lease) = queue.try_lease() {
                lease.put_back();
            }
        }
        Step::TaskDone => drop(queue.task_done()),
        Step::Join => drop(queue.join_timeout(Duration::ZERO)),
        Step::Look => {
            let _ = (queue.len(), queue.is_empty(), queue.is_full());
            let _ = (queue.capacity(), queue.is_shut_down());
        }
        Step::Drain => drop(queue.shutdown(Shutdown::Drain).count()),
        Step::Close => drop(queue.shutdown(Shutdown::Immediate).count()),
        _ => {}
    }
}

fuzz_target!(|steps: Vec<Step>| {
    let queue = queue();
    let segment = Segment::of(&queue);
    let mut queue = Some(queue);
    let mut spoiled = false;
    for step in &steps {
        match step {
            Step::Write(place, word) => segment.write(place, *word),
            Step::Flip(place, bit) => {
                segment.write(place, segment.read(place) ^ (1 << (bit % 64)));
            }
            Step::Move(from, to) => segment.write(to, segment.read(from)),
            Step::Nudge(place, by) => {
                let word = segment.read(place).wrapping_add_signed((*by).into());
                segment.write(place, word);
            }
            Step::Reopen => {
                drop(queue.take());
                queue = segment.open().ok();
                assert!(spoiled || queue.is_some(), "a good one can be opened");
            }
            step => {
                if let Some(queue) = &queue {
                    act(queue, step);
                }
                continue;
            }
        }
        spoiled |= !matches!(step, Step::Reopen);
    }
});
