//! brigade side by side with its rivals.
//!
//! Only ratios taken in one run on one machine mean anything, so everything
//! here serves one purpose: to put contenders through the same loop, in turns,
//! and to say how they compare. The package's README tells how to run it and
//! how to read what it prints.
//!
//! The pieces, in the order in which they build on each other:
//!
//! - [`measure`]: wall and CPU clocks, a team of threads released at once;
//! - [`contender`]: the one macro that adapts a library to a scenario;
//! - [`process`]: the same for processes, and memory that they share;
//! - [`container`], [`spsc`], [`channel`], [`pool`], [`conduit`], [`process_pool`]: the shapes a contender can
//!   have, and who has them;
//! - [`scenario`]: one file for each, holding the loop that is measured;
//! - [`round`]: takes turns between the contenders and reduces to medians;
//! - [`report`], [`record`], [`plot`], [`summary`]: tables, CSV records, SVG plots, the README's
//!   table.

#[cfg(not(target_os = "linux"))]
compile_error!("the comparison needs Linux: it pins threads and measures a raw futex");

pub mod channel;
pub mod conduit;
pub mod container;
pub mod contender;
pub mod measure;
pub mod plot;
pub mod pool;
pub mod process;
pub mod process_pool;
pub mod record;
pub mod report;
pub mod round;
pub mod scenario;
pub mod spsc;
pub mod summary;
