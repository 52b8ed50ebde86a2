//! Prints outcomes as a Markdown table.

use std::fmt;

use crate::contender::Role;
use crate::measure::Sample;
use crate::round::Outcome;
use crate::scenario::{Headline, Scenario};

/// The outcomes of one scenario, as a table with a heading.
pub struct Table<'a> {
    scenario: &'a Scenario,
    outcomes: Vec<&'a Outcome>,
    unit: Unit,
}

impl<'a> Table<'a> {
    /// Ours first, then the rivals by rank, then the floor.
    #[must_use]
    pub fn new(scenario: &'a Scenario, outcomes: &'a [Outcome]) -> Self {
        let mut outcomes: Vec<_> = outcomes.iter().collect();
        let key = |outcome: &Outcome| headline(scenario.headline, outcome.median);
        outcomes.sort_by(|a, b| {
            let side = |outcome: &Outcome| match outcome.role {
                Role::Ours => 0,
                Role::Rival => 1,
                Role::Floor => 2,
            };
            side(a).cmp(&side(b)).then(key(a).total_cmp(&key(b)))
        });
        let least = outcomes
            .iter()
            .map(|outcome| key(outcome))
            .fold(f64::INFINITY, f64::min);
        Self {
            scenario,
            outcomes,
            unit: Unit::suiting(least),
        }
    }

    /// The least of the rivals of a class; none if it has no rival.
    fn best_rival(&self, class: &str, figure: impl Fn(Sample) -> f64) -> Option<f64> {
        self.outcomes
            .iter()
            .filter(|outcome| outcome.role == Role::Rival && outcome.class == class)
            .map(|outcome| figure(outcome.median))
            .min_by(f64::total_cmp)
    }
}

fn headline(headline: Headline, sample: Sample) -> f64 {
    match headline {
        Headline::Wall => sample.wall,
        Headline::Cpu => sample.cpu,
    }
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Scenario {
            name, title, per, ..
        } = self.scenario;
        let unit = self.unit;
        let floor = self
            .outcomes
            .iter()
            .find(|outcome| outcome.role == Role::Floor);

        writeln!(f, "### `{name}`: {title} ({unit} per {per})\n")?;
        write!(
            f,
            "| contender | class | wall | x best rival | CPU | x best rival | wall, min to max |"
        )?;
        writeln!(f, "{}", if floor.is_some() { " x floor |" } else { "" })?;
        write!(f, "|---|---|--:|--:|--:|--:|--:|")?;
        writeln!(f, "{}", if floor.is_some() { "--:|" } else { "" })?;
        for outcome in &self.outcomes {
            let Outcome {
                role,
                name,
                class,
                median,
                min,
                max,
            } = outcome;
            let name = match role {
                Role::Ours => format!("**{name}**"),
                Role::Rival => (*name).to_owned(),
                Role::Floor => format!("_{name}_"),
            };
            let ratio = |figure: fn(Sample) -> f64| {
                self.best_rival(class, figure)
                    .map_or_else(String::new, |best| format!("{:.2}", figure(*median) / best))
            };
            write!(
                f,
                "| {name} | {class} | {} | {} | {} | {} | {} to {} |",
                unit.show(median.wall),
                ratio(|sample| sample.wall),
                unit.show(median.cpu),
                ratio(|sample| sample.cpu),
                unit.show(*min),
                unit.show(*max),
            )?;
            if let Some(floor) = floor {
                let by = self.scenario.headline;
                write!(
                    f,
                    " {:.2} |",
                    headline(by, *median) / headline(by, floor.median)
                )?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

/// A unit of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit {
    name: &'static str,
    nanos: f64,
}

impl Unit {
    /// One that makes `least` nanoseconds a number easy to read.
    #[must_use]
    pub fn suiting(least: f64) -> Self {
        let (name, nanos) = match least {
            ..1e4 => ("ns", 1.0),
            1e4..1e7 => ("us", 1e3),
            _ => ("ms", 1e6),
        };
        Self { name, nanos }
    }

    /// A number of nanoseconds in this unit, to three digits.
    #[must_use]
    pub fn show(self, nanos: f64) -> String {
        let value = nanos / self.nanos;
        match value {
            ..10.0 => format!("{value:.2}"),
            10.0..100.0 => format!("{value:.1}"),
            _ => thousands(&format!("{value:.0}")),
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// Sets commas between groups of three digits.
fn thousands(digits: &str) -> String {
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::Unit;

    #[test]
    fn numbers_have_three_digits_and_commas() {
        let nanos = Unit::suiting(1.0);
        assert_eq!(nanos.show(1.234), "1.23");
        assert_eq!(nanos.show(12.34), "12.3");
        assert_eq!(nanos.show(123.4), "123");
        assert_eq!(nanos.show(1_234_567.8), "1,234,568");
        assert_eq!(Unit::suiting(2e8).show(2.5e8), "250");
    }
}
