//! The table: one row for each mutant, in the order of the source.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::sites::{Key, Mutant};

/// What came of weakening an ordering.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Verdict {
    /// This model fails.
    Fails { model: String, took: Duration },
    /// No model does, and this is why.
    Survives(Option<String>),
}

/// Rows by their keys, and the order of those that are written out.
#[derive(Default)]
pub(crate) struct Table {
    rows: BTreeMap<Key, Verdict>,
    order: Vec<Key>,
}

impl Table {
    pub(crate) fn parse(text: &str) -> Self {
        let mut table = Self::default();
        let mut file = String::new();
        for line in text.lines() {
            if let Some(heading) = line.strip_prefix("## ") {
                heading.trim_matches('`').clone_into(&mut file);
            }
            let cells: Vec<_> = line.split('|').map(str::trim).collect();
            let ["", function, access, ordering, weaker, verdict @ .., ""] = &*cells else {
                continue;
            };
            if !function.starts_with('`') {
                continue;
            }
            let plain = |cell: &str| cell.replace('`', "");
            let key = [&*file, function, access, ordering, weaker].map(plain);
            let verdict = match verdict {
                [model, took] if model.starts_with('`') => Verdict::Fails {
                    model: plain(model),
                    took: seconds(took),
                },
                [none, _] => Verdict::Survives(none.strip_prefix("none: ").map(str::to_owned)),
                _ => continue,
            };
            table.order.push(key.clone());
            table.rows.insert(key, verdict);
        }
        table
    }

    pub(crate) fn get(&self, mutant: &Mutant) -> Option<&Verdict> {
        self.rows.get(&mutant.key())
    }

    /// The table of these mutants, with these verdicts in the place of what was there.
    pub(crate) fn updated(&self, mutants: &[Mutant], verdicts: &BTreeMap<Key, Verdict>) -> Self {
        let mut table = Self::default();
        for mutant in mutants {
            let key = mutant.key();
            let verdict = match (verdicts.get(&key), self.get(mutant)) {
                // A time is not worth a change of the table.
                (Some(new), Some(old)) if new.model() == old.model() && new.model().is_some() => {
                    old
                }
                (Some(new), _) => new,
                (None, Some(Verdict::Survives(_))) => &Verdict::Survives(mutant.explanation()),
                (None, Some(old)) => old,
                (None, None) => continue,
            };
            table.order.push(key.clone());
            table.rows.insert(key, verdict.clone());
        }
        table
    }

    /// Whether this is the table of these mutants, and every survivor explained beside the code.
    pub(crate) fn compare(&self, mutants: &[Mutant]) -> Result<(), String> {
        let mut wrong = Vec::new();
        for mutant in mutants {
            match self.get(mutant) {
                None => wrong.push(format!("{mutant}: not in the table")),
                Some(Verdict::Survives(_)) if mutant.explanation().is_none() => {
                    wrong.push(format!("{mutant}: no model fails, and no comment says why"));
                }
                Some(Verdict::Survives(why)) if *why != mutant.explanation() => {
                    wrong.push(format!("{mutant}: the explanation has changed"));
                }
                Some(Verdict::Fails { model, .. }) if mutant.explanation().is_some() => {
                    wrong.push(format!("{mutant}: a comment denies it, but {model} fails"));
                }
                Some(_) => {}
            }
        }
        for key in &self.order {
            if mutants.iter().all(|mutant| mutant.key() != *key) {
                wrong.push(format!("{}: in the table only", key.join(" ")));
            }
        }
        if wrong.is_empty() {
            return Ok(());
        }
        Err(format!(
            "loom-tests/orderings.md, {} rows (`cargo weaken` writes it):\n  {}",
            wrong.len(),
            wrong.join("\n  ")
        ))
    }
}

impl Verdict {
    pub(crate) fn model(&self) -> Option<&str> {
        match self {
            Self::Fails { model, .. } => Some(model),
            Self::Survives(_) => None,
        }
    }
}

fn seconds(text: &str) -> Duration {
    let seconds = text.trim_end_matches(" s").parse().unwrap_or(0.0);
    Duration::from_secs_f32(seconds)
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fail = |verdict: &&Verdict| verdict.model().is_some();
        let fails = self.rows.values().filter(fail).count();
        writeln!(f, "# Memory orderings, weakened one by one\n")?;
        writeln!(
            f,
            "Written by `cargo weaken`; [CONTRIBUTING.md](../CONTRIBUTING.md) says how to read it."
        )?;
        writeln!(
            f,
            "Of {} ways to weaken an ordering by one step, {fails} make a model fail; the other {} are\nexplained beside the code, in the words quoted here.",
            self.order.len(),
            self.order.len() - fails,
        )?;
        let mut heading = "";
        for key in &self.order {
            let [file, function, access, ordering, weaker] = key;
            if heading != file {
                writeln!(f, "\n## `{file}`\n")?;
                writeln!(
                    f,
                    "| function | access | ordering | weakened to | model that fails | after |"
                )?;
                writeln!(f, "|---|---|---|---|---|--:|")?;
                heading = file;
            }
            write!(f, "| `{function}` | `{access}` | {ordering} | {weaker} | ")?;
            match &self.rows[key] {
                Verdict::Fails { model, took } => {
                    writeln!(f, "`{model}` | {:.1} s |", took.as_secs_f32())?;
                }
                Verdict::Survives(Some(why)) => writeln!(f, "none: {why} | |")?,
                Verdict::Survives(None) => writeln!(f, "none | |")?,
            }
        }
        Ok(())
    }
}
