//! Weakens each memory ordering of the core, one at a time, and has a loom model fail.
//!
//! ```text
//! cargo weaken              brings the table up to date
//! cargo weaken --all        the same, and tries all models again on the orderings that none tells
//! cargo weaken --check      is the table that of the source, and do the models it names still fail?
//! ```
//!
//! With a text behind it, only the rows that contain it.
//!
//! An `AcqRel` becomes an `Acquire` and a `Release`, each of those a `Relaxed`; of a compare-and-swap
//! both orderings have their turn. Nothing is compiled for it: the models' atomics ask the
//! environment (`src/mutation.rs`). A model that fails is looked for among those that reach the
//! access, quick ones first. One that runs out of time has not failed.
//!
//! An ordering that no model misses is either stronger than it needs to be, or a model is missing,
//! or loom cannot tell the difference. The last is for a comment beside the access to say, in these
//! words, up to its end:
//!
//! ```text
//! // No model tells the acquire half: (why)
//! // No model tells the release half: (why)
//! // No model tells either half: (why)
//! // No model tells the acquire half on failure: (why)
//! ```

mod models;
mod sites;
mod table;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{env, fs};

use models::{Answer, Models, Surveyed, all};
use sites::Mutant;
use table::{Table, Verdict};

/// How long to look at a model to know what it reaches, and which to try first.
const QUICK: Duration = Duration::from_secs(5);
/// What a model may take.
const LIMIT: Duration = Duration::from_secs(1200);

#[derive(PartialEq)]
enum Task {
    Update,
    All,
    Check,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(complaint) => {
            eprintln!("error: {complaint}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let (options, text): (Vec<_>, Vec<_>) = env::args().skip(1).partition(|it| it.starts_with('-'));
    let task = match &*options {
        [] => Task::Update,
        [one] if one == "--all" => Task::All,
        [one] if one == "--check" => Task::Check,
        _ => return Err("usage: cargo weaken [--all | --check] [TEXT]".to_owned()),
    };
    let begun = Instant::now();
    let mutants = sites::mutants(&models::root())?;
    let path = models::root().join("loom-tests/orderings.md");
    let table = Table::parse(&fs::read_to_string(&path).unwrap_or_default());
    if task == Task::Check {
        table.compare(&mutants)?;
    }
    let chosen: Vec<&Mutant> = mutants
        .iter()
        .filter(|mutant| text.iter().all(|text| mutant.to_string().contains(text)))
        .collect();

    let models = Models::build()?;
    let mut verdicts = confirm(&models, &table, &chosen)?;
    let settled = |mutant: &Mutant| {
        matches!(table.get(mutant), Some(Verdict::Survives(_))) && mutant.explanation().is_some()
    };
    let open: Vec<&Mutant> = chosen
        .iter()
        .filter(|mutant| !verdicts.contains_key(&mutant.key()))
        .filter(|mutant| task == Task::All || !settled(mutant))
        .copied()
        .collect();
    if task == Task::Check {
        if !open.is_empty() {
            let open: Vec<_> = open.iter().map(ToString::to_string).collect();
            let open = open.join("\n  ");
            return Err(format!("the model in the table does not fail:\n  {open}"));
        }
    } else {
        verdicts.extend(search(&models, &open)?);
        let table = table.updated(&mutants, &verdicts);
        fs::write(&path, table.to_string()).map_err(|e| format!("{}: {e}", path.display()))?;
        table.compare(&mutants)?;
    }
    println!(
        "{} rows in {:.0?}, all as they should be",
        chosen.len(),
        begun.elapsed()
    );
    Ok(())
}

type Verdicts = BTreeMap<sites::Key, Verdict>;

/// Tries the models that the table names.
fn confirm(models: &Models, table: &Table, mutants: &[&Mutant]) -> Result<Verdicts, String> {
    let pairs: Vec<_> = mutants
        .iter()
        .filter_map(|&mutant| match table.get(mutant)? {
            Verdict::Fails { model, .. } if models.names.contains(model) => Some((mutant, model)),
            _ => None,
        })
        .collect();
    let mut named: Vec<_> = pairs.iter().map(|&(_, model)| model.clone()).collect();
    named.sort_unstable();
    named.dedup();
    models.must_pass(&named)?;
    let verdicts = all(&pairs, |&(mutant, model)| {
        match models.run(model, &mutant.environment(), LIMIT) {
            Answer::Failed(took) => Some((mutant.key(), fails(mutant, model, took))),
            Answer::Passed(_) | Answer::OutOfTime => None,
        }
    });
    Ok(verdicts.into_iter().flatten().collect())
}

/// Tries all models that reach the access, quick ones first.
fn search(models: &Models, mutants: &[&Mutant]) -> Result<Verdicts, String> {
    if mutants.is_empty() {
        return Ok(Verdicts::new());
    }
    println!(
        "{} to go; first a look at all {} models",
        mutants.len(),
        models.names.len()
    );
    let mut surveyed = models.survey(&models.names, QUICK)?;
    surveyed.sort_by_key(|model| model.took);
    let verdicts = all(mutants, |mutant| {
        (mutant.key(), try_all(models, &surveyed, mutant))
    });
    // Those that were cut short have yet to show that they pass.
    let mut slow: Vec<_> = surveyed
        .into_iter()
        .filter(|model| model.is_cut_short)
        .map(|model| model.name)
        .filter(|name| {
            verdicts
                .iter()
                .any(|(_, verdict)| verdict.model() == Some(name))
        })
        .collect();
    slow.sort_unstable();
    models.must_pass(&slow)?;
    Ok(verdicts.into_iter().collect())
}

fn try_all(models: &Models, surveyed: &[Surveyed], mutant: &Mutant) -> Verdict {
    let (mut passed, mut out_of_time) = (0, Vec::new());
    for model in surveyed.iter().filter(|model| model.reaches(mutant)) {
        match models.run(&model.name, &mutant.environment(), LIMIT) {
            Answer::Failed(took) => return fails(mutant, &model.name, took),
            Answer::OutOfTime => out_of_time.push(&*model.name),
            Answer::Passed(_) => passed += 1,
        }
    }
    println!("{mutant}: {passed} models pass, out of time are {out_of_time:?}");
    Verdict::Survives(mutant.explanation())
}

fn fails(mutant: &Mutant, model: &str, took: Duration) -> Verdict {
    println!("{mutant}: {model} fails after {took:.1?}");
    let model = model.to_owned();
    Verdict::Fails { model, took }
}
