//! The scenarios: one file for each loop that is measured.
//!
//! A scenario here is a name, a title and a way to get its contenders ready.
//! Those that differ only in numbers (of threads, of slots) share a file.

use std::io;

use crate::contender::Contender;
use crate::process::child::Role;
use process_lost::Percentile;

mod container_alone;
mod container_threads;
mod map;
mod pool_empty;
mod pool_result;
mod process_argument;
mod process_lost;
mod process_queue;
mod process_result;
mod process_start;
mod process_tasks;
mod queue_flow;
mod queue_sparse;
mod sha256tree;
mod spsc;

/// What a scenario is about, and so what its ranking goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Headline {
    /// Time on the wall.
    Wall,
    /// Processor time.
    Cpu,
}

/// How much work one run does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// Enough for figures worth keeping.
    Full,
    /// Enough to see that everything works.
    Quick,
}

impl Effort {
    /// The one or the other.
    fn choose<T>(self, full: T, quick: T) -> T {
        match self {
            Self::Full => full,
            Self::Quick => quick,
        }
    }
}

/// One thing in which contenders are compared.
pub struct Scenario {
    /// What the command line, the records and the plots call it. Up to the
    /// first dash it is the family, which shares a plot.
    pub name: &'static str,
    /// What is done, in one line.
    pub title: &'static str,
    /// What the times are divided by.
    pub per: &'static str,
    /// What it is about.
    pub headline: Headline,
    prepare: fn(Effort) -> io::Result<Vec<Contender>>,
}

impl Scenario {
    /// Gets the contenders ready.
    ///
    /// # Errors
    ///
    /// If something they need cannot be had: a program, room for files.
    pub fn prepare(&self, effort: Effort) -> io::Result<Vec<Contender>> {
        (self.prepare)(effort)
    }

    /// The part of the name that says which shape is compared.
    #[must_use]
    pub fn family(&self) -> &'static str {
        self.name
            .split_once('-')
            .map_or(self.name, |(family, _)| family)
    }
}

/// What the processes of these scenarios can be.
pub(crate) const ROLES: &[Role] = &[
    process_lost::ROLE,
    process_queue::ROLE,
    process_result::OWNER,
    process_result::PING_PONG,
];

