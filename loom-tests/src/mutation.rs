//! The other end of `cargo weaken`, inside the models: weakens one ordering and tells which accesses
//! a model reaches, as the environment asks.
//!
//! | variable | what it holds |
//! |---|---|
//! | `BRIGADE_WEAKEN` | `FILE LINE COLUMN success ORDERING`, or `failure`: the access, its ordering, and what that becomes |
//! | `BRIGADE_REACHED` | a file to append each access to when it is first reached, as `FILE LINE COLUMN` |

use std::collections::BTreeSet;
use std::env;
use std::fs::File;
use std::io::Write as _;
use std::panic::Location;
use std::sync::{LazyLock, Mutex};

use brigade_core::sync::{Ordering, Outcome, weaken_orderings};

/// One ordering, weakened.
struct Mutation {
    file: String,
    line: u32,
    column: u32,
    outcome: Outcome,
    weaker: Ordering,
}

static MUTATION: LazyLock<Option<Mutation>> = LazyLock::new(|| {
    let asked = env::var("BRIGADE_WEAKEN").ok()?;
    Some(parse(&asked).unwrap_or_else(|| panic!("BRIGADE_WEAKEN={asked} makes no sense")))
});
static RECORD: LazyLock<Option<File>> = LazyLock::new(|| {
    let path = env::var_os("BRIGADE_REACHED")?;
    let file = File::options().create(true).append(true).open(path);
    Some(file.expect("BRIGADE_REACHED names a file that can be written"))
});
static REACHED: Mutex<BTreeSet<Location<'static>>> = Mutex::new(BTreeSet::new());

fn parse(asked: &str) -> Option<Mutation> {
    let [file, line, column, outcome, weaker] = *asked.split(' ').collect::<Vec<_>>() else {
        return None;
    };
    Some(Mutation {
        file: file.to_owned(),
        line: line.parse().ok()?,
        column: column.parse().ok()?,
        outcome: match outcome {
            "success" => Outcome::Success,
            "failure" => Outcome::Failure,
            _ => return None,
        },
        weaker: match weaker {
            "Relaxed" => Ordering::Relaxed,
            "Acquire" => Ordering::Acquire,
            "Release" => Ordering::Release,
            _ => return None,
        },
    })
}

/// Does what the environment asks, if anything, from now on.
pub(crate) fn heed_environment() {
    if MUTATION.is_some() || RECORD.is_some() {
        weaken_orderings(ordering);
    }
}

/// As the core's atomics ask, for those that models have of their own.
pub(crate) fn actual(
    at: &'static Location<'static>,
    outcome: Outcome,
    written: Ordering,
) -> Ordering {
    if MUTATION.is_some() || RECORD.is_some() {
        ordering(at, outcome, written)
    } else {
        written
    }
}

fn ordering(at: &'static Location<'static>, outcome: Outcome, written: Ordering) -> Ordering {
    if let Some(mut record) = RECORD.as_ref() {
        if REACHED.lock().unwrap().insert(*at) {
            let line = format!("{} {} {}\n", at.file(), at.line(), at.column());
            record.write_all(line.as_bytes()).unwrap();
        }
    }
    match &*MUTATION {
        Some(mutation) if mutation.is_at(at) && mutation.outcome == outcome => mutation.weaker,
        _ => written,
    }
}

impl Mutation {
    fn is_at(&self, at: &Location) -> bool {
        // A file included from another package has that package's path before its own.
        at.line() == self.line && at.column() == self.column && at.file().ends_with(&self.file)
    }
}
