//! What a pool of processes holds after many tasks: no more than after few.
//!
//! ```text
//! cargo run --release -p brigade-kill-tests --bin upkeep               a million tasks
//! cargo run --release -p brigade-kill-tests --bin upkeep -- 10000000   as many as you like
//! ```
//!
//! Memory, descriptors and threads, of the pool's process and of each worker, and the number of its
//! children. Ends with an error if any of them has grown.

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    linux::main()
}

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::VecDeque;
    use std::process::{self, ExitCode};
    use std::time::Instant;
    use std::{env, fs};

    use brigade::{ProcessPool, Task};

    const WORKERS: usize = 2;
    /// Tasks that are under way at a time.
    const AHEAD: usize = 1000;
    /// After so many everything has the size that it needs.
    const WARM: u64 = 100_000;
    /// What the allocator may take in KiB for reasons of its own.
    const SLACK: u64 = 1024;

    /// What one process holds.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct Holdings {
        resident: u64,
        threads: u64,
        descriptors: u64,
        children: u64,
    }

    pub(super) fn main() -> ExitCode {
        let tasks = env::args()
            .nth(1)
            .map_or(Ok(1_000_000), |text| text.parse());
        let Ok(tasks) = tasks else {
            eprintln!("usage: upkeep [TASKS]");
            return ExitCode::FAILURE;
        };
        let pool = ProcessPool::builder()
            .workers(WORKERS)
            .build()
            .expect("it can be started");
        run(&pool, WARM);
        let before = all(&pool);
        let began = Instant::now();
        run(&pool, tasks);
        let took = began.elapsed();
        let after = all(&pool);
        println!("{tasks} tasks in {took:.1?}, before and after:");
        for holdings in [&before, &after] {
            for (who, held) in holdings {
                println!("{who:>8} {held:?}");
            }
        }
        let is_flat = before.len() == after.len()
            && before
                .iter()
                .zip(&after)
                .all(|(before, after)| is_same(before, after));
        if !is_flat {
            eprintln!("error: it has grown");
            return ExitCode::FAILURE;
        }
        ExitCode::SUCCESS
    }

    fn is_same((who, before): &(u32, Holdings), (still, after): &(u32, Holdings)) -> bool {
        let resident = before.resident;
        who == still
            && after.resident <= resident + SLACK
            && *before == Holdings { resident, ..*after }
    }

    fn run(pool: &ProcessPool, tasks: u64) {
        let mut under_way: VecDeque<(u64, Task<u64>)> = VecDeque::new();
        for number in 0..tasks + AHEAD as u64 {
            if number < tasks {
                let task = pool.submit_with(|number: u64| number + 1, number);
                under_way.push_back((number, task.expect("the pool is open")));
            }
            if under_way.len() == AHEAD || number >= tasks {
                if let Some((number, task)) = under_way.pop_front() {
                    assert_eq!(task.result().expect("nobody is killed"), number + 1);
                }
            }
        }
    }

    /// Of this process, and of the workers.
    fn all(pool: &ProcessPool) -> Vec<(u32, Holdings)> {
        let mut pids = pool.pids();
        pids.sort_unstable();
        pids.insert(0, process::id());
        pids.into_iter().map(|pid| (pid, holdings(pid))).collect()
    }

    fn holdings(pid: u32) -> Holdings {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("it lives");
        let number = |name: &str| -> Option<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_whitespace().next()?.parse().ok()
        };
        let children = fs::read_dir(format!("/proc/{pid}/task"))
            .expect("it lives")
            .flatten();
        let children = children
            .map(|thread| fs::read_to_string(thread.path().join("children")).unwrap_or_default());
        Holdings {
            resident: number("VmRSS:").expect("as proc(5) says"),
            threads: number("Threads:").expect("as proc(5) says"),
            descriptors: fs::read_dir(format!("/proc/{pid}/fd"))
                .expect("it lives")
                .count() as u64,
            children: children
                .map(|list| list.split_whitespace().count() as u64)
                .sum(),
        }
    }
}
