//! Worker processes instead of threads, and the board that they share with the program.

use std::error::Error;

use brigade::{ProcessPool, shared};
use serde::{Deserialize, Serialize};

use crate::board::{self, Amount, Board};

/// A pool of so many processes that hash, all with the same board.
///
/// They end with the program, and leave it to the program what a Ctrl-C means.
pub(crate) fn pool(processes: usize) -> Result<ProcessPool, Box<dyn Error>> {
    let here = Shared {
        done: shared::Value::new([0, 0])?,
        given_up: shared::Event::new()?,
    };
    board::set(here.clone());
    let pool = ProcessPool::builder()
        .workers(processes)
        .name("hash")
        .initializer(|it: Shared| board::set(it), here);
    Ok(pool.build()?)
}

#[derive(Clone, Serialize, Deserialize)]
struct Shared {
    /// Files, and bytes.
    done: shared::Value<[u64; 2]>,
    given_up: shared::Event,
}

impl Board for Shared {
    fn add(&self, more: Amount) {
        self.done.update(|[files, bytes]| {
            *files += more.files;
            *bytes += more.bytes;
        });
    }

    fn done(&self) -> Amount {
        let [files, bytes] = self.done.get();
        Amount { files, bytes }
    }

    fn give_up(&self) {
        self.given_up.set();
    }

    fn is_given_up(&self) -> bool {
        self.given_up.is_set()
    }
}
