//! A shared queue in memory that others have written anything into: each operation, and each attempt to open
//! it, has a result or an error, and there is no panic, no fault and no end to wait for.
//!
//! What a hostile process could write, this one writes itself, past the queue: into the file of its
//! segment. So everything is in one sequence that can be played again. What happens while others write is
//! for the hostile peers of `tests/kill`.
#![no_main]

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek};
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

/// A word of the segment.
#[derive(Debug, Arbitrary)]
enum Place {
    Any(u16),
    /// At a distance from one of those that are not zero, which are few.
    Near(u8, i8),
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

    /// Where in the file it is.
    fn place(&self, place: &Place) -> u64 {
        let length = self.0.metadata().expect("it has a length").len();
        let (word, distance) = match *place {
            Place::Any(word) => (word.into(), 0),
            Place::Near(rank, distance) => (self.used(rank), distance / 32),
        };
        word.wrapping_add_signed(distance.into()) % (length / 8) * 8
    }

    /// The number of a word that is not zero.
    fn used(&self, rank: u8) -> u64 {
        let mut bytes = Vec::new();
        let mut file = &self.0;
        file.rewind().expect("it is a file");
        file.read_to_end(&mut bytes).expect("it can be read");
        let words = (0..).zip(bytes.chunks(8));
        let mut used = words.filter_map(|(n, word)| (word != [0; 8]).then_some(n));
        used.nth(rank.into()).unwrap_or_default()
    }

    fn read(&self, at: u64) -> u64 {
        let mut word = [0; 8];
        self.0.read_exact_at(&mut word, at).expect("inside");
        u64::from_ne_bytes(word)
    }

    fn write(&self, at: u64, word: u64) {
        let written = self.0.write_all_at(&word.to_ne_bytes(), at);
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
        // Zeroes, so that what is not zero is what the queue stands on.
        Step::Put(length) => drop(queue.try_put("\0".repeat(length.into()))),
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
            Step::Write(place, word) => segment.write(segment.place(place), *word),
            Step::Flip(place, bit) => {
                let at = segment.place(place);
                segment.write(at, segment.read(at) ^ (1 << (bit % 64)));
            }
            Step::Move(from, to) => {
                segment.write(segment.place(to), segment.read(segment.place(from)));
            }
            Step::Nudge(place, by) => {
                let at = segment.place(place);
                segment.write(at, segment.read(at).wrapping_add_signed((*by).into()));
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
