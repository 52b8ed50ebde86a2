//! Map and reduce: counting the words of files with a pool.
//!
//! <table><tr><th>Python</th><th>brigade</th></tr><tr style="vertical-align:top"><td>
//!
//! ```python
//! from collections import Counter
//! from multiprocessing import Pool
//!
//! FILES = ["README.md", "src/lib.rs"]
//!
//! def count(file):  # map
//!     with open(file) as text:
//!         return Counter(text.read().split())
//!
//! if __name__ == "__main__":
//!     total = Counter()
//!     with Pool() as pool:
//!         for counts in pool.imap_unordered(
//!                 count, FILES):
//!             total += counts  # reduce
//!
//!     top = total.most_common(3)
//!     for word, times in top:
//!         print(times, word)
//! ```
//!
//! </td><td>
//!
//! ```rust
//! use brigade::ThreadPool;
//! use std::{cmp::Reverse, collections::HashMap, fs, io};
//!
//! const FILES: [&str; 2] = ["README.md", "src/lib.rs"];
//! type Counts = HashMap<String, u64>;
//!
//! fn count(file: &str) -> io::Result<Counts> { // map
//!     let mut counts = Counts::new();
//!     for word in fs::read_to_string(file)?
//!         .split_whitespace()
//!     {
//!         *counts.entry(word.into()).or_default() += 1;
//!     }
//!     Ok(counts)
//! }
//!
//! let mut total = Counts::new();
//! let pool = ThreadPool::new()?;
//! for counts in pool.map_unordered(FILES, count) {
//!     for (word, times) in counts?? { // reduce
//!         *total.entry(word).or_default() += times;
//!     }
//! }
//!
//! let mut top: Vec<_> = total.iter().collect();
//! top.sort_by_key(|&(_, times)| Reverse(times));
//! for (word, times) in &top[..3] {
//!     println!("{times} {word}");
//! }
//! assert!(total["the"] > 10);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! </td></tr></table>
//!
//! | Python | brigade | difference |
//! |---|---|---|
//! | `imap_unordered(count, files)` | [`map_unordered(files, count)`](crate::ThreadPool::map_unordered) | the first to be done comes first; the next file is begun when a result is taken, so memory does not fill with counts |
//! | an exception in `count` is raised by the loop | `counts??` | the outer error is a panic of the task, the inner one the file's |
//! | `Counter` | `HashMap<String, u64>` | |
//! | `if __name__ == "__main__":` | | nothing is imported twice |
//!
//! **The trap that is gone.** Leaving `with Pool()` calls `terminate`: what is still queued is
//! dropped without a word. Leaving the scope of a [`ThreadPool`](crate::ThreadPool) runs what is
//! queued. And every count of a Python pool is pickled by the worker and unpickled by the parent;
//! here it is handed over.
//!
//! The example `word_count` does the same for the files that it is given, with any
//! [`Executor`](crate::Executor): on threads, or with `--processes` in [processes](super::process_pools). A
//! file on which a worker process dies is an outer error then, and the others are counted all the same.
