//! How far the work has got: counted by the workers, told by the progress bar and the last word.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

pub(crate) static TALLY: Tally = Tally {
    done: Count::new(),
    found: Count::new(),
    all_found: AtomicBool::new(false),
};

pub(crate) struct Tally {
    done: Count,
    found: Count,
    all_found: AtomicBool,
}

/// A number of files, and of bytes in them.
#[derive(Clone, Copy)]
pub(crate) struct Amount {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
}

impl Tally {
    pub(crate) fn file_done(&self) {
        self.done.add(1, 0);
    }

    pub(crate) fn bytes_done(&self, bytes: usize) {
        self.done.add(0, bytes as u64);
    }

    pub(crate) fn file_found(&self, bytes: u64) {
        self.found.add(1, bytes);
    }

    pub(crate) fn all_found(&self) {
        // ORDERING: Release. Pairs with the Acquire in `total`: whoever sees this sees the
        // whole count.
        self.all_found.store(true, Ordering::Release);
    }

    pub(crate) fn done(&self) -> Amount {
        self.done.amount()
    }

    /// What has been found so far, and whether that is all there is.
    pub(crate) fn total(&self) -> (Amount, bool) {
        // ORDERING: Acquire. Pairs with the Release in `all_found`.
        let all = self.all_found.load(Ordering::Acquire);
        (self.found.amount(), all)
    }
}

struct Count {
    files: AtomicU64,
    bytes: AtomicU64,
}

impl Count {
    const fn new() -> Self {
        Self {
            files: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }
    }

    fn add(&self, files: u64, bytes: u64) {
        // ORDERING: Relaxed, all four here: bare numbers, shown to people; no partner.
        if files > 0 {
            self.files.fetch_add(files, Ordering::Relaxed);
        }
        if bytes > 0 {
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    fn amount(&self) -> Amount {
        Amount {
            files: self.files.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }
}
