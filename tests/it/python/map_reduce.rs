//! The classic main job.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

#[cfg(not(brigade_portable))]
use brigade::ProcessPool;
use brigade::{Executor, TaskError, ThreadPool};

type Counts = HashMap<String, u64>;

fn count(text: &str) -> Counts {
    let mut counts = Counts::new();
    for word in text.split(|c: char| !c.is_alphanumeric()) {
        if !word.is_empty() {
            *counts.entry(word.to_lowercase()).or_default() += 1;
        }
    }
    counts
}

fn add(mut total: Counts, counts: Counts) -> Counts {
    for (word, times) in counts {
        *total.entry(word).or_default() += times;
    }
    total
}

/// Whatever the executor: what goes wrong with a file is text, which travels everywhere.
fn count_files(executor: &impl Executor, files: Vec<PathBuf>) -> Result<Counts, TaskError> {
    let count = |file: PathBuf| fs::read_to_string(file).map_or(Counts::new(), |text| count(&text));
    executor
        .map_unordered(files, count)
        .try_fold(Counts::new(), |total, counts| Ok(add(total, counts?)))
}

/// Map-reduce over files with a pool, of threads or processes, by words: it comes out as on one thread, and a file that cannot be
/// read is the business of its own item.
#[test]
fn map_reduce_word_counts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("it");
    let mut files: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    assert!(files.len() > 10);
    let expected = files.iter().fold(Counts::new(), |total, file| {
        add(total, count(&fs::read_to_string(file).unwrap()))
    });
    assert!(expected["brigade"] > 10);

    let pool = ThreadPool::builder().threads(3).build().unwrap();
    assert_eq!(count_files(&pool, files.clone()).unwrap(), expected);
    #[cfg(not(brigade_portable))]
    {
        let pool = ProcessPool::builder().workers(3).build().unwrap();
        assert_eq!(count_files(&pool, files.clone()).unwrap(), expected);
    }

    let missing = folder.join("no such file");
    files.push(missing.clone());
    let (mut total, mut errors) = (Counts::new(), Vec::new());
    let read = |file: PathBuf| fs::read_to_string(&file).map_err(|error| (file, error.kind()));
    for text in pool.map_unordered(files, read) {
        match text.unwrap() {
            Ok(text) => total = add(total, count(&text)),
            Err(error) => errors.push(error),
        }
    }
    assert_eq!(total, expected);
    assert_eq!(errors, [(missing, io::ErrorKind::NotFound)]);
}
