//! Counts the words of text files: map-reduce on a pool of threads, or, on Linux, of processes.
//!
//! ```text
//! cargo run --release --example word_count -- README.md core/README.md
//! cargo run --release --example word_count -- --processes README.md core/README.md
//! ```
//!
//! Each file is counted by itself (*map*, in the pool), the counts are added up as they come
//! (*reduce*, here). The function that does it takes any [`Executor`].

use std::collections::HashMap;
use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use brigade::{Executor, ThreadPool};

const SHOWN: usize = 10;

type Counts = HashMap<String, u64>;

fn main() -> Result<(), Box<dyn Error>> {
    let mut files: Vec<OsString> = env::args_os().skip(1).collect();
    let processes = files.first().is_some_and(|first| first == "--processes");
    if processes {
        files.remove(0);
    }
    if files.is_empty() {
        return Err("name the files to count".into());
    }
    let total = if processes {
        in_processes(files)?
    } else {
        word_count(&ThreadPool::new()?, files)?
    };

    let mut words: Vec<_> = total.iter().collect();
    words.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    for (word, count) in words.into_iter().take(SHOWN) {
        println!("{count:7} {word}");
    }
    println!(
        "{:7} words in all, {} different ones",
        total.values().sum::<u64>(),
        total.len()
    );
    Ok(())
}

#[cfg(brigade_processes)]
fn in_processes(files: Vec<OsString>) -> Result<Counts, Box<dyn Error>> {
    word_count(&brigade::ProcessPool::new()?, files)
}

#[cfg(not(brigade_processes))]
fn in_processes(_files: Vec<OsString>) -> Result<Counts, Box<dyn Error>> {
    Err("pools of processes are for Linux".into())
}

fn word_count(pool: &impl Executor, files: Vec<OsString>) -> Result<Counts, Box<dyn Error>> {
    let mut total = Counts::new();
    for counts in pool.map_unordered(files, count) {
        for (word, count) in counts?? {
            *total.entry(word).or_default() += count;
        }
    }
    Ok(total)
}

/// The words of one file. What goes wrong is told as text, and the name is an [`OsString`], which any
/// executor can carry.
#[allow(
    clippy::needless_pass_by_value,
    reason = "an executor hands its argument over"
)]
fn count(file: OsString) -> Result<Counts, String> {
    let file = Path::new(&file);
    let text = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut counts = Counts::new();
    for word in String::from_utf8_lossy(&text).split(|c: char| !c.is_alphanumeric()) {
        if !word.is_empty() {
            *counts.entry(word.to_lowercase()).or_default() += 1;
        }
    }
    Ok(counts)
}
