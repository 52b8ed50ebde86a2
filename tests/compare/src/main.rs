//! Puts brigade and its rivals through the same loops and says how they compare.

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use compare::report::Table;
use compare::scenario::{ALL, Effort, Scenario};
use compare::{plot, record, round, summary};

/// Puts brigade and its rivals through the same loops and says how they compare.
#[derive(Parser)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a flag of the command line"
)]
struct Options {
    /// The scenarios to run, by the beginning of their names; all if none is given
    #[arg(value_name = "SCENARIO")]
    scenarios: Vec<String>,

    /// Do a fraction of the work, to see that everything runs; the figures mean little
    #[arg(long)]
    quick: bool,

    /// How many times each contender runs; the median counts [default: 11, or 3 with --quick]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    runs: Option<u16>,

    /// Write the outcomes into today's record
    #[arg(long, conflicts_with = "quick")]
    record: bool,

    /// List the scenarios and exit
    #[arg(long)]
    list: bool,

    /// Draw the plots of the newest record into `plots`, write its table into the project's README
    /// and exit
    #[arg(long, conflicts_with_all = ["scenarios", "record", "quick", "runs"])]
    plot: bool,
}

fn main() -> ExitCode {
    procspawn::init();
    compare::process::child::enter();
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("compare: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), String> {
    if options.list {
        for scenario in ALL {
            println!("{:20} {}", scenario.name, scenario.title);
        }
        return Ok(());
    }
    if options.plot {
        let path = record::newest().map_err(|error| error.to_string())?;
        return plot::draw(&path)
            .and_then(|()| summary::write(&path))
            .map_err(|error| format!("{}: {error}", path.display()));
    }

    let effort = if options.quick {
        Effort::Quick
    } else {
        Effort::Full
    };
    let runs = options.runs.unwrap_or(if options.quick { 3 } else { 11 });
    let chosen = choose(&options.scenarios)?;
    if options.quick {
        println!("A quick run, with a fraction of the work: these figures mean little.\n");
    }
    let mut failed = Vec::new();
    for scenario in chosen {
        let start = Instant::now();
        if let Err(error) = compare(scenario, effort, runs.into(), options.record) {
            eprintln!("compare: {}: {error}", scenario.name);
            failed.push(scenario.name);
        }
        eprintln!("{}: {:.1} s", scenario.name, start.elapsed().as_secs_f64());
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(format!("not run: {}", failed.join(", ")))
    }
}

/// The scenarios whose names begin with one of `names`.
fn choose(names: &[String]) -> Result<Vec<&'static Scenario>, String> {
    for name in names {
        if !ALL
            .iter()
            .any(|scenario| scenario.name.starts_with(name.as_str()))
        {
            return Err(format!("no scenario begins with {name:?}; see --list"));
        }
    }
    let wanted = |scenario: &&Scenario| {
        names.is_empty()
            || names
                .iter()
                .any(|name| scenario.name.starts_with(name.as_str()))
    };
    Ok(ALL.iter().filter(wanted).collect())
}

fn compare(scenario: &Scenario, effort: Effort, runs: usize, keep: bool) -> std::io::Result<()> {
    let contenders = scenario.prepare(effort)?;
    let outcomes = round::take_turns(&contenders, runs);
    println!("{}", Table::new(scenario, &outcomes));
    if keep {
        record::write(scenario.name, &outcomes, runs)?;
    }
    Ok(())
}
