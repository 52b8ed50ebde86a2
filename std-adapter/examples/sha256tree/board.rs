//! The board: what the workers and the rest of the program tell one another meanwhile. Workers note
//! how far they are, and look whether the program is at its end.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use brigade::Event;

/// Something that the workers see, too, whatever they are.
pub(crate) trait Board: Send + Sync {
    fn add(&self, more: Amount);
    fn done(&self) -> Amount;
    /// Has workers drop what they have in hand.
    fn give_up(&self);
    fn is_given_up(&self) -> bool;
}

/// A number of files, and of bytes in them.
#[derive(Clone, Copy, Default)]
pub(crate) struct Amount {
    pub(crate) files: u64,
    pub(crate) bytes: u64,
}

/// The board of this process: that of threads, unless it was told of another one.
pub(crate) fn board() -> &'static dyn Board {
    static OF_THREADS: OfThreads = OfThreads {
        done: Count::new(),
        given_up: Event::new(),
    };
    match OTHER.get() {
        Some(board) => &**board,
        None => &OF_THREADS,
    }
}

static OTHER: OnceLock<Box<dyn Board>> = OnceLock::new();

/// From now on this is the board, unless there is another one already.
#[cfg(brigade_processes)]
pub(crate) fn set(board: impl Board + 'static) {
    let _ = OTHER.set(Box::new(board));
}

struct OfThreads {
    done: Count,
    given_up: Event,
}

impl Board for OfThreads {
    fn add(&self, more: Amount) {
        self.done.add(more);
    }

    fn done(&self) -> Amount {
        self.done.get()
    }

    fn give_up(&self) {
        self.given_up.set();
    }

    fn is_given_up(&self) -> bool {
        self.given_up.is_set()
    }
}

/// An amount that grows.
pub(crate) struct Count {
    files: AtomicU64,
    bytes: AtomicU64,
}

impl Count {
    pub(crate) const fn new() -> Self {
        Self {
            files: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }
    }

    pub(crate) fn add(&self, more: Amount) {
        // ORDERING: Relaxed, all four here: bare numbers, shown to people; no partner.
        if more.files > 0 {
            self.files.fetch_add(more.files, Relaxed);
        }
        if more.bytes > 0 {
            self.bytes.fetch_add(more.bytes, Relaxed);
        }
    }

    pub(crate) fn get(&self) -> Amount {
        Amount {
            files: self.files.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
        }
    }
}
