//! Records: one CSV file a day and target, kept in the repository so that
//! figures can be traced over time.
//!
//! A run replaces the rows of the scenarios that it ran and leaves the others
//! of its day alone. All rows of one scenario are of one run.

use std::io;
use std::path::{Path, PathBuf};
use std::{fs, thread};

use serde::{Deserialize, Serialize};

use crate::round::Outcome;

/// The target that this program was built for.
pub const TARGET: &str = env!("COMPARE_TARGET");

/// One contender's outcome in one scenario. Times are nanoseconds per item.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Row {
    /// The day, in UTC.
    pub date: String,
    /// The target triple.
    pub target: String,
    /// How many CPUs the program could use.
    pub cpus: usize,
    /// The scenario's name.
    pub scenario: String,
    /// The contender's name.
    pub contender: String,
    /// The contender's class; a ratio means something within a class only.
    pub class: String,
    /// The median of the times on the wall.
    pub median_wall: f64,
    /// The median of the processor times.
    pub median_cpu: f64,
    /// The shortest time on the wall.
    pub min: f64,
    /// The longest time on the wall.
    pub max: f64,
    /// How many runs these are of.
    pub runs: usize,
}

/// Where the records are.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("records")
}

/// Writes a scenario's outcomes into today's record, and returns its path.
///
/// # Errors
///
/// If the record cannot be read or written.
pub fn write(scenario: &str, outcomes: &[Outcome], runs: usize) -> io::Result<PathBuf> {
    let date = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    let path = folder().join(format!("{date}-{TARGET}.csv"));
    let mut rows = if path.exists() {
        read(&path)?
    } else {
        Vec::new()
    };
    rows.retain(|row| row.scenario != scenario);
    let cpus = thread::available_parallelism()?.get();
    rows.extend(outcomes.iter().map(|outcome| Row {
        date: date.clone(),
        target: TARGET.to_owned(),
        cpus,
        scenario: scenario.to_owned(),
        contender: outcome.name.to_owned(),
        class: outcome.class.to_owned(),
        median_wall: hundredths(outcome.median.wall),
        median_cpu: hundredths(outcome.median.cpu),
        min: hundredths(outcome.min),
        max: hundredths(outcome.max),
        runs,
    }));
    fs::create_dir_all(folder())?;
    let mut writer = csv::Writer::from_path(&path)?;
    for row in rows {
        writer.serialize(row)?;
    }
    writer.flush()?;
    Ok(path)
}

/// Digits beyond a hundredth of a nanosecond are noise.
fn hundredths(nanos: f64) -> f64 {
    (nanos * 100.0).round() / 100.0
}

/// Reads a record.
///
/// # Errors
///
/// If it cannot be read or is not a record.
pub fn read(path: &Path) -> io::Result<Vec<Row>> {
    let mut reader = csv::Reader::from_path(path)?;
    let rows: Result<_, _> = reader.deserialize().collect();
    Ok(rows?)
}

/// The newest record of this target, by the date in its name.
///
/// # Errors
///
/// If there is none, or the folder cannot be read.
pub fn newest() -> io::Result<PathBuf> {
    let mut newest = None;
    for entry in fs::read_dir(folder())? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(&format!("-{TARGET}.csv")) {
            newest = newest.max(Some(path));
        }
    }
    newest.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no record of this target"))
}
