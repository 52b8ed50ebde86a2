//! What processes do in the memory they share: the adapter's own files, compiled here on loom's types.

mod atomic;
mod board_of_tasks;
mod deaths;
mod dismissed_worker;
mod memory;
mod ring_of_blocks;

#[path = "../../../std-adapter/src/shared/blocks.rs"]
#[allow(dead_code, unreachable_pub, reason = "it is written for another crate")]
mod blocks;
#[path = "../../../std-adapter/src/executor/process_pool/board.rs"]
#[allow(dead_code, unreachable_pub, reason = "it is written for another crate")]
mod board;
#[path = "../../../std-adapter/src/shared/corrupted.rs"]
#[allow(dead_code, unreachable_pub, reason = "it is written for another crate")]
mod corrupted;
#[path = "../../../std-adapter/src/executor/process_pool/dismissal.rs"]
#[allow(dead_code, unreachable_pub, reason = "it is written for another crate")]
mod dismissal;
#[path = "../../../std-adapter/src/shared/recovery.rs"]
#[allow(dead_code, unreachable_pub, reason = "it is written for another crate")]
mod recovery;
#[path = "../../../std-adapter/src/shared/ring.rs"]
#[allow(dead_code, unreachable_pub, reason = "it is written for another crate")]
mod ring;
#[path = "../../../std-adapter/src/shared/slot.rs"]
#[allow(dead_code, unreachable_pub, reason = "it is written for another crate")]
mod slot;

use crate::bell::original as bell;

/// In the place of the table of processes, of which only this is used.
mod participants {
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) struct Owner {
        pub(crate) index: u16,
        pub(crate) incarnation: u16,
    }
}
