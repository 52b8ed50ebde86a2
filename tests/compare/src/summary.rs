//! The table of a record in the project's README: for each scenario ours, the best rival of the
//! same class, and the ratio of the two.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::record::{self, Row};
use crate::report::Unit;
use crate::scenario::{ALL, Headline, Scenario};

/// What stands around the table.
const BEGIN: &str = "<!-- compare:table:begin -->\n";
const END: &str = "<!-- compare:table:end -->\n";

/// Puts the table of a record into the README.
///
/// # Errors
///
/// If the record or the README cannot be read, if the marks are not there, or if it cannot be
/// written.
pub fn write(record: &Path) -> Result<(), Box<dyn Error>> {
    let rows = record::read(record)?;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let text = fs::read_to_string(&path)?;
    let (before, rest) = text.split_once(BEGIN).ok_or("no table in the README")?;
    let (_, after) = rest
        .split_once(END)
        .ok_or("the README's table has no end")?;
    let table = table(&rows);
    fs::write(&path, format!("{before}{BEGIN}{table}{END}{after}"))?;
    Ok(())
}

fn table(rows: &[Row]) -> String {
    let mut out = String::from(
        "| scenario | brigade | | best rival of its kind | | ratio |\n|---|---|--:|---|--:|--:|\n",
    );
    for scenario in ALL {
        let rows: Vec<_> = rows
            .iter()
            .filter(|row| row.scenario == scenario.name)
            .collect();
        for ours in ours(scenario, &rows) {
            let rivals = rows
                .iter()
                .filter(|row| !is_ours(row) && row.class == ours.class);
            line(&mut out, scenario, ours, best(scenario, rivals));
            if scenario.headline == Headline::Wall {
                let floors = rows.iter().filter(|row| row.class.is_empty());
                line(&mut out, scenario, ours, best(scenario, floors));
            }
        }
    }
    out
}

/// One line, unless there is nobody to compare with.
fn line(out: &mut String, scenario: &Scenario, ours: &Row, other: Option<&Row>) {
    let Some(other) = other else { return };
    let clock = match scenario.headline {
        Headline::Wall => "",
        Headline::Cpu => "CPU ",
    };
    let (own, others) = (figure(scenario, ours), figure(scenario, other));
    let unit = Unit::suiting(own.min(others));
    writeln!(
        out,
        "| {}: {clock}{unit} | {} | {} | {} | {} | {:.2} |",
        scenario.title,
        ours.contender.trim_start_matches("brigade "),
        unit.show(own),
        other.contender,
        unit.show(others),
        own / others,
    )
    .expect("a string takes all that is written");
}

/// Ours, and of twins that differ in where their slots are the faster one.
fn ours<'a>(scenario: &Scenario, rows: &[&'a Row]) -> Vec<&'a Row> {
    let mut chosen: Vec<&Row> = Vec::new();
    for row in rows.iter().filter(|row| is_ours(row)) {
        match chosen.iter_mut().find(|other| kind(other) == kind(row)) {
            Some(other) if figure(scenario, row) < figure(scenario, other) => *other = row,
            Some(_) => {}
            None => chosen.push(row),
        }
    }
    chosen
}

fn kind(row: &Row) -> &str {
    row.contender.trim_end_matches(", inline")
}

fn is_ours(row: &Row) -> bool {
    row.contender.starts_with("brigade")
}

fn best<'a>(scenario: &Scenario, rows: impl Iterator<Item = &'a &'a Row>) -> Option<&'a Row> {
    rows.copied()
        .min_by(|a, b| figure(scenario, a).total_cmp(&figure(scenario, b)))
}

fn figure(scenario: &Scenario, row: &Row) -> f64 {
    match scenario.headline {
        Headline::Wall => row.median_wall,
        Headline::Cpu => row.median_cpu,
    }
}
