//! The processor time of processes that live and stem from this one.

use std::collections::BTreeMap;
use std::fs;

use nix::sys::time::TimeValLike;
use nix::time::{clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

/// What the fields of `/proc/PID/stat` count in: a hundredth of a second, for all programs.
const TICK: i64 = 10_000_000;

/// The processor time of all living descendants, and of those children that they waited for.
pub(super) fn cpu_nanos() -> i64 {
    let all = processes();
    let ours = i32::try_from(std::process::id()).expect("a process number");
    let stems_from_us = |mut pid: i32| {
        while let Some(&(parent, _)) = all.get(&pid) {
            if parent == ours {
                return true;
            }
            pid = parent;
        }
        false
    };
    all.iter()
        .filter(|&(&pid, _)| stems_from_us(pid))
        .map(|(&pid, &(_, ticks))| own(pid) + ticks * TICK)
        .sum()
}

/// Of each process its parent, and the ticks of the children that it has waited for.
fn processes() -> BTreeMap<i32, (i32, i64)> {
    let entries = fs::read_dir("/proc").expect("Linux has /proc");
    let numbers = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    numbers
        .filter_map(|pid: i32| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
            // The name, in brackets, may hold anything.
            let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
            let parent = fields.nth(1)?.parse().ok()?;
            let user: i64 = fields.nth(11)?.parse().ok()?;
            let system: i64 = fields.next()?.parse().ok()?;
            Some((pid, (parent, user + system)))
        })
        .collect()
}

/// What a process used itself; nothing if it is gone.
fn own(pid: i32) -> i64 {
    clock_getcpuclockid(Pid::from_raw(pid))
        .and_then(clock_gettime)
        .map_or(0, |time| time.num_nanoseconds())
}