/// All scenarios, in the order in which they are run and printed.
pub const ALL: &[Scenario] = &[
    Scenario {
        name: "container-alone",
        title: "container of 1024: push then pop, one thread",
        per: "item",
        headline: Headline::Wall,
        prepare: |effort| Ok(container_alone::contenders(effort)),
    },
    Scenario {
        name: "container-1-1",
        title: "container of 1024: 1 producer, 1 consumer",
        per: "item",
        headline: Headline::Wall,
        prepare: |effort| Ok(container_threads::contenders(effort, 1)),
    },
    Scenario {
        name: "container-2-2",
        title: "container of 1024: 2 producers, 2 consumers",
        per: "item",
        headline: Headline::Wall,
        prepare: |effort| Ok(container_threads::contenders(effort, 2)),
    },
    Scenario {
        name: "container-4-4",
        title: "container of 1024: 4 producers, 4 consumers",
        per: "item",
        headline: Headline::Wall,
        prepare: |effort| Ok(container_threads::contenders(effort, 4)),
    },
    Scenario {
        name: "spsc-single-alone",
        title: "ring of 1024: single items, one thread",
        per: "item",
        headline: Headline::Wall,
        prepare: |effort| Ok(spsc::alone::<spsc::Single>(effort)),
    },
    Scenario {
        name: "spsc-single-1-1",
        title: "ring of 1024: single items, 1 producer, 1 consumer",
        per: "item",
        headline: Headline::Wall,
        prepare: |effort| Ok(spsc::threads::<spsc::Single>(effort)),
    },
    Scenario {
        name: "spsc-slices-alone",
        title: "ring of 1024: slices of 64, one thread",
        per: "item",
        headline: Headline::Wall,
        prepare: |effort| Ok(spsc::alone::<spsc::Slices>(effort)),
    },
    Scenario {
        name: "spsc-slices-1-1",
        title: "ring of 1024: slices of 64, 1 producer, 1 consumer",
        per: "item",
        headline: Headline::Wall,
        prepare: |effort| Ok(spsc::threads::<spsc::Slices>(effort)),
    },
    Scenario {
        name: "spsc-chunks-alone",
        title: "ring of 1024: chunks of 64, in place, one thread",
        per: "item",
        headline: Headline::Wall,
        prepare: |effort| Ok(spsc::alone::<spsc::Chunks>(effort)),
    },
    Scenario {
        name: "spsc-chunks-1-1",
        title: "ring of 1024: chunks of 64, in place, 1 producer, 1 consumer",
        per: "item",
        headline: Headline::Wall,
        prepare: |effort| Ok(spsc::threads::<spsc::Chunks>(effort)),
    },
    Scenario {
        name: "queue-1-1",
        title: "blocking queue of 1024: 1 producer, 1 consumer",
        per: "item",
        headline: Headline::Wall,
        prepare: |effort| Ok(queue_flow::wide(effort, 1, false)),
    },
    Scenario {
        name: "queue-2-2",
        title: "blocking queue of 1024: 2 producers, 2 consumers",
        per: "item",
        headline: Headline::Wall,
        prepare: |effort| Ok(queue_flow::wide(effort, 2, false)),
    },
    Scenario {
        name: "queue-4-4",
        title: "blocking queue of 1024: 4 producers, 4 consumers",
        per: "item",
        headline: Headline::Wall,
        prepare: |effort| Ok(queue_flow::wide(effort, 4, false)),
    },
    Scenario {
        name: "queue-8-8",
        title: "blocking queue of 1024: 8 producers, 8 consumers",
        per: "item",
        headline: Headline::Wall,
        prepare: |effort| Ok(queue_flow::wide(effort, 8, false)),
    },
    Scenario {
        name: "queue-one-1-1",
        title: "blocking queue of 1: 1 producer, 1 consumer",
        per: "item",
        headline: Headline::Wall,
        prepare: |effort| Ok(queue_flow::narrow(effort, false)),
    },
    Scenario {
        name: "queue-one-pinned-1-1",
        title: "blocking queue of 1 on one CPU: 1 producer, 1 consumer",
        per: "item",
        headline: Headline::Wall,
        prepare: |effort| Ok(queue_flow::narrow(effort, true)),
    },
    Scenario {
        name: "queue-pinned-1-1",
        title: "blocking queue of 1024 on one CPU: 1 producer, 1 consumer",
        per: "item",
        headline: Headline::Wall,
        prepare: |effort| Ok(queue_flow::wide(effort, 1, true)),
    },
    Scenario {
        name: "queue-pinned-2-2",
        title: "blocking queue of 1024 on one CPU: 2 producers, 2 consumers",
        per: "item",
        headline: Headline::Wall,
        prepare: |effort| Ok(queue_flow::wide(effort, 2, true)),
    },
    Scenario {
        name: "queue-sparse",
        title: "blocking queue of 1024: a message a millisecond",
        per: "message",
        headline: Headline::Cpu,
        prepare: |effort| Ok(queue_sparse::contenders(effort, 1024, false)),
    },
    Scenario {
        name: "queue-pinned-sparse",
        title: "blocking queue of 1024 on one CPU: a message a millisecond",
        per: "message",
        headline: Headline::Cpu,
        prepare: |effort| Ok(queue_sparse::contenders(effort, 1024, true)),
    },
    Scenario {
        name: "queue-one-sparse",
        title: "blocking queue of 1: a message a millisecond",
        per: "message",
        headline: Headline::Cpu,
        prepare: |effort| Ok(queue_sparse::contenders(effort, 1, false)),
    },
    Scenario {
        name: "queue-one-pinned-sparse",
        title: "blocking queue of 1 on one CPU: a message a millisecond",
        per: "message",
        headline: Headline::Cpu,
        prepare: |effort| Ok(queue_sparse::contenders(effort, 1, true)),
    },
    Scenario {
        name: "pool-empty",
        title: "pool of 2 threads: empty tasks",
        per: "task",
        headline: Headline::Wall,
        prepare: |effort| Ok(pool_empty::contenders(effort)),
    },
    Scenario {
        name: "pool-result",
        title: "pool of 2 threads: submit to result, one task at a time",
        per: "task",
        headline: Headline::Wall,
        prepare: |effort| Ok(pool_result::contenders(effort)),
    },
    Scenario {
        name: "map-tiny-sum",
        title: "map over 10 million items by 2 threads, 1 ns each: sum",
        per: "item",
        headline: Headline::Wall,
        prepare: |effort| Ok(map::sum::<map::Tiny>(effort)),
    },
    Scenario {
        name: "map-tiny-vector",
        title: "map over 10 million items by 2 threads, 1 ns each: vector",
        per: "item",
        headline: Headline::Wall,
        prepare: |effort| Ok(map::collect::<map::Tiny>(effort)),
    },
    Scenario {
        name: "map-small-sum",
        title: "map over 10 million items by 2 threads, 50 ns each: sum",
        per: "item",
        headline: Headline::Wall,
        prepare: |effort| Ok(map::sum::<map::Small>(effort)),
    },
    Scenario {
        name: "map-small-vector",
        title: "map over 10 million items by 2 threads, 50 ns each: vector",
        per: "item",
        headline: Headline::Wall,
        prepare: |effort| Ok(map::collect::<map::Small>(effort)),
    },
    Scenario {
        name: "process-start",
        title: "process that does nothing: start and join",
        per: "process",
        headline: Headline::Wall,
        prepare: |effort| Ok(process_start::contenders(effort)),
    },
    Scenario {
        name: "process-result",
        title: "pool of 2 processes: submit to result, one task at a time",
        per: "task",
        headline: Headline::Wall,
        prepare: |effort| Ok(process_result::contenders(effort, false)),
    },
    Scenario {
        name: "process-result-pinned",
        title: "pool of 2 processes on one CPU: submit to result, one task at a time",
        per: "task",
        headline: Headline::Wall,
        prepare: |effort| Ok(process_result::contenders(effort, true)),
    },
    Scenario {
        name: "process-tasks",
        title: "pool of 2 processes: tiny tasks, unchunked",
        per: "task",
        headline: Headline::Wall,
        prepare: |effort| Ok(process_tasks::contenders(effort)),
    },
    Scenario {
        name: "process-argument",
        title: "argument of 100 MB: to another process and looked at",
        per: "argument",
        headline: Headline::Wall,
        prepare: |effort| Ok(process_argument::contenders(effort)),
    },
    Scenario {
        name: "process-lost-median",
        title: "busy worker killed: until its task has the error, median",
        per: "kill",
        headline: Headline::Wall,
        prepare: |effort| Ok(process_lost::contenders(effort, Percentile(50))),
    },
    Scenario {
        name: "process-lost-99",
        title: "busy worker killed: until its task has the error, 99th percentile",
        per: "kill",
        headline: Headline::Wall,
        prepare: |effort| Ok(process_lost::contenders(effort, Percentile(99))),
    },
    Scenario {
        name: "process-queue-1-1",
        title: "queue of 1024 items of 64 bytes: 1 process sends, 1 receives",
        per: "item",
        headline: Headline::Wall,
        prepare: |effort| Ok(process_queue::contenders(effort, 1)),
    },
    Scenario {
        name: "process-queue-4-4",
        title: "queue of 1024 items of 64 bytes: 4 processes send, 4 receive",
        per: "item",
        headline: Headline::Wall,
        prepare: |effort| Ok(process_queue::contenders(effort, 4)),
    },
    Scenario {
        name: "sha256tree-small",
        title: "hashing a tree of 20,000 files of 1 to 8 KiB, warm cache",
        per: "tree",
        headline: Headline::Wall,
        prepare: sha256tree::small,
    },
    Scenario {
        name: "sha256tree-large",
        title: "hashing ten files of 100 MB, warm cache",
        per: "tree",
        headline: Headline::Wall,
        prepare: sha256tree::large,
    },
];
