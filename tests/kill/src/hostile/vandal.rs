//! The hostile peer: it has the segments of another process mapped and writes rubbish into them.
//!
//! It does not go through brigade at all: it takes the memory files from `/proc/PID/fd`, as any
//! process of the same user can. Its writes are of another process, so that only what the survivor
//! makes of them can be undefined.

use std::ffi::c_void;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::process::ExitCode;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use crate::random::Random;

/// The argument that makes this program a vandal.
pub(crate) const ROLE: &str = "--vandal";

/// How the rubbish is made.
#[derive(Clone, Copy, Debug)]
enum Manner {
    /// Any word anywhere.
    Anywhere,
    /// Any word of the first pages, where the headers and cursors are.
    Front,
    /// One bit of a word, which leaves the others plausible.
    Bit,
    /// A word that is a valid one elsewhere.
    Moved,
    /// The ends of ranges: zero, the largest, what counts from the end.
    Extreme,
    /// A word that grows by one: indices and positions off by a little.
    Nudge,
}

const MANNERS: [Manner; 6] = [
    Manner::Anywhere,
    Manner::Front,
    Manner::Bit,
    Manner::Moved,
    Manner::Extreme,
    Manner::Nudge,
];

/// Bytes that count as the front.
const FRONT: usize = 8192;

/// `PROCESS SEED MILLISECONDS`.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let numbers: Option<Vec<u64>> = arguments.iter().map(|text| text.parse().ok()).collect();
    let Some(&[process, seed, milliseconds]) = numbers.as_deref() else {
        return ExitCode::FAILURE;
    };
    let mut random = Random::new(seed);
    let segments = match segments(process) {
        Ok(segments) if !segments.is_empty() => segments,
        other => {
            eprintln!("vandal: nothing to write to: {other:?}");
            return ExitCode::FAILURE;
        }
    };
    let end = Instant::now() + Duration::from_millis(milliseconds);
    while Instant::now() < end {
        let manner = MANNERS[random.below(MANNERS.len())];
        let segment = &segments[random.below(segments.len())];
        // Bursts, and single writes among long silence.
        let burst = 1 << random.below(12);
        for _ in 0..burst {
            segment.spoil(manner, &mut random);
        }
        std::thread::sleep(Duration::from_micros(random.below(300) as u64));
    }
    ExitCode::SUCCESS
}

/// A mapping, which lasts as long as the process.
#[derive(Debug)]
struct Segment {
    words: &'static [AtomicU64],
}

/// All segments that a process holds. What it hands to its children, and they to it, is no segment, but
/// a file that has one writer at a time.
fn segments(process: u64) -> io::Result<Vec<Segment>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(format!("/proc/{process}/fd"))? {
        let path = entry?.path();
        let target = fs::read_link(&path).unwrap_or_default();
        let name = target.to_string_lossy();
        if name.starts_with("/memfd:brigade-") && !name.starts_with("/memfd:brigade-process") {
            // Some are sealed against writing: those cannot be spoiled.
            found.extend(Segment::open(&path).ok().flatten());
        }
    }
    Ok(found)
}

impl Segment {
    fn open(path: &std::path::Path) -> io::Result<Option<Self>> {
        let file: File = OpenOptions::new().read(true).write(true).open(path)?;
        let length = usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?;
        if length == 0 {
            return Ok(None);
        }
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping, wherever there is room.
        let base = unsafe {
            libc::mmap(
                ptr::null_mut(),
                length,
                access,
                libc::MAP_SHARED,
                file.as_raw_fd(),
                0,
            )
        };
        let base = NonNull::new(base).filter(|base| base.as_ptr() != libc::MAP_FAILED);
        let base: NonNull<c_void> = base.ok_or_else(io::Error::last_os_error)?;
        // SAFETY: mapped for good, to a whole number of words, and only used through atomics.
        let words =
            unsafe { std::slice::from_raw_parts(base.cast::<AtomicU64>().as_ptr(), length / 8) };
        Ok(Some(Self { words }))
    }

    fn spoil(&self, manner: Manner, random: &mut Random) {
        let any = &self.words[random.below(self.words.len())];
        let front = &self.words[random.below(self.words.len().min(FRONT / 8))];
        let word = if random.below(2) == 0 { front } else { any };
        match manner {
            Manner::Anywhere => any.store(random.next(), Relaxed),
            Manner::Front => front.store(random.next(), Relaxed),
            Manner::Bit => {
                word.fetch_xor(1 << random.below(64), Relaxed);
            }
            Manner::Moved => {
                let other = &self.words[random.below(self.words.len())];
                word.store(other.load(Relaxed), Relaxed);
            }
            Manner::Extreme => {
                let extremes = [
                    0,
                    u64::MAX,
                    1 << 63,
                    u64::from(u32::MAX),
                    u64::MAX << 32,
                    1 << 31,
                ];
                word.store(extremes[random.below(extremes.len())], Relaxed);
            }
            Manner::Nudge => {
                let by = [1, u64::MAX, 1 << 32, 1 << 40][random.below(4)];
                word.fetch_add(by, Relaxed);
            }
        }
    }
}
