//! The short examples: that they run, and print what they promise.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Command, Output};

use rustix::process::Signal;

use crate::program::{Running, example, text};

fn run(name: &str, args: &[&str]) -> Output {
    Running::start(Command::new(example(name)).args(args)).finish()
}

#[track_caller]
fn assert_ended_well(output: &Output) {
    assert_eq!(text(&output.stderr), "");
    assert!(output.status.success(), "{}", output.status);
}

#[test]
fn fetch_reads_every_page_and_tells_which_one_is_missing() {
    let output = run("fetch", &[]);
    assert_ended_well(&output);
    let lines: BTreeSet<&str> = text(&output.stdout).lines().collect();
    let mut expected: BTreeSet<String> = (0..40)
        .map(|page| format!("/page/{page}: Page number {page}"))
        .collect();
    expected.insert("/missing: not fetched: HTTP/1.0 404 Not Found".into());
    expected.insert("41 pages".into());
    assert!(
        lines.into_iter().eq(&expected),
        "{:?}",
        text(&output.stdout)
    );
}

#[test]
fn word_count_counts_real_text() {
    const TEXTS: [&str; 2] = [
        concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md"),
        concat!(env!("CARGO_MANIFEST_DIR"), "/../LICENSE-APACHE"),
    ];
    let mut words: Vec<String> = Vec::new();
    for path in TEXTS {
        let text = std::fs::read_to_string(path).unwrap().to_lowercase();
        let separate = |c: char| !c.is_alphanumeric();
        words.extend(
            text.split(separate)
                .filter(|word| !word.is_empty())
                .map(String::from),
        );
    }
    let the = words.iter().filter(|word| *word == "the").count();
    let different = words.iter().collect::<BTreeSet<_>>().len();

    let output = run("word_count", &TEXTS);
    #[cfg(not(brigade_portable))]
    assert_eq!(
        run("word_count", &["--processes", TEXTS[0], TEXTS[1]]),
        output
    );
    assert_ended_well(&output);
    let lines: Vec<&str> = text(&output.stdout).lines().collect();
    assert_eq!(lines.len(), 11);
    assert!(lines.contains(&&*format!("{the:7} the")), "{lines:?}");
    let all = format!("{:7} words in all, {different} different ones", words.len());
    assert_eq!(lines[10], all);
}

#[test]
fn word_count_says_which_file_it_cannot_read() {
    let output = run("word_count", &["/nowhere/at/all"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).contains("/nowhere/at/all: No such file"),
        "{output:?}"
    );
    #[cfg(not(brigade_portable))]
    assert_eq!(
        run("word_count", &["--processes", "/nowhere/at/all"]),
        output
    );
}

#[test]
fn stop_flag_ends_between_two_pieces_of_work() {
    let (running, stdout) = Running::start_unread(&mut Command::new(example("stop_flag")));
    let mut lines = BufReader::new(stdout).lines().map(Result::unwrap);
    // It handles signals before it says anything.
    assert!(lines.by_ref().any(|line| line == "reading 1"));
    let (output, _) = running.stop(Signal::INT);
    assert_ended_well(&output);
    let last = lines.last().unwrap();
    assert!(last.starts_with("stopped by signal 2 after "), "{last}");
}

#[test]
fn jobs_are_done_retried_and_given_up() {
    let output = run("jobs", &[]);
    assert_ended_well(&output);
    let lines: Vec<&str> = text(&output.stdout).lines().collect();
    let (last, lines) = lines.split_last().unwrap();
    assert_eq!(*last, "all jobs done");
    let mut said: Vec<&str> = lines
        .iter()
        .map(|line| line.split_once(": ").unwrap().1)
        .collect();
    said.sort_unstable();
    assert_eq!(
        said,
        [
            "count the buckets: one is missing, given up",
            "count the buckets: one is missing, once more",
            "count the buckets: one is missing, once more",
            "fetch water",
            "fetch water: the bucket leaks, once more",
            "put out the fire",
            "tidy up",
        ]
    );
}

#[test]
fn log_lines_have_the_names_of_their_threads() {
    let output = run("log_names", &[]);
    assert_ended_well(&output);
    let stdout = text(&output.stdout);
    for [thread, message] in [
        ["main", "starting"],
        ["watcher", "watching"],
        ["bucket-", "passing on"],
        ["main", "done"],
    ] {
        let found = stdout
            .lines()
            .any(|line| line.contains(&format!(" {thread}")) && line.contains(message));
        assert!(found, "{thread}: {message} in\n{stdout}");
    }
}
